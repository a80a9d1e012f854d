// Worker: one thread that runs fibers: its run queue, timers and poller. Private to rt.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/idle_spin.h"
#include "parley/rt/impl/poller.h"
#include "parley/rt/impl/random.h"
#include "parley/rt/impl/run_ring.h"
#include "parley/rt/impl/stack.h"
#include "parley/rt/impl/timer_wheel.h"
#include "parley/rt/impl/worker_counts.h"

namespace parley::rt::impl {

class Scheduler;

// Where in its worker's queue a woken fiber goes.
enum class Place : std::uint8_t {
  last,
  next,  // before all others: the waker handed something over and is about to wait itself
};

class Worker {
 public:
  Worker(Scheduler& scheduler, std::size_t index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The worker of the calling thread, or null. Ask again after every switch: the fiber may have
  // moved.
  static Worker* current() noexcept;
  // The calling fiber. Outside a fiber the program ends with a message that names `what` was tried.
  static Fiber& current_fiber(const char* what);
  // The worker of that fiber: until the fiber waits.
  static Worker& of_current_fiber(const char* what);

  // Before run(), on the same thread: finds its stack, which only AddressSanitizer asks for. On the
  // first thread of a process this reads /proc, so it comes before any fiber that may use up all
  // descriptors.
  void find_own_stack();
  // Runs fibers on the calling thread until the scheduler stops.
  void run();

  // By the calling fiber, after word.open(): see Parking::park.
  Wake park(Fiber& fiber, const char* what, Deadline deadline, bool cancellable);
  // The same for who has just asked for the time, if `now` is not null.
  Wake park_since(Fiber& fiber, const char* what, Deadline deadline, bool cancellable,
                  const Instant* now);
  // By the calling fiber: goes to the end of the run queue.
  void yield(Fiber& fiber);

  // By who claimed the fiber's word, from any thread.
  static void make_runnable(Fiber& fiber, Place place);
  // From the queue of the scheduler; false when there is no room.
  [[nodiscard]] bool accept(Fiber& fiber) { return ring_.push(&fiber); }
  // A fiber waits for the first `until` fibers of `scope`: the newest of them that has not run yet
  // comes next, if that is at hand. Depth first, so that what branches again and again needs as
  // many stacks as it is deep, not as many as it is wide.
  void prefer_child_of(const Scope& scope, std::uint64_t until);
  // For a simulation, by its loop: all that have become runnable here, in that order. The fiber
  // that runs next comes back to the loop when it leaves.
  void hand_over(std::vector<Fiber*>& runnable);
  // A fiber that is in no queue joins this one; owner only.
  void enqueue(Fiber& fiber, Place place);

  [[nodiscard]] std::uint64_t next_id();
  // How many fibers may be started here without asking the scheduler. Written by the owner only.
  [[nodiscard]] std::ptrdiff_t room() const { return room_.load(std::memory_order_relaxed); }
  void set_room(std::ptrdiff_t room) { room_.store(room, std::memory_order_relaxed); }

  Status watch(PollEntry& entry) { return poller_.watch(entry); }
  [[nodiscard]] TimerWheel& timers() { return timers_; }
  [[nodiscard]] StackCache& stacks() { return stacks_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] WorkerCounts& counts() { return counts_; }
  [[nodiscard]] const Poller& poller() const { return poller_; }
  [[nodiscard]] Scheduler& scheduler() const { return scheduler_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] Fiber* running() const { return running_.load(std::memory_order_relaxed); }

  // From other threads.
  void interrupt() { poller_.interrupt(); }
  [[nodiscard]] std::uint64_t switches() const { return switches_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t backlog() const {
    return ring_.size() + (next_.load(std::memory_order_relaxed) == nullptr ? 0 : 1);
  }
  // Asks the fiber that runs to give way at its next checkpoint().
  void ask_to_give_way() { give_way_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool should_give_way() const { return give_way_.load(std::memory_order_relaxed); }
  void raise_average_run(Duration run) {
    average_run_.store(run.count(), std::memory_order_relaxed);
  }
  // Held: a fiber has kept it longer than allowed, so others take over what waits here.
  void set_held(bool held) { held_.store(held, std::memory_order_relaxed); }
  [[nodiscard]] bool is_held() const { return held_.load(std::memory_order_relaxed); }
  [[nodiscard]] int thread_id() const { return thread_id_.load(std::memory_order_acquire); }

 private:
  friend LastOfStack(::parley_rt_fiber_main)(void* fiber);
  friend void ::parley_rt_fiber_last(void* fiber);
  friend struct DebuggerView;

  enum class Departure : std::uint8_t { none, parked, yielded, ended };

  // Switching (worker_switch.cc).
  void leave(Fiber& fiber, Departure departure);
  void look_after_long_run();
  void switch_to(Fiber* next, void** save, void** fake_stack, bool ending);
  void arrive();
  void bury(Fiber& fiber);
  void resume(Fiber& fiber);

  // Finding work (worker.cc).
  Fiber* next_at_once();
  Fiber* find();
  Fiber* pop();
  [[nodiscard]] bool next_goes_before_queue() const;
  void look_around();
  bool steal();
  bool help_others(Instant now);
  void idle();
  bool spin(Instant start);
  void rest();
  [[nodiscard]] Duration time_to_rest();
  void push(Fiber& fiber);
  void push_into_full_ring(Fiber& fiber);
  void consider_thief();

  Scheduler& scheduler_;
  const std::size_t index_;
  const bool alone_;  // no other worker: nobody steals

  // The owner's.
  BasicRunRing<RealAtomics, Fiber, 256> ring_;
  std::atomic<Fiber*> next_{nullptr};
  std::atomic<Fiber*> running_{nullptr};
  std::atomic<std::uint64_t> switches_{0};
  std::uint32_t ticks_ = 0;
  std::uint32_t nexts_in_a_row_ = 0;
  Instant queue_had_turn_{};
  std::atomic<std::ptrdiff_t> room_{0};
  std::uint64_t next_id_ = 0;
  std::uint64_t ids_end_ = 0;
  Fiber* previous_ = nullptr;
  Departure departure_ = Departure::none;
  Instant coarse_now_{};
  bool was_idle_ = true;  // since the last look around
  // Nanoseconds a fiber ran lately before it gave way; the monitor raises it when one does not.
  std::atomic<std::int64_t> average_run_{1'000};
  Random random_;
  IdleSpin idle_spin_;
  std::uint32_t yields_first_ = 0;  // so many times spin() gives way before it looks
  StackCache stacks_;
  WorkerCounts counts_;

  // The thread's, as seen from the loop.
  void* loop_stack_pointer_ = nullptr;
  void* loop_fake_stack_ = nullptr;
  void* loop_tsan_fiber_ = nullptr;
  const void* loop_stack_bottom_ = nullptr;
  std::size_t loop_stack_size_ = 0;
  EhGlobals* thread_eh_globals_ = nullptr;
  int* thread_errno_ = nullptr;
  EhGlobals loop_eh_globals_;
  int loop_errno_ = 0;

  // Shared.
  std::atomic<bool> held_{false};
  std::atomic<bool> give_way_{false};
  std::atomic<int> thread_id_{0};
  TimerWheel timers_;
  Poller poller_;
};

}  // namespace parley::rt::impl
