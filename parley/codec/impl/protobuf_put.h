// How the writer of protobuf puts numbers: from the end to the front. Each function writes in front
// of `at`, where there has to be room, and returns the start of what it wrote.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "parley/codec/impl/json_scan.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {

enum class Presence : std::uint8_t {
  unless_zero,  // not required
  always,       // required: of what may be several records: as many as there are
  single,       // exactly one record, whatever the type
};

// What is said of a field beside its type, in one register: a struct of five members would be put
// together in memory for each field.
class How {
 public:
  constexpr How(std::uint32_t number, Presence presence, Wires wires = {})
      : bits_(number | std::uint64_t{static_cast<std::uint8_t>(presence)} << 32 |
              std::uint64_t{static_cast<std::uint8_t>(wires.value)} << 40 |
              std::uint64_t{static_cast<std::uint8_t>(wires.key)} << 48 |
              std::uint64_t{wires.is_unpacked} << 56) {}
  // Where bytes stand in the order of this word, the members of a field do too: one load.
  explicit How(const Field& field) : How(0, Presence::unless_zero) {
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&bits_, reinterpret_cast<const char*>(&field) + first, sizeof(bits_));
    } else {
      *this = How(field.number, static_cast<Presence>(field.is_required),
                  {.value = field.wire, .key = field.key_wire, .is_unpacked = field.is_unpacked});
    }
  }

  [[nodiscard]] constexpr std::uint32_t number() const { return static_cast<std::uint32_t>(bits_); }
  [[nodiscard]] constexpr Presence presence() const { return static_cast<Presence>(byte(32)); }
  [[nodiscard]] constexpr Wire wire() const { return static_cast<Wire>(byte(40)); }
  [[nodiscard]] constexpr Wire key_wire() const { return static_cast<Wire>(byte(48)); }
  [[nodiscard]] constexpr bool is_unpacked() const { return byte(56) != 0; }
  // The field as a message that holds nothing else.
  [[nodiscard]] constexpr How alone() const {
    How how = *this;
    how.bits_ &= ~std::uint64_t{0xFF'FFFF'FFFF};
    how.bits_ |= How(only_number, Presence::unless_zero).bits_;
    return how;
  }
  [[nodiscard]] constexpr How single() const {
    How how = *this;
    how.bits_ &= ~(std::uint64_t{0xFF} << 32);
    how.bits_ |= How(0, Presence::single).bits_;
    return how;
  }

 private:
  [[nodiscard]] constexpr std::uint8_t byte(int place) const {
    return static_cast<std::uint8_t>(bits_ >> place);
  }

  static constexpr std::size_t first = offsetof(Field, number);
  static_assert(offsetof(Field, is_required) == first + 4 && offsetof(Field, wire) == first + 5 &&
                offsetof(Field, key_wire) == first + 6 &&
                offsetof(Field, is_unpacked) == first + 7);

  std::uint64_t bits_;
};
static_assert(How(5, Presence::always).single().presence() == Presence::single);
static_assert(How(5, Presence::always).alone().number() == only_number);

// Of more than eight bytes.
[[gnu::noinline]] inline char* put_longest_varint(std::uint64_t value, char* at) {
  const int bytes = value >> 63 == 0 ? 9 : 10;
  at -= bytes;
  for (int i = 0; i + 1 < bytes; ++i, value >>= 7) {
    at[i] = static_cast<char>((value & 0x7F) | 0x80);
  }
  at[bytes - 1] = static_cast<char>(value);
  return at;
}

// Of two bytes or more. It is right-aligned in a word, which is stored whole: a loop would end
// where nothing could foresee it. Not inlined: it would fill up the loops that call it.
[[gnu::noinline]] inline char* put_long_varint(std::uint64_t value, char* at) {
  const int bytes = (static_cast<int>(std::bit_width(value)) * 9 + 64) / 64;
  if (bytes > 8) return put_longest_varint(value, at);
  std::uint64_t spread = (value & 0x0FFFFFFF) | (value & 0xFFFFFFF0000000) << 4;
  spread = (spread & 0x00003FFF00003FFF) | (spread & 0x0FFFC0000FFFC000) << 2;
  spread = (spread & 0x007F007F007F007F) | (spread & 0x3F803F803F803F80) << 1;
  spread = (spread | 0x8080808080808080) ^ std::uint64_t{0x80} << (8 * bytes - 8);
  spread <<= 64 - 8 * bytes;
  if constexpr (std::endian::native == std::endian::big) spread = __builtin_bswap64(spread);
  std::memcpy(at - sizeof(spread), &spread, sizeof(spread));
  return at - bytes;
}

// Needs room for ten bytes, however many it is.
inline char* put_varint(std::uint64_t value, char* at) {
  if (value >= 0x80) [[unlikely]] {
    return put_long_varint(value, at);
  }
  *--at = static_cast<char>(value);
  return at;
}

// The same for what mostly takes a few bytes, several of them in a row: inlined.
inline char* put_short_varint(std::uint64_t value, char* at) {
  if (value < 0x80 || value >> 28 != 0) return put_varint(value, at);
  const int bytes = (static_cast<int>(std::bit_width(value)) + 6) / 7;
  auto spread = static_cast<std::uint32_t>((value & 0x3FFF) | (value & 0x0FFFC000) << 2);
  spread = (spread & 0x007F007F) | (spread & 0x3F803F80) << 1;
  spread = (spread | 0x80808080) ^ std::uint32_t{0x80} << (8 * bytes - 8);
  spread <<= 32 - 8 * bytes;
  if constexpr (std::endian::native == std::endian::big) spread = __builtin_bswap32(spread);
  std::memcpy(at - sizeof(spread), &spread, sizeof(spread));
  return at - bytes;
}

// Null where this is not the way: for an empty text, and for one that is not ASCII or stands
// outside of its string. Needs room for a chunk, whatever the size, which no processor could
// foresee: the text is copied together with what stands in front of it, inside the string.
inline char* put_short_text(const std::string& text, char* at) {
#if defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
  constexpr auto chunk = static_cast<std::size_t>(chunk_bytes);
  static_assert(sizeof(std::string) == 2 * chunk);
  const auto* const object = reinterpret_cast<const char*>(&text);
  const std::size_t size = text.size();
  if (text.data() != object + chunk || size == 0) return nullptr;
  if (high_of(object + size) >> (chunk - size) != 0) return nullptr;
  copy_chunk(at - chunk, object + size);
  return at - size;
#else
  (void)text, (void)at;
  return nullptr;
#endif
}

inline char* put_tag(std::uint32_t number, WireType type, char* at) {
  return put_varint(number << 3 | static_cast<std::uint32_t>(type), at);
}

// A field.
inline char* put_number(std::uint64_t value, How how, char* at) {
  if (value == 0 && how.presence() == Presence::unless_zero) return at;
  return put_tag(how.number(), WireType::varint, put_varint(value, at));
}

// The `bytes` low bytes, the lowest first.
template <std::size_t bytes>
char* put_fixed(std::uint64_t value, char* at) {
  if constexpr (std::endian::native == std::endian::big) {
    value = __builtin_bswap64(value);
  }
  at -= bytes;
  std::memcpy(at, &value, bytes);
  return at;
}

}  // namespace parley::codec::impl
