#include "parley/peer/overload/queue_guard.h"

#include <limits>

#include "parley/base/assert.h"

namespace parley {
namespace {

// Of a guard that nobody has asked.
constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min() / 2;

std::int64_t nanoseconds_of(Instant at) { return at.time_since_epoch().count(); }

}  // namespace

Status QueueGuardOptions::check() const {
  if (target > Duration::zero() && target < interval) return {};
  return {Code::invalid_argument,
          "QueueGuardOptions: target must be above 0, and interval above target"};
}

QueueGuard::QueueGuard(const QueueGuardOptions& options)
    : options_(options), short_wait_at_(never), asked_at_(never) {
  const Status status = options.check();
  PARLEY_ASSERT(status.is_ok(), status.message());
}

bool QueueGuard::admits(Duration waited, Instant now) noexcept {
  const std::int64_t at = nanoseconds_of(now);
  // Nobody came for an interval: the queue was empty.
  if (at - asked_at_.exchange(at, std::memory_order_relaxed) >= options_.interval.count() ||
      waited < options_.target) {
    short_wait_at_.store(at, std::memory_order_relaxed);
  }
  return waited <= (is_standing(now) ? options_.target : options_.interval);
}

bool QueueGuard::is_standing(Instant now) const noexcept {
  if (asked_at_.load(std::memory_order_relaxed) == never) return false;
  return nanoseconds_of(now) - short_wait_at_.load(std::memory_order_relaxed) >=
         options_.interval.count();
}

}  // namespace parley
