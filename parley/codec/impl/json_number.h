// Numbers as JSON writes them: taken apart, made into what a field holds, and written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::codec::impl {

struct JsonNumber {
  std::string_view text;
  std::uint64_t digits = 0;  // all digits without point and exponent; see has_all_digits
  int exponent = 0;          // value = digits * 10^exponent
  bool negative = false;
  bool has_all_digits = true;  // false: more than 64 bits of them, and `digits` says nothing
  bool is_integer = true;      // written without point and exponent
};

// Takes the number at the start of `text` apart. Null on success; else what was expected, and
// number.text ends where it was expected.
const char* scan_json_number(std::string_view text, JsonNumber& number) noexcept;

enum class Whole : std::uint8_t { fits, has_fraction, too_large };

// An integer in whatever form, 1.0 and 1e3 too: its size, exactly. `value` is set when it fits.
Whole to_uint64(const JsonNumber& number, std::uint64_t& value) noexcept;

// The nearest value; false when it is too large for the type. Too small becomes 0 (or -0).
bool to_float64(const JsonNumber& number, double& value) noexcept;
bool to_float32(const JsonNumber& number, float& value) noexcept;

// `digits` of at most 2^53, divided by ten to the `power` (0 to 22): the nearest value.
double divide_by_power_of_ten(double digits, std::ptrdiff_t power) noexcept;

// The most characters any of the functions below writes.
inline constexpr std::size_t max_number_chars = 32;

// Write the decimal digits; return their end.
char* write_uint64(char* out, std::uint64_t value) noexcept;
char* write_int64(char* out, std::int64_t value) noexcept;

// Write the shortest text that reads back as the same value; return its end. `value` is finite.
char* write_float64(char* out, double value) noexcept;
char* write_float32(char* out, float value) noexcept;

}  // namespace parley::codec::impl
