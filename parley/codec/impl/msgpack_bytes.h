// The bytes of MessagePack: what starts a value, and integers in network order, whatever the
// order of this machine.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace parley::codec::impl {

// First bytes. Those with a range of values inside are named by the lowest.
namespace msgpack {
inline constexpr std::uint8_t fixmap = 0x80;    // .. 0x8f
inline constexpr std::uint8_t fixarray = 0x90;  // .. 0x9f
inline constexpr std::uint8_t fixstr = 0xa0;    // .. 0xbf
inline constexpr std::uint8_t nil = 0xc0;
inline constexpr std::uint8_t never = 0xc1;
inline constexpr std::uint8_t no = 0xc2;
inline constexpr std::uint8_t yes = 0xc3;
inline constexpr std::uint8_t bin8 = 0xc4;
inline constexpr std::uint8_t ext8 = 0xc7;
inline constexpr std::uint8_t float32 = 0xca;
inline constexpr std::uint8_t float64 = 0xcb;
inline constexpr std::uint8_t uint8 = 0xcc;
inline constexpr std::uint8_t int8 = 0xd0;
inline constexpr std::uint8_t fixext1 = 0xd4;
inline constexpr std::uint8_t str8 = 0xd9;
inline constexpr std::uint8_t array16 = 0xdc;
inline constexpr std::uint8_t map16 = 0xde;
inline constexpr std::uint8_t negative = 0xe0;  // .. 0xff, -32 .. -1

inline constexpr std::int8_t timestamp = -1;  // the type of the extension

inline constexpr std::size_t max_fixstr = 31;
constexpr bool is_map(std::uint8_t first) {
  return (first >= fixmap && first <= fixmap + 15) || first == map16 || first == map16 + 1;
}
inline constexpr std::size_t max_fix_elements = 15;  // of fixarray and fixmap
}  // namespace msgpack

// `size` bytes, the highest first.
inline std::uint64_t load_network(const char* from, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

// The `size` low bytes of `value`, the highest first.
template <std::size_t size>
char* store_network(char* to, std::uint64_t value) {
  value <<= 64 - 8 * size;
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  std::memcpy(to, &value, size);
  return to + size;
}

inline char* store_byte(char* to, std::uint8_t byte) {
  *to = static_cast<char>(byte);
  return to + 1;
}

// The most bytes that stand in front of what a value holds.
inline constexpr std::size_t max_msgpack_head = 9;

constexpr std::size_t msgpack_text_head_size(std::size_t size) {
  return size <= msgpack::max_fixstr ? 1 : size <= 0xff ? 2 : size <= 0xffff ? 3 : 5;
}

// The head of a text of at most 2^32 - 1 bytes; returns its end.
inline char* store_msgpack_text_head(char* to, std::size_t size) {
  if (size <= msgpack::max_fixstr) {
    return store_byte(to, static_cast<std::uint8_t>(msgpack::fixstr + size));
  }
  if (size <= 0xff) return store_network<1>(store_byte(to, msgpack::str8), size);
  if (size <= 0xffff) return store_network<2>(store_byte(to, msgpack::str8 + 1), size);
  return store_network<4>(store_byte(to, msgpack::str8 + 2), size);
}

inline void append_msgpack_text(std::string& out, std::string_view text) {
  char head[max_msgpack_head];
  out.append(head, store_msgpack_text_head(head, text.size()));
  out += text;
}

}  // namespace parley::codec::impl
