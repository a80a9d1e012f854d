// CallTable: calls of one session by their numbers: PendingCalls, those of ours that wait for their
// answers, and ServedCalls, those of the other side's whose handlers wait. Private to peer.
//
// A call lives on the stack of the fiber it belongs to, or with who made it, so adding and taking
// allocate nothing but the table itself. Guarded by a lock of the session. Whoever takes a pending
// call out must end it: until then it stays where it is.
//
//   PendingCall call;
//   call.seq = 7;
//   calls.add(call);                                    // then wait for call.done
//   if (PendingCall* found = calls.take(7)) ...         // elsewhere
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/peer/quick_call.h"
#include "parley/rt/completion.h"
#include "parley/rt/deferred_context.h"
#include "parley/wire/framing.h"
#include "parley/wire/message.h"

namespace parley::impl {

// Of calls that have a `seq` and a `next`, which is the table's.
template <class Call>
class CallTable {
 public:
  // Null when there is none.
  [[nodiscard]] Call* find(std::int32_t seq) const {
    if (size_ == 0) return nullptr;
    Call* at = buckets_[bucket_of(seq)];
    while (at != nullptr && at->seq != seq) at = at->next;
    return at;
  }
  // Of several with one number any may be found.
  void add(Call& call) {
    if (size_ == buckets_.size()) grow();
    put(call);
  }
  // False, and it is not added, when there is one of its number.
  bool add_new(Call& call) {
    if (size_ == buckets_.size()) [[unlikely]]
      grow();
    Call*& head = buckets_[bucket_of(call.seq)];
    for (const Call* at = head; at != nullptr; at = at->next) {
      if (at->seq == call.seq) return false;
    }
    call.next = head;
    head = &call;
    ++size_;
    return true;
  }
  // This very one, which must be there.
  void remove(Call& call) {
    Call** at = &buckets_[bucket_of(call.seq)];
    while (*at != &call) at = &(*at)->next;
    *at = call.next;
    --size_;
  }
  // Takes the call of that number out; null when there is none.
  Call* take(std::int32_t seq) {
    if (size_ == 0) return nullptr;
    Call** at = &buckets_[bucket_of(seq)];
    while (*at != nullptr && (*at)->seq != seq) at = &(*at)->next;
    Call* found = *at;
    if (found == nullptr) return nullptr;
    *at = found->next;
    --size_;
    return found;
  }
  // Takes all of them out, chained by `next`.
  Call* take_all() {
    Call* all = nullptr;
    for (Call*& head : buckets_) {
      while (head != nullptr) {
        Call* call = head;
        head = call->next;
        call->next = all;
        all = call;
      }
    }
    size_ = 0;
    return all;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t first_buckets = 16;

  // Numbers are given in turn: their last bits spread them as well as a hash would.
  [[nodiscard]] std::size_t bucket_of(std::int32_t seq) const {
    return static_cast<std::uint32_t>(seq) & (buckets_.size() - 1);
  }
  void put(Call& call) {
    Call*& head = buckets_[bucket_of(call.seq)];
    call.next = head;
    head = &call;
    ++size_;
  }
  void grow() {
    Call* all = take_all();
    buckets_.assign(std::max(first_buckets, 2 * buckets_.size()), nullptr);
    while (all != nullptr) {
      Call* call = all;
      all = call->next;
      put(*call);
    }
  }

  std::vector<Call*> buckets_;  // none, or a power of two
  std::size_t size_ = 0;
};

struct PendingCall;

// Is told of the end of calls that no fiber waits for one by one.
class CallEnd {
 public:
  // By whoever took the call out of the table, under no lock; often the session's reader: it must
  // not be held up.
  virtual void ended(PendingCall& call) = 0;

 protected:
  ~CallEnd() = default;
};

struct PendingCall {
  std::int32_t seq = 0;
  // Position in the outgoing stream right after its frame; of one whose body goes in parts, right
  // after its first byte.
  std::uint64_t frame_end = 0;
  static constexpr std::uint64_t not_begun = std::numeric_limits<std::uint64_t>::max();
  PendingCall* next = nullptr;
  CallEnd* told = nullptr;  // instead of `done`

  // Set by whoever took it out of the table, before end(): the answer where `reply` points to, or
  // the reason why there is none. Null: it is a QuickCall.
  wire::Message* reply = nullptr;
  Status failure;
  rt::Completion done;

  // It may be gone afterwards.
  void end() {
    if (told == nullptr) {
      done.set();
    } else {
      told->ended(*this);
    }
  }
};
using PendingCalls = CallTable<PendingCall>;

// One whose answer is mostly read off the wire, without a message.
struct QuickCall : PendingCall {
  explicit QuickCall(QuickExchange& of) : exchange(of) {}

  // Takes a plain answer.
  void take(const wire::PlainAnswer& answer, const Bytes& chunk);

  QuickExchange& exchange;
};

// Where an answer goes that is not plain, or of a call that takes messages: a fresh one.
inline wire::Message& reply_of(PendingCall& call) {
  if (call.reply != nullptr) [[likely]]
    return *call.reply;
  auto& reply = static_cast<QuickCall&>(call).exchange.reply;
  reply = std::make_unique<wire::Message>();
  return *reply;
}

// One that has the room for its answer itself.
struct KeptCall : PendingCall {
  KeptCall() { reply = &answer; }
  wire::Message answer;
};

struct ServedCall {
  std::int32_t seq = 0;
  rt::DeferredContext& context;  // its handler's
  bool is_listed = false;
  ServedCall* next = nullptr;
};
using ServedCalls = CallTable<ServedCall>;

}  // namespace parley::impl
