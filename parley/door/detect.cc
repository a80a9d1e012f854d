#include "parley/door/detect.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "parley/door/erpc_http.h"

namespace parley::door {
namespace {

using wire::Match;

constexpr std::string_view parley_magic = "\xF0PRL";
constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t size_bytes = 4;
// Of a shortest frame; those of erpc have fewer bytes.
constexpr std::uint32_t most_smallest_frame = 64;
// How much of what was refused is shown.
constexpr std::size_t most_shown = 16;

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

ByteSet only(unsigned char byte) { return ByteSet().set(byte); }

ByteSet between(unsigned from, unsigned to) {
  ByteSet set;
  for (unsigned byte = from; byte <= to; ++byte) set.set(byte);
  return set;
}

ByteSet any_byte() { return ByteSet().set(); }

OpeningRow row_of(std::string_view bytes) {
  OpeningRow row;
  for (const char c : bytes) row.push_back(only(byte_of(c)));
  return row;
}

// RFC 9110 5.6.2.
ByteSet token_bytes() {
  ByteSet set = between('0', '9') | between('A', 'Z') | between('a', 'z');
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) set.set(byte_of(c));
  return set;
}

// Rows for all numbers of `bytes` bytes, big endian, from `low` to `high`, each behind `front`.
void add_numbers(const OpeningRow& front, std::uint64_t low, std::uint64_t high, std::size_t bytes,
                 std::vector<OpeningRow>& rows) {
  if (bytes == 0) return rows.push_back(front);
  const std::size_t shift = 8 * (bytes - 1);
  const std::uint64_t rest = (std::uint64_t{1} << shift) - 1;
  auto first = static_cast<unsigned>(low >> shift);
  auto last = static_cast<unsigned>(high >> shift);
  const auto behind = [&](const ByteSet& top, std::uint64_t from, std::uint64_t to) {
    OpeningRow longer = front;
    longer.push_back(top);
    add_numbers(longer, from, to, bytes - 1, rows);
  };
  if (first == last)
    return behind(only(static_cast<unsigned char>(first)), low & rest, high & rest);
  if ((low & rest) != 0) behind(only(static_cast<unsigned char>(first++)), low & rest, rest);
  if ((high & rest) != rest) behind(only(static_cast<unsigned char>(last--)), 0, high & rest);
  if (first <= last) behind(between(first, last), 0, rest);
}

// The first bytes of a frame of erpc's: its size, how many filters, the first byte of the content.
std::string frame_head(std::uint64_t size, unsigned char filters, unsigned char content) {
  std::string head;
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift & 0xFFU);
  head += static_cast<char>(filters);
  head += static_cast<char>(content);
  return head;
}

// Which sizes it takes, and what the content may begin with, is asked of the framing itself.
Result<Opening> opening_of_frames(const wire::Framing& framing) {
  const auto takes = [&](std::uint64_t size, unsigned char filters, unsigned char content) {
    return framing.matches(frame_head(size, filters, content)) == Match::yes;
  };
  std::uint64_t low = 0;
  while (low <= most_smallest_frame && !takes(low, 1, 0)) ++low;
  if (low > most_smallest_frame) {
    return Status(Code::invalid_argument, "no frame of the framing " + std::string(framing.name()) +
                                              " could begin: raise its max_frame_bytes");
  }
  std::uint64_t high = low;
  std::uint64_t beyond = std::uint64_t{UINT32_MAX} + 1;
  while (beyond - high > 1) {
    const std::uint64_t middle = high + (beyond - high) / 2;
    (takes(middle, 1, 0) ? high : beyond) = middle;
  }
  ByteSet content;
  for (unsigned byte = 0; byte < content.size(); ++byte) {
    content.set(byte, takes(low, 0, static_cast<unsigned char>(byte)));
  }
  std::vector<OpeningRow> sizes;
  add_numbers({}, low, high, size_bytes, sizes);
  Opening opening;
  for (const OpeningRow& size : sizes) {
    OpeningRow plain = size;
    plain.push_back(only(0));
    plain.push_back(content);
    opening.rows.push_back(std::move(plain));
    OpeningRow filtered = size;
    filtered.push_back(between(1, 255));
    filtered.push_back(any_byte());
    opening.rows.push_back(std::move(filtered));
  }
  return opening;
}

// The smallest bytes that both rows allow.
std::optional<std::string> overlap(const OpeningRow& one, const OpeningRow& other) {
  std::string witness;
  for (std::size_t i = 0; i < std::max(one.size(), other.size()); ++i) {
    ByteSet both = any_byte();
    if (i < one.size()) both &= one[i];
    if (i < other.size()) both &= other[i];
    if (both.none()) return {};
    unsigned byte = 0;
    while (!both.test(byte)) ++byte;
    witness += static_cast<char>(byte);
  }
  return witness;
}

std::string shown(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out.append("\\x").append(1, digits[byte_of(c) >> 4U]).append(1, digits[byte_of(c) & 0xFU]);
    }
  }
  return out + "\"";
}

Status wrong(const std::string& what) { return {Code::invalid_argument, "DetectOptions: " + what}; }

// Where a name stands in the order; behind all of it when it does not.
std::size_t place_of(const std::string& name, const std::vector<std::string>& order) {
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), name) - order.begin());
}

Status check_order(const std::vector<Candidate>& candidates, const DetectOptions& options) {
  const std::vector<std::string>& order = options.order;
  for (const std::string& name : order) {
    if (std::count(order.begin(), order.end(), name) > 1) {
      return wrong("order has \"" + name + "\" twice");
    }
    const std::array known = {tls_name, http1_name, http2_name};
    const bool is_known = std::find(known.begin(), known.end(), name) != known.end() ||
                          std::any_of(candidates.begin(), candidates.end(),
                                      [&](const Candidate& each) { return each.name == name; });
    if (!is_known) return wrong("order has \"" + name + "\", which is not spoken here");
  }
  return {};
}

Status check_pair(const Candidate& one, const Candidate& other, const DetectOptions& options) {
  if (one.name == other.name) return wrong("\"" + one.name + "\" is there twice");
  const std::size_t none = options.order.size();
  if (place_of(one.name, options.order) < none && place_of(other.name, options.order) < none) {
    return {};
  }
  const auto witness = overlap(one.opening, other.opening);
  if (!witness) return {};
  return wrong(one.name + " and " + other.name + " can begin alike, for example with " +
               shown(*witness) + "; put both into order, or speak one of them here");
}

Status check(const std::vector<Candidate>& candidates, const DetectOptions& options) {
  if (candidates.empty()) return wrong("nothing is spoken here; nobody could be served");
  if (options.detect_timeout <= Duration::zero()) return wrong("detect_timeout must be above 0");
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& each = candidates[i];
    if (each.opening.rows.empty()) return wrong("it is not known how " + each.name + " begins");
    for (const OpeningRow& row : each.opening.rows) {
      if (row.empty()) return wrong("anything could be " + each.name + ": one row is empty");
      if (row.size() > options.max_detect_bytes) {
        return wrong("max_detect_bytes (" + std::to_string(options.max_detect_bytes) +
                     ") is less than the " + std::to_string(row.size()) + " bytes that " +
                     each.name + " begins with");
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (Status bad = check_pair(candidates[j], each, options); !bad.is_ok()) return bad;
    }
  }
  return check_order(candidates, options);
}

}  // namespace

Opening tls_opening() {
  constexpr unsigned most_record_high = 0x40;  // 16 KiB
  return {{{only(0x16), only(0x03), between(0x00, 0x04), between(0x00, most_record_high),
            any_byte(), only(0x01)}}};
}

Opening http1_opening() {
  const ByteSet token = token_bytes();
  const ByteSet blank = only(' ');
  Opening opening{{{token, token, token | blank}, {token, blank, between('!', '~')}}};
  // RFC 9112 2.2: one empty line before the first request is passed over.
  for (const OpeningRow& row : std::vector<OpeningRow>(opening.rows)) {
    OpeningRow behind_a_line = row_of("\r\n");
    behind_a_line.insert(behind_a_line.end(), row.begin(), row.end());
    opening.rows.push_back(std::move(behind_a_line));
  }
  return opening;
}

Opening http2_opening() { return {{row_of(preface)}}; }

Result<Opening> opening_of(const wire::Framing& framing) {
  const std::string_view name = framing.name();
  if (name == "parley") return Opening{{row_of(parley_magic)}};
  if (name == erpc_http_name) return Opening{{row_of("POST ")}};
  if (name == "raw" || name == "json" || name == "pb") return opening_of_frames(framing);
  return Status(Code::unimplemented, "it is not known how the framing " + std::string(name) +
                                         " begins; a door tells parley, raw, json, pb and "
                                         "erpc-http apart");
}

Match match(const Opening& opening, std::string_view first_bytes) noexcept {
  Match found = Match::no;
  for (const OpeningRow& row : opening.rows) {
    const std::size_t size = std::min(row.size(), first_bytes.size());
    std::size_t i = 0;
    while (i < size && row[i].test(byte_of(first_bytes[i]))) ++i;
    if (i < size) continue;
    if (size == row.size()) return Match::yes;
    found = Match::needs_more;
  }
  return found;
}

std::optional<std::string> overlap(const Opening& one, const Opening& other) {
  for (const OpeningRow& row : one.rows) {
    for (const OpeningRow& another : other.rows) {
      if (auto witness = overlap(row, another)) return witness;
    }
  }
  return {};
}

Result<Detector> Detector::make(std::vector<Candidate> candidates, DetectOptions options) {
  if (Status bad = check(candidates, options); !bad.is_ok()) return bad;
  std::vector<Candidate> sorted;
  for (std::size_t place = 0; place <= options.order.size(); ++place) {
    for (const Candidate& each : candidates) {
      if (place_of(each.name, options.order) == place) sorted.push_back(each);
    }
  }
  return Detector(std::move(sorted), std::move(options));
}

Detector::Detector(std::vector<Candidate> candidates, DetectOptions options)
    : candidates_(std::move(candidates)), options_(std::move(options)) {}

// The first that is not refuted decides. Who waits for it although another one fits would have to
// wait: then the two begin alike, and it was said that this one comes first.
Detector::Verdict Detector::look(std::string_view first_bytes) const noexcept {
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Match each = match(candidates_[i].opening, first_bytes);
    if (each != Match::no) return {.match = each, .index = i};
  }
  return {.match = Match::no};
}

std::string Detector::names() const {
  std::string names;
  for (const Candidate& each : candidates_) names += (names.empty() ? "" : ", ") + each.name;
  return names;
}

Status Detector::refusal(std::string_view first_bytes) const {
  return {Code::invalid_argument, "the first bytes are of no protocol that is spoken here (" +
                                      names() + "): " + shown(first_bytes.substr(0, most_shown))};
}

Status Detector::too_slow(std::string_view first_bytes) const {
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.detect_timeout).count();
  return {Code::deadline_exceeded,
          "within detect_timeout (" + std::to_string(limit) + " ms) " +
              (first_bytes.empty() ? std::string("nothing came")
                                   : "only " + shown(first_bytes.substr(0, most_shown)) + " came") +
              ", which does not say what is spoken (" + names() + ")"};
}

}  // namespace parley::door
