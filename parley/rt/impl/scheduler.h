// Scheduler: what the workers of one runtime share: the queue of fibers from elsewhere, the stacks,
// the limits, and who is at rest. Private to rt; what the floors above need of it stands in the
// public headers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "parley/base/clock.h"
#include "parley/rt/impl/blocking_pool.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/idle_set.h"
#include "parley/rt/impl/monitor.h"
#include "parley/rt/impl/poller.h"
#include "parley/rt/impl/stack.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/runtime.h"

namespace parley::observe {
class Reading;
}  // namespace parley::observe

namespace parley::rt::impl {

class Simulation;
class Worker;
enum class Place : std::uint8_t;

// How often max_fibers was met.
struct LimitCounts {
  std::atomic<std::uint64_t> refused{0};  // by try_go
  std::atomic<std::uint64_t> delayed{0};  // waits of go
};

// Says that vm.max_map_count allows fewer fibers than were asked for.
void tell_of_lower_limit(std::size_t wanted);

class Scheduler {
 public:
  explicit Scheduler(const RuntimeOptions& options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The scheduler of the calling thread, or null.
  static Scheduler* current() noexcept;

  // Runs `first` and every fiber it starts, until none is left. The calling thread is the first
  // worker.
  void run(const Closure& first);

  // What a new fiber is to be.
  struct Birth {
    Scope& scope;
    ContextNode& context;
    std::string_view name;
    const Closure& closure;
    std::size_t stack_size = 0;
  };
  // Starts a fiber in its scope. False at max_fibers, or when there is no memory for its stack.
  bool try_spawn(Worker& worker, const Birth& birth, Place place);
  // At max_fibers: says so, once, when that comes from a fallback nobody asked for.
  void tell_of_limit();
  // By a fiber: waits until there is room for one more. The room may be gone again when it returns.
  void wait_for_room();
  // Starts a fiber from a timer or the poller, which can neither wait nor refuse: over the limit.
  void spawn_over_limit(const Birth& birth);
  // By a worker: gives back what it keeps at hand, if a fiber waits for room. True when it had
  // some.
  bool return_room(Worker& worker) {
    return room_waiter_count_.load(std::memory_order_seq_cst) > 0 && return_all_room(worker);
  }
  // By the worker that buries a fiber.
  void fiber_ended(Worker& worker);
  // By the worker that buried the first one.
  void main_ended();

  // The queue of fibers that come from no worker. From any thread.
  void inject(Fiber& fiber);
  void inject_all(std::span<Fiber* const> fibers);
  [[nodiscard]] bool has_injected() const {
    return injected_count_.load(std::memory_order_seq_cst) > 0;
  }
  // A fair share for `worker`: one is returned, the others are queued there.
  Fiber* take(Worker& worker);

  // Who is at rest.
  void begin_rest(std::size_t worker);
  void end_rest(std::size_t worker);
  [[nodiscard]] bool wants_thief() const { return resting_.wants_thief(); }
  void wake_thief();
  [[nodiscard]] bool all_at_rest() const;
  // Every fiber waits, and for another fiber: for no time, descriptor or blocking call. Exact only
  // while all are at rest.
  [[nodiscard]] bool nothing_can_wake();
  [[nodiscard]] bool any_held() const;

  [[nodiscard]] bool is_stopping() const { return stopping_.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_simulated() const { return simulation() != nullptr; }
  [[nodiscard]] Simulation* simulation() const { return options_.simulation; }
  [[nodiscard]] bool has_real_clock() const { return options_.clock == options_.real_clock; }

  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  [[nodiscard]] std::size_t worker_count() const { return worker_count_; }
  [[nodiscard]] Worker& worker(std::size_t index) { return *workers_[index]; }
  [[nodiscard]] StackDepot& stacks() { return stacks_; }
  [[nodiscard]] PollTable& poll_table() { return poll_table_; }
  [[nodiscard]] BlockingPool& blocking() { return blocking_; }
  [[nodiscard]] std::uint64_t seed() const;
  [[nodiscard]] Instant now() const noexcept { return options_.clock->now(); }
  // Fibers alive; exact when none is started or ends meanwhile.
  [[nodiscard]] std::size_t live() const noexcept;
  [[nodiscard]] std::uint64_t next_ids(std::uint64_t count) {
    return next_id_.fetch_add(count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t max_fibers() const { return max_fibers_; }
  [[nodiscard]] LimitCounts& limit_counts() { return limit_counts_; }
  [[nodiscard]] std::size_t injected() const {
    return injected_count_.load(std::memory_order_relaxed);
  }
  // Keeps metrics that read this scheduler until it goes.
  void keep(std::vector<observe::Reading> readings);
  [[nodiscard]] std::string dump();
  [[nodiscard]] const Monitor& monitor() const { return monitor_; }

 private:
  friend struct DebuggerView;

  [[nodiscard]] bool take_room(Worker& worker);
  void give_room_back(Worker& worker);
  bool return_all_room(Worker& worker);
  void stop_if_all_ended();
  void launch(Worker& worker, const Stack& stack, const Birth& birth, Place place);
  void wake_resting();
  void stop();
  Fiber* take_migrant(Worker& worker);

  const RuntimeOptions options_;
  const std::size_t worker_count_;
  StackDepot stacks_;
  const std::size_t max_fibers_;
  const bool limited_by_guards_;
  std::atomic<bool> told_of_limit_{false};
  PollTable poll_table_;
  std::atomic<std::uint64_t> next_id_{1};
  // How many more fibers there may be; workers keep some of it at hand, unless the limit is so low
  // that this would matter.
  std::atomic<std::ptrdiff_t> room_;
  const std::ptrdiff_t room_batch_;
  const std::shared_ptr<ContextNode> background_;
  std::atomic<bool> main_ended_{false};
  std::atomic<bool> stopping_{false};

  SharedSpinLock queue_lock_;
  Fiber* queue_first_ = nullptr;
  Fiber* queue_last_ = nullptr;
  std::atomic<std::size_t> injected_count_{0};

  SpinLock room_lock_;
  WaitList room_waiters_;  // fibers waiting for the number of fibers to fall below the limit
  std::atomic<std::size_t> room_waiter_count_{0};
  LimitCounts limit_counts_;

  RestingWorkers resting_;

  std::vector<std::unique_ptr<Worker>> workers_;
  BlockingPool blocking_;
  Monitor monitor_;

  SpinLock readings_lock_;
  std::vector<observe::Reading> readings_;  // last: they read all of the above
};

}  // namespace parley::rt::impl
