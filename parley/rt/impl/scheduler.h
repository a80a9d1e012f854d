// Scheduler: runs the fibers of one worker: run queue, timers, poller. Private to rt; what the
// floors above need of it stands in the public headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/fd.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/poll_entry.h"
#include "parley/rt/impl/stack.h"
#include "parley/rt/impl/timer_heap.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/runtime.h"

namespace parley::rt::impl {

class Scheduler {
 public:
  explicit Scheduler(const RuntimeOptions& options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The scheduler of the calling thread, or null.
  static Scheduler* current() noexcept;
  // The calling fiber. Outside a fiber the program ends with a message that names `what` was tried.
  static Fiber& current_fiber(std::string_view what);

  // Runs `first` and every fiber it starts, until none is left.
  void run(const Closure& first);

  // Starts a fiber. At max_fibers: waits for one to end (`may_wait`), or returns null.
  Fiber* spawn(Scope* scope, std::string_view name, const Closure& closure,
               const std::shared_ptr<ContextNode>& context, bool may_wait);

  enum class Cancellable : bool { no, yes };
  // Parks the calling fiber until wake(), the deadline, or (when cancellable) the end of its
  // context or that context's deadline. `node`, if any, was put in a wait list by the caller; it is
  // out of it when this returns.
  Wake park(const char* reason, Deadline deadline, Cancellable cancellable, WaitNode* node);
  // Makes a parked fiber runnable. A bug when it is not parked.
  void wake(Fiber& fiber, Wake why);
  // Wakes every fiber of the list.
  void wake_all(WaitList& list, Wake why = Wake::ready);
  // Goes to the end of the run queue.
  void yield();

  Status watch(PollEntry& entry);
  void unwatch(PollEntry& entry);

  [[nodiscard]] Instant now() const noexcept { return clock_.now(); }
  [[nodiscard]] Fiber* running() const noexcept { return running_; }
  [[nodiscard]] std::size_t live() const noexcept { return live_; }
  [[nodiscard]] std::string dump() const;

 private:
  friend void ::parley_rt_fiber_main(::parley::rt::impl::Fiber* fiber);

  void loop();
  void resume(Fiber& fiber);
  void leave(Fiber& fiber, bool ending);
  void bury(Fiber& fiber);
  void fire_timers();
  void poll(bool may_block);
  void deliver(std::uint32_t events, PollEntry& entry);

  const RuntimeOptions options_;
  const Clock& clock_;
  StackPool stacks_;
  Fd epoll_;
  TimerHeap timers_;
  WaitList run_queue_;
  WaitList all_;
  WaitList slot_waiters_;  // fibers waiting for the number of fibers to fall below the limit
  Fiber* running_ = nullptr;
  std::size_t live_ = 0;
  std::uint64_t next_id_ = 1;
  std::uint32_t ticks_ = 0;

  void* loop_stack_pointer_ = nullptr;
  void* loop_fake_stack_ = nullptr;
  const void* loop_stack_bottom_ = nullptr;  // as ASan told it when a fiber arrived
  std::size_t loop_stack_size_ = 0;
};

// The status a blocking operation returns after `wake`: ok, deadline_exceeded or the cause the
// calling fiber's context was cancelled with. `what` begins the message.
Status status_of(Wake wake, std::string_view what);

}  // namespace parley::rt::impl
