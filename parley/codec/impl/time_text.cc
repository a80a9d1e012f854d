#include "parley/codec/impl/time_text.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>

namespace parley::codec::impl {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;
// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
constexpr std::int64_t first_second = -62'167'219'200;
constexpr std::int64_t last_second = 253'402'300'799;

char* write_padded(char* out, std::uint32_t number, int width) {
  for (int i = width; i-- > 0; number /= 10) out[i] = static_cast<char>('0' + number % 10);
  return out + width;
}

char* write_fraction(char* out, std::uint32_t nanoseconds) {
  if (nanoseconds == 0) return out;
  *out++ = '.';
  if (nanoseconds % 1'000'000 == 0) return write_padded(out, nanoseconds / 1'000'000, 3);
  if (nanoseconds % 1'000 == 0) return write_padded(out, nanoseconds / 1'000, 6);
  return write_padded(out, nanoseconds, 9);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes text apart from the left; a failed step stays failed.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Exactly `width` digits.
  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (at_ == text_.size() || !is_digit(text_[at_])) {
        ok_ = false;
        return 0;
      }
      value = value * 10 + (text_[at_++] - '0');
    }
    return value;
  }
  void expect(char c) { ok_ = take(c, c) && ok_; }
  bool take(char c, char other) {
    if (at_ == text_.size() || (text_[at_] != c && text_[at_] != other)) return false;
    ++at_;
    return true;
  }
  // ".5" as nanoseconds; 0 without a point.
  std::int32_t fraction() {
    if (!take('.', '.')) return 0;
    std::int32_t value = 0;
    int count = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, ++count) {
      if (count < 9) value = value * 10 + (text_[at_] - '0');
    }
    if (count == 0 || count > 9) ok_ = false;
    for (; count < 9; ++count) value *= 10;
    return value;
  }
  [[nodiscard]] bool ends() const { return ok_ && at_ == text_.size(); }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

char* write_duration(char* out, Seconds time) noexcept {
  const bool negative = time.seconds < 0 || time.nanoseconds < 0;
  if (negative) *out++ = '-';
  const auto bits = static_cast<std::uint64_t>(time.seconds);
  out = std::to_chars(out, out + max_time_chars, time.seconds < 0 ? 0 - bits : bits).ptr;
  out = write_fraction(out,
                       static_cast<std::uint32_t>(negative ? -time.nanoseconds : time.nanoseconds));
  *out++ = 's';
  return out;
}

char* write_instant(char* out, Seconds time) noexcept {
  if (time.seconds < first_second || time.seconds > last_second) return nullptr;
  const auto shifted = time.seconds - first_second;  // never negative, so it divides downwards
  const std::chrono::sys_days day{
      std::chrono::days(shifted / seconds_per_day + first_second / seconds_per_day)};
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<std::uint32_t>(shifted % seconds_per_day);
  out = write_padded(out, static_cast<std::uint32_t>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  out = write_padded(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = write_padded(out, static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  out = write_padded(out, second / 3'600, 2);
  *out++ = ':';
  out = write_padded(out, second / 60 % 60, 2);
  *out++ = ':';
  out = write_padded(out, second % 60, 2);
  out = write_fraction(out, static_cast<std::uint32_t>(time.nanoseconds));
  *out++ = 'Z';
  return out;
}

bool read_duration(std::string_view text, Seconds& time) noexcept {
  if (!text.ends_with('s')) return false;
  text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::string_view whole = text.substr(0, text.find('.'));
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  const auto most =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
  if (whole.empty() || error != std::errc() || end != whole.data() + whole.size() ||
      seconds > most) {
    return false;
  }
  Reader rest(text.substr(whole.size()));
  const std::int32_t nanoseconds = rest.fraction();
  if (!rest.ends()) return false;
  time.seconds = static_cast<std::int64_t>(negative ? 0 - seconds : seconds);
  time.nanoseconds = negative ? -nanoseconds : nanoseconds;
  return true;
}

bool read_instant(std::string_view text, Seconds& time) noexcept {
  Reader reader(text);
  const int year = reader.number(4);
  reader.expect('-');
  const int month = reader.number(2);
  reader.expect('-');
  const int day = reader.number(2);
  if (!reader.take('T', 't')) return false;
  const int hour = reader.number(2);
  reader.expect(':');
  const int minute = reader.number(2);
  reader.expect(':');
  const int second = reader.number(2);
  time.nanoseconds = reader.fraction();
  std::int64_t offset = 0;
  if (!reader.take('Z', 'z')) {
    const bool is_west = reader.take('-', '-');
    if (!is_west) reader.expect('+');
    const int hours = reader.number(2);
    reader.expect(':');
    const int minutes = reader.number(2);
    if (hours > 23 || minutes > 59) return false;
    offset = (hours * 60 + minutes) * 60;
    if (is_west) offset = -offset;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // A leap second (60) is the first second of the next minute: the system's clock has none.
  if (!reader.ends() || !date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  time.seconds = days * seconds_per_day + (hour * 60 + minute) * 60 + second - offset;
  // The offset or a leap second may lead out of the years that can be written.
  return time.seconds >= first_second && time.seconds <= last_second;
}

}  // namespace parley::codec::impl
