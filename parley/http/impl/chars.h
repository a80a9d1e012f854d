// Which bytes may stand where in HTTP (RFC 9110 5.6, RFC 3986 2), one table for all. Private to
// http.
//
//   const std::size_t size = run_of(in, chars::token);   // how many of the first bytes are such
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::http::impl {

// Bits of a set of classes.
namespace chars {
inline constexpr std::uint8_t token = 1;    // names, methods
inline constexpr std::uint8_t value = 2;    // field values: visible, blank, and above ASCII
inline constexpr std::uint8_t visible = 4;  // ASCII without blanks: a request target at first sight
inline constexpr std::uint8_t path = 8;     // in the path of a target
inline constexpr std::uint8_t query = 16;   // in its query
inline constexpr std::uint8_t host = 32;    // in a registered name
inline constexpr std::uint8_t digit = 64;
inline constexpr std::uint8_t hex = 128;
}  // namespace chars

namespace detail {

constexpr bool is_one_of(int c, std::string_view set) {
  return set.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr std::uint8_t classes_of(int c) {
  const bool digit = c >= '0' && c <= '9';
  const bool upper = c >= 'A' && c <= 'Z';
  const bool lower = c >= 'a' && c <= 'z';
  const bool letter = upper || lower;
  const bool visible = c > ' ' && c < 0x7f;
  std::uint8_t classes = 0;
  if (letter || digit || is_one_of(c, "!#$%&'*+-.^_`|~")) classes |= chars::token;
  if (visible || c == ' ' || c == '\t' || c >= 0x80) classes |= chars::value;
  if (visible) classes |= chars::visible;
  // Browsers leave more unescaped than RFC 3986 has: [ ] | in a path, { } \ ^ ` in a query too.
  if (visible && !is_one_of(c, "\"#<>\\^`{}?")) classes |= chars::path;
  if (visible && !is_one_of(c, "\"#<>")) classes |= chars::query;
  // Not the comma that RFC 3986 allows: no name has one, and hops join two Host headers with it.
  if (letter || digit || is_one_of(c, "-._~%!$&'()*+;=")) classes |= chars::host;
  if (digit) classes |= chars::digit;
  if (digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')) classes |= chars::hex;
  return classes;
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) classes[static_cast<std::size_t>(c)] = classes_of(c);
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> all_classes = make_classes();

}  // namespace detail

constexpr bool is_of(char c, std::uint8_t classes) noexcept {
  return (detail::all_classes[static_cast<unsigned char>(c)] & classes) != 0;
}

// How many of the first bytes are of one of the classes.
constexpr std::size_t run_of(std::string_view text, std::uint8_t classes) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is_of(text[size], classes)) ++size;
  return size;
}

constexpr bool all_of(std::string_view text, std::uint8_t classes) noexcept {
  return run_of(text, classes) == text.size();
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

// `c` must be of chars::hex.
constexpr std::uint64_t hex_value(char c) noexcept {
  return static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

constexpr char lower_case(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace parley::http::impl
