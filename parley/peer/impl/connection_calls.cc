// The calling side of a Connection.
#include <algorithm>
#include <limits>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

}  // namespace

// Under the lock, or once the session is no longer open: then the reason does not change any more.
Status Connection::not_sent() const {
  return Status(Code::not_sent, "the session has ended").with_cause(reason_.message());
}

// From 1 to the largest number, and again from 1.
std::int32_t Connection::next_seq() {
  constexpr std::uint32_t largest = std::numeric_limits<std::int32_t>::max();
  for (;;) {
    const std::uint32_t seq = (last_seq_.fetch_add(1, std::memory_order_relaxed) + 1) & largest;
    if (seq != 0) return static_cast<std::int32_t>(seq);
  }
}

// Under the lock.
bool Connection::is_taken(std::int32_t seq) const {
  return pending_.find(seq) != nullptr || (streams_ != nullptr && streams_->is_open(seq));
}

Status Connection::too_many_calls() const {
  return {Code::resource_exhausted, "max_calls: " + std::to_string(calls_) +
                                        " calls and streams of this session wait for their end"};
}

Result<Message> Connection::call(const CallOptions& options, std::string_view method,
                                 wire::BodyCodec codec, Bytes body) {
  if (!is_open()) return not_sent();
  const Duration timeout = options.timeout.value_or(options_->call_timeout);
  // Nobody would wait for the answer: then it is better not to run.
  if (timeout <= Duration::zero()) {
    return Status(Code::not_sent,
                  "a timeout of " + in_milliseconds(timeout) + " leaves no time to call");
  }
  const rt::Context context = rt::Context::current();
  if (Status s = context.status(); !s.is_ok()) return s.with_context("the call was not sent");
  const rt::Deadline own = rt::Deadline::after(timeout);
  const rt::Deadline deadline = std::min(own, context.deadline());
  Message message{.seq = next_seq(),
                  .type = MessageType::call,
                  .method = method,
                  .metadata = options.metadata,
                  .body_codec = codec,
                  .body = std::move(body),
                  .timeout = deadline == own ? timeout : deadline.instant() - rt::now()};
  PendingCall call;
  if (Status s = send_call(call, message, deadline); !s.is_ok()) return s;
  const Status status = call.done.wait(deadline);
  if (!status.is_ok() && withdraw(call)) return gave_up(status, message, timeout);
  if (!call.failure.is_ok()) return call.failure;
  return std::move(call.reply);
}

Status Connection::send_call(PendingCall& call, Message& message, rt::Deadline deadline) {
  Lock lock(lock_);
  if (phase_ != Phase::open) return not_sent();
  if (calls_ >= options_->max_calls) return too_many_calls();
  ++calls_;
  Status status;
  if (has_to_wait(message)) {
    status = wait_for_room(lock, message, deadline);
    if (!deadline.is_never()) message.timeout = deadline.instant() - rt::now();
  }
  if (status.is_ok() && (!can_send_ || phase_ == Phase::ended)) status = not_sent();
  // After two thousand million calls a number comes again, while its first call may still wait.
  while (is_taken(message.seq)) message.seq = next_seq();
  if (status.is_ok()) status = encode(message);
  if (!status.is_ok()) {
    --calls_;
    if (draining_ > 0) quiet_.set();
    return status;
  }
  call.seq = message.seq;
  call.frame_end = enqueued_;
  pending_.add(call);
  ask_to_send(lock);
  return {};
}

// Takes back a call that nobody waits for any more, and says so to the other side. False when it
// has just been completed.
bool Connection::withdraw(PendingCall& call) {
  Lock lock(lock_);
  if (pending_.take(call.seq) != nullptr) {
    --calls_;
    if (draining_ > 0) quiet_.set();
    // However much waits to be sent: this makes the other side take more.
    const Message cancel{.seq = call.seq, .type = MessageType::cancel};
    if (can_send_ && encoder_->has(MessageType::cancel) && encode(cancel).is_ok()) {
      ask_to_send(lock);
    }
    return true;
  }
  lock.unlock();
  // Whoever took it out is about to complete it.
  const rt::WithContext bound(rt::Context::background());
  (void)call.done.wait();
  return false;
}

Status Connection::gave_up(const Status& why, const Message& message, Duration timeout) const {
  if (why.code() != Code::deadline_exceeded) return why;
  const bool by_context = !rt::Context::current().status().is_ok();
  const std::string when =
      by_context ? " before the caller's context ended" : " within " + in_milliseconds(timeout);
  return {Code::deadline_exceeded, "no answer to " + std::string(message.method) + " from " +
                                       remote_address_ + when + "; it may still run there"};
}

Status Connection::push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                        Bytes body) {
  if (!is_open()) return not_sent();
  const Message message{.seq = next_seq(),
                        .type = MessageType::push,
                        .method = method,
                        .metadata = options.metadata,
                        .body_codec = codec,
                        .body = std::move(body)};
  const auto deadline = rt::Deadline::after(options.timeout.value_or(options_->call_timeout));
  Lock lock(lock_);
  if (phase_ != Phase::open) return not_sent();
  if (Status s = wait_for_room(lock, message, deadline); !s.is_ok()) return s;
  // Once nothing can come any more only answers may still leave.
  if (!can_send_ || phase_ == Phase::ended) return not_sent();
  if (Status s = encode(message); !s.is_ok()) return s;
  ask_to_send(lock);
  return {};
}

}  // namespace parley::impl
