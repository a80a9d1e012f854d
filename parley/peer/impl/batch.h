// Batch: calls that are sent together and waited for together, by one fiber. Private to peer.
//
//   std::vector<BatchedCall> calls = ...;
//   connection.call_all(options, calls);     // each of them has its reply, or its reason
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

#include "parley/peer/batch.h"
#include "parley/peer/impl/call_table.h"
#include "parley/rt/event.h"

namespace parley::impl {

// Lives on the stack of the fiber that waits.
class Batch final : private CallEnd {
 public:
  explicit Batch(std::span<BatchedCall> calls)
      : all(calls), pending(std::make_unique<KeptCall[]>(calls.size())) {}
  ~Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Before it is put into the table.
  PendingCall& start(std::size_t index) {
    left_.fetch_add(1, std::memory_order_relaxed);
    pending[index].told = this;
    return pending[index];
  }
  void ended(PendingCall& /*call*/) override { end_one(); }
  // For one that was started, and for having started all.
  void end_one() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) done.set();
  }

  const std::span<BatchedCall> all;
  const std::unique_ptr<KeptCall[]> pending;
  rt::Event done;

 private:
  std::atomic<std::size_t> left_ = 1;
};

}  // namespace parley::impl
