#include "parley/peer/overload/token_bucket.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "parley/base/assert.h"

namespace parley {
namespace {

constexpr double most_per_second = 1e6;
constexpr double most_burst = 1e9;
// What a rate brings in so many seconds is its burst unless one is named.
constexpr double default_burst_seconds = 0.1;
// Longest pause between two that can be told: a rate below one a century is one a century.
constexpr double longest_pause = 3.15e18;

std::int64_t nanoseconds_of(Instant at) { return at.time_since_epoch().count(); }

Status out_of_range(const char* what, double number, double most) {
  return {Code::invalid_argument, "RateLimit::" + std::string(what) + " " + std::to_string(number) +
                                      " is not within 0 and " + std::to_string(most)};
}

}  // namespace

Status RateLimit::check() const {
  if (!(per_second >= 0 && per_second <= most_per_second)) {
    return out_of_range("per_second", per_second, most_per_second);
  }
  if (!(burst >= 0 && burst <= most_burst)) return out_of_range("burst", burst, most_burst);
  if (burst > 0 && burst < 1) {
    return {Code::invalid_argument, "RateLimit::burst is below 1: nothing would ever pass"};
  }
  return {};
}

void TokenBucket::set(const RateLimit& limit) {
  PARLEY_ASSERT(limit.check().is_ok(), "a rate out of its range: ask RateLimit::check() first");
  if (limit.per_second == 0) {
    between_ = 0;
    return;
  }
  const double between = std::clamp(1e9 / limit.per_second, 1.0, longest_pause);
  const double burst = limit.burst > 0 ? limit.burst : limit.per_second * default_burst_seconds;
  slack_ = std::llround(std::min((std::max(burst, 1.0) - 1) * between, longest_pause));
  between_ = std::llround(between);
}

void TokenBucket::set(const RateLimit& limit, Instant now) {
  TokenBucket before(RateLimit{});
  before.between_ = between_.load();
  before.full_at_ = full_at_.load();
  set(limit);
  take_over(before, now);
}

void TokenBucket::take_over(const TokenBucket& other, Instant now) noexcept {
  const std::int64_t theirs = other.between_.load(std::memory_order_relaxed);
  const std::int64_t ours = between_.load(std::memory_order_relaxed);
  const std::int64_t at = nanoseconds_of(now);
  const std::int64_t ahead = other.full_at_.load(std::memory_order_relaxed) - at;
  if (theirs == 0 || ahead <= 0) return full_at_.store(at, std::memory_order_relaxed);
  const double missing = static_cast<double>(ahead) / static_cast<double>(theirs);
  const double until_full = std::min(missing * static_cast<double>(ours), longest_pause);
  full_at_.store(at + std::llround(until_full), std::memory_order_relaxed);
}

bool TokenBucket::try_take(Instant now) noexcept {
  const std::int64_t between = between_.load(std::memory_order_relaxed);
  if (between == 0) return false;
  const std::int64_t slack = slack_.load(std::memory_order_relaxed);
  const std::int64_t at = nanoseconds_of(now);
  std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t from = std::max(full_at, at);
    if (from - at > slack) return false;
    if (full_at_.compare_exchange_weak(full_at, from + between, std::memory_order_relaxed)) {
      return true;
    }
  }
}

Duration TokenBucket::wait_from(Instant now) const noexcept {
  if (between_.load(std::memory_order_relaxed) == 0) return Duration::max();
  const std::int64_t ahead =
      full_at_.load(std::memory_order_relaxed) - slack_.load(std::memory_order_relaxed);
  return Duration(std::max<std::int64_t>(ahead - nanoseconds_of(now), 0));
}

}  // namespace parley
