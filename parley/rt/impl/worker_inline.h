// What a fiber runs through when it waits, is woken or gives way, where the compiler sees all of it
// at once: a hand-over from fiber to fiber is a few hundred instructions, and calls between files
// were a third of them. Included where fibers wait and wake, instead of worker.h. Private to rt.
//
// How a worker goes from fiber to fiber: a fiber that leaves switches straight to the next one when
// there is one at hand, to the worker's loop otherwise; whoever arrives first does what is left to
// do for the one that left: only then is it off its stack.
#pragma once

#include <utility>

#include "parley/rt/deferred_context.h"
#include "parley/rt/impl/atomics.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/impl/waiting_steps.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/on_park.h"

namespace parley::rt::impl {

// As Go does: the poller, the timers and the queue of the scheduler are looked at once in so many
// fibers even while the run queue never empties, so that a busy pair cannot starve them.
inline constexpr std::uint32_t ticks_between_looks = 61;

// Fibers that wake or start each other go before the run queue, until one of them has run so long
// that the monitor noticed: so many times, then for as long as this since the queue had its turn,
// and so many times at most. A recursion is best left alone until it is through, and this is far
// less than the slice of 10 ms that Go gives such a chain. As there, the chain then goes behind the
// queue.
inline constexpr std::uint32_t few_nexts_in_a_row = 64;
inline constexpr std::uint32_t most_nexts_in_a_row = 2048;
inline constexpr Duration longest_before_queue = std::chrono::microseconds(200);

inline void Worker::make_runnable(Fiber& fiber, Place place) {
  Worker* here = current();
  if (here != nullptr && &here->scheduler_ == fiber.scheduler) {
    here->enqueue(fiber, place);
  } else {
    fiber.scheduler->inject(fiber);
  }
}

inline void Worker::enqueue(Fiber& fiber, Place place) {
  fiber.state.store(FiberState::runnable, std::memory_order_relaxed);
  if (force_migration) {
    scheduler_.inject(fiber);
    return;
  }
  Fiber* last = &fiber;
  if (place == Place::next) {
    if (alone_) {
      last = next_.load(std::memory_order_relaxed);
      next_.store(&fiber, std::memory_order_relaxed);
    } else {
      last = next_.exchange(&fiber, std::memory_order_acq_rel);
    }
  }
  if (last != nullptr) push(*last);
}

inline void Worker::push(Fiber& fiber) {
  if (!ring_.push(&fiber)) push_into_full_ring(fiber);
  if (!alone_) consider_thief();
}

inline bool Worker::next_goes_before_queue() const {
  // Where time is a test's, real time must not decide who runs.
  if (should_give_way() && scheduler_.has_real_clock()) return false;
  return nexts_in_a_row_ < few_nexts_in_a_row ||
         (nexts_in_a_row_ < most_nexts_in_a_row &&
          coarse_now_ - queue_had_turn_ < longest_before_queue);
}

inline Fiber* Worker::pop() {
  Fiber* next = next_.load(std::memory_order_relaxed);
  if (next != nullptr && next_goes_before_queue()) {
    ++nexts_in_a_row_;
    if (alone_) {
      next_.store(nullptr, std::memory_order_relaxed);
      return next;
    }
    next = next_.exchange(nullptr, std::memory_order_acq_rel);
    if (next != nullptr) return next;
  }
  nexts_in_a_row_ = 0;
  queue_had_turn_ = coarse_now_;
  if (next != nullptr) next = next_.exchange(nullptr, std::memory_order_acq_rel);
  if (next != nullptr) push(*next);
  return alone_ ? ring_.pop_alone() : ring_.pop();
}

// Between two fibers: the next one, if there is nothing else to be done first.
inline Fiber* Worker::next_at_once() {
  if (++ticks_ % ticks_between_looks == 0 || force_migration) return nullptr;
  return pop();
}

inline Wake Worker::park(Fiber& fiber, const char* what, Deadline deadline, bool cancellable) {
  return park_since(fiber, what, deadline, cancellable, nullptr);
}

inline Wake Worker::park_since(Fiber& fiber, const char* what, Deadline deadline, bool cancellable,
                               const Instant* now) {
  // The end of a context that is not there yet comes as that of one that is.
  bool by_context = false;
  if (fiber.deferred_context != nullptr && cancellable) [[unlikely]] {
    by_context = fiber.deferred_context->deadline() < deadline;
    if (by_context) deadline = fiber.deferred_context->deadline();
  }
  if (cancellable && is_cancelled_before_it_parks<RealAtomics>(fiber)) return Wake::cancelled;
  const bool timed = !deadline.is_never();
  if (timed && (now == nullptr ? scheduler_.now() : *now) >= deadline.instant()) {
    fiber.word.close();
    return by_context ? Wake::cancelled : Wake::deadline;
  }
  if (fiber.on_park != nullptr) [[unlikely]]
    tell_before_park(fiber);
  if (timed) timers_.want(fiber.timer, deadline.instant());
  fiber.wait_until.store(deadline.instant(), std::memory_order_relaxed);
  fiber.wait_reason.store(what, std::memory_order_relaxed);
  fiber.since.store(coarse_now_, std::memory_order_relaxed);
  fiber.state.store(FiberState::parked, std::memory_order_relaxed);
  leave(fiber, Departure::parked);
  if (timed) TimerWheel::want_no_more(fiber.timer);
  if (by_context && fiber.wake == Wake::deadline) [[unlikely]]
    return Wake::cancelled;
  return fiber.wake;
}

inline void Worker::yield(Fiber& fiber) {
  fiber.state.store(FiberState::runnable, std::memory_order_relaxed);
  leave(fiber, Departure::yielded);
}

// On the fiber's stack. Returns when the fiber is resumed, perhaps by another worker.
inline void Worker::leave(Fiber& fiber, Departure departure) {
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

// Fibers that compute for a millisecond each would let descriptors and timers wait for a hundred of
// them: after such a run they are looked at once the next fiber has left.
inline void Worker::look_after_long_run() {
  give_way_.store(false, std::memory_order_relaxed);
  // Where time is a test's, real time must not decide who runs. And the look that is due already
  // is not put off: were each run as long as this one, there would be none.
  if (scheduler_.has_real_clock() && ticks_ % ticks_between_looks != 0) {
    ticks_ = ticks_between_looks - 1;
  }
}

// Null: the loop. Nothing but the switch may stand between the sanitizers' word and it.
inline void Worker::switch_to(Fiber* next, void** save, void** fake_stack, bool ending) {
  running_.store(next, std::memory_order_relaxed);
  switches_.store(switches_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (should_give_way()) [[unlikely]]
    look_after_long_run();
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
inline void Worker::arrive() {
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

}  // namespace parley::rt::impl
