#include "parley/rt/error_group.h"

#include <string>

#include "parley/base/assert.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

void ErrorGroup::set_limit(std::size_t limit) {
  const std::lock_guard lock(lock_);
  PARLEY_ASSERT(running_ == 0, "ErrorGroup::set_limit() while " + std::to_string(running_) +
                                   " of its fibers run: set it before the first go()");
  limit_ = limit;
}

void ErrorGroup::wait_for_room() {
  std::unique_lock lock(lock_);
  PARLEY_ASSERT(limit_ > 0, "ErrorGroup::go() with a limit of 0 would wait for ever: use try_go()");
  if (running_ < limit_) {
    ++running_;
    return;
  }
  // Whoever wakes it leaves it the room.
  impl::WaitNode node;
  impl::wait_in_for_ever(lock, waiting_for_room_, node, "error group limit");
}

bool ErrorGroup::try_take_room() {
  const std::lock_guard lock(lock_);
  if (running_ >= limit_) return false;
  ++running_;
  return true;
}

void ErrorGroup::give_room_back() {
  lock_.lock();
  impl::WaitNode* next = impl::claim_front(waiting_for_room_);
  if (next == nullptr) --running_;
  lock_.unlock();
  if (next != nullptr) impl::wake(*next);
}

void ErrorGroup::done(const Status& status) {
  if (!status.is_ok()) {
    lock_.lock();
    const bool first = first_error_.is_ok();
    if (first) first_error_ = status;
    lock_.unlock();
    if (first && on_error_ == OnError::cancel) scope_.cancel(status);
  }
  give_room_back();
}

Status ErrorGroup::wait() {
  scope_.join();
  scope_.cancel();
  const std::lock_guard lock(lock_);
  return first_error_;
}

}  // namespace parley::rt
