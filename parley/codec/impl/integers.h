// Integers of every size behind one pair of functions, and what fits them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "parley/codec/type_table.h"

namespace parley::codec::impl {

struct IntegerRange {
  std::string_view name;
  std::uint64_t max;  // of what is not negative
  std::uint64_t min;  // of what is negative, without its sign
};

template <class T>
constexpr IntegerRange range_of(std::string_view name) {
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  return {.name = name, .max = max, .min = std::is_signed_v<T> ? max + 1 : 0};
}

// In the order of Kind.
inline constexpr std::array<IntegerRange, 8> integer_ranges = {
    range_of<std::int8_t>("int8"),     range_of<std::int16_t>("int16"),
    range_of<std::int32_t>("int32"),   range_of<std::int64_t>("int64"),
    range_of<std::uint8_t>("uint8"),   range_of<std::uint16_t>("uint16"),
    range_of<std::uint32_t>("uint32"), range_of<std::uint64_t>("uint64")};

// `kind` is one of the integers.
inline const IntegerRange& range_of(Kind kind) {
  return integer_ranges[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::int8)];
}

template <class T>
T load(const void* object) {
  T value;
  std::memcpy(&value, object, sizeof(value));
  return value;
}

// The integer there; of a uint64 its bits.
inline void load_integer(const Type& type, const void* object, std::int64_t& value) {
  switch (type.kind) {
    case Kind::int8:
      value = load<std::int8_t>(object);
      return;
    case Kind::int16:
      value = load<std::int16_t>(object);
      return;
    case Kind::int32:
      value = load<std::int32_t>(object);
      return;
    case Kind::uint8:
      value = load<std::uint8_t>(object);
      return;
    case Kind::uint16:
      value = load<std::uint16_t>(object);
      return;
    case Kind::uint32:
      value = load<std::uint32_t>(object);
      return;
    default:
      value = load<std::int64_t>(object);
  }
}

// Two's complement makes the low bytes right for signed and unsigned alike.
inline void store_integer(void* object, std::size_t size, std::uint64_t bits) {
  switch (size) {
    case 1: {
      const auto value = static_cast<std::uint8_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    case 2: {
      const auto value = static_cast<std::uint16_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    case 4: {
      const auto value = static_cast<std::uint32_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    default:
      std::memcpy(object, &bits, sizeof(bits));
  }
}

}  // namespace parley::codec::impl
