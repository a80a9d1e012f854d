#include "parley/codec/impl/json_number.h"

#include <array>
#include <charconv>
#include <cmath>
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

bool to_float32(const JsonNumber& number, float& value) noexcept {
  // Not by way of double: that would round twice.
  return nearest(number, value);
}

char* write_float64(char* out, double value) noexcept {
  // Up to six decimals below 1e9 are at most fifteen digits: if they give this value, no other
  // text of fifteen digits does, so they are the shortest. Several times faster than to_chars.
  if (std::fabs(value) < 1e9) {
    auto millionths = static_cast<std::int64_t>(value * 1e6 + (value < 0 ? -0.5 : 0.5));
    if (static_cast<double>(millionths) / 1e6 == value && (value != 0 || !std::signbit(value))) {
      if (millionths < 0) {
        *out++ = '-';
        millionths = -millionths;
      }
      out = std::to_chars(out, out + max_number_chars, millionths / 1'000'000).ptr;
      auto fraction = static_cast<std::int32_t>(millionths % 1'000'000);
      if (fraction == 0) return out;
      *out++ = '.';
      for (std::int32_t place = 100'000; fraction != 0; place /= 10) {
        *out++ = static_cast<char>('0' + fraction / place);
        fraction %= place;
      }
      return out;
    }
  }
  return std::to_chars(out, out + max_number_chars, value).ptr;
}

char* write_float32(char* out, float value) noexcept {
  return std::to_chars(out, out + max_number_chars, value).ptr;
}

}  // namespace parley::codec::impl
