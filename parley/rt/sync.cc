#include "parley/base/assert.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {

void Event::set() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    set_ = true;
    impl::claim_all(waiters_, woken);
  }
  impl::wake_claimed(woken);
  impl::interleave();
}

void Event::reset() {
  const std::lock_guard lock(lock_);
  set_ = false;
}

bool Event::is_set() const {
  impl::interleave();
  const std::lock_guard lock(lock_);
  return set_;
}

Status Event::wait(Deadline deadline) {
  impl::interleave();
  std::unique_lock lock(lock_);
  if (set_) return {};
  impl::WaitNode node;
  return impl::wait_in(lock, waiters_, node, "event", deadline);
}

void WaitGroup::add(std::size_t count) {
  const std::lock_guard lock(lock_);
  count_ += count;
}

void WaitGroup::done() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    PARLEY_ASSERT(count_ > 0, "WaitGroup::done() more often than add()");
    if (--count_ == 0) impl::claim_all(waiters_, woken);
  }
  impl::wake_claimed(woken);
  impl::interleave();
}

std::size_t WaitGroup::count() const {
  const std::lock_guard lock(lock_);
  return count_;
}

Status WaitGroup::wait(Deadline deadline) {
  impl::interleave();
  std::unique_lock lock(lock_);
  if (count_ == 0) return {};
  impl::WaitNode node;
  return impl::wait_in(lock, waiters_, node, "wait group", deadline);
}

}  // namespace parley::rt
