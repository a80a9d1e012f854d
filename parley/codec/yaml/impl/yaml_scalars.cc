#include "parley/codec/yaml/impl/yaml_scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace parley::codec::impl {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the start of `text` off it.
std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

// What stands behind 0x or 0o.
YamlNumber scan_based(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || stop != end || error == std::errc::invalid_argument) return {};
  if (error != std::errc()) return {.form = YamlNumber::Form::huge};
  return {.form = YamlNumber::Form::integer, .json = std::to_string(value)};
}

YamlNumber scan_decimal(std::string_view text, bool negative) {
  std::string_view whole = take_digits(text);
  std::string_view fraction;
  bool is_real = false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
    is_real = true;
  }
  if (whole.empty() && fraction.empty()) return {};
  std::string exponent;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    exponent = "e";
    if (text.starts_with('+') || text.starts_with('-')) {
      exponent += text.front();
      text.remove_prefix(1);
    }
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return {};
    exponent += digits;
    is_real = true;
  }
  if (!text.empty()) return {};
  const bool has_leading_zero = !is_real && whole.size() > 1 && whole.front() == '0';
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  YamlNumber number{.form = is_real            ? YamlNumber::Form::real
                            : has_leading_zero ? YamlNumber::Form::leading_zero
                                               : YamlNumber::Form::integer};
  if (negative) number.json += '-';
  number.json += whole.empty() ? "0" : whole;
  if (!fraction.empty()) number.json.append(".").append(fraction);
  number.json += exponent;
  return number;
}

struct Unit {
  std::string_view name;
  std::uint64_t seconds;      // of those from a second on
  std::uint64_t nanoseconds;  // of those below
};

constexpr std::array<Unit, 7> units = {{{"d", 86'400, 0},
                                        {"h", 3'600, 0},
                                        {"m", 60, 0},
                                        {"s", 1, 0},
                                        {"ms", 0, 1'000'000},
                                        {"us", 0, 1'000},
                                        {"ns", 0, 1}}};
constexpr std::uint64_t second = 1'000'000'000;

struct Sum {
  std::uint64_t seconds = 0;
  std::uint64_t nanoseconds = 0;  // may be more than a second
};

// `fraction`: up to nine digits as billionths.
bool add(Sum& sum, const Unit& unit, std::uint64_t whole, std::uint64_t fraction) {
  std::uint64_t seconds = 0;
  if (unit.seconds != 0) {
    if (__builtin_mul_overflow(whole, unit.seconds, &seconds)) return false;
    sum.nanoseconds += fraction * unit.seconds % second;
    if (__builtin_add_overflow(seconds, fraction * unit.seconds / second, &seconds)) return false;
  } else {
    const std::uint64_t in_a_second = second / unit.nanoseconds;
    seconds = whole / in_a_second;
    const std::uint64_t parts = fraction * unit.nanoseconds;
    if (parts % second != 0) return false;
    sum.nanoseconds += whole % in_a_second * unit.nanoseconds + parts / second;
  }
  return !__builtin_add_overflow(sum.seconds, seconds, &sum.seconds);
}

bool add_part(std::string_view& text, std::size_t& next_unit, Sum& sum) {
  const std::string_view whole = take_digits(text);
  std::uint64_t count = 0;
  if (whole.empty() ||
      std::from_chars(whole.data(), whole.data() + whole.size(), count).ec != std::errc()) {
    return false;
  }
  std::uint64_t fraction = 0;
  const bool has_fraction = text.starts_with('.');
  if (has_fraction) {
    text.remove_prefix(1);
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > 9) return false;
    for (std::size_t i = 0; i < 9; ++i) {
      fraction =
          fraction * 10 + (i < digits.size() ? static_cast<std::uint64_t>(digits[i] - '0') : 0);
    }
  }
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length])) ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  for (; next_unit < units.size(); ++next_unit) {
    if (units[next_unit].name != name) continue;
    return (!has_fraction || text.empty()) && add(sum, units[next_unit++], count, fraction);
  }
  return false;
}

}  // namespace

YamlNumber scan_yaml_number(std::string_view text) {
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  const bool negative = text.starts_with('-');
  const std::string_view rest = text.substr(has_sign ? 1 : 0);
  if (is_one_of(rest, std::array<std::string_view, 3>{".inf", ".Inf", ".INF"})) {
    const double infinity = std::numeric_limits<double>::infinity();
    return {.form = YamlNumber::Form::special, .special = negative ? -infinity : infinity};
  }
  if (!has_sign) {
    if (is_one_of(rest, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"})) {
      return {.form = YamlNumber::Form::special,
              .special = std::numeric_limits<double>::quiet_NaN()};
    }
    if (rest.starts_with("0x")) return scan_based(rest.substr(2), 16);
    if (rest.starts_with("0o")) return scan_based(rest.substr(2), 8);
  }
  return scan_decimal(rest, negative);
}

bool read_yaml_boolean(std::string_view text, bool& value) {
  value = is_one_of(text, std::array<std::string_view, 3>{"true", "True", "TRUE"});
  return value || is_one_of(text, std::array<std::string_view, 3>{"false", "False", "FALSE"});
}

std::string_view meant_boolean(std::string_view text) {
  std::string lower(text.substr(0, 8));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 5> yes = {"yes", "on", "y", "1", "true"};
  constexpr std::array<std::string_view, 5> no = {"no", "off", "n", "0", "false"};
  return is_one_of(lower, yes) ? "true" : is_one_of(lower, no) ? "false" : "";
}

bool is_yaml_null(std::string_view text) {
  return is_one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"});
}

bool read_yaml_duration(std::string_view text, Seconds& time) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return false;
  Sum sum;
  for (std::size_t next_unit = 0; !text.empty();) {
    if (!add_part(text, next_unit, sum)) return false;
  }
  std::uint64_t seconds = 0;
  if (__builtin_add_overflow(sum.seconds, sum.nanoseconds / second, &seconds) ||
      seconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return false;
  }
  const auto whole = static_cast<std::int64_t>(seconds);
  const auto rest = static_cast<std::int32_t>(sum.nanoseconds % second);
  time = {.seconds = negative ? -whole : whole, .nanoseconds = negative ? -rest : rest};
  return true;
}

}  // namespace parley::codec::impl
