// TokenBucket: at most so many a second, with bursts of a given size. The generic cell rate
// algorithm (ITU-T I.371, the virtual scheduling form): one number says when the bucket will be
// full again, so nothing is refilled by a timer. The pause from one to the next is a whole number
// of nanoseconds: at the largest rate that is exact to 0.05 %.
//
// Thread-safe, without a lock; callable anywhere. Time is given by who asks.
//
//   TokenBucket bucket({.per_second = 1'000, .burst = 50});
//   if (!bucket.try_take(rt::now())) return Status(Code::resource_exhausted, ...);
#pragma once

#include <atomic>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley {

struct RateLimit {
  // 0: nothing at all passes. At most 1e6.
  double per_second = 0;
  // How many may come at once after a pause; at least 1. 0: as many as a tenth of a second brings,
  // at least 1.
  double burst = 0;

  // invalid_argument, with what is wrong, for a number that is none, negative or too large.
  [[nodiscard]] Status check() const;
};

class TokenBucket {
 public:
  // Full at first. A limit that check() refuses is a bug.
  explicit TokenBucket(const RateLimit& limit) { set(limit); }

  // Whether one more may pass at `now`. When it may not, nothing has changed.
  [[nodiscard]] bool try_take(Instant now) noexcept;

  // How long it is from `now` until one may pass; zero when it may. Duration::max() at rate 0.
  [[nodiscard]] Duration wait_from(Instant now) const noexcept;

  // Another limit from `now` on; what is missing from the bucket stays missing.
  void set(const RateLimit& limit, Instant now);
  // As much is missing from it as from `other`, which may be of another rate.
  void take_over(const TokenBucket& other, Instant now) noexcept;

 private:
  void set(const RateLimit& limit);

  std::atomic<std::int64_t> between_ = 0;  // nanoseconds from one to the next; 0: none passes
  std::atomic<std::int64_t> slack_ = 0;    // how far ahead of the time full_at_ may be
  // When the bucket is full again, in nanoseconds of the clock.
  std::atomic<std::int64_t> full_at_ = INT64_MIN / 2;
};

}  // namespace parley
