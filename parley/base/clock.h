// Clock: the seam through which the whole house reads time, so a test can own it.
//
// `now()` is monotonic and serves every deadline; `wall()` is the date people see and may jump.
// RealClock and ManualClock may be used from any thread.
//
//   ManualClock clock;
//   clock.advance(std::chrono::seconds(5));   // deadlines of the next five seconds are due
#pragma once

#include <atomic>
#include <chrono>

namespace parley {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const noexcept = 0;
  [[nodiscard]] virtual WallTime wall() const noexcept = 0;
  // What now() was a moment ago: at most longest_ago before it, and never after it.
  [[nodiscard]] virtual Instant recently() const noexcept { return now(); }
  static constexpr Duration longest_ago = std::chrono::milliseconds(20);
};

// The machine's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME. About 22 ns a reading; recently() is
// CLOCK_MONOTONIC_COARSE, the time of the kernel's last tick, at about 5.
class RealClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const noexcept override;
  [[nodiscard]] Instant recently() const noexcept override;
  [[nodiscard]] WallTime wall() const noexcept override;
};

// Stands still until told otherwise. Starts one hour after the epoch of both clocks, so that
// subtracting a timeout from "now" does not wrap.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const noexcept override;
  [[nodiscard]] WallTime wall() const noexcept override;

  // Moves both clocks forward. `by` must not be negative (a bug otherwise).
  void advance(Duration by) noexcept;

 private:
  std::atomic<Duration::rep> elapsed_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

}  // namespace parley
