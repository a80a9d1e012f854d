#include "parley/cli/duration.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace parley::cli {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::array<Unit, 5> units = {{{"us", 1'000},
                                        {"ms", 1'000'000},
                                        {"s", 1'000'000'000},
                                        {"m", 60'000'000'000},
                                        {"h", 3'600'000'000'000}}};

Status bad_duration(std::string_view text, std::string_view why) {
  return Status(Code::invalid_argument, "\"" + std::string(text) + "\" " + std::string(why) +
                                            "; write 500ms, 5s, 1.5s or 1m (units: us ms s m h)");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A decimal number as two integers, so that "0.1s" is exactly a hundred milliseconds.
struct Decimal {
  std::int64_t whole = 0;
  std::int64_t billionths = 0;
  std::size_t length = 0;  // characters read; 0 when there is no number
};

// Digits beyond the ninth of a fraction are below a nanosecond of any unit people wait for; a whole
// part beyond `cap` stays there: it is out of range in every unit.
Decimal read_decimal(std::string_view text) {
  constexpr std::int64_t cap = 1'000'000'000'000;
  Decimal number;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) {
    number.whole = std::min(cap, number.whole * 10 + (text[at] - '0'));
    ++at;
  }
  if (at == 0) return number;
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    ++at;
    for (std::int64_t place = 100'000'000; at < text.size() && is_digit(text[at]); place /= 10) {
      number.billionths += place * (text[at] - '0');
      ++at;
    }
  }
  number.length = at;
  return number;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text.starts_with('-')) return bad_duration(text, "is negative");
  const Decimal number = read_decimal(text);
  if (number.length == 0) return bad_duration(text, "is not a duration");
  const std::string_view name = text.substr(number.length);
  if (name.empty()) return bad_duration(text, "has no unit");
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    // The whole part first: it bounds what is multiplied below.
    if (number.whole > max_duration.count() / unit.nanoseconds) {
      return bad_duration(text, "is longer than 24h");
    }
    const std::int64_t fraction = unit.nanoseconds >= 1'000'000'000
                                      ? unit.nanoseconds / 1'000'000'000 * number.billionths
                                      : number.billionths / (1'000'000'000 / unit.nanoseconds);
    const Duration duration(number.whole * unit.nanoseconds + fraction);
    if (duration > max_duration) return bad_duration(text, "is longer than 24h");
    if (duration == Duration::zero()) return bad_duration(text, "is no time at all");
    return duration;
  }
  return bad_duration(text, "has a unit that is not known");
}

std::string show_duration(Duration duration) {
  struct Scale {
    double nanoseconds;
    const char* name;
  };
  constexpr std::array<Scale, 4> scales = {{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
  const auto nanoseconds = static_cast<double>(duration.count());
  for (const Scale& scale : scales) {
    if (nanoseconds < scale.nanoseconds && scale.nanoseconds > 1) continue;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g %s", nanoseconds / scale.nanoseconds, scale.name);
    return text.data();
  }
  return "0 ns";
}

}  // namespace parley::cli
