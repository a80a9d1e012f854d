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

}  // namespace parley::codec::impl
