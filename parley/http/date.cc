#include "parley/http/date.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "parley/base/clock.h"
#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void put(std::string& out, unsigned number, std::size_t digits) {
  const std::size_t at = out.size();
  out.resize(at + digits, '0');
  for (std::size_t i = digits; i-- > 0; number /= 10) {
    out[at + i] = static_cast<char>('0' + number % 10);
  }
}

// Takes parts off a text; once one is not there, none is.
class Reading {
 public:
  explicit Reading(std::string_view text) : rest_(text) {}

  void text(std::string_view expected) {
    is_good_ = is_good_ && rest_.starts_with(expected);
    if (is_good_) rest_.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    is_good_ = is_good_ && rest_.size() >= digits &&
               impl::all_of(rest_.substr(0, digits), impl::chars::digit);
    if (!is_good_) return 0;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + (rest_[i] - '0');
    rest_.remove_prefix(digits);
    return value;
  }
  // Its index in the list, by the first `letters` of each.
  template <std::size_t Count>
  unsigned word(const std::array<std::string_view, Count>& words,
                std::size_t letters = std::string_view::npos) {
    for (unsigned i = 0; is_good_ && i < Count; ++i) {
      const std::string_view word = words.at(i).substr(0, letters);
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return i;
    }
    is_good_ = false;
    return 0;
  }
  [[nodiscard]] bool begins_with(char c) const { return is_good_ && rest_.starts_with(c); }
  [[nodiscard]] bool is_whole() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

struct Parts {
  int year = 0;
  unsigned month = 0;  // from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_clock(Reading& in, Parts& parts) {
  parts.hour = in.number(2);
  in.text(":");
  parts.minute = in.number(2);
  in.text(":");
  parts.second = in.number(2);
}

std::optional<Parts> in_fixed_form(std::string_view text) {
  Reading in(text);
  Parts parts;
  (void)in.word(days, 3);
  in.text(", ");
  parts.day = in.number(2);
  in.text(" ");
  parts.month = in.word(months);
  in.text(" ");
  parts.year = in.number(4);
  in.text(" ");
  read_clock(in, parts);
  in.text(" GMT");
  return in.is_whole() ? std::optional(parts) : std::nullopt;
}

std::optional<Parts> in_old_form(std::string_view text, int year_now) {
  Reading in(text);
  Parts parts;
  (void)in.word(days);
  in.text(", ");
  parts.day = in.number(2);
  in.text("-");
  parts.month = in.word(months);
  in.text("-");
  parts.year = year_now / 100 * 100 + in.number(2);
  in.text(" ");
  read_clock(in, parts);
  in.text(" GMT");
  if (parts.year > year_now + 50) parts.year -= 100;
  if (parts.year <= year_now - 50) parts.year += 100;
  return in.is_whole() ? std::optional(parts) : std::nullopt;
}

std::optional<Parts> in_form_of_c(std::string_view text) {
  Reading in(text);
  Parts parts;
  (void)in.word(days, 3);
  in.text(" ");
  parts.month = in.word(months);
  in.text(" ");
  const bool is_padded = in.begins_with(' ');
  if (is_padded) in.text(" ");
  parts.day = in.number(is_padded ? 1 : 2);
  in.text(" ");
  read_clock(in, parts);
  in.text(" ");
  parts.year = in.number(4);
  return in.is_whole() ? std::optional(parts) : std::nullopt;
}

std::chrono::year_month_day day_of(sys_seconds when) {
  return std::chrono::floor<std::chrono::days>(when);
}

}  // namespace

std::string format_date(sys_seconds when) {
  using std::chrono::December;
  using std::chrono::January;
  using std::chrono::year;
  const sys_seconds first = sys_days(year(0) / January / 1);
  const sys_seconds last = sys_days(year(9999) / December / 31) + std::chrono::seconds(86'399);
  when = std::clamp(when, first, last);
  const sys_days day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(when - day);
  std::string out(days.at(std::chrono::weekday(day).c_encoding()).substr(0, 3));
  out += ", ";
  put(out, static_cast<unsigned>(date.day()), 2);
  out += ' ';
  out += months.at(static_cast<unsigned>(date.month()) - 1);
  out += ' ';
  put(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += ' ';
  put(out, static_cast<unsigned>(clock.hours().count()), 2);
  out += ':';
  put(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out += ':';
  put(out, static_cast<unsigned>(clock.seconds().count()), 2);
  return out + " GMT";
}

Result<sys_seconds> parse_date(std::string_view text, sys_seconds now) {
  std::optional<Parts> parts = in_fixed_form(text);
  if (!parts) parts = in_old_form(text, static_cast<int>(day_of(now).year()));
  if (!parts) parts = in_form_of_c(text);
  if (parts) {
    const std::chrono::year_month_day date(std::chrono::year(parts->year),
                                           std::chrono::month(parts->month + 1),
                                           std::chrono::day(static_cast<unsigned>(parts->day)));
    if (date.ok() && parts->hour < 24 && parts->minute < 60 && parts->second <= 60) {
      return sys_seconds(sys_days(date)) + std::chrono::hours(parts->hour) +
             std::chrono::minutes(parts->minute) + std::chrono::seconds(parts->second);
    }
  }
  return Status(Code::invalid_argument,
                quoted(text) +
                    " is no date of HTTP (RFC 9110 5.6.7); write it as \"Sun, 06 Nov "
                    "1994 08:49:37 GMT\"");
}

Result<sys_seconds> parse_date(std::string_view text) {
  return parse_date(text, std::chrono::floor<std::chrono::seconds>(RealClock().wall()));
}

}  // namespace parley::http
