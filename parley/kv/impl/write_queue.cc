#include "parley/kv/impl/write_queue.h"

#include <mutex>
#include <utility>

namespace parley::kv::impl {

Status WriteQueue::push(const WriteRef& write) {
  const std::lock_guard lock(mutex_);
  if (!refusal_.is_ok()) return refusal_;
  const bool is_full = waiting_.size() >= limits_.max_waiting;
  if (is_full || bytes_ + write->bytes > limits_.max_waiting_bytes) {
    ++refused_;
    return {Code::resource_exhausted, std::to_string(waiting_.size()) + " writes of " +
                                          std::to_string(bytes_) + " bytes wait already (" +
                                          (is_full ? "max_waiting" : "max_waiting_bytes") +
                                          "): the store is slower than its writers; try later"};
  }
  bytes_ += write->bytes;
  write->place = waiting_.insert(waiting_.end(), write);
  write->is_waiting = true;
  if (waiting_.size() == 1) changed_.signal();
  return {};
}

bool WriteQueue::take_back(Write& write) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(write.is_waiting, false)) return false;
  bytes_ -= write.bytes;
  waiting_.erase(write.place);
  return true;
}

std::vector<WriteRef> WriteQueue::take(rt::Deadline deadline) {
  std::vector<WriteRef> batch;
  std::unique_lock lock(mutex_);
  // Whether it was the deadline or a write shows in what is there.
  (void)changed_.wait(lock, [&] { return !waiting_.empty() || has_ended_; }, deadline);
  std::size_t bytes = 0;
  while (!waiting_.empty() && batch.size() < limits_.max_batch) {
    Write& next = *waiting_.front();
    if (!batch.empty() && bytes + next.bytes > limits_.max_batch_bytes) break;
    bytes += next.bytes;
    bytes_ -= next.bytes;
    next.is_waiting = false;
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void WriteQueue::refuse(const Status& why) {
  const std::lock_guard lock(mutex_);
  if (refusal_.is_ok()) refusal_ = why;
}

void WriteQueue::end(const Status& why) {
  const std::lock_guard lock(mutex_);
  if (refusal_.is_ok()) refusal_ = why;
  has_ended_ = true;
  changed_.signal();
}

Status WriteQueue::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

bool WriteQueue::has_ended() const {
  const std::lock_guard lock(mutex_);
  return has_ended_ && waiting_.empty();
}

std::uint64_t WriteQueue::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace parley::kv::impl
