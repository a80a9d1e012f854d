// How bytes stand in a JSON string.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "parley/codec/impl/json_scan.h"

namespace parley::codec::impl {

// How a byte stands in a JSON string: itself or its escape.
struct Escape {
  std::array<char, 7> text{};
  std::uint8_t size = 0;
};
static_assert(sizeof(Escape) == 8);

constexpr std::array<Escape, 256> make_escapes() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<Escape, 256> escapes{};
  for (std::size_t i = 0; i < escapes.size(); ++i) {
    escapes[i] = {{static_cast<char>(i)}, 1};
    if (i < 0x20) escapes[i] = {{'\\', 'u', '0', '0', digits[i >> 4], digits[i & 15]}, 6};
  }
  for (const auto& [byte, letter] :
       {std::pair('"', '"'), std::pair('\\', '\\'), std::pair('\b', 'b'), std::pair('\f', 'f'),
        std::pair('\n', 'n'), std::pair('\r', 'r'), std::pair('\t', 't')}) {
    escapes[static_cast<unsigned char>(byte)] = {{'\\', letter}, 2};
  }
  return escapes;
}
inline constexpr std::array<Escape, 256> escapes = make_escapes();

// Stores eight bytes and returns the end of those that count.
inline char* append_byte(char* out, char c) {
  const Escape& escape = escapes[static_cast<unsigned char>(c)];
  std::memcpy(out, &escape, sizeof(escape));
  return out + escape.size;
}

// Copies up to fifteen bytes by loads that overlap. False when one needs an escape. Sets `has_high`
// when one is beyond ASCII.
inline bool copy_short(char* out, const char* from, std::size_t size, bool& has_high) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (size >= 8) {
    std::memcpy(&low, from, 8);
    std::memcpy(&high, from + size - 8, 8);
    std::memcpy(out, &low, 8);
    std::memcpy(out + size - 8, &high, 8);
  } else if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    std::memcpy(out, &first, 4);
    std::memcpy(out + size - 4, &last, 4);
    low = high = first | std::uint64_t{last} << 32;
  } else {
    bool is_plain = true;
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = from[i];
      is_plain = is_plain && escapes[static_cast<unsigned char>(from[i])].size == 1;
      has_high = has_high || static_cast<unsigned char>(from[i]) >= 0x80;
    }
    return is_plain;
  }
  alignas(16) const std::array<std::uint64_t, 2> both = {low, high};
  const ChunkMasks masks = masks_of(reinterpret_cast<const char*>(both.data()));
  if (masks.high != 0) has_high = true;
  return masks.special == 0;
}

}  // namespace parley::codec::impl
