// Numbers of seven bits a byte, the lowest first, as docs/protocols/parley.md has them. Private to
// wire. Pure functions.
//
//   char* end = put_varint(at, 300);                    // room for longest_varint bytes
//   Varint number = get_varint(bytes);                  // number.size == 0: not whole; < 0: wrong
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::wire::impl {

constexpr std::size_t longest_varint = 10;

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

inline char* put_varint(char* at, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *at++ = static_cast<char>(value);
  return at;
}

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(value) << 1U ^ static_cast<std::uint64_t>(value >> 63U);
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1U ^ (0 - (value & 1U)));
}

struct Varint {
  std::uint64_t value = 0;
  // Of its bytes; 0: they end within it; -1: more than 64 bits, or longer than it has to be.
  int size = 0;
};

inline Varint get_varint(std::string_view bytes) noexcept {
  if (!bytes.empty() && static_cast<unsigned char>(bytes.front()) < 0x80) [[likely]] {
    return {static_cast<unsigned char>(bytes.front()), 1};
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < longest_varint; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte >= 0x80) continue;
    const bool is_wrong = byte == 0 || (i + 1 == longest_varint && byte > 1);
    return {value, is_wrong ? -1 : static_cast<int>(i + 1)};
  }
  return {0, bytes.size() < longest_varint ? 0 : -1};
}

}  // namespace parley::wire::impl
