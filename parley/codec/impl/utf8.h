// Whether a text is UTF-8, by the fastest means of this processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley::codec::impl {

// Overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
bool is_utf8(std::string_view text) noexcept;

// The same, quicker for what is short and ASCII.
inline bool is_short_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  std::uint64_t high = 0;
  for (; text.size() - at >= sizeof(high) && at < 64; at += sizeof(high)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    high |= word;
  }
  if (text.size() - at >= sizeof(high)) return is_utf8(text);
  for (; at < text.size(); ++at) high |= static_cast<unsigned char>(text[at]);
  return (high & 0x8080808080808080U) == 0 || is_utf8(text);
}

// Copies `text` to `to`, by loads that overlap; false when it is not UTF-8.
inline bool copy_utf8(char* to, std::string_view text) noexcept {
  const std::size_t size = text.size();
  const char* const from = text.data();
  const auto copy = [to, from](auto word, std::size_t place) {
    std::memcpy(&word, from + place, sizeof(word));
    std::memcpy(to + place, &word, sizeof(word));
    return word;
  };
  constexpr std::uint64_t word = 0;
  constexpr std::uint32_t half = 0;
  std::uint64_t high = 0;
  if (size >= 16) {
    high = copy(word, size - 16) | copy(word, size - 8);
    for (std::size_t place = 0; place + 16 < size; place += 16) {
      high |= copy(word, place) | copy(word, place + 8);
    }
  } else if (size >= 8) {
    high = copy(word, 0) | copy(word, size - 8);
  } else if (size >= 4) {
    high = copy(half, 0) | copy(half, size - 4);
  } else {
    for (std::size_t place = 0; place < size; ++place) {
      high |= static_cast<unsigned char>(copy(char{0}, place));
    }
  }
  return (high & 0x8080808080808080U) == 0 || is_utf8(text);
}

}  // namespace parley::codec::impl
