#include "parley/rt/barrier.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {
namespace {

Status broken() {
  return {Code::aborted,
          "barrier: another fiber gave up waiting, so this round cannot be complete; reset() "
          "begins a new one"};
}

}  // namespace

struct Barrier::Waiter : impl::WaitNode {
  bool is_over = false;   // its round has ended
  bool complete = false;  // because all had come
};

Barrier::Barrier(std::size_t parties) : parties_(parties) {
  PARLEY_ASSERT(parties > 0, "a Barrier for nobody never opens");
}

Barrier::~Barrier() {
  // Whoever opened it last may still be about to let go of the lock.
  const std::lock_guard lock(lock_);
}

Result<std::size_t> Barrier::wait(Deadline deadline) {
  impl::require_fiber("Barrier::wait was called");
  impl::interleave();
  impl::WaitList woken;
  std::unique_lock lock(lock_);
  if (broken_) return broken();
  const std::size_t index = arrived_++;
  if (arrived_ == parties_) {
    ++generation_;
    let_out(woken, true);
    lock.unlock();
    impl::wake_claimed(woken);
    return index;
  }
  Waiter waiter;
  impl::Parking parking("barrier");
  waiter.fiber = parking.fiber();
  waiters_.push_back(waiter);
  lock.unlock();
  const impl::Wake wake = parking.park(deadline);
  if (waiter.chosen) return waiter.complete ? Result<std::size_t>(index) : broken();
  Status status = impl::status_of(wake, "barrier");
  lock.lock();
  waiter.unlink();
  // The round may have ended while this fiber was on its way out, with it counted in.
  if (waiter.is_over) return waiter.complete ? index : Result<std::size_t>(status);
  if (!broken_) {
    broken_ = true;
    let_out(woken, false);
  }
  lock.unlock();
  impl::wake_claimed(woken);
  return status;
}

void Barrier::reset() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    broken_ = false;
    let_out(woken, false);
  }
  impl::wake_claimed(woken);
}

bool Barrier::is_broken() const {
  const std::lock_guard lock(lock_);
  return broken_;
}

std::uint64_t Barrier::generation() const {
  const std::lock_guard lock(lock_);
  return generation_;
}

// Under the lock: ends the round.
void Barrier::let_out(impl::WaitList& woken, bool complete) {
  arrived_ = 0;
  // Told also to those that are on their way out already.
  waiters_.for_each([complete](impl::WaitNode& node) {
    auto& waiter = static_cast<Waiter&>(node);
    waiter.is_over = true;
    waiter.complete = complete;
  });
  impl::claim_all(waiters_, woken);
}

}  // namespace parley::rt
