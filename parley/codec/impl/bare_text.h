// Whether a text stands for itself in a JSON string, eight bytes at a time. Private to codec.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley::codec::impl {

// Whether all of the eight bytes are ASCII that needs no escape, and no quote or backslash.
inline bool are_bare(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0x80 * ones;
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  const std::uint64_t control = (bytes - 0x20 * ones) & ~bytes & highs;
  return ((bytes & highs) | control | has_zero(bytes ^ '"' * ones) | has_zero(bytes ^ '\\' * ones) |
          has_zero(bytes ^ 0x7f * ones)) == 0;
}

inline bool is_bare(std::string_view text) noexcept {
  std::uint64_t bytes = 0x2020202020202020U;
  if (text.size() < sizeof bytes) {
    std::memcpy(&bytes, text.data(), text.size());
    return are_bare(bytes);
  }
  const char* const last = text.data() + (text.size() - sizeof bytes);
  for (const char* at = text.data(); at < last; at += sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    if (!are_bare(bytes)) return false;
  }
  std::memcpy(&bytes, last, sizeof bytes);
  return are_bare(bytes);
}

}  // namespace parley::codec::impl
