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
  bool complete = false;
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
  const std::uint64_t round = round_;
  const std::uint64_t generation = generation_;
  Waiter waiter;
  Status status = impl::wait_in(lock, waiters_, waiter, "barrier", deadline);
  if (waiter.chosen && waiter.complete) return index;
  if (waiter.chosen) return broken();
  lock = std::unique_lock(lock_);
  // The round may have ended while this fiber was on its way out, with it counted in.
  if (round != round_) return generation == generation_ ? Result<std::size_t>(status) : index;
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
  ++round_;
  arrived_ = 0;
  while (impl::WaitNode* node = impl::claim_front(waiters_)) {
    static_cast<Waiter*>(node)->complete = complete;
    woken.push_back(*node);
  }
}

}  // namespace parley::rt
