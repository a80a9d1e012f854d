// WorkerCounts: what one worker did, for metrics. Private to rt.
#pragma once

#include <atomic>
#include <cstdint>

namespace parley::rt::impl {

// Counted by one thread, read by any: no atomic read-modify-write, so that counting costs what it
// would cost without readers.
class OwnCount {
 public:
  void add() noexcept {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> count_{0};
};

struct WorkerCounts {
  OwnCount started;  // fibers
  OwnCount steals;   // that found something
  OwnCount rests;    // times it went to sleep in its poller
};

}  // namespace parley::rt::impl
