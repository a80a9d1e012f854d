// How a worker goes from fiber to fiber. A fiber that leaves switches straight to the next one when
// there is one at hand, to the worker's loop otherwise; whoever arrives first does what is left to
// do for the one that left: only then is it off its stack.
#include <cxxabi.h>

#include <cerrno>

#include "parley/base/assert.h"
#include "parley/rt/impl/asymmetric_fence.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/scope.h"

namespace parley::rt::impl {

Wake Worker::park(Fiber& fiber, const char* what, Deadline deadline, bool cancellable) {
  if (cancellable) {
    // The word was opened before, and is looked at after: see ContextNode::cancel.
    light_fence();
    if (fiber.cancel_requested.load(std::memory_order_relaxed)) {
      fiber.word.close();
      return Wake::cancelled;
    }
  }
  const bool timed = !deadline.is_never();
  if (timed) {
    if (scheduler_.now() >= deadline.instant()) {
      fiber.word.close();
      return Wake::deadline;
    }
    fiber.timer.at = deadline.instant();
    timers_.add(fiber.timer);
  }
  fiber.wait_until.store(deadline.instant(), std::memory_order_relaxed);
  fiber.wait_reason.store(what, std::memory_order_relaxed);
  fiber.since.store(coarse_now_, std::memory_order_relaxed);
  fiber.state.store(FiberState::parked, std::memory_order_relaxed);
  leave(fiber, Departure::parked);
  if (timed) TimerWheel::remove(fiber.timer);
  return fiber.wake;
}

void Worker::yield(Fiber& fiber) {
  fiber.state.store(FiberState::runnable, std::memory_order_relaxed);
  leave(fiber, Departure::yielded);
}

void Worker::end(Fiber& fiber) {
  leave(fiber, Departure::ended);
  __builtin_unreachable();
}

// On the fiber's stack. Returns when the fiber is resumed, perhaps by another worker.
void Worker::leave(Fiber& fiber, Departure departure) {
  const bool ending = departure == Departure::ended;
  previous_ = &fiber;
  departure_ = departure;
  fiber.last_worker = this;
  if (cure_eh_globals) fiber.eh_globals = *thread_eh_globals_;
  if (cure_errno) fiber.saved_errno = *thread_errno_;
  Fiber* next = next_at_once();
  switch_to(next, &fiber.stack_pointer, &fiber.asan_fake_stack, ending);
  asan_arrive(fiber.asan_fake_stack);
  Worker::current()->arrive();
}

// From the loop's own stack.
void Worker::resume(Fiber& fiber) {
  loop_eh_globals_ = *thread_eh_globals_;
  loop_errno_ = *thread_errno_;
  switch_to(&fiber, &loop_stack_pointer_, &loop_fake_stack_, false);
  asan_arrive(loop_fake_stack_);
  arrive();
}

// Null: the loop. Nothing but the switch may stand between the sanitizers' word and it.
void Worker::switch_to(Fiber* next, void** save, void** fake_stack, bool ending) {
  running_.store(next, std::memory_order_relaxed);
  switches_.store(switches_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (should_give_way()) give_way_.store(false, std::memory_order_relaxed);
  if (is_held()) set_held(false);
  void* to = loop_stack_pointer_;
  if (next != nullptr) {
    next->state.store(FiberState::running, std::memory_order_relaxed);
    if (cure_eh_globals) *thread_eh_globals_ = next->eh_globals;
    if (cure_errno) *thread_errno_ = next->saved_errno;
    to = next->stack_pointer;
    asan_leave(ending ? nullptr : fake_stack, next->stack.bottom, next->stack.size);
    tsan_switch(next->tsan_fiber);
  } else {
    if (cure_eh_globals) *thread_eh_globals_ = loop_eh_globals_;
    if (cure_errno) *thread_errno_ = loop_errno_;
    asan_leave(ending ? nullptr : fake_stack, loop_stack_bottom_, loop_stack_size_);
    tsan_switch(loop_tsan_fiber_);
  }
  parley_rt_switch(save, to, nullptr);
}

// On whatever stack the switch came to.
void Worker::arrive() {
  Fiber* fiber = std::exchange(previous_, nullptr);
  if (fiber == nullptr) return;
  switch (departure_) {
    case Departure::parked:
      fiber->word.settle();
      break;
    case Departure::yielded:
      enqueue(*fiber, Place::last);
      break;
    case Departure::ended:
      bury(*fiber);
      break;
    case Departure::none:
      break;
  }
}

void Worker::bury(Fiber& fiber) {
  const Stack stack = fiber.stack;
  if (fiber.scope != nullptr) {
    Scope::fiber_ended(*fiber.scope, fiber, *this);
  } else {
    fiber.context->unbind(fiber);
    fiber.~Fiber();
    scheduler_.fiber_ended(*this);
    scheduler_.main_ended();
  }
  stacks_.give_back(stack);
}

}  // namespace parley::rt::impl

using parley::rt::impl::Fiber;
using parley::rt::impl::Worker;

// Not noexcept by accident: an exception that leaves a fiber's function ends the program
// (std::terminate), as it does for a thread.
extern "C" void parley_rt_fiber_main(void* argument) {
  auto* fiber = static_cast<Fiber*>(argument);
  parley::rt::impl::asan_arrive(nullptr);
  Worker::current()->arrive();
  [&]() noexcept { fiber->run_and_destroy(fiber->closure_at); }();
  Worker::current()->end(*fiber);
}
