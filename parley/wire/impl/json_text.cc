#include "parley/wire/impl/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace parley::wire::impl {
namespace {

constexpr std::size_t max_depth = 64;
constexpr std::uint32_t replacement = 0xFFFD;

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// -1 for what is no hex digit.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::uint32_t hex_number(std::string_view digits) noexcept {
  std::uint32_t number = 0;
  for (const char c : digits) number = number << 4U | static_cast<std::uint32_t>(hex_value(c));
  return number;
}

// How many hex digits follow the letter of an escape.
constexpr std::size_t digits_of(char letter) noexcept {
  switch (letter) {
    case 'u':
      return 4;
    case 'x':
      return 2;
    case 'U':
      return 8;
    default:
      return 0;
  }
}

// The letters that stand for one byte, and those bytes; the last two are Go's.
constexpr std::string_view letters = "\"\\/bfnrtav";
constexpr std::string_view meanings = "\"\\/\b\f\n\r\t\a\v";
constexpr std::size_t json_letters = 8;

constexpr bool is_high_surrogate(std::uint32_t code) noexcept {
  return code >> 10U == 0xD800U >> 10U;
}
constexpr bool is_low_surrogate(std::uint32_t code) noexcept {
  return code >> 10U == 0xDC00U >> 10U;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code > 0x10FFFF || is_high_surrogate(code) || is_low_surrogate(code)) code = replacement;
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

// Resolves the escape at the front of `text` and returns how many bytes it has.
std::size_t resolve_escape(std::string& out, std::string_view text) {
  const char letter = text[1];
  const std::size_t digits = digits_of(letter);
  if (digits == 0) {
    out += meanings[letters.find(letter)];
    return 2;
  }
  std::uint32_t code = hex_number(text.substr(2, digits));
  if (letter == 'x') {  // a byte, not a character
    out += static_cast<char>(code);
    return 2 + digits;
  }
  std::size_t size = 2 + digits;
  if (is_high_surrogate(code) && text.substr(size, 2) == "\\u") {
    const std::uint32_t low = hex_number(text.substr(size + 2, 4));
    if (is_low_surrogate(low)) {
      code = 0x10000 + ((code & 0x3FFU) << 10U | (low & 0x3FFU));
      size += 6;
    }
  }
  append_utf8(out, code);
  return size;
}

// How many bytes each byte has in a string.
constexpr std::array<std::uint8_t, 256> make_sizes() {
  std::array<std::uint8_t, 256> sizes{};
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = i < 0x20 ? 6 : 1;
  for (const char c : {'"', '\\', '\b', '\f', '\n', '\r', '\t'}) {
    sizes[static_cast<unsigned char>(c)] = 2;
  }
  return sizes;
}
constexpr std::array<std::uint8_t, 256> sizes = make_sizes();

}  // namespace

void JsonScanner::refuse(std::string_view what, std::size_t offset) {
  if (!error_.is_ok()) return;
  error_ = Status(Code::invalid_argument, std::string(frame_name_) + ": " + std::string(what) +
                                              " at offset " + std::to_string(offset));
}

char JsonScanner::peek() {
  if (!error_.is_ok()) return '\0';
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonScanner::expect(char opening) {
  if (peek() != opening) return refuse(std::string("expected '") + opening + "'", at_);
  ++at_;
  is_first_ = true;
}

bool JsonScanner::next(char closer) {
  const char c = peek();
  const bool is_first = std::exchange(is_first_, false);
  if (!error_.is_ok()) return false;
  if (c == closer) {
    ++at_;
    return false;
  }
  if (is_first) return true;
  if (c != ',') {
    refuse(std::string("expected ',' or '") + closer + "'", at_);
    return false;
  }
  ++at_;
  return true;
}

bool JsonScanner::scan_key() {
  JsonString key;
  if (peek() != '"') {
    refuse("expected a key", at_);
    return false;
  }
  if (!scan_string(key, JsonEscapes::json)) return false;
  key_ = key.text;
  if (key.has_escapes) key_ = key_room_ = unescape_json(key.text);
  if (peek() != ':') {
    refuse("expected ':'", at_);
    return false;
  }
  ++at_;
  return true;
}

bool JsonScanner::next_member() { return next('}') && scan_key(); }

// The cursor is at the opening quote.
bool JsonScanner::scan_string(JsonString& string, JsonEscapes escapes) {
  const std::size_t start = ++at_;
  for (;;) {
    while (at_ < text_.size() && sizes[static_cast<unsigned char>(text_[at_])] == 1) ++at_;
    if (at_ == text_.size()) {
      refuse("a string does not end; it began", start - 1);
      return false;
    }
    if (text_[at_] == '"') break;
    if (text_[at_] != '\\') {
      refuse("a control character in a string", at_);
      return false;
    }
    string.has_escapes = true;
    if (!scan_escape(escapes)) return false;
  }
  string.text = text_.substr(start, at_ - start);
  ++at_;
  return true;
}

bool JsonScanner::scan_escape(JsonEscapes escapes) {
  const bool is_go = escapes == JsonEscapes::go;
  const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  const std::size_t digits = digits_of(letter);
  bool is_right = is_go || letter == 'u';
  if (digits == 0) {
    is_right = letters.substr(0, is_go ? letters.size() : json_letters).find(letter) !=
               std::string_view::npos;
  }
  for (std::size_t i = 0; is_right && i < digits; ++i) {
    is_right = at_ + 2 + i < text_.size() && hex_value(text_[at_ + 2 + i]) >= 0;
  }
  if (!is_right) {
    refuse("an unknown escape in a string", at_);
    return false;
  }
  at_ += 2 + digits;
  return true;
}

JsonString JsonScanner::string(std::string_view field, JsonEscapes escapes) {
  JsonString string;
  if (peek() != '"') {
    refuse(std::string(field) + ": expected a string", at_);
    return {};
  }
  return scan_string(string, escapes) ? string : JsonString();
}

std::int64_t JsonScanner::integer(std::string_view field, std::int64_t least, std::int64_t most) {
  (void)peek();
  if (!error_.is_ok()) return 0;
  const std::size_t start = at_;
  const bool is_number = scan_number();
  const std::string_view text = text_.substr(start, at_ - start);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (is_number && is_whole && number >= least && number <= most) return number;
  refuse(std::string(field) + ": expected a whole number from " + std::to_string(least) + " to " +
             std::to_string(most),
         start);
  return 0;
}

// RFC 8259: no leading zero, digits on both sides of a point.
bool JsonScanner::scan_number() {
  const auto digits = [this] {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ - start;
  };
  const auto is_at = [this](std::string_view any) {
    return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
  };
  if (is_at("-")) ++at_;
  const bool is_zero = is_at("0");
  const std::size_t whole = digits();
  if (whole == 0 || (is_zero && whole > 1)) return false;
  if (is_at(".")) {
    ++at_;
    if (digits() == 0) return false;
  }
  if (is_at("eE")) {
    ++at_;
    if (is_at("+-")) ++at_;
    if (digits() == 0) return false;
  }
  return true;
}

// What holds no other values.
bool JsonScanner::scan_scalar() {
  const char c = peek();
  if (!error_.is_ok()) return false;
  if (c == '"') {
    JsonString string;
    return scan_string(string, JsonEscapes::json);
  }
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (text_.substr(at_, literal.size()) != literal) continue;
    at_ += literal.size();
    return true;
  }
  const std::size_t start = at_;
  if (scan_number()) return true;
  refuse("expected a value", start);
  return false;
}

std::string_view JsonScanner::value() {
  (void)peek();
  const std::size_t start = at_;
  // A bit for each level: 1 in an object. The lowest is the innermost.
  std::uint64_t objects = 0;
  std::size_t depth = 0;
  do {
    bool is_inside = depth > 0;
    if (is_inside && !next((objects & 1U) != 0 ? '}' : ']')) {
      objects >>= 1U;
      --depth;
      continue;
    }
    if (is_inside && (objects & 1U) != 0 && !scan_key()) break;
    const char c = peek();
    if (c != '{' && c != '[') {
      if (!scan_scalar()) break;
      continue;
    }
    if (depth == max_depth) {
      refuse("more than 64 levels", at_);
      break;
    }
    expect(c);
    objects = objects << 1U | (c == '{' ? 1U : 0U);
    ++depth;
  } while (depth > 0 && error_.is_ok());
  is_first_ = false;
  return error_.is_ok() ? text_.substr(start, at_ - start) : std::string_view();
}

void JsonScanner::expect_end() {
  (void)peek();
  if (at_ < text_.size()) refuse("expected nothing more", at_);
}

std::string unescape_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(resolve_escape(out, text));
  }
  return out;
}

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (sizes[byte] == 1) continue;
    out += text.substr(done, i - done);
    done = i + 1;
    out += '\\';
    if (sizes[byte] == 2) {
      out += letters[meanings.find(text[i])];
    } else {
      out += "u00";
      out += hex[byte >> 4U];
      out += hex[byte & 15U];
    }
  }
  out += text.substr(done);
}

std::size_t json_size(std::string_view text) noexcept {
  std::size_t size = 0;
  for (const char c : text) size += sizes[static_cast<unsigned char>(c)];
  return size;
}

}  // namespace parley::wire::impl
