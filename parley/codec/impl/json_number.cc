#include "parley/codec/impl/json_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

namespace parley::codec::impl {
namespace {

constexpr bool is_digit(const char* at, const char* end) {
  return at != end && *at >= '0' && *at <= '9';
}

// Powers of ten that a double holds exactly.
constexpr std::array<double, 23> powers_of_ten = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// "00" to "99", one behind the other.
constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

char* write_four(char* out, std::uint32_t value) {
  std::memcpy(out, &digit_pairs[2 * (value / 100)], 2);
  std::memcpy(out + 2, &digit_pairs[2 * (value % 100)], 2);
  return out + 4;
}

// Without leading zeros.
char* write_up_to_four(char* out, std::uint32_t value) {
  if (value >= 1'000) return write_four(out, value);
  if (value >= 100) {
    *out = static_cast<char>('0' + value / 100);
    std::memcpy(out + 1, &digit_pairs[2 * (value % 100)], 2);
    return out + 3;
  }
  if (value >= 10) {
    std::memcpy(out, &digit_pairs[2 * value], 2);
    return out + 2;
  }
  *out = static_cast<char>('0' + value);
  return out + 1;
}

// An exponent beyond this decides everything, whatever the digits; it also keeps sums small.
constexpr int huge_exponent = 100'000'000;

class Scanner {
 public:
  Scanner(std::string_view text, JsonNumber& number)
      : at_(text.data()), end_(text.data() + text.size()), number_(number) {}

  const char* scan() noexcept {
    const char* const start = at_;
    const char* const problem = parts();
    number_.text = {start, static_cast<std::size_t>(at_ - start)};
    return problem;
  }

 private:
  const char* parts() noexcept {
    if (at_ != end_ && *at_ == '-') {
      number_.negative = true;
      ++at_;
    }
    if (!is_digit(at_, end_)) return "expected a digit";
    if (*at_ == '0') {
      ++at_;
      if (is_digit(at_, end_)) return "a number must not start with 0: expected '.' or its end";
    } else {
      take_digits();
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      number_.is_integer = false;
      const char* const start = at_;
      take_digits();
      if (at_ == start) return "expected a digit behind the point";
      number_.exponent -=
          static_cast<int>(at_ - start < huge_exponent ? at_ - start : huge_exponent);
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) return exponent();
    return nullptr;
  }

  void take_digits() noexcept {
    std::uint64_t digits = number_.digits;
    bool fits = number_.has_all_digits;
    for (; is_digit(at_, end_); ++at_) {
      const auto digit = static_cast<std::uint64_t>(*at_ - '0');
      if (__builtin_mul_overflow(digits, std::uint64_t{10}, &digits) ||
          __builtin_add_overflow(digits, digit, &digits)) {
        fits = false;
        digits = 0;
      }
    }
    number_.digits = digits;
    number_.has_all_digits = fits;
  }

  const char* exponent() noexcept {
    ++at_;
    number_.is_integer = false;
    bool negative = false;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) negative = *at_++ == '-';
    if (!is_digit(at_, end_)) return "expected a digit in the exponent";
    int value = 0;
    for (; is_digit(at_, end_); ++at_) {
      if (value < huge_exponent) value = value * 10 + (*at_ - '0');
    }
    number_.exponent += negative ? -value : value;
    return nullptr;
  }

  const char* at_;
  const char* end_;
  JsonNumber& number_;
};

// The power of ten of the first digit that is not 0: tells too large from too small, which
// std::from_chars reports alike.
long magnitude(const JsonNumber& number) {
  const std::string_view text = number.text.substr(number.negative ? 1 : 0);
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  const std::string_view whole = mantissa.substr(0, mantissa.find('.'));
  const std::size_t decimals =
      mantissa.size() == whole.size() ? 0 : mantissa.size() - whole.size() - 1;
  const long exponent = number.exponent + static_cast<long>(decimals);
  const std::size_t first = mantissa.find_first_of("123456789");
  const auto place = static_cast<long>(whole.size()) - static_cast<long>(first);
  return exponent + (first < whole.size() ? place - 1 : place);
}

template <class T>
bool nearest(const JsonNumber& number, T& value) noexcept {
  const char* const end = number.text.data() + number.text.size();
  const auto [at, error] = std::from_chars(number.text.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    if (magnitude(number) >= 0) return false;
    value = number.negative ? T{-0.0} : T{0};
  }
  return std::isfinite(value);
}

}  // namespace

const char* scan_json_number(std::string_view text, JsonNumber& number) noexcept {
  return Scanner(text, number).scan();
}

bool to_float64(const JsonNumber& number, double& value) noexcept {
  // Up to 2^53 and ten to the 22nd are exact in a double, and one operation on them rounds once.
  if (number.has_all_digits && number.digits <= (std::uint64_t{1} << 53) &&
      number.exponent >= -22 && number.exponent <= 22) {
    const auto digits = static_cast<double>(number.digits);
    const double size = number.exponent < 0
                            ? digits / powers_of_ten[static_cast<std::size_t>(-number.exponent)]
                            : digits * powers_of_ten[static_cast<std::size_t>(number.exponent)];
    value = number.negative ? -size : size;
    return true;
  }
  return nearest(number, value);
}

Whole to_uint64(const JsonNumber& number, std::uint64_t& value) noexcept {
  // Of the digits what is not 0, and the power of ten of the last of them.
  const std::string_view digits = number.text.substr(0, number.text.find_first_of("eE"));
  const std::size_t last = digits.find_last_of("123456789");
  value = 0;
  if (last == std::string_view::npos) return Whole::fits;
  long power = number.exponent;
  for (const char c : digits.substr(last + 1)) power += c == '0' ? 1 : 0;
  if (power < 0) return Whole::has_fraction;
  const auto append = [&](std::uint64_t digit) {
    return !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
           !__builtin_add_overflow(value, digit, &value);
  };
  for (const char c : digits.substr(0, last + 1)) {
    const bool is_digit = c >= '0' && c <= '9';
    if (is_digit && !append(static_cast<std::uint64_t>(c - '0'))) return Whole::too_large;
  }
  for (; power > 0; --power) {
    if (!append(0)) return Whole::too_large;
  }
  return Whole::fits;
}

double divide_by_power_of_ten(double digits, std::ptrdiff_t power) noexcept {
  return digits / powers_of_ten[static_cast<std::size_t>(power)];
}

bool to_float32(const JsonNumber& number, float& value) noexcept {
  // Not by way of double: that would round twice.
  return nearest(number, value);
}

char* write_uint64(char* out, std::uint64_t value) noexcept {
  if (value < 10'000) return write_up_to_four(out, static_cast<std::uint32_t>(value));
  if (value < 100'000'000) {
    const auto low = static_cast<std::uint32_t>(value);
    return write_four(write_up_to_four(out, low / 10'000), low % 10'000);
  }
  const auto low = static_cast<std::uint32_t>(value % 100'000'000);
  out = write_uint64(out, value / 100'000'000);
  return write_four(write_four(out, low / 10'000), low % 10'000);
}

char* write_int64(char* out, std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0) return write_uint64(out, bits);
  *out++ = '-';
  return write_uint64(out, 0 - bits);
}

char* write_float64(char* out, double value) noexcept {
  // Up to six decimals below 1e9 are at most fifteen digits: if they give this value, no other
  // text of fifteen digits does, so they are the shortest. Several times faster than to_chars.
  if (std::fabs(value) < 1e9) {
    const auto millionths = static_cast<std::int64_t>(value * 1e6 + (value < 0 ? -0.5 : 0.5));
    if (static_cast<double>(millionths) / 1e6 == value && (value != 0 || !std::signbit(value))) {
      if (millionths < 0) *out++ = '-';
      const auto size = static_cast<std::uint64_t>(millionths < 0 ? -millionths : millionths);
      out = write_uint64(out, size / 1'000'000);
      const auto fraction = static_cast<std::uint32_t>(size % 1'000'000);
      if (fraction == 0) return out;
      *out = '.';
      std::memcpy(out + 1, &digit_pairs[2 * (fraction / 10'000)], 2);
      std::memcpy(out + 3, &digit_pairs[2 * (fraction / 100 % 100)], 2);
      std::memcpy(out + 5, &digit_pairs[2 * (fraction % 100)], 2);
      out += 7;
      while (out[-1] == '0') --out;
      return out;
    }
  }
  return std::to_chars(out, out + max_number_chars, value).ptr;
}

char* write_float32(char* out, float value) noexcept {
  return std::to_chars(out, out + max_number_chars, value).ptr;
}

}  // namespace parley::codec::impl
