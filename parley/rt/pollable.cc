#include "parley/rt/pollable.h"

#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

using impl::Scheduler;

Pollable::Pollable() = default;

Pollable::~Pollable() {
  if (entry_ != nullptr) scheduler_->unwatch(*entry_);
}

Pollable::Pollable(Pollable&&) noexcept = default;

Pollable& Pollable::operator=(Pollable&& other) noexcept {
  std::swap(scheduler_, other.scheduler_);
  std::swap(entry_, other.entry_);
  return *this;
}

Status Pollable::watch(int fd) {
  PARLEY_ASSERT(entry_ == nullptr, "this Pollable already watches a descriptor");
  scheduler_ = Scheduler::current_fiber("Pollable::watch was called").scheduler;
  auto entry = std::make_unique<impl::PollEntry>();
  entry->fd = fd;
  Status status = scheduler_->watch(*entry);
  if (status.is_ok()) entry_ = std::move(entry);
  return status;
}

Status Pollable::wait_readable(Deadline deadline) {
  if (std::exchange(entry_->readable, false)) return {};
  impl::WaitNode node;
  return impl::wait_in(entry_->readers, node, "readable", deadline);
}

Status Pollable::wait_writable(Deadline deadline) {
  if (std::exchange(entry_->writable, false)) return {};
  impl::WaitNode node;
  return impl::wait_in(entry_->writers, node, "writable", deadline);
}

}  // namespace parley::rt
