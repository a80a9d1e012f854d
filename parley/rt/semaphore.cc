#include "parley/rt/semaphore.h"

#include <mutex>
#include <string>

#include "parley/base/assert.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

struct Semaphore::Waiter : impl::WaitNode {
  std::size_t units = 0;
};

Semaphore::~Semaphore() {
  // Whoever released last may still be about to let go of the lock.
  const std::lock_guard lock(lock_);
}

Status Semaphore::acquire(std::size_t units, Deadline deadline) {
  impl::interleave();
  if (units > capacity_) {
    return {Code::invalid_argument, "semaphore: " + std::to_string(units) +
                                        " units can never be acquired, there are only " +
                                        std::to_string(capacity_) +
                                        ": ask for fewer or give it more capacity"};
  }
  std::unique_lock lock(lock_);
  if (waiters_.empty() && units <= capacity_ - held_) {
    held_ += units;
    return {};
  }
  Waiter waiter;
  waiter.units = units;
  Status status = impl::wait_in(lock, waiters_, waiter, "semaphore", deadline);
  if (waiter.chosen) return {};
  // It may have been the large one in front, behind which smaller ones fit.
  impl::WaitList woken;
  lock = std::unique_lock(lock_);
  let_in(woken);
  lock.unlock();
  impl::wake_claimed(woken);
  return status;
}

bool Semaphore::try_acquire(std::size_t units) {
  impl::interleave();
  const std::lock_guard lock(lock_);
  if (!waiters_.empty() || units > capacity_ - held_) return false;
  held_ += units;
  return true;
}

void Semaphore::release(std::size_t units) {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    PARLEY_ASSERT(units <= held_, "Semaphore::release() of more than was acquired");
    held_ -= units;
    let_in(woken);
  }
  impl::wake_claimed(woken);
  impl::interleave();
}

std::size_t Semaphore::available() const {
  const std::lock_guard lock(lock_);
  return capacity_ - held_;
}

// Under the lock: as many as fit, from the front.
void Semaphore::let_in(impl::WaitList& woken) {
  while (!waiters_.empty()) {
    auto& front = static_cast<Waiter&>(waiters_.front());
    // One that has given up comes by itself to let others in.
    if (front.units > capacity_ - held_) return;
    front.unlink();
    if (!front.fiber->word.claim()) continue;
    front.fiber->wake = impl::Wake::ready;
    front.chosen = true;
    held_ += front.units;
    woken.push_back(front);
  }
}

}  // namespace parley::rt
