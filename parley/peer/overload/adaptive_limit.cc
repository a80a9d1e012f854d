#include "parley/peer/overload/adaptive_limit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "parley/base/assert.h"

namespace parley {
namespace {

// Farther than this the limit moves in no window, either way.
constexpr double least_gradient = 0.5;
constexpr double most_gradient = 2.0;
constexpr std::int64_t floor_jitter = 5;  // up to a fifth later
constexpr std::size_t most_calls = 1'000'000;

std::int64_t nanoseconds_of(Instant at) { return at.time_since_epoch().count(); }

Status bad(const std::string& what) {
  return {Code::invalid_argument, "AdaptiveLimitOptions::" + what};
}

}  // namespace

Status AdaptiveLimitOptions::check() const {
  if (min_limit < 1 || min_limit > max_limit) {
    return bad("min_limit must be from 1 to max_limit");
  }
  if (max_limit > most_calls) return bad("max_limit must be at most 1,000,000");
  if (first_limit < min_limit || first_limit > max_limit) {
    return bad("first_limit must be from min_limit to max_limit");
  }
  if (window <= Duration::zero()) return bad("window must be above 0");
  if (window_calls < 1 || window_calls > most_calls) {
    return bad("window_calls must be from 1 to 1,000,000");
  }
  if (!(percentile > 0 && percentile <= 1)) return bad("percentile must be above 0, at most 1");
  if (!(buffer >= 0 && buffer <= 10)) return bad("buffer must be from 0 to 10");
  if (floor_interval < window) return bad("floor_interval must be at least window");
  if (floor_calls < 1 || floor_calls > most_calls) {
    return bad("floor_calls must be from 1 to 1,000,000");
  }
  if (floor_timeout <= Duration::zero()) return bad("floor_timeout must be above 0");
  return {};
}

AdaptiveLimit::AdaptiveLimit(const AdaptiveLimitOptions& options, std::uint64_t seed)
    : options_(options),
      limit_(options.first_limit),
      limit_before_(options.first_limit),
      chance_(seed | 1U) {
  const Status status = options.check();
  PARLEY_ASSERT(status.is_ok(), status.message());
}

bool AdaptiveLimit::try_begin(Instant now) noexcept {
  if (is_window_over(now)) close_window(now);
  std::size_t under_way = under_way_.load(std::memory_order_relaxed);
  do {
    if (under_way >= limit()) return false;
  } while (!under_way_.compare_exchange_weak(under_way, under_way + 1, std::memory_order_relaxed));
  if (under_way >= peak_.load(std::memory_order_relaxed)) {
    peak_.store(under_way + 1, std::memory_order_relaxed);
  }
  return true;
}

void AdaptiveLimit::end(Instant now, Duration took, bool counts) noexcept {
  const std::size_t under_way = under_way_.fetch_sub(1, std::memory_order_relaxed);
  const bool measures = measures_floor_.load(std::memory_order_relaxed);
  if (counts && measures && took.count() < shortest_.load(std::memory_order_relaxed)) {
    shortest_.store(took.count(), std::memory_order_relaxed);
  }
  if (counts && measures && under_way > options_.min_limit) {
    // It waited for others. Too many of these: there have to be fewer.
    if (crowded_.fetch_add(1, std::memory_order_relaxed) + 1 == options_.floor_calls) restrict(now);
  } else if (counts) {
    histogram_[bucket_of(took.count())].fetch_add(1, std::memory_order_relaxed);
    counted_.fetch_add(1, std::memory_order_relaxed);
  }
  if (is_window_over(now)) close_window(now);
}

bool AdaptiveLimit::is_window_over(Instant now) const noexcept {
  const std::uint64_t counted = counted_.load(std::memory_order_relaxed);
  if (measures_floor_.load(std::memory_order_relaxed)) {
    const std::int64_t until = restricted_until_.load(std::memory_order_relaxed);
    return counted >= options_.floor_calls || (until != 0 && nanoseconds_of(now) >= until);
  }
  return counted >= options_.window_calls &&
         nanoseconds_of(now) >= window_end_.load(std::memory_order_relaxed);
}

void AdaptiveLimit::close_window(Instant now) noexcept {
  if (is_closing_.exchange(true, std::memory_order_acquire)) return;
  // Somebody else may have closed it just before.
  if (is_window_over(now)) {
    const std::int64_t at = nanoseconds_of(now);
    if (measures_floor_.load(std::memory_order_relaxed)) {
      measure_floor(now);
    } else {
      const double sample = std::max(take_sample(), 1.0);
      const auto floor = static_cast<double>(floor_.load(std::memory_order_relaxed));
      const double gradient =
          std::clamp(floor * (1 + options_.buffer) / sample, least_gradient, most_gradient);
      const auto old = static_cast<double>(limit());
      const double wanted = old * gradient + std::sqrt(old);
      // A limit that nobody meets says nothing, and would grow for ever.
      const auto met = static_cast<double>(peak_.exchange(under_way()));
      const double most = std::max(old, 2 * met);
      limit_.store(static_cast<std::size_t>(std::clamp(std::min(wanted, most),
                                                       static_cast<double>(options_.min_limit),
                                                       static_cast<double>(options_.max_limit))),
                   std::memory_order_relaxed);
      if (at >= next_floor_) {
        crowded_.store(0, std::memory_order_relaxed);
        shortest_.store(INT64_MAX, std::memory_order_relaxed);
        measures_floor_.store(true, std::memory_order_relaxed);
      }
    }
    window_end_.store(at + options_.window.count(), std::memory_order_relaxed);
  }
  is_closing_.store(false, std::memory_order_release);
}

void AdaptiveLimit::restrict(Instant now) noexcept {
  if (is_closing_.exchange(true, std::memory_order_acquire)) return;
  // What was counted so far ended alone, and may have waited for those before it.
  (void)take_sample();
  limit_before_ = limit();
  limit_.store(options_.min_limit, std::memory_order_relaxed);
  restricted_until_.store(nanoseconds_of(now) + options_.floor_timeout.count(),
                          std::memory_order_relaxed);
  is_closing_.store(false, std::memory_order_release);
}

void AdaptiveLimit::measure_floor(Instant now) noexcept {
  if (counted_.load(std::memory_order_relaxed) >= options_.floor_calls) {
    return end_measuring(now, take_sample());
  }
  // Too long, for calls that take so long: what is known has to do.
  (void)take_sample();
  const std::int64_t shortest = shortest_.load(std::memory_order_relaxed);
  const std::int64_t known = floor_.load(std::memory_order_relaxed);
  end_measuring(now, static_cast<double>(shortest == INT64_MAX ? known : shortest));
}

void AdaptiveLimit::end_measuring(Instant now, double floor) noexcept {
  floor_.store(std::max<std::int64_t>(std::llround(floor), 1), std::memory_order_relaxed);
  if (restricted_until_.exchange(0, std::memory_order_relaxed) != 0) {
    limit_.store(limit_before_, std::memory_order_relaxed);
  }
  measures_floor_.store(false, std::memory_order_relaxed);
  // xorshift64 (Marsaglia, 2003): chance enough to keep replicas apart.
  chance_ ^= chance_ << 13U;
  chance_ ^= chance_ >> 7U;
  chance_ ^= chance_ << 17U;
  const auto interval = static_cast<std::uint64_t>(options_.floor_interval.count());
  next_floor_ = nanoseconds_of(now) +
                static_cast<std::int64_t>(interval + chance_ % (interval / floor_jitter + 1));
}

// The percentile of what was counted, and all of that forgotten.
double AdaptiveLimit::take_sample() noexcept {
  std::array<std::uint32_t, buckets> counts{};
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    counts[i] = histogram_[i].exchange(0, std::memory_order_relaxed);
    all += counts[i];
  }
  counted_.store(0, std::memory_order_relaxed);
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(options_.percentile * static_cast<double>(all)));
  std::uint64_t passed = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < buckets && (passed += counts[bucket]) < wanted) ++bucket;
  return middle_of(bucket);
}

std::size_t AdaptiveLimit::bucket_of(std::int64_t nanoseconds) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
  if (value < steps) return static_cast<std::size_t>(value);
  const auto doubling = static_cast<unsigned>(std::bit_width(value)) - 3U;
  return std::min<std::size_t>(doubling * steps + (value >> doubling), buckets - 1);
}

double AdaptiveLimit::middle_of(std::size_t bucket) noexcept {
  if (bucket < 2 * steps) return static_cast<double>(bucket);
  const auto doubling = static_cast<unsigned>(bucket / steps) - 1U;
  const auto low = static_cast<double>((steps + bucket % steps) << doubling);
  return low + static_cast<double>(std::uint64_t{1} << doubling) / 2;
}

}  // namespace parley
