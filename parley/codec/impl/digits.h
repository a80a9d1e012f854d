// Digits: integers from and to decimal text, several digits at a time. Private to codec.
//
// Pure functions, safe anywhere.
//
//   const std::uint64_t bytes = eight_bytes(at, end);
//   const unsigned count = count_digits(bytes);
//   if (count > 0) number = number_of_digits(bytes, count);
//   char* end = write_digits(at, 17);                      // there is room for it
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace parley::codec::impl {

inline bool is_digit(char byte) noexcept { return static_cast<unsigned char>(byte - '0') <= 9; }

// How many digits eight bytes begin with, the first of them being the lowest.
inline unsigned count_digits(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0xf0 * ones;
  // A digit has a 3 in front, and still has when 6 is added. What is added to a byte that is none
  // may carry into the next one, which does not count any more.
  const std::uint64_t others =
      ((bytes & highs) ^ (0x30 * ones)) | (((bytes + 6 * ones) & highs) ^ (0x30 * ones));
  return static_cast<unsigned>(std::countr_zero(others)) / 8;
}

// The number that the first `count` of them are, 1 to 8: two digits become one number, two of those
// one, and two of those.
inline std::uint64_t number_of_digits(std::uint64_t bytes, unsigned count) noexcept {
  bytes <<= 8 * (8 - count);
  bytes = (bytes & 0x0f0f0f0f0f0f0f0fU) * (1 + (10U << 8U)) >> 8U;
  bytes = (bytes & 0x00ff00ff00ff00ffU) * (1 + (100U << 16U)) >> 16U;
  return (bytes & 0x0000ffff0000ffffU) * (1 + (std::uint64_t{10'000} << 32U)) >> 32U;
}

// The eight bytes from `at` on, with zeros for those beyond `end`; eight before that can be read.
inline std::uint64_t eight_bytes(const char* at, const char* end) noexcept {
  std::uint64_t bytes = 0;
  const std::ptrdiff_t missing = std::ptrdiff_t{sizeof bytes} - (end - at);
  std::memcpy(&bytes, missing > 0 ? at - missing : at, sizeof bytes);
  return missing > 0 ? bytes >> (8 * missing) : bytes;
}

// The same of what is shorter than eight bytes, without reading anything else.
inline std::uint64_t few_bytes(const char* at, std::size_t size) noexcept {
  if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&last, at + size - sizeof last, sizeof last);
    return first | static_cast<std::uint64_t>(last) << (8 * (size - sizeof last));
  }
  std::uint64_t bytes = 0;
  for (std::size_t i = size; i-- > 0;) bytes = bytes << 8U | static_cast<unsigned char>(at[i]);
  return bytes;
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

// The eight digits of a number below 10^8, as numbers, the first of them lowest: halves it into two
// numbers of four digits, those into two of two, and those again, side by side.
inline std::uint64_t eight_digits(std::uint64_t value) noexcept {
  const std::uint64_t fours = value / 10'000 | value % 10'000 << 32U;
  const std::uint64_t hundreds = (fours * 10'486 >> 20U) & 0x0000007f0000007fU;  // fours / 100
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16U;
  const std::uint64_t tens = (twos * 103 >> 10U) & 0x000f000f000f000fU;  // twos / 10
  return tens | (twos - 10 * tens) << 8U;
}

// Writes it at `at`; returns what is behind it. Up to eight bytes are written even if fewer count.
inline char* write_digits(char* at, std::uint64_t value) noexcept {
  if (std::endian::native == std::endian::little && value < 100'000'000) [[likely]] {
    const std::uint64_t digits = eight_digits(value);
    const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56U) / 8;  // in front
    const std::uint64_t text = (digits + 0x3030303030303030U) >> (8 * zeros);
    std::memcpy(at, &text, sizeof text);
    return at + sizeof text - zeros;
  }
  char* const end = at + digits_of(value);
  char* pair = end;
  for (; value >= 100; value /= 100) {
    pair -= 2;
    std::memcpy(pair, &digit_pairs[2 * (value % 100)], 2);
  }
  if (value >= 10) {
    std::memcpy(at, &digit_pairs[2 * value], 2);
  } else {
    *at = static_cast<char>('0' + value);
  }
  return end;
}

}  // namespace parley::codec::impl
