// PendingCalls: the calls of one session that wait for their answers, by their numbers. Private to
// peer.
//
// A call lives on the stack of the fiber that made it, so adding and taking allocate nothing.
// Guarded by the lock of the session. Whoever takes a call out must complete it: until then the
// fiber it belongs to stays.
//
//   PendingCall call;
//   call.seq = 7;
//   calls.add(call);                                    // then wait for call.done
//   if (PendingCall* found = calls.take(7)) ...         // elsewhere
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parley/base/status.h"
#include "parley/rt/event.h"
#include "parley/wire/message.h"

namespace parley::impl {

struct PendingCall {
  std::int32_t seq = 0;
  std::uint64_t frame_end = 0;  // position in the outgoing stream right after its frame
  PendingCall* next = nullptr;  // in its bucket, or in what take_all() returned

  // Set by whoever took it out of the table, before `done`.
  wire::Message reply;
  Status failure;
  rt::Event done;
};

class PendingCalls {
 public:
  [[nodiscard]] bool contains(std::int32_t seq) const;
  // `call.seq` must not be there yet.
  void add(PendingCall& call);
  // Takes the call of that number out; null when there is none.
  PendingCall* take(std::int32_t seq);
  // Takes all of them out, chained by `next`.
  PendingCall* take_all();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // Numbers are given in turn: their last bits spread them as well as a hash would.
  [[nodiscard]] std::size_t bucket_of(std::int32_t seq) const {
    return static_cast<std::uint32_t>(seq) & (buckets_.size() - 1);
  }
  void grow();

  std::vector<PendingCall*> buckets_;  // none, or a power of two
  std::size_t size_ = 0;
};

}  // namespace parley::impl
