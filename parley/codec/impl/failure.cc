#include "parley/codec/impl/failure.h"

#include <algorithm>
#include <utility>

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_key = 64;
constexpr std::size_t max_shown_path = 512;

bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string escaped_json(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out;
}

void Failure::Delete::operator()(Record* record) const { delete record; }

Failure::Record& Failure::record() {
  if (record_ == nullptr) record_.reset(new Record);
  return *record_;
}

bool Failure::set(Code code, std::string message) {
  record().code = code;
  record().message = std::move(message);
  return false;
}

bool Failure::set_depth(std::size_t max_depth) {
  return set(Code::resource_exhausted,
             "nested deeper than max_depth (" + std::to_string(max_depth) + ")");
}

bool Failure::explain(std::string_view more) {
  record().message += more;
  return false;
}

bool Failure::in_field(std::string_view name) {
  if (is_identifier(name)) {
    record().path.push_back("." + shortened(name, max_shown_key));
  } else {
    record().path.push_back("[\"" + escaped_json(shortened(name, max_shown_key)) + "\"]");
  }
  return false;
}

bool Failure::in_key(std::string_view key_as_written) {
  if (is_identifier(key_as_written)) return in_field(key_as_written);
  record().path.push_back("[\"" + shortened(key_as_written, max_shown_key) + "\"]");
  return false;
}

bool Failure::in_index(std::size_t index) {
  record().path.push_back("[" + std::to_string(index) + "]");
  return false;
}

bool Failure::in_key_number(std::size_t index) {
  record().path.push_back("[key " + std::to_string(index) + "]");
  return false;
}

Status Failure::status() const {
  const Record nothing;
  const auto& [code, message, path] = record_ == nullptr ? nothing : *record_;
  // Of a very long path the end is kept: it is nearer to what is wrong.
  std::size_t shown = 0;
  std::size_t size = 0;
  while (shown < path.size() && size <= max_shown_path) size += path[shown++].size();
  std::string text = shown < path.size() ? "$..." : "$";
  for (std::size_t i = shown; i-- > 0;) text += path[i];
  return Status(code, text + ": " + message);
}

}  // namespace parley::codec::impl
