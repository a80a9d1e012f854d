#include "parley/codec/impl/json_cursor.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "parley/codec/impl/json_scan.h"
#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {
namespace {

// -1 when `c` is no hexadecimal digit.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The value of the four hexadecimal digits at `at`; -1 when there are not four.
std::int32_t hex4(const char* at, const char* end) {
  if (end - at < 4) return -1;
  std::int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(at[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_high_surrogate(std::int32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(std::int32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

char* write_utf8(char* out, std::uint32_t point) {
  if (point < 0x80) {
    *out++ = static_cast<char>(point);
    return out;
  }
  if (point < 0x800) {
    *out++ = static_cast<char>(0xC0 | (point >> 6));
  } else {
    if (point < 0x10000) {
      *out++ = static_cast<char>(0xE0 | (point >> 12));
    } else {
      *out++ = static_cast<char>(0xF0 | (point >> 18));
      *out++ = static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    }
    *out++ = static_cast<char>(0x80 | ((point >> 6) & 0x3F));
  }
  *out++ = static_cast<char>(0x80 | (point & 0x3F));
  return out;
}

// What a backslash and this byte mean; 0 when they are no escape of two characters.
constexpr std::array<char, 256> single_escapes = [] {
  std::array<char, 256> meanings{};
  for (const auto& [letter, meaning] :
       {std::pair('b', '\b'), std::pair('f', '\f'), std::pair('n', '\n'), std::pair('r', '\r'),
        std::pair('t', '\t'), std::pair('"', '"'), std::pair('\\', '\\'), std::pair('/', '/')}) {
    meanings[static_cast<unsigned char>(letter)] = meaning;
  }
  return meanings;
}();

// The code point of a checked \u escape, with the low surrogate behind a high one.
std::uint32_t point_of(const char* escape) {
  const auto unit = static_cast<std::uint32_t>(hex4(escape + 2, escape + 6));
  if (!is_high_surrogate(static_cast<std::int32_t>(unit))) return unit;
  const auto low = static_cast<std::uint32_t>(hex4(escape + 8, escape + 12));
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// What resolve_until() may write behind what it means to.
constexpr std::size_t slack = static_cast<std::size_t>(chunk_bytes);

// What errors call the thing at a position: 'x', byte 0xff, the end of the text.
std::string describe(const char* at, const char* end) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (at == end) return "the end of the text";
  const auto byte = static_cast<unsigned char>(*at);
  if (byte > 0x20 && byte < 0x7F) return {'\'', *at, '\''};
  return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

bool stands_at(std::string_view literal, const char* at, const char* end) {
  return std::string_view(at, static_cast<std::size_t>(end - at)).starts_with(literal);
}

// The kind of the value that starts here; empty when none does.
std::string_view kind_at(const char* at, const char* end) {
  if (at == end) return {};
  switch (*at) {
    case '{':
      return "object";
    case '[':
      return "array";
    case '"':
      return "string";
    case 't':
      return stands_at("true", at, end) ? "boolean" : "";
    case 'f':
      return stands_at("false", at, end) ? "boolean" : "";
    case 'n':
      return stands_at("null", at, end) ? "null" : "";
    default:
      return *at == '-' || (*at >= '0' && *at <= '9') ? "number" : "";
  }
}

}  // namespace

bool JsonCursor::check_size() {
  const auto size = static_cast<std::size_t>(end_ - begin_);
  if (size <= limits_.max_bytes) return true;
  return fail_limit("the text has " + std::to_string(size) + " bytes, more than max_bytes (" +
                    std::to_string(limits_.max_bytes) + ")");
}

bool JsonCursor::expect_end() {
  skip_space();
  if (at_ == end_) return true;
  return fail_unexpected("expected the end of the text behind the value");
}

bool JsonCursor::next_element_apart(char closer, std::size_t count, bool& done) {
  skip_space();
  const bool has_more = peek() == ',';
  if (count > limits_.max_elements || (has_more && count == limits_.max_elements)) {
    return fail_elements();
  }
  if (has_more) {
    ++at_;
    skip_space();
    return true;
  }
  if (peek() == closer) {
    ++at_;
    --depth_;
    done = true;
    return true;
  }
  return fail_unexpected(closer == ']' ? "expected ',' or ']' in an array"
                                       : "expected ',' or '}' in an object");
}

bool JsonCursor::fail_depth() { return failure_.set_depth(limits_.max_depth); }

bool JsonCursor::fail_elements() {
  return fail_limit("more elements than max_elements (" + std::to_string(limits_.max_elements) +
                    ")");
}

bool JsonCursor::expect_colon() {
  skip_space();
  if (peek() != ':') return fail_unexpected("expected ':' behind a key");
  ++at_;
  skip_space();
  return true;
}

bool JsonCursor::scan_key(RawString& key) {
  if (peek() != '"') return fail_unexpected("expected a key in quotes");
  return scan_string(key) && expect_colon();
}

bool JsonCursor::scan_any_string(RawString& string) {
  const char* const start = ++at_;
  bool has_high = false;
  at_ = find_special(at_, end_, has_high);
  return scan_from_special(start, has_high, string);
}

bool JsonCursor::scan_from_special(const char* start, bool has_high, RawString& string) {
  string.has_escapes = false;
  for (;; at_ = find_special(at_, end_, has_high)) {
    if (at_ == end_) return fail_syntax(start - 1, "a string without closing quote");
    if (*at_ == '"') break;
    if (*at_ != '\\') return fail_control();
    string.has_escapes = true;
    if (!check_escape()) return false;
  }
  string.text = {start, static_cast<std::size_t>(at_ - start)};
  ++at_;
  if (string.text.size() > limits_.max_string_bytes) return fail_string_size(string.text.size());
  if (has_high && !is_utf8(string.text)) {
    return fail_syntax(start - 1, "a string that is not UTF-8");
  }
  return true;
}

void JsonCursor::Room::ensure(std::size_t size, std::size_t kept) {
  if (size <= size_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(2 * size);
  std::memcpy(larger.get(), data_, kept);
  outside_ = std::move(larger);
  data_ = outside_.get();
  size_ = 2 * size;
}

// Copies and resolves in one pass: where escapes are dense, a pass to find the end would cost as
// much again.
bool JsonCursor::read_escaped(const char* start, std::string& out) {
  auto size = static_cast<std::size_t>(at_ - start);
  bool has_high = !is_ascii({start, size});
  room_.ensure(size, 0);
  std::memcpy(room_.data(), start, size);
  for (;;) {
    // What is left is no longer than up to the next quote, unless that one is escaped.
    const void* const quote = std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
    if (quote == nullptr) return fail_syntax(start - 1, "a string without closing quote");
    const auto* const stop = static_cast<const char*>(quote);
    if (static_cast<std::size_t>(stop - start) > limits_.max_string_bytes) {
      return fail_string_size(static_cast<std::size_t>(stop - start));
    }
    const std::size_t most = size + static_cast<std::size_t>(stop - at_) + slack;
    room_.ensure(most, size);
    char* to = room_.data() + size;
    if (!resolve_until(stop, to, has_high)) return false;
    size = static_cast<std::size_t>(to - room_.data());
    if (at_ == stop) break;  // else the quote was escaped, and at_ is behind it
  }
  ++at_;
  out.assign(room_.data(), size);
  return !has_high || is_utf8(out) || fail_syntax(start - 1, "a string that is not UTF-8");
}

// Resolves what stands in front of `stop`, a quote; steps over it when it belongs to an escape.
// There is room for all of it, and for a chunk more.
bool JsonCursor::resolve_until(const char* stop, char*& to, bool& has_high) {
  while (at_ < stop) {
    if (stop - at_ >= chunk_bytes) {
      const ChunkMasks masks = masks_of(at_);
      copy_chunk(to, at_);
      const int plain =
          masks.special == 0 ? static_cast<int>(chunk_bytes) : __builtin_ctz(masks.special);
      if ((masks.high & ((1U << plain) - 1)) != 0) has_high = true;
      at_ += plain;
      to += plain;
      if (masks.special == 0) continue;
    }
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte == '\\') {
      const char letter = single_escapes[static_cast<unsigned char>(at_[1])];
      if (letter != 0) {
        *to++ = letter;
        at_ += 2;
      } else if (!resolve_escape(to)) {
        return false;
      }
    } else if (byte < 0x20) {
      return fail_control();
    } else {
      if (byte >= 0x80) has_high = true;
      *to++ = *at_++;
    }
  }
  return true;
}

// \u and what follows it, or no escape at all.
bool JsonCursor::resolve_escape(char*& to) {
  const char* const start = at_;
  if (!check_escape()) return false;
  to = write_utf8(to, point_of(start));
  return true;
}

bool JsonCursor::fail_control() {
  return fail_syntax(
      at_, "a control character (" + describe(at_, end_) + ") in a string: write it as an escape");
}

bool JsonCursor::fail_string_size(std::size_t size) {
  return fail_limit("a string of " + std::to_string(size) + " bytes, more than max_string_bytes (" +
                    std::to_string(limits_.max_string_bytes) + ")");
}

// Steps over a backslash and what belongs to it.
bool JsonCursor::check_escape() {
  const char* const start = at_++;
  if (peek() != 'u') {
    if (at_ == end_ || single_escapes[static_cast<unsigned char>(*at_)] == 0) {
      return fail_syntax(start, "no such escape: a backslash and " + describe(at_, end_));
    }
    ++at_;
    return true;
  }
  const std::int32_t unit = hex4(++at_, end_);
  if (unit < 0) return fail_syntax(start, "expected four hexadecimal digits behind \\u");
  at_ += 4;
  if (is_low_surrogate(unit)) return fail_syntax(start, "a low surrogate without a high one");
  if (!is_high_surrogate(unit)) return true;
  if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u' || !is_low_surrogate(hex4(at_ + 2, end_))) {
    return fail_syntax(start, "a high surrogate without a low one");
  }
  at_ += 6;
  return true;
}

bool JsonCursor::scan_number(JsonNumber& number) {
  const char* const problem = scan_json_number({at_, static_cast<std::size_t>(end_ - at_)}, number);
  at_ += number.text.size();
  if (problem == nullptr) return true;
  return fail_unexpected(problem);
}

bool JsonCursor::scan_literal(std::string_view literal) {
  if (!stands_at(literal, at_, end_)) return fail_unexpected("expected a value");
  at_ += literal.size();
  return true;
}

bool JsonCursor::skip_value() {
  skip_space();
  switch (peek()) {
    case '{':
      return skip_object();
    case '[':
      return skip_array();
    case '"': {
      RawString string;
      return scan_string(string);
    }
    case 't':
      return scan_literal("true");
    case 'f':
      return scan_literal("false");
    case 'n':
      return scan_literal("null");
    default: {
      if (kind_at(at_, end_).empty()) return fail_unexpected("expected a value");
      JsonNumber number;
      return scan_number(number);
    }
  }
}

bool JsonCursor::skip_array() {
  if (!enter()) return false;
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (!skip_value()) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  return true;
}

bool JsonCursor::skip_object() {
  if (!enter()) return false;
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    if (!skip_member()) return false;
    if (!next_element('}', ++count, done)) return false;
  }
  return true;
}

bool JsonCursor::skip_member() {
  RawString key;
  if (!scan_key(key)) return false;
  if (skip_value()) return true;
  return failure_.in_key(key.text);
}

bool JsonCursor::fail_type(std::string_view expected) {
  const std::string_view kind = kind_at(at_, end_);
  if (kind.empty()) return fail_unexpected("expected " + std::string(expected));
  return failure_.set(Code::invalid_argument,
                      "expected " + std::string(expected) + ", got " + std::string(kind));
}

bool JsonCursor::fail_unexpected(std::string_view expected) {
  return fail_syntax(at_, std::string(expected) + ", got " + describe(at_, end_));
}

bool JsonCursor::fail_syntax(const char* at, std::string message) {
  const auto line = 1 + std::count(begin_, at, '\n');
  const std::string_view before(begin_, static_cast<std::size_t>(at - begin_));
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return failure_.set(Code::invalid_argument, std::move(message) + " at line " +
                                                  std::to_string(line) + ", column " +
                                                  std::to_string(before.size() - line_start + 1) +
                                                  " (byte " + std::to_string(before.size()) + ")");
}

bool JsonCursor::fail_limit(std::string message) {
  return failure_.set(Code::resource_exhausted, std::move(message));
}

void unescape_json(std::string_view raw, std::string& out) {
  out.resize(raw.size());  // what an escape means is never longer than the escape
  char* to = out.data();
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    const auto left = static_cast<std::size_t>(end - at);
    const void* found = std::memchr(at, '\\', left);
    const std::size_t plain =
        found == nullptr ? left : static_cast<std::size_t>(static_cast<const char*>(found) - at);
    std::memcpy(to, at, plain);
    to += plain;
    at += plain;
    if (at == end) break;
    if (at[1] != 'u') {
      *to++ = single_escapes[static_cast<unsigned char>(at[1])];
      at += 2;
      continue;
    }
    const std::uint32_t point = point_of(at);
    at += point >= 0x10000 ? 12 : 6;
    to = write_utf8(to, point);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

}  // namespace parley::codec::impl
