#include "parley/observe/impl/text.h"

#include <cstddef>
#include <utility>

#include "parley/observe/impl/number.h"

namespace parley::observe::impl {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

// The length of the well-formed character at `at`; 0 when there is none (RFC 3629, section 4).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto tail = [&](std::size_t offset, unsigned low = 0x80, unsigned high = 0xbf) {
    const unsigned byte = byte_at(text, at + offset);
    return byte >= low && byte <= high;
  };
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;   // no shorter form would do
    const unsigned high = first == 0xed ? 0x9f : 0xbf;  // no surrogates
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;  // up to U+10FFFF
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

std::string joined(std::string_view labels, std::string_view more) {
  return std::string(labels) + (labels.empty() ? "" : ",") + std::string(more);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0 || is_control(text[at])) {
      out += replacement;
      ++at;
      continue;
    }
    out += text.substr(at, length);
    at += length;
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string labels_text(std::span<const std::string> names, std::span<const std::string> values) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out = joined(out, names[i] + "=\"" + escaped(values[i]) + "\"");
  }
  return out;
}

void TextWriter::metric(std::string_view name, Kind kind, std::string_view unit,
                        std::string_view help) {
  const auto line = [&](std::string_view what, std::string_view value) {
    for (const std::string_view part : {std::string_view("# "), what, std::string_view(" "), name,
                                        std::string_view(" "), value, std::string_view("\n")}) {
      text_ += part;
    }
  };
  line("TYPE", name_of(kind));
  if (!unit.empty()) line("UNIT", unit);
  line("HELP", escaped(help));
}

void TextWriter::sample(std::string_view name, std::string_view suffix, std::string_view labels,
                        std::string_view value) {
  text_ += name;
  text_ += suffix;
  if (!labels.empty()) {
    text_ += '{';
    text_ += labels;
    text_ += '}';
  }
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void TextWriter::counter(std::string_view name, std::string_view labels, std::uint64_t value) {
  sample(name, "_total", labels, std::to_string(value));
}

void TextWriter::gauge(std::string_view name, std::string_view labels, double value) {
  sample(name, "", labels, number_text(value));
}

void TextWriter::histogram(std::string_view name, std::string_view labels, const Bounds& bounds,
                           const Histogram::Reading& reading) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < reading.buckets.size(); ++i) {
    below += reading.buckets[i];
    const std::string bound = i < bounds.values().size() ? number_text(bounds.values()[i]) : "+Inf";
    std::string value = std::to_string(below);
    if (const auto& seen = reading.exemplars[i]; seen.has_value()) {
      value += " # {trace_id=\"" + seen->trace.to_string() + "\"} " + number_text(seen->value);
    }
    sample(name, "_bucket", joined(labels, "le=\"" + bound + "\""), value);
  }
  sample(name, "_count", labels, std::to_string(reading.count));
  sample(name, "_sum", labels, number_text(reading.sum));
}

void TextWriter::refused(std::string_view name, std::uint64_t count) {
  if (count > 0) refused_.push_back({std::string(name), count});
}

std::string TextWriter::finish() {
  if (!refused_.empty()) {
    metric(refused_name, Kind::counter, "",
           "Values left out of a metric because they were negative or not finite, or because the "
           "function that reads them threw.");
    for (const Refused& entry : refused_) {
      counter(refused_name, "metric=\"" + entry.name + "\"", entry.count);
    }
  }
  text_ += "# EOF\n";
  return std::exchange(text_, {});
}

}  // namespace parley::observe::impl
