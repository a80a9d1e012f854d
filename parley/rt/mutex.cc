#include "parley/rt/mutex.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt {
namespace {

// Go's starvationThresholdNs.
constexpr Duration too_long = std::chrono::milliseconds(1);

}  // namespace

struct Mutex::Waiter : impl::WaitNode {
  bool has_mutex = false;  // it was handed over
};

Mutex::~Mutex() {
  // Whoever unlocked it last may still be about to let go of the lock inside.
  const std::lock_guard lock(lock_);
  PARLEY_ASSERT(state_.load(std::memory_order_relaxed) == State::free,
                "a locked Mutex was destroyed");
}

void Mutex::lock_slowly() {
  impl::Fiber& fiber = impl::Worker::current_fiber("Mutex::lock was called");
  PARLEY_ASSERT(owner_.load(std::memory_order_relaxed) != &fiber,
                "this fiber already holds the Mutex: it would wait for itself");
  Instant since{};
  for (;;) {
    std::unique_lock lock(lock_);
    // Contended from here on: whoever unlocks looks into the list.
    if (!starving_ || since != Instant{}) {
      if (state_.exchange(State::contended, std::memory_order_acquire) == State::free) {
        if (since != Instant{} && now() - since < too_long) starving_ = false;
        return;
      }
    }
    const bool first_time = since == Instant{};
    if (first_time) {
      since = now();
    } else if (now() - since >= too_long) {
      starving_ = true;
    }
    Waiter waiter;
    impl::Parking parking("mutex", impl::Cancellable::no);
    waiter.fiber = parking.fiber();
    if (first_time) {
      waiters_.push_back(waiter);
    } else {
      waiters_.push_front(waiter);
    }
    lock.unlock();
    (void)parking.park(Deadline::never());
    if (!waiter.has_mutex) continue;
    lock.lock();
    if (waiters_.empty() || now() - since < too_long) starving_ = false;
    return;
  }
}

void Mutex::unlock_slowly() {
  std::unique_lock lock(lock_);
  PARLEY_ASSERT(state_.load(std::memory_order_relaxed) != State::free,
                "a Mutex is unlocked by the fiber that locked it");
  auto* waiter = static_cast<Waiter*>(impl::claim_front(waiters_));
  if (waiter == nullptr) starving_ = false;
  if (!starving_) {
    state_.store(State::free, std::memory_order_release);
    lock.unlock();
    if (waiter != nullptr) impl::wake(*waiter);
    return;
  }
  // Handed over: it stays locked.
  waiter->has_mutex = true;
  lock.unlock();
  impl::wake_next(*waiter);
}

#ifndef NDEBUG
void Mutex::note_owner() {
  owner_.store(&impl::Worker::current_fiber("Mutex::lock was called"), std::memory_order_relaxed);
}

void Mutex::check_owner() {
  impl::Fiber* fiber = &impl::Worker::current_fiber("Mutex::unlock was called");
  PARLEY_ASSERT(owner_.load(std::memory_order_relaxed) == fiber,
                "a Mutex is unlocked by the fiber that locked it");
  owner_.store(nullptr, std::memory_order_relaxed);
}
#endif

}  // namespace parley::rt
