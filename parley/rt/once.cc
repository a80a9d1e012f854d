#include "parley/rt/once.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt {

Once::~Once() {
  // Whoever finished may still be about to let go of the lock.
  const std::lock_guard lock(lock_);
  PARLEY_ASSERT(runner_ == nullptr, "a Once was destroyed while its function runs");
}

std::optional<Status> Once::wait_unless_first(Deadline deadline) {
  impl::Fiber& fiber = impl::Worker::current_fiber("Once::call was called");
  impl::interleave();
  std::unique_lock lock(lock_);
  if (is_done()) return Status();
  if (runner_ == nullptr) {
    runner_ = &fiber;
    return std::nullopt;
  }
  PARLEY_ASSERT(runner_ != &fiber,
                "a function given to Once calls the same Once: it would wait "
                "for itself");
  impl::WaitNode node;
  return impl::wait_in(lock, waiters_, node, "once", deadline);
}

void Once::finish() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    runner_ = nullptr;
    done_.store(true, std::memory_order_release);
    impl::claim_all(waiters_, woken);
  }
  impl::wake_claimed(woken);
  impl::interleave();
}

}  // namespace parley::rt
