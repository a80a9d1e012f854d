// IdleSpin: how long a worker without work should look for some before it sleeps. A sleep and the
// wake-up after it cost tens of microseconds; spinning while work comes more often than that is
// cheaper, and spinning otherwise is waste. So: a moving average of how long it was idle lately;
// while that is short (RuntimeOptions::idle_spin), spin a little longer than it. Private to rt.
#pragma once

#include <algorithm>

#include "parley/base/clock.h"

namespace parley::rt::impl {

class IdleSpin {
 public:
  explicit IdleSpin(Duration longest_worth_spinning)
      : longest_worth_spinning_(longest_worth_spinning) {}

  // Zero: sleep at once.
  [[nodiscard]] Duration budget() const {
    return average_ < longest_worth_spinning_ ? 3 * average_ + slack : Duration::zero();
  }
  // A worker that was idle for `gap` has work again.
  void record(Duration gap) { average_ += (std::min(gap, longest_counted) - average_) / weight; }

 private:
  static constexpr Duration slack = std::chrono::microseconds(5);
  // One long pause shall not be remembered for a hundred short ones.
  static constexpr Duration longest_counted = std::chrono::milliseconds(1);
  static constexpr int weight = 8;

  const Duration longest_worth_spinning_;
  Duration average_ = longest_counted;
};

}  // namespace parley::rt::impl
