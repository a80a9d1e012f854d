#include "parley/peer/impl/pending_calls.h"

#include <algorithm>

namespace parley::impl {
namespace {

constexpr std::size_t first_buckets = 16;

}  // namespace

bool PendingCalls::contains(std::int32_t seq) const {
  if (size_ == 0) return false;
  const PendingCall* at = buckets_[bucket_of(seq)];
  while (at != nullptr && at->seq != seq) at = at->next;
  return at != nullptr;
}

void PendingCalls::add(PendingCall& call) {
  if (size_ == buckets_.size()) grow();
  PendingCall*& head = buckets_[bucket_of(call.seq)];
  call.next = head;
  head = &call;
  ++size_;
}

PendingCall* PendingCalls::take(std::int32_t seq) {
  if (size_ == 0) return nullptr;
  PendingCall** at = &buckets_[bucket_of(seq)];
  while (*at != nullptr && (*at)->seq != seq) at = &(*at)->next;
  PendingCall* found = *at;
  if (found == nullptr) return nullptr;
  *at = found->next;
  --size_;
  return found;
}

PendingCall* PendingCalls::take_all() {
  PendingCall* all = nullptr;
  for (PendingCall*& head : buckets_) {
    while (head != nullptr) {
      PendingCall* call = head;
      head = call->next;
      call->next = all;
      all = call;
    }
  }
  size_ = 0;
  return all;
}

void PendingCalls::grow() {
  PendingCall* all = take_all();
  buckets_.assign(std::max(first_buckets, 2 * buckets_.size()), nullptr);
  while (all != nullptr) {
    PendingCall* call = all;
    all = call->next;
    PendingCall*& head = buckets_[bucket_of(call->seq)];
    call->next = head;
    head = call;
    ++size_;
  }
}

}  // namespace parley::impl
