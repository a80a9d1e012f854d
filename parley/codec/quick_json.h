// Quick JSON: small values in the very form in which writers mostly write them, read and written by
// code that the compiler makes for their types: arguments like [17,"tea"] take a tenth of what the
// walk through a table takes. Whatever looks different in any way (a space, an escape, a fraction,
// a number too large) is not judged here: the caller asks the reader proper, which says what is
// wrong with it, if anything is.
//
// Pure functions, safe anywhere.
//
//   std::tuple<int, std::string> arguments;
//   if (!read_quick(text, arguments)) ... decode_json_as(text, ...);
//   std::array<char, quick_room<int, std::string>> room;
//   if (write_quick(room.data(), 17, name) == 0) ... encode_json_to(out, ...);
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/codec/impl/bare_text.h"
#include "parley/codec/impl/digits.h"

namespace parley::codec {

// Longer texts are for the reader proper, which looks at many bytes at once.
inline constexpr std::size_t quick_text_bytes = 48;

template <class T>
concept QuickInteger =
    std::same_as<T, short> || std::same_as<T, unsigned short> || std::same_as<T, int> ||
    std::same_as<T, unsigned> || std::same_as<T, long> || std::same_as<T, unsigned long> ||
    std::same_as<T, long long> || std::same_as<T, unsigned long long>;

template <class T>
concept QuickValue = QuickInteger<T> || std::same_as<T, bool> || std::same_as<T, std::string>;

// Whether a tuple has nothing but such values, at least one.
template <class Tuple>
inline constexpr bool are_quick = false;
template <QuickValue... T>
  requires(sizeof...(T) > 0)
inline constexpr bool are_quick<std::tuple<T...>> = true;

namespace impl {

// What is negative, near the beginning of its text, or has more digits.
template <QuickInteger T>
[[gnu::noinline]] const char* read_digit_by_digit(const char* at, const char* end, T& value) {
  constexpr std::ptrdiff_t most_digits = 18;  // any of which fits 64 bits
  const bool is_negative = std::is_signed_v<T> && at != end && *at == '-';
  if (is_negative) ++at;
  const char* const first = at;
  const char* const last = end - at > most_digits ? at + most_digits : end;
  std::int64_t number = 0;
  for (; at != last && is_digit(*at); ++at) number = number * 10 + (*at - '0');
  const bool is_too_long = at == last && at != end && is_digit(*at);
  if (at == first || is_too_long) return nullptr;
  if (*first == '0' && (at - first > 1 || is_negative)) return nullptr;
  if (is_negative) number = -number;
  if (!std::in_range<T>(number)) return nullptr;
  value = static_cast<T>(number);
  return at;
}

// Each returns what is behind the value at `at`, which is not `end`; null when it is not quick to
// read. Eight bytes before `end` can be read.
template <QuickInteger T>
[[gnu::always_inline]] inline const char* read_quick_value(const char* at, const char* end,
                                                           T& value) {
  if constexpr (std::endian::native == std::endian::little) {
    const Digits digits = read_digits(eight_bytes(at, end));
    if (digits.count - 1 < 7) [[likely]] {
      if (digits.begins_with_zero && digits.count > 1) return nullptr;
      if (!std::in_range<T>(digits.number)) return nullptr;
      value = static_cast<T>(digits.number);
      return at + digits.count;
    }
  }
  return read_digit_by_digit(at, end, value);
}

inline const char* read_quick_value(const char* at, const char* end, bool& value) {
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  if (rest.starts_with("true")) {
    value = true;
    return at + 4;
  }
  if (!rest.starts_with("false")) return nullptr;
  value = false;
  return at + 5;
}

// ASCII without escapes.
inline const char* read_quick_value(const char* at, const char* end, std::string& value) {
  if (*at != '"') return nullptr;
  const char* const first = ++at;
  const char* const last = first + std::min<std::ptrdiff_t>(end - first, quick_text_bytes);
  for (std::uint64_t bytes = 0; last - at >= 8; at += sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    if (!are_bare(bytes)) break;
  }
  // From 0x20 to 0x7e, whether char is signed or not.
  while (at != last && static_cast<unsigned char>(*at) - 0x20U <= 0x5e && *at != '\\' &&
         *at != '"') {
    ++at;
  }
  if (at == end || *at != '"') return nullptr;
  value.assign(first, static_cast<std::size_t>(at - first));
  return at + 1;
}

// A value that is all there is in a text.
template <QuickValue T>
[[gnu::always_inline]] inline bool read_whole_text(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  return read_quick_value(text.data(), end, value) == end;
}
inline bool read_whole_text(std::string_view text, std::string& value) {
  if (text.size() < 2 || text.size() > quick_text_bytes + 2 || text.front() != '"' ||
      text.back() != '"') {
    return false;
  }
  const std::string_view inside = text.substr(1, text.size() - 2);
  if (!is_bare(inside)) return false;
  value.assign(inside);
  return true;
}

// Of a text that is not empty, nor, of several values, a single byte; eight bytes before its end
// can be read.
template <QuickValue... T>
[[gnu::always_inline]] inline bool read_quick_text(std::string_view text,
                                                   std::tuple<T...>& values) {
  if constexpr (sizeof...(T) == 1) {
    return read_whole_text(text, std::get<0>(values));
  } else {
    const char* at = text.data();
    const char* const end = at + text.size();
    // No value reaches beyond the bracket at the end.
    if (*at != '[' || end[-1] != ']') return false;
    char before = '[';
    const auto read = [&](auto& value) {
      if (*at != std::exchange(before, ',')) return false;
      at = read_quick_value(at + 1, end, value);
      return at != nullptr;
    };
    const bool are_read = std::apply([&](auto&... value) { return (read(value) && ...); }, values);
    return are_read && at == end - 1;
  }
}

// Of a shorter one, with spaces before it.
template <QuickValue... T>
[[gnu::noinline]] bool read_short_text(std::string_view text, std::tuple<T...>& values) {
  constexpr std::size_t padding = 8;
  if (text.size() < (sizeof...(T) == 1 ? 1 : 2)) return false;
  std::array<char, 3 * padding> padded;  // and behind it, for compilers that cannot see its size
  padded.fill(' ');
  text.copy(&padded[padding], text.size());
  const std::string_view behind(&padded[padding], text.size());
  return read_quick_text(behind, values);
}

}  // namespace impl

// The whole text: one value, or several in an array. False when it is not quick to read; the values
// are anything then.
template <QuickValue... T>
bool read_quick(std::string_view text, std::tuple<T...>& values) {
  if (text.size() < 8) [[unlikely]]
    return impl::read_short_text(text, values);
  return impl::read_quick_text(text, values);
}

namespace impl {

// Each returns what is behind what it wrote at `at`, null when that is not quick.
template <QuickInteger T>
char* write_quick_value(char* at, T number) {
  auto value = static_cast<std::uint64_t>(number);
  if (std::cmp_less(number, 0)) {
    value = 0 - value;
    *at++ = '-';
  }
  return write_digits(at, value);
}

}  // namespace impl

// The text of an integer, in room of its own.
struct IntegerText {
  [[nodiscard]] std::string_view view() const { return {room.data(), size}; }
  template <QuickInteger T>
  void write(T value) {
    size = static_cast<std::size_t>(impl::write_quick_value(room.data(), value) - room.data());
  }

  std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 2> room;
  std::size_t size = 0;
};

// As encode_json_to would.
template <QuickInteger T>
void append_quick(std::string& out, T value) {
  std::array<char, std::numeric_limits<T>::digits10 + 2> room;
  const char* const end = impl::write_quick_value(room.data(), value);
  out.append(room.data(), static_cast<std::size_t>(end - room.data()));
}
inline void append_quick(std::string& out, bool value) { out += value ? "true" : "false"; }

// What may be written quickly: a text of any kind, as long as it is short and plain.
template <class T>
concept QuickArgument =
    QuickInteger<T> || std::same_as<T, bool> || std::is_convertible_v<const T&, std::string_view>;

namespace impl {

template <QuickArgument T>
constexpr std::size_t most_quick_chars() {
  if constexpr (QuickInteger<T>) {
    return std::numeric_limits<T>::digits10 + 2;
  } else {
    return std::same_as<T, bool> ? 5 : quick_text_bytes + 2;
  }
}

// No conversions: a text would rather become a bool than a std::string_view.
template <std::same_as<bool> T>
char* write_quick_value(char* at, T value) {
  const std::string_view text = value ? "true" : "false";
  return at + text.copy(at, text.size());
}
inline char* write_quick_value(char* at, std::string_view value) {
  if (value.size() > quick_text_bytes || !is_bare(value)) return nullptr;
  *at++ = '"';
  at += value.copy(at, value.size());
  *at++ = '"';
  return at;
}

}  // namespace impl

// So much room the texts of such values take together, at most.
template <QuickArgument... T>
inline constexpr std::size_t quick_room = 1 + (0 + ... + (impl::most_quick_chars<T>() + 1));

// Writes one value, or several as an array, to `room`, of quick_room bytes. Returns how many were
// used; 0 when one of them is not quick to write.
template <QuickArgument... T>
  requires(sizeof...(T) > 0)
std::size_t write_quick(char* room, const T&... values) {
  char* at = room;
  if constexpr (sizeof...(T) == 1) {
    at = impl::write_quick_value(at, values...);
    return at == nullptr ? 0 : static_cast<std::size_t>(at - room);
  } else {
    char before = '[';
    const auto write = [&](const auto& value) {
      *at++ = std::exchange(before, ',');
      at = impl::write_quick_value(at, value);
      return at != nullptr;
    };
    if (!(write(values) && ...)) return 0;
    *at++ = ']';
    return static_cast<std::size_t>(at - room);
  }
}

}  // namespace parley::codec
