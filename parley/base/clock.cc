#include "parley/base/clock.h"

#include <ctime>

#include "parley/base/assert.h"

namespace parley {

Instant RealClock::now() const noexcept {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

Instant RealClock::recently() const noexcept {
  timespec at{};
  if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &at) != 0) return now();
  return Instant(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

WallTime RealClock::wall() const noexcept {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Instant ManualClock::now() const noexcept { return Instant(Duration(elapsed_.load())); }

WallTime ManualClock::wall() const noexcept { return WallTime(Duration(elapsed_.load())); }

void ManualClock::advance(Duration by) noexcept {
  PARLEY_ASSERT(by >= Duration::zero(), "time does not run backwards");
  elapsed_.fetch_add(by.count());
}

}  // namespace parley
