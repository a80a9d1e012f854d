// AdaptiveLimit: how many calls may be under way at once, found out while they are. The gradient
// controller, as Envoy's adaptive concurrency filter has it: while calls take about as long as the
// shortest ones did (the floor), the limit grows; when they take longer, they are waiting for each
// other, and it shrinks in proportion.
//
//   window:  sample = percentile of what the calls of the last window took
//            limit  = limit * clamp(floor * (1 + buffer) / sample, 0.5, 2) + sqrt(limit)
//   floor:   of calls with few others under way; measured again now and then, so that the answer to
//            a method that has become slower for good is not to refuse all. Where too few calls are
//            by themselves, no more than min_limit are let in for it, for floor_timeout at most:
//            then the shortest call that was seen is the floor
//
// Thread-safe; a call costs a few relaxed atomic operations. Time is given by who asks.
//
//   if (!limit.try_begin(rt::now())) return Status(Code::resource_exhausted, ...);
//   const Instant began = rt::now();
//   ...
//   limit.end(rt::now(), rt::now() - began);
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley {

struct AdaptiveLimitOptions {
  // Bounds of the limit; the first is also how many may be under way beside a call that tells of
  // the floor.
  std::size_t min_limit = 3;
  std::size_t max_limit = 1'000;
  // Until the first floor is known.
  std::size_t first_limit = 20;
  // How often the limit changes, at most, and by how many calls at least: fewer say too little.
  Duration window = std::chrono::milliseconds(100);
  std::size_t window_calls = 10;
  // Of the calls of a window: so large a share took no longer than the sample.
  double percentile = 0.9;
  // How much longer than the floor calls may take before the limit shrinks: 0.25 is a quarter.
  double buffer = 0.25;
  // How often the floor is measured again, each time up to a fifth of it later by chance, so that
  // replicas do not do so together; over how many calls.
  Duration floor_interval = std::chrono::seconds(60);
  std::size_t floor_calls = 50;
  // For how long, at most, calls are refused for it.
  Duration floor_timeout = std::chrono::seconds(1);

  // invalid_argument, naming the option.
  [[nodiscard]] Status check() const;
};

class AdaptiveLimit {
 public:
  // Options that check() refuses are a bug. `seed`: of the chance above.
  explicit AdaptiveLimit(const AdaptiveLimitOptions& options, std::uint64_t seed = 1);
  AdaptiveLimit(const AdaptiveLimit&) = delete;
  AdaptiveLimit& operator=(const AdaptiveLimit&) = delete;

  // Whether one more may begin. If so, end() has to follow.
  [[nodiscard]] bool try_begin(Instant now) noexcept;
  // One has ended that took so long. `counts`: false for one that says nothing about how long calls
  // take (it was refused, or given up).
  void end(Instant now, Duration took, bool counts = true) noexcept;

  [[nodiscard]] std::size_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t under_way() const noexcept {
    return under_way_.load(std::memory_order_relaxed);
  }
  // What calls take when they do not wait for each other; zero before it was measured.
  [[nodiscard]] Duration floor() const noexcept {
    return Duration(floor_.load(std::memory_order_relaxed));
  }

 private:
  // A histogram of the calls of a window, four steps to a doubling.
  static constexpr std::size_t steps = 4;
  static constexpr std::size_t buckets = 44 * steps;
  static std::size_t bucket_of(std::int64_t nanoseconds) noexcept;
  static double middle_of(std::size_t bucket) noexcept;

  [[nodiscard]] bool is_window_over(Instant now) const noexcept;
  void close_window(Instant now) noexcept;
  double take_sample() noexcept;
  void measure_floor(Instant now) noexcept;
  void end_measuring(Instant now, double floor) noexcept;
  // Lets in no more than can be by themselves.
  void restrict(Instant now) noexcept;

  const AdaptiveLimitOptions options_;
  std::atomic<std::size_t> limit_;
  std::atomic<std::size_t> under_way_ = 0;
  std::atomic<std::size_t> peak_ = 0;  // most that were under way in this window, about
  // Calls that told nothing of the floor while it is measured; until when others are refused for
  // that, 0: they are not; and how long the shortest call took since it began.
  std::atomic<std::uint64_t> crowded_ = 0;
  std::atomic<std::int64_t> restricted_until_ = 0;
  std::atomic<std::int64_t> shortest_ = INT64_MAX;
  std::atomic<std::int64_t> floor_ = 0;
  std::atomic<std::uint64_t> counted_ = 0;    // calls of this window
  std::atomic<std::int64_t> window_end_ = 0;  // nanoseconds of the clock
  std::array<std::atomic<std::uint32_t>, buckets> histogram_{};

  // Whoever closes a window holds this; what follows is that one's.
  std::atomic<bool> is_closing_ = false;
  std::atomic<bool> measures_floor_ = true;
  std::int64_t next_floor_ = 0;
  std::size_t limit_before_;
  std::uint64_t chance_;
};

}  // namespace parley
