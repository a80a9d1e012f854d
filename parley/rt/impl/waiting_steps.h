// The steps of a wait, of a wake and of a cancellation, as templates: so that a test can walk
// through every interleaving of what is shipped (testing/interleavings.h). Who waits for what:
// waiting.h. Private to rt.
#pragma once

#include <atomic>
#include <mutex>

#include "parley/rt/deadline.h"
#include "parley/rt/impl/wake.h"

namespace parley::rt::impl {

// `parking` has opened the word of its fiber. Unlocks. Inlined, so that a wait is one call less
// deep.
template <class Parking, class Lock, class List, class Node>
[[gnu::always_inline]] inline Wake wait_with(Parking& parking, std::unique_lock<Lock>& lock,
                                             List& list, Node& node, Deadline deadline) {
  node.fiber = parking.fiber();
  list.push_back(node);
  Lock& guard = *lock.release();
  guard.unlock();
  const Wake wake = parking.park_here(deadline);
  if (!node.chosen) {
    const std::lock_guard again(guard);
    node.unlink();
  }
  return wake;
}

// Under the lock of the list.
template <class Node, class List>
[[gnu::always_inline]] inline Node* claim_front_of(List& list) {
  while (!list.empty()) {
    Node& node = list.pop_front();
    if (!node.fiber->word.claim()) continue;
    node.fiber->wake = Wake::ready;
    node.chosen = true;
    return &node;
  }
  return nullptr;
}

// By a fiber whose word is open, before it leaves its stack: true, and the word closed, when its
// context has ended. Either this sees the flag of cancel_each(), or that sees the open word.
template <class Atomics, class Fiber>
[[gnu::always_inline]] inline bool is_cancelled_before_it_parks(Fiber& fiber) {
  Atomics::light_fence();
  if (!fiber.cancel_requested.load(std::memory_order_relaxed)) return false;
  fiber.word.close();
  return true;
}

// Under the lock of the context: wakes each of its fibers that is parked, by make_runnable(fiber),
// and has the others find out before they park. The fence is not needed where all are parked
// already, but for the one that calls this, is_caller(fiber).
template <class Atomics, class Fibers, class IsCaller, class MakeRunnable>
void cancel_each(Fibers& fibers, IsCaller is_caller, MakeRunnable make_runnable) {
  bool all_woken = true;
  const auto wake_parked = [&](auto& node) {
    auto& fiber = *node.fiber;
    fiber.cancel_requested.store(true, std::memory_order_relaxed);
    if (fiber.word.claim_cancellable()) {
      fiber.wake = Wake::cancelled;
      make_runnable(fiber);
    } else if (!is_caller(fiber)) {
      all_woken = false;
    }
  };
  fibers.for_each(wake_parked);
  if (all_woken) return;
  Atomics::heavy_fence();
  fibers.for_each(wake_parked);
}

}  // namespace parley::rt::impl
