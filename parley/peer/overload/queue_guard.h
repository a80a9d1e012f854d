// QueueGuard: sheds what has waited too long, when waiting has become the rule. CoDel (RFC 8289)
// turned into a verdict: a queue that was empty, or nearly, at some moment of the last interval is
// a burst that it swallows; one in which everything waited has more work than it can do, and who is
// then served late is served in vain.
//
// Thread-safe; two relaxed atomic operations a call. Time is given by who asks.
//
//   if (!guard.admits(context.age(), rt::now())) return Status(Code::resource_exhausted, ...);
#pragma once

#include <atomic>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley {

struct QueueGuardOptions {
  // A wait that is harmless, and the longest one while the queue stands.
  Duration target = std::chrono::milliseconds(5);
  // For how long everything must have waited for the target and more; also the longest wait
  // while the queue does not stand.
  Duration interval = std::chrono::milliseconds(100);

  // invalid_argument, naming the option: 0 < target < interval.
  [[nodiscard]] Status check() const;
};

class QueueGuard {
 public:
  // Options that check() refuses are a bug.
  explicit QueueGuard(const QueueGuardOptions& options);
  QueueGuard(const QueueGuard&) = delete;
  QueueGuard& operator=(const QueueGuard&) = delete;

  // Whether what has waited so long shall still be done.
  [[nodiscard]] bool admits(Duration waited, Instant now) noexcept;

  // True while everything waits.
  [[nodiscard]] bool is_standing(Instant now) const noexcept;

 private:
  const QueueGuardOptions options_;
  // When something had last waited less than the target, in nanoseconds of the clock; and when
  // anything came last.
  std::atomic<std::int64_t> short_wait_at_;
  std::atomic<std::int64_t> asked_at_;
};

}  // namespace parley
