#include "parley/peer/impl/in_parts.h"

#include <mutex>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/reason.h"

namespace parley::impl {
namespace {

// What is small waits for no more of them than these.
constexpr int parts_in_a_row = 2;

}  // namespace

void InParts::take_to_send(Connection& connection) {
  Outbox& from = connection.outgoing_;
  Outbox& to = connection.sending_;
  from.swap_gathered(to);
  for (int i = 0; i < parts_in_a_row && from.parts() != nullptr; ++i) {
    const std::size_t before = to.bytes();
    const std::int32_t begun =
        from.cut_part(*connection.encoder_, connection.options_->part_bytes, to);
    PendingCall* const call = begun == 0 ? nullptr : connection.pending_.find(begun);
    if (call != nullptr) call->frame_end = connection.enqueued_ + 1;
    connection.enqueued_ += to.bytes() - before;
  }
}

Parts::Left InParts::drop(Connection& connection, std::int32_t seq) {
  Outbox& outbox = connection.outgoing_;
  if (outbox.parts() == nullptr) return {};
  const Parts::Left left = outbox.parts()->drop(seq);
  outbox.look_at_parts();
  if (left.is_any) connection.has_room_.broadcast();
  return left;
}

PendingCall* InParts::take_unsent(Connection& connection) {
  PendingCall* all = nullptr;
  if (connection.outgoing_.parts() == nullptr) return all;
  for (const auto& [seq, has_begun] : connection.outgoing_.parts()->drop_calls()) {
    if (PendingCall* const call = connection.pending_.find(seq); call != nullptr) {
      connection.pending_.remove(*call);
      --connection.calls_;
      call->next = std::exchange(all, call);
    }
    if (has_begun && connection.can_send_) {
      (void)connection.encode({.seq = seq, .type = wire::MessageType::cancel});
    }
  }
  connection.outgoing_.look_at_parts();
  if (connection.draining_ > 0) connection.quiet_.broadcast();
  return all;
}

void InParts::end_unsent(PendingCall* calls, const Status& why) {
  while (calls != nullptr) {
    PendingCall* const next = calls->next;  // once told, the call may be gone
    calls->failure = Status(Code::not_sent, "the call was given up before all of it was sent")
                         .with_cause(as_cause(why));
    calls->end();
    calls = next;
  }
}

void InParts::shorten_reply(Connection& connection, std::int32_t seq) {
  const std::lock_guard lock(connection.lock_);
  if (connection.outgoing_.parts() == nullptr) return;
  connection.outgoing_.parts()->shorten_reply(seq);
  connection.has_room_.broadcast();
}

}  // namespace parley::impl
