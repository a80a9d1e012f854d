#include "parley/rt/impl/scheduler.h"

#include <sys/epoll.h>

#include <cxxabi.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "parley/base/assert.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/scope.h"

namespace parley::rt::impl {
namespace {

// As Go does: the poller and the timers are looked at once in so many fibers even while the run
// queue never empties, so that a busy pair cannot starve the sockets.
constexpr std::uint32_t ticks_between_polls = 61;
constexpr int events_per_poll = 128;

thread_local Scheduler* scheduler_of_thread = nullptr;

using Events = std::array<epoll_event, events_per_poll>;

// Waits at most `limit` (null: for ever) and returns how many events there are.
int wait_for_events(int epoll, Events& events, const timespec* limit) {
  int count = ::epoll_pwait2(epoll, events.data(), events_per_poll, limit, nullptr);
  if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
    // Before Linux 5.11, and in some sandboxes: whole milliseconds, rounded up so as not to spin.
    constexpr long max_ms = 60'000;
    const long ms =
        limit == nullptr ? -1 : limit->tv_sec * 1000 + (limit->tv_nsec + 999'999) / 1'000'000;
    count =
        ::epoll_wait(epoll, events.data(), events_per_poll, static_cast<int>(std::min(ms, max_ms)));
  }
  PARLEY_ASSERT(count >= 0 || errno == EINTR, "the poller failed");
  return std::max(count, 0);
}

// noinline, with a barrier: the compiler may otherwise keep the address of a thread-local variable
// in a register over a switch, and a fiber may wake up on another thread.
[[gnu::noinline]] void swap_eh_globals(EhGlobals& other) {
  auto* mine = reinterpret_cast<EhGlobals*>(abi::__cxa_get_globals());
  std::swap(*mine, other);
  asm volatile("" ::: "memory");
}

[[gnu::noinline]] int swap_errno(int value) {
  const int before = errno;
  errno = value;
  asm volatile("" ::: "memory");
  return before;
}

}  // namespace

Scheduler::Scheduler(const RuntimeOptions& options)
    : options_(options),
      clock_(*options.clock),
      stacks_(options.stack_size, options.max_idle_stacks),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  PARLEY_ASSERT(scheduler_of_thread == nullptr, "this thread already runs a Runtime");
  PARLEY_ASSERT(epoll_, "no descriptor left for the poller: raise `ulimit -n`");
  scheduler_of_thread = this;
}

Scheduler::~Scheduler() { scheduler_of_thread = nullptr; }

[[gnu::noinline]] Scheduler* Scheduler::current() noexcept {
  asm volatile("" ::: "memory");
  return scheduler_of_thread;
}

Fiber& Scheduler::current_fiber(std::string_view what) {
  Scheduler* scheduler = current();
  if (scheduler == nullptr || scheduler->running_ == nullptr) {
    assertion_failed("", std::string(what) +
                             " outside a fiber: run it in a function given to parley::run() or "
                             "rt::Scope::go()");
  }
  return *scheduler->running_;
}

void Scheduler::run(const Closure& first) {
  Fiber* fiber = spawn(nullptr, "main", first, Context::background().node(), false);
  PARLEY_ASSERT(fiber != nullptr, "max_fibers must be at least 1");
  loop();
}

Fiber* Scheduler::spawn(Scope* scope, std::string_view name, const Closure& closure,
                        const std::shared_ptr<ContextNode>& context, bool may_wait) {
  Stack stack;
  for (;;) {
    if (live_ < options_.max_fibers) stack = stacks_.take();
    if (stack.bottom != nullptr) break;
    if (!may_wait) return nullptr;
    // The limit, or no memory for one more stack: either way, when a fiber ends there is room.
    PARLEY_ASSERT(live_ > 1,
                  "no room for a second fiber: max_fibers is 1, or no memory is left for a stack");
    WaitNode node;
    node.fiber = running_;
    slot_waiters_.push_back(node);
    park("max_fibers", Deadline::never(), Cancellable::no, &node);
  }
  Fiber* fiber = Fiber::create(stack, name, closure);
  fiber->scheduler = this;
  fiber->scope = scope;
  fiber->context = context;
  fiber->id = next_id_++;
  ++live_;
  all_.push_back(fiber->all_node);
  run_queue_.push_back(fiber->run_node);
  return fiber;
}

void Scheduler::loop() {
  while (live_ > 0) {
    if (run_queue_.empty()) {
      fire_timers();
      poll(run_queue_.empty());
      continue;
    }
    if (++ticks_ % ticks_between_polls == 0) {
      fire_timers();
      poll(false);
    }
    resume(*run_queue_.pop_front().fiber);
  }
}

// Runs on the worker's own stack, so nothing here is cached over a switch.
void Scheduler::resume(Fiber& fiber) {
  running_ = &fiber;
  fiber.state = FiberState::running;
  if (cure_eh_globals) swap_eh_globals(fiber.eh_globals);
  int worker_errno = 0;
  if (cure_errno) worker_errno = swap_errno(fiber.saved_errno);

  asan_leave(&loop_fake_stack_, fiber.stack.bottom, fiber.stack.size);
  auto* ended =
      static_cast<Fiber*>(parley_rt_switch(&loop_stack_pointer_, fiber.stack_pointer, &fiber));
  asan_arrive(loop_fake_stack_, nullptr, nullptr);

  if (cure_errno) fiber.saved_errno = swap_errno(worker_errno);
  if (cure_eh_globals) swap_eh_globals(fiber.eh_globals);
  running_ = nullptr;
  if (ended != nullptr) bury(*ended);
}

// On the fiber's stack: back to the loop. Returns when the fiber is resumed; never when it is
// ending.
void Scheduler::leave(Fiber& fiber, bool ending) {
  asan_leave(ending ? nullptr : &fiber.asan_fake_stack, loop_stack_bottom_, loop_stack_size_);
  parley_rt_switch(&fiber.stack_pointer, loop_stack_pointer_, ending ? &fiber : nullptr);
  asan_arrive(fiber.asan_fake_stack, &loop_stack_bottom_, &loop_stack_size_);
}

void Scheduler::bury(Fiber& fiber) {
  Scope* scope = fiber.scope;
  const Stack stack = fiber.stack;
  fiber.all_node.unlink();
  fiber.~Fiber();
  stacks_.give_back(stack);
  --live_;
  if (!slot_waiters_.empty()) wake(*slot_waiters_.front().fiber, Wake::ready);
  if (scope != nullptr) scope->fiber_ended();
}

Wake Scheduler::park(const char* reason, Deadline deadline, Cancellable cancellable,
                     WaitNode* node) {
  Fiber& fiber = *running_;
  const bool bound = cancellable == Cancellable::yes && fiber.context != nullptr;
  if (bound) {
    deadline = std::min(deadline, fiber.context->deadline);
    if (!fiber.context->cause.is_ok()) {
      if (node != nullptr) node->unlink();
      return Wake::cancelled;
    }
  }
  if (!deadline.is_never()) {
    if (clock_.now() >= deadline.instant()) {
      if (node != nullptr) node->unlink();
      return Wake::deadline;
    }
    fiber.wait_deadline = deadline;
    timers_.add(fiber);
  }
  if (bound) fiber.context->waiters.push_back(fiber.context_node);
  fiber.wait_node = node;
  fiber.wait_reason = reason;
  fiber.since = clock_.now();
  fiber.state = FiberState::parked;
  leave(fiber, false);
  return fiber.wake;
}

void Scheduler::wake(Fiber& fiber, Wake why) {
  PARLEY_ASSERT(fiber.state == FiberState::parked, "only a parked fiber can be woken");
  fiber.state = FiberState::runnable;
  fiber.wake = why;
  fiber.context_node.unlink();
  if (fiber.wait_node != nullptr) fiber.wait_node->unlink();
  fiber.wait_node = nullptr;
  timers_.remove(fiber);
  run_queue_.push_back(fiber.run_node);
}

void Scheduler::wake_all(WaitList& list, Wake why) {
  while (!list.empty()) wake(*list.front().fiber, why);
}

void Scheduler::yield() {
  Fiber& fiber = *running_;
  fiber.state = FiberState::runnable;
  run_queue_.push_back(fiber.run_node);
  leave(fiber, false);
}

void Scheduler::fire_timers() {
  if (timers_.empty()) return;
  const Instant time = clock_.now();
  while (!timers_.empty() && timers_.front().wait_deadline.instant() <= time) {
    wake(timers_.front(), Wake::deadline);
  }
}

void Scheduler::poll(bool may_block) {
  Events events;
  timespec timeout{};
  const timespec* limit = &timeout;
  if (may_block) {
    if (timers_.empty()) {
      limit = nullptr;
    } else {
      const Duration left =
          std::max(timers_.front().wait_deadline.instant() - clock_.now(), Duration::zero());
      timeout.tv_sec = static_cast<time_t>(left / std::chrono::seconds(1));
      timeout.tv_nsec = static_cast<long>((left % std::chrono::seconds(1)).count());
    }
  }
  const int count = wait_for_events(epoll_.get(), events, limit);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    deliver(event.events, *static_cast<PollEntry*>(event.data.ptr));
  }
}

void Scheduler::deliver(std::uint32_t events, PollEntry& entry) {
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0) {
    entry.readable = entry.readers.empty();
    wake_all(entry.readers);
  }
  if (broken || (events & EPOLLOUT) != 0) {
    entry.writable = entry.writers.empty();
    wake_all(entry.writers);
  }
}

Status Scheduler::watch(PollEntry& entry) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &entry;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, entry.fd, &event) != 0) {
    return errno_status(errno, "watch descriptor " + std::to_string(entry.fd));
  }
  return {};
}

void Scheduler::unwatch(PollEntry& entry) {
  PARLEY_ASSERT(entry.readers.empty() && entry.writers.empty(),
                "a descriptor was given up while a fiber waits for it");
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entry.fd, nullptr);
}

std::string Scheduler::dump() const {
  std::string text = std::to_string(live_) + " fibers\n";
  const Instant time = clock_.now();
  all_.for_each([&](const WaitNode& node) {
    const Fiber& fiber = *node.fiber;
    text += "  #" + std::to_string(fiber.id) + " '" + std::string(fiber.name()) + "' ";
    switch (fiber.state) {
      case FiberState::runnable:
        text += "runnable";
        break;
      case FiberState::running:
        text += "running";
        break;
      case FiberState::parked:
        text +=
            std::string("waits: ") + fiber.wait_reason + ", for " +
            std::to_string(
                std::chrono::duration_cast<std::chrono::milliseconds>(time - fiber.since).count()) +
            " ms";
        if (!fiber.wait_deadline.is_never() && fiber.heap_index != Fiber::not_in_heap) {
          text += ", at most " +
                  std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     fiber.wait_deadline.instant() - time)
                                     .count()) +
                  " ms more";
        }
        break;
    }
    text += "\n";
  });
  return text;
}

Status status_of(Wake wake, std::string_view what) {
  switch (wake) {
    case Wake::ready:
      return {};
    case Wake::deadline:
      return {Code::deadline_exceeded, std::string(what) + ": the deadline passed"};
    case Wake::cancelled:
      break;
  }
  return Scheduler::current_fiber(what).context->status().with_context(what);
}

}  // namespace parley::rt::impl

using parley::rt::impl::Fiber;

// Not noexcept by accident: an exception that leaves a fiber's function ends the program
// (std::terminate), as it does for a thread.
extern "C" void parley_rt_fiber_main(Fiber* fiber) {
  auto* scheduler = fiber->scheduler;
  parley::rt::impl::asan_arrive(nullptr, &scheduler->loop_stack_bottom_,
                                &scheduler->loop_stack_size_);
  [&]() noexcept { fiber->run_and_destroy(fiber->closure_at); }();
  fiber->context = nullptr;
  scheduler->leave(*fiber, true);
  __builtin_unreachable();
}
