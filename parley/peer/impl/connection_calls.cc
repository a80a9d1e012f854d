// The calling side of a Connection.
#include <algorithm>
#include <limits>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/in_parts.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/rt/on_park.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

}  // namespace

// Under the lock, or once the session is no longer open: then the reason does not change any more.
Status Connection::not_sent() const {
  return Status(Code::not_sent, "the session has ended").with_cause(as_cause(reason_));
}

// Under the lock: what was let in before the session began to close may still leave, while the
// other side takes it.
bool Connection::may_ask() const {
  return can_send_ && (phase_ == Phase::open || phase_ == Phase::closing);
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

Status Connection::terms_of(std::optional<Duration> asked, CallTerms& terms) const {
  // Another connection may take it.
  if (!is_open() && extras_.line() == nullptr) return not_sent();
  const Duration timeout = asked.value_or(options_->call_timeout);
  // Nobody would wait for the answer: then it is better not to run.
  if (timeout <= Duration::zero()) {
    return Status(Code::not_sent,
                  "a timeout of " + in_milliseconds(timeout) + " leaves no time to call");
  }
  const Instant now = rt::now();
  rt::Deadline callers;
  if (Status s = rt::Context::look_at_current(now, callers); !s.is_ok()) {
    return s.with_context("the call was not sent");
  }
  const rt::Deadline own = rt::Deadline::after(timeout, now);
  terms.timeout = timeout;
  terms.is_callers = callers < own;
  terms.deadline = terms.is_callers ? callers : own;
  terms.left = terms.is_callers ? callers.instant() - now : timeout;
  return {};
}

Status Connection::call(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                        Bytes body, std::string_view text, Message& reply) {
  CallTerms terms;
  if (Status s = terms_of(options.timeout, terms); !s.is_ok()) return s;
  PendingCall call;
  call.reply = &reply;
  call.seq = next_seq();
  const bool is_plain = body.empty() && options.metadata.empty() && options.filters.empty() &&
                        extras_.envelope() == nullptr;
  const wire::PlainCall plain{
      .seq = call.seq, .method = method, .codec = codec, .body = text, .timeout = terms.left};
  if (!is_plain || !send_plain(call, plain)) {
    Status s = send_other(call, options, plain, std::move(body), terms);
    if (!s.is_ok()) return s;
  }
  const Status status = call.done.wait(terms.deadline);
  if (!status.is_ok() && withdraw(call)) [[unlikely]] {
    return gave_up(status, method, terms);
  }
  if (!call.failure.is_ok()) return call.failure;
  if (extras_.envelope() != nullptr) [[unlikely]] {
    Enclosing::open_answer(*this, options.metadata, reply);
  }
  if (reply.is_filtered && !options.is_filtered) [[unlikely]] {
    unfilter_answer(*options_, {method, remote_address_, options.filters}, reply);
  }
  return {};
}

// Most calls need nothing but a few fields written behind those of others. False, and nothing has
// happened, where there may be more to it.
bool Connection::send_plain(PendingCall& call, const wire::PlainCall& plain) {
  Lock lock(lock_);
  if (phase_ != Phase::open || calls_ >= options_->max_calls || !can_send_ || encoder_ == nullptr ||
      is_full() || is_taken(call.seq)) {
    return false;
  }
  const std::size_t before = outgoing_.bytes();
  if (!outgoing_.encode_call(plain, *encoder_)) return false;
  enqueued_ += outgoing_.bytes() - before;
  ++calls_;
  call.frame_end = enqueued_;
  pending_.add(call);
  ask_to_send(lock);
  return true;
}

Status Connection::send_other(PendingCall& call, const CallOptions& options,
                              const wire::PlainCall& plain, Bytes body, const CallTerms& terms) {
  Outgoing out{.message = {.seq = plain.seq,
                           .type = MessageType::call,
                           .method = plain.method,
                           .metadata = options.metadata,
                           .body_codec = plain.codec,
                           .is_filtered = options.is_filtered && !options.filters.empty(),
                           .filters = options.filters,
                           .body = std::move(body),
                           .timeout = plain.timeout},
               .text = plain.body};
  if (!options.filters.empty() || extras_.envelope() != nullptr) {
    if (Status s = filter_question(out, terms.deadline); !s.is_ok()) return s;
  }
  return send_call(call, out, terms.deadline);
}

Status Connection::send_call(PendingCall& call, Outgoing& out, rt::Deadline deadline) {
  Lock lock(lock_);
  if (Status s = add_call(lock, call, out, deadline); !s.is_ok()) return s;
  ask_to_send(lock);
  return {};
}

// Under the lock, which is let go while it waits for room: what was gathered before must have been
// asked to be sent.
Status Connection::add_call(Lock& lock, PendingCall& call, Outgoing& out, rt::Deadline deadline) {
  Message& message = out.message;
  if (phase_ != Phase::open) return not_sent();
  if (calls_ >= options_->max_calls) return too_many_calls();
  ++calls_;
  Status status;
  if (has_to_wait(message)) {
    status = wait_for_room(lock, message, deadline);
    if (!deadline.is_never()) message.timeout = deadline.instant() - rt::now();
  }
  if (status.is_ok() && !may_ask()) status = not_sent();
  // After two thousand million calls a number comes again, while its first call may still wait.
  if (status.is_ok() && extras_.envelope() != nullptr && is_taken(message.seq)) [[unlikely]] {
    status = Status(Code::not_sent, "a call with its number still waits: call again");
  }
  while (is_taken(message.seq)) {
    message.seq = next_seq();
    out.frame.clear();  // it has the number in it
  }
  if (status.is_ok()) status = encode(out);
  if (!status.is_ok()) {
    --calls_;
    if (draining_ > 0) quiet_.broadcast();
    return status;
  }
  call.seq = message.seq;
  call.frame_end = outgoing_.holds(message) ? PendingCall::not_begun : enqueued_;
  pending_.add(call);
  return {};
}

// Takes back a call that nobody waits for any more, and says so to the other side. False when it
// has just been completed.
bool Connection::withdraw(PendingCall& call) {
  if (try_withdraw(call)) return true;
  // Whoever took it out is about to complete it.
  const rt::WithContext bound(rt::Context::background());
  (void)call.done.wait();
  return false;
}

bool Connection::try_withdraw(PendingCall& call) {
  Lock lock(lock_);
  if (!take_back(call)) return false;
  ask_to_send(lock);
  return true;
}

// Under the lock. False when somebody else has taken it out; otherwise it is the caller's to end.
bool Connection::take_back(PendingCall& call) {
  // Another one may have its number by now.
  if (pending_.find(call.seq) != &call) return false;
  pending_.remove(call);
  --calls_;
  if (draining_ > 0) quiet_.broadcast();
  if (const Parts::Left left = InParts::drop(*this, call.seq); left.is_any && !left.has_begun) {
    return true;
  }
  // However much waits to be sent: this makes the other side take more.
  const Message cancel{.seq = call.seq, .type = MessageType::cancel};
  if (can_send_ && encoder_->has(MessageType::cancel)) (void)encode(cancel);
  return true;
}

Status Connection::gave_up(const Status& why, std::string_view method,
                           const CallTerms& terms) const {
  const Status context = rt::Context::current().status();
  if (why.code() == Code::deadline_exceeded) return no_answer(method, terms, !context.is_ok());
  const bool says_more = context.message() != name_of(context.code()) || !context.cause().empty();
  // A context may end with any status, and this call has left.
  const Code code = why.code() == Code::not_sent ? Code::cancelled : why.code();
  return Status(code, "the call of " + std::string(method) + " to " + remote_address_ +
                          " was cancelled; it may still run there")
      .with_cause(says_more ? as_cause(context) : "")
      .with_business_code(why.business_code());
}

Status Connection::no_answer(std::string_view method, const CallTerms& terms,
                             bool by_context) const {
  const std::string when = by_context ? " before the caller's context ended"
                                      : " within " + in_milliseconds(terms.timeout);
  Status status(Code::deadline_exceeded, "no answer to " + std::string(method) + " from " +
                                             remote_address_ + when + "; it may still run there");
  return Early::of_silence(*this, status);
}

Status Connection::push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                        Bytes body) {
  if (!is_open()) return not_sent();
  Outgoing out{.message = {.seq = next_seq(),
                           .type = MessageType::push,
                           .method = method,
                           .metadata = options.metadata,
                           .body_codec = codec,
                           .is_filtered = options.is_filtered && !options.filters.empty(),
                           .filters = options.filters,
                           .body = std::move(body)}};
  const auto deadline = rt::Deadline::after(options.timeout.value_or(options_->call_timeout));
  if (!options.filters.empty() || extras_.envelope() != nullptr) [[unlikely]] {
    if (Status s = filter_question(out, deadline); !s.is_ok()) return s;
  }
  // What a handler passes on keeps its order only while nobody takes over for it here.
  Lock lock = [this] {
    const rt::ShortWait untold;
    return Lock(lock_);
  }();
  if (phase_ != Phase::open) return not_sent();
  if (Status s = wait_for_room(lock, out.message, deadline); !s.is_ok()) return s;
  if (!may_ask()) return not_sent();
  if (Status s = encode(out); !s.is_ok()) return s;
  if (extras_.shortcut() != nullptr) extras_.shortcut()->push_sent();
  ask_to_send(lock);
  return {};
}

}  // namespace parley::impl
