// Digits: integers from and to decimal text, several digits at a time. Private to codec.
//
// Pure functions, safe anywhere.
//
//   const Digits digits = read_digits(eight_bytes(at, end));
//   if (digits.count > 0) use(digits.number);
//   char* end = write_digits(at, 17);                      // there is room for it
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace parley::codec::impl {

inline bool is_digit(char byte) noexcept { return static_cast<unsigned char>(byte - '0') <= 9; }

// How many digits eight bytes begin with, the first of them being the lowest, and the number that
// they are: two become one number, two of those one, and two of those.
struct Digits {
  unsigned count = 0;  // 0 to 8
  std::uint64_t number = 0;
  bool begins_with_zero = false;
};
[[gnu::always_inline]] inline Digits read_digits(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  // A digit becomes 0 to 9, to which 0x76 can be added before its highest bit is set. What is added
  // to a byte that is none may carry into the next one, which does not count any more.
  std::uint64_t values = bytes ^ 0x30 * ones;
  const std::uint64_t others = (values | (values + 0x76 * ones)) & 0x80 * ones;
  const auto first_other = static_cast<unsigned>(std::countr_zero(others));  // its highest bit
  Digits digits{.count = first_other / 8, .begins_with_zero = (values & 0xffU) == 0};
  // Those that do not count leave at the top.
  if (others != 0) [[likely]]
    values <<= (7 - first_other) % 64;
  values = values * (1 + (10U << 8U)) >> 8U;
  values = (values & 0x00ff00ff00ff00ffU) * (1 + (100U << 16U)) >> 16U;
  digits.number = (values & 0x0000ffff0000ffffU) * (1 + (std::uint64_t{10'000} << 32U)) >> 32U;
  return digits;
}

// The eight bytes from `at` on, with zeros for those from `end` on. `at` is not `end`, before which
// eight can be read.
inline std::uint64_t eight_bytes(const char* at, const char* end) noexcept {
  std::uint64_t bytes = 0;
  const std::ptrdiff_t there = end - at;
  if (there >= std::ptrdiff_t{sizeof bytes}) {
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
  }
  std::memcpy(&bytes, end - sizeof bytes, sizeof bytes);
  return bytes >> (64 - 8 * there);
}

// The texts of 00 to 99.
inline constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// 1, 10, 100, as far as 64 bits go.
inline constexpr std::array<std::uint64_t, 20> powers_of_ten = [] {
  std::array<std::uint64_t, 20> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = 10 * powers[i - 1];
  return powers;
}();

inline unsigned digits_of(std::uint64_t value) noexcept {
  // Bits times log10(2), which is right or one too few.
  const auto least = static_cast<unsigned>(std::bit_width(value | 1U)) * 1233U >> 12U;
  return least + ((value | 1U) >= powers_of_ten[least] ? 1 : 0);
}

inline char* write_pair(char* at, std::uint32_t value) noexcept {
  std::memcpy(at, &digit_pairs[2 * std::size_t{value}], 2);
  return at + 2;
}
inline char* write_one_or_two(char* at, std::uint32_t value) noexcept {
  if (value >= 10) return write_pair(at, value);
  *at = static_cast<char>('0' + value);
  return at + 1;
}
// Of a number below 10,000.
[[gnu::always_inline]] inline char* write_up_to_four(char* at, std::uint32_t value) noexcept {
  if (value < 100) return write_one_or_two(at, value);
  const std::uint32_t hundreds = value / 100;
  return write_pair(write_one_or_two(at, hundreds), value - 100 * hundreds);
}

// Of a large one.
[[gnu::noinline]] inline char* write_many_digits(char* at, std::uint64_t value) noexcept {
  char* const end = at + digits_of(value);
  char* pair = end;
  for (; value >= 100; value /= 100) {
    pair -= 2;
    write_pair(pair, static_cast<std::uint32_t>(value % 100));
  }
  write_one_or_two(at, static_cast<std::uint32_t>(value));
  return end;
}

// Writes it at `at`; returns what is behind it.
inline char* write_digits(char* at, std::uint64_t value) noexcept {
  if (value >= 100'000'000) return write_many_digits(at, value);
  const auto small = static_cast<std::uint32_t>(value);
  if (small < 10'000) return write_up_to_four(at, small);
  const std::uint32_t upper = small / 10'000;
  const std::uint32_t lower = small - 10'000 * upper;
  const std::uint32_t hundreds = lower / 100;
  at = write_up_to_four(at, upper);
  return write_pair(write_pair(at, hundreds), lower - 100 * hundreds);
}

}  // namespace parley::codec::impl
