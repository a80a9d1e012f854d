// How the compiler fills in the table of a duration or a point in time. Only type.h includes this
// file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "parley/codec/impl/describe.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Seconds and nanoseconds of a count of units, downwards, without a step that may overflow.
template <class Rep, class Period>
Seconds to_seconds(Rep count) {
  constexpr std::int64_t giga = 1'000'000'000;
  if constexpr (std::is_floating_point_v<Rep>) {
    const auto exact = static_cast<long double>(count) * Period::num / Period::den;
    const auto whole = static_cast<std::int64_t>(exact);
    return {whole, static_cast<std::int32_t>((exact - static_cast<long double>(whole)) * giga)};
  } else {
    const auto wide = static_cast<__int128>(count) * Period::num;
    const auto whole = static_cast<std::int64_t>(wide / Period::den);
    const auto rest = static_cast<std::int64_t>(wide % Period::den);
    return {whole, static_cast<std::int32_t>(static_cast<__int128>(rest) * giga / Period::den)};
  }
}

// False when the count does not fit Rep.
template <class Rep, class Period>
bool from_seconds(Seconds time, Rep& count) {
  constexpr std::int64_t giga = 1'000'000'000;
  if constexpr (std::is_floating_point_v<Rep>) {
    const auto exact =
        static_cast<long double>(time.seconds) + static_cast<long double>(time.nanoseconds) / giga;
    count = static_cast<Rep>(exact * Period::den / Period::num);
    return true;
  } else {
    const auto nanoseconds = static_cast<__int128>(time.seconds) * giga + time.nanoseconds;
    // 2^63 seconds in nanoseconds are 93 bits, so a den of up to 10^9 leaves room; finer units than
    // nanoseconds do not.
    static_assert(Period::den <= giga, "parley: a unit finer than a nanosecond cannot be encoded");
    const auto scaled = nanoseconds * Period::den;
    const auto unit = static_cast<__int128>(Period::num) * giga;
    auto units = scaled / unit;
    if (scaled % unit < 0) --units;
    if (units < std::numeric_limits<Rep>::min() || units > std::numeric_limits<Rep>::max())
      return false;
    count = static_cast<Rep>(units);
    return true;
  }
}

template <class Rep, class Period>
struct Describe<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static constexpr TimeOperations operations = {
      .get =
          [](const void* object) {
            return to_seconds<Rep, Period>(static_cast<const Duration*>(object)->count());
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

template <class Clock, class Unit>
struct Describe<std::chrono::time_point<Clock, Unit>> {
  using Point = std::chrono::time_point<Clock, Unit>;
  using Rep = typename Unit::rep;
  using Period = typename Unit::period;
  static constexpr TimeOperations operations = {
      .get =
          [](const void* object) {
            Seconds time = to_seconds<Rep, Period>(
                static_cast<const Point*>(object)->time_since_epoch().count());
            if (time.nanoseconds < 0) time = {time.seconds - 1, time.nanoseconds + 1'000'000'000};
            return time;
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
    static_assert(std::is_same_v<Clock, std::chrono::system_clock>,
                  "parley: only a time of std::chrono::system_clock means something elsewhere");
    Type type = plain_type<Point>(Kind::instant);
    type.time = &operations;
    return type;
  }
};

}  // namespace parley::codec::impl
