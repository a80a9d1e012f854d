#include "parley/rt/pollable.h"

#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/ready_queue.h"

namespace parley::rt {

using impl::Worker;

Pollable::Pollable() = default;

Pollable::~Pollable() {
  if (entry_ == nullptr) return;
  if (scheduler_ == nullptr) {
    PARLEY_ASSERT(entry_->readers.empty() && entry_->writers.empty(),
                  "a Pollable ends while a fiber waits for it");
    delete entry_;
    return;
  }
  impl::Poller::unwatch(*entry_);
  scheduler_->poll_table().give_back(*entry_);
}

Pollable::Pollable(Pollable&& other) noexcept
    : scheduler_(std::exchange(other.scheduler_, nullptr)),
      entry_(std::exchange(other.entry_, nullptr)) {}

Pollable& Pollable::operator=(Pollable&& other) noexcept {
  std::swap(scheduler_, other.scheduler_);
  std::swap(entry_, other.entry_);
  return *this;
}

Status Pollable::watch(int fd) {
  PARLEY_ASSERT(entry_ == nullptr, "this Pollable already watches a descriptor");
  scheduler_ = Worker::current_fiber("Pollable::watch was called").scheduler;
  if (scheduler_->is_simulated()) {
    return {
        Code::failed_precondition,
        "watch descriptor " + std::to_string(fd) +
            ": a simulation has no descriptors, since nothing decides when they are ready: give "
            "what needs a network a net::SimWorld"};
  }
  impl::PollEntry& entry = scheduler_->poll_table().take();
  entry.fd = fd;
  if (Status status = Worker::current()->watch(entry); !status.is_ok()) {
    scheduler_->poll_table().give_back(entry);
    return status;
  }
  entry_ = &entry;
  return {};
}

void Pollable::watch_memory() {
  PARLEY_ASSERT(entry_ == nullptr, "this Pollable already watches a descriptor");
  scheduler_ = nullptr;  // of a watch() that failed
  entry_ = new impl::PollEntry;
}

Status Pollable::wait_readable(Deadline deadline) {
  std::unique_lock lock(entry_->lock);
  if (entry_->readable.exchange(false, std::memory_order_relaxed)) return {};
  impl::WaitNode node;
  return impl::wait_in(lock, entry_->readers, node, "readable", deadline);
}

Status Pollable::wait_writable(Deadline deadline) {
  std::unique_lock lock(entry_->lock);
  if (entry_->writable.exchange(false, std::memory_order_relaxed)) return {};
  impl::WaitNode node;
  return impl::wait_in(lock, entry_->writers, node, "writable", deadline);
}

void Pollable::on_readable(ReadyItem* item) {
  const std::lock_guard lock(entry_->lock);
  entry_->on_readable = item;
  if (item != nullptr && is_readable()) item->ready();
}

bool Pollable::take_readable() {
  // Not a plain store: it has to be done before the system call that follows.
  return is_readable() && entry_->readable.exchange(false, std::memory_order_seq_cst);
}

// What readable_since() tells then is at least as new.
bool Pollable::is_readable() const { return entry_->readable.load(std::memory_order_acquire); }

Instant Pollable::readable_since() const {
  return entry_->readable_since.load(std::memory_order_relaxed);
}

void Pollable::tell_readable() {
  const Instant now = rt::now();
  impl::WaitList woken;
  {
    const std::lock_guard lock(entry_->lock);
    entry_->tell_readable(woken, now);
  }
  impl::wake_claimed(woken);
}

bool Pollable::short_read_drains() const {
  return !entry_->beyond_bytes.load(std::memory_order_relaxed);
}

}  // namespace parley::rt
