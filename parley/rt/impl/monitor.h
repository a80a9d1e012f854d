// Monitor: a thread beside the workers. It notices work that waits behind a fiber that does not
// give way, has another worker take it, and reports who holds a worker for too long; and it has a
// worker look at its descriptors and timers that was too busy to. It sleeps for as long as all
// workers do. Private to rt.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "parley/base/clock.h"

namespace parley::rt::impl {

class Scheduler;
class Worker;

class Monitor {
 public:
  explicit Monitor(Scheduler& scheduler) : scheduler_(scheduler) {}
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void start();
  void stop();

  // Fibers that held their worker for too long, reported or not.
  [[nodiscard]] std::uint64_t long_runs() const {
    return long_runs_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_asleep() const { return asleep_.load(std::memory_order_seq_cst); }

  // By a worker that was at rest.
  void worker_woke() {
    if (asleep_.load(std::memory_order_seq_cst)) wake();
  }

 private:
  struct Seen {
    std::uint64_t switches = 0;
    std::uint64_t polls = 0;
    Instant since{};                   // when it was first seen at that number
    std::optional<Duration> computed;  // what its thread had computed when that got long
    bool reported = false;
  };

  void watch();
  void sleep_until_needed();
  // Of all workers.
  [[nodiscard]] std::uint64_t switches() const;
  bool may_be_deadlock(Instant now);
  bool look_at(Worker& worker, Seen& seen, Instant now);
  [[nodiscard]] bool is_to_blame(const Worker& worker, const Seen& seen) const;
  void report(Worker& worker, Duration held);
  void wake();

  Scheduler& scheduler_;
  std::vector<Seen> seen_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> long_runs_{0};
  std::uint64_t switches_ = 0;            // at the last look
  std::optional<Instant> nothing_since_;  // could wake a fiber, and none has run
  std::uint64_t switches_then_ = 0;
  std::optional<std::uint64_t> told_at_switches_;  // of that deadlock
  std::uint32_t reports_left_ = 0;
  Instant reports_renewed_{};
  std::thread thread_;
};

}  // namespace parley::rt::impl
