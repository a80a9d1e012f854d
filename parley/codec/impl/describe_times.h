// How the compiler fills in the table of a duration or a point in time. Only type.h includes this
// file. Both are known by what they have and not by their names: <chrono> would be a quarter of
// what including type.h costs, and whoever has a time to encode has included it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "parley/codec/impl/describe.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

constexpr std::int64_t nanoseconds_in_second = 1'000'000'000;

// The seconds before, and the nanoseconds since then: never negative. False when they do not fit.
template <class Rep, class Period>
bool to_seconds(Rep count, Seconds& time) {
  std::int64_t nanoseconds = 0;
  if constexpr (std::is_floating_point_v<Rep>) {
    const long double exact = static_cast<long double>(count) * Period::num / Period::den;
    // Also false for NaN.
    if (!(exact >= -0x1p63L && exact < 0x1p63L)) return false;
    const long double whole = __builtin_floorl(exact);
    time.seconds = static_cast<std::int64_t>(whole);
    nanoseconds =
        static_cast<std::int64_t>(__builtin_roundl((exact - whole) * nanoseconds_in_second));
  } else {
    const auto wide = static_cast<__int128>(count) * Period::num;
    auto whole = wide / Period::den;
    auto rest = static_cast<std::int64_t>(wide % Period::den);
    if (rest < 0) {
      --whole;
      rest += Period::den;
    }
    time.seconds = static_cast<std::int64_t>(whole);
    if (time.seconds != whole) return false;
    const auto scaled = static_cast<__int128>(rest) * nanoseconds_in_second + (Period::den - 1);
    nanoseconds = static_cast<std::int64_t>(scaled / Period::den);
  }
  if (nanoseconds == nanoseconds_in_second) {
    if (time.seconds == std::numeric_limits<std::int64_t>::max()) return false;
    ++time.seconds;
    nanoseconds = 0;
  }
  time.nanoseconds = static_cast<std::int32_t>(nanoseconds);
  return true;
}

// False when the count does not fit Rep.
template <class Rep, class Period>
bool from_seconds(Seconds time, Rep& count) {
  if constexpr (std::is_floating_point_v<Rep>) {
    const auto exact = static_cast<long double>(time.seconds) +
                       static_cast<long double>(time.nanoseconds) / nanoseconds_in_second;
    count = static_cast<Rep>(exact * Period::den / Period::num);
    return true;
  } else {
    const auto nanoseconds =
        static_cast<__int128>(time.seconds) * nanoseconds_in_second + time.nanoseconds;
    // 2^63 seconds in nanoseconds are 93 bits, so a den of up to 10^9 leaves room; finer units than
    // nanoseconds do not.
    static_assert(Period::den <= nanoseconds_in_second,
                  "parley: a unit finer than a nanosecond cannot be encoded");
    const auto scaled = nanoseconds * Period::den;
    const auto unit = static_cast<__int128>(Period::num) * nanoseconds_in_second;
    auto units = scaled / unit;
    if (scaled % unit < 0) --units;
    if (units < std::numeric_limits<Rep>::min() || units > std::numeric_limits<Rep>::max())
      return false;
    count = static_cast<Rep>(units);
    return true;
  }
}

template <class T>
concept DurationLike = requires(const T& duration) {
  typename T::rep;
  T::period::num;
  duration.count();
};
template <class T>
concept PointLike = requires(const T& point) {
  typename T::clock;
  point.time_since_epoch().count();
};

template <class Duration>
struct DescribeDuration {
  using Rep = typename Duration::rep;
  using Period = typename Duration::period;
  static constexpr TimeOperations operations = {
      .get =
          [](const void* object, Seconds& time) {
            const auto count = static_cast<const Duration*>(object)->count();
            if (!to_seconds<Rep, Period>(count, time)) return false;
            if (time.seconds < 0 && time.nanoseconds > 0) {
              time = {time.seconds + 1,
                      time.nanoseconds - static_cast<std::int32_t>(nanoseconds_in_second)};
            }
            return true;
          },
      .set =
          [](void* object, Seconds time) {
            Rep count{};
            if (!from_seconds<Rep, Period>(time, count)) return false;
            *static_cast<Duration*>(object) = Duration(count);
            return true;
          },
  };
  static constexpr Type make() {
    static_assert(std::is_arithmetic_v<Rep>,
                  "parley: a duration is encoded if its count is a number");
    Type type = plain_type<Duration>(Kind::duration);
    type.time = &operations;
    return type;
  }
};

// The only clock of the library that knows std::time_t.
template <class Point>
concept OfSystemClock = requires(Point point) { Point::clock::to_time_t(point); };

template <class Point>
struct DescribePoint {
  using Unit = typename Point::duration;
  using Rep = typename Unit::rep;
  using Period = typename Unit::period;
  static constexpr TimeOperations operations = {
      .get =
          [](const void* object, Seconds& time) {
            const auto& point = *static_cast<const Point*>(object);
            return to_seconds<Rep, Period>(point.time_since_epoch().count(), time);
          },
      .set =
          [](void* object, Seconds time) {
            Rep count{};
            if (!from_seconds<Rep, Period>(time, count)) return false;
            *static_cast<Point*>(object) = Point(Unit(count));
            return true;
          },
  };
  static constexpr Type make() {
    static_assert(OfSystemClock<Point>,
                  "parley: only a time of std::chrono::system_clock means something elsewhere");
    Type type = plain_type<Point>(Kind::instant);
    type.time = &operations;
    return type;
  }
};

}  // namespace parley::codec::impl
