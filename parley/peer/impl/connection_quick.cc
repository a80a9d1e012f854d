// The short way of most calls: quick_call.h.
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/plugged.h"
#include "parley/peer/quick_call.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;
using wire::PlainAnswer;

// So many answers are passed on at a time, as messages are sorted.
constexpr std::size_t answers_per_turn = 64;

void fill(Message& reply, const PlainAnswer& answer, const Bytes& chunk) {
  reply.seq = answer.seq;
  reply.type = MessageType::reply;
  reply.body_codec = answer.codec;
  reply.body.share_part(chunk, answer.body);
}

// An answer that came as a message.
Status take_apart(Connection& connection, QuickExchange& exchange) {
  Message& reply = *exchange.reply;
  if (reply.is_filtered) {
    unfilter_answer(connection.extras().options(),
                    {exchange.method, connection.remote_address(), {}}, reply);
  }
  return settle(reply, nullptr, connection.is_told_not_sent());
}

}  // namespace

void QuickCall::take(const PlainAnswer& answer, const Bytes& chunk) {
  exchange.is_read =
      answer.codec == wire::BodyCodec::json && exchange.read(answer.body, exchange.into);
  if (!exchange.is_read) fill(reply_of(*this), answer, chunk);
}

Status exchange_quickly(Connection& connection, QuickExchange& exchange) {
  return connection.call_quickly(exchange);
}

// Nothing has happened where it returns ok and the exchange is as it was.
Status Connection::call_quickly(QuickExchange& exchange) {
  const rt::Context::Look caller = rt::Context::look_at_current();
  const Duration timeout = exchange.timeout ? *exchange.timeout : options_->call_timeout;
  if (extras_.line() != nullptr || Plugged::calls(*this) || caller.is_over ||
      timeout <= Duration::zero()) [[unlikely]] {
    return {};
  }
  const rt::Deadline own = rt::Deadline::after(timeout, caller.now);
  const bool is_callers = caller.deadline < own;
  const CallTerms terms{.timeout = timeout,
                        .deadline = is_callers ? caller.deadline : own,
                        .left = is_callers ? caller.deadline.instant() - caller.now : timeout,
                        .is_callers = is_callers};
  QuickCall call(exchange);
  const auto next =
      static_cast<std::int32_t>(last_seq_.fetch_add(1, std::memory_order_relaxed) + 1);
  call.seq = next > 0 ? next : next_seq();
  if (!send_quickly(call, terms.left)) [[unlikely]] {
    const wire::PlainCall plain{.seq = call.seq,
                                .method = exchange.method,
                                .codec = wire::BodyCodec::json,
                                .body = exchange.body,
                                .timeout = terms.left};
    if (Status s = send_other(call, CallOptions(), plain, {}, terms); !s.is_ok()) return s;
  }
  const Status status = call.done.wait(terms.deadline, caller.now);
  if (!status.is_ok() && withdraw(call)) [[unlikely]] {
    return gave_up(status, exchange.method, terms);
  }
  if (!call.failure.is_ok()) [[unlikely]]
    return std::move(call.failure);
  return exchange.is_read ? Status() : take_apart(*this, exchange);
}

// False, and nothing has happened, where there may be more to it than a few fields written behind
// those of others.
bool Connection::send_quickly(QuickCall& call, Duration left) {
  Lock lock(lock_);
  const std::size_t before = outgoing_.bytes();
  if (phase_ != Phase::open || calls_ >= options_->max_calls || !can_send_ || encoder_ == nullptr ||
      before >= options_->max_outgoing_bytes) {
    return false;
  }
  const wire::PlainCall plain{.seq = call.seq,
                              .method = call.exchange.method,
                              .codec = wire::BodyCodec::json,
                              .body = call.exchange.body,
                              .timeout = left};
  if (streams_ != nullptr && streams_->is_open(call.seq)) [[unlikely]]
    return false;
  if (!pending_.add_new(call)) [[unlikely]]
    return false;
  if (!outgoing_.encode_call(plain, *encoder_)) [[unlikely]] {
    pending_.remove(call);
    return false;
  }
  enqueued_ += outgoing_.bytes() - before;
  ++calls_;
  call.frame_end = enqueued_;
  if (!is_asked_) ask_to_send(lock);
  return true;
}

// Plain answers that come first, without making messages of them. True when there were as many as
// are taken at a time.
bool Connection::take_answers() {
  if (extras_.envelope() != nullptr) [[unlikely]]
    return false;  // what nobody waits for is opened, too
  std::array<PlainAnswer, answers_per_turn> answers;
  Bytes chunk;
  const std::size_t count = reading_.decoder->next_answers(answers, chunk);
  if (count == 0) return false;
  reading_.watch.came();
  std::array<PendingCall*, answers_per_turn> calls;
  {
    const std::lock_guard lock(lock_);
    is_asked_ = true;  // this turn ends with sending
    for (std::size_t i = 0; i < count; ++i) {
      calls[i] = pending_.take(answers[i].seq);
      if (calls[i] != nullptr) --calls_;
    }
    if (draining_ > 0) quiet_.broadcast();
  }
  for (std::size_t i = 0; i < count; ++i) {
    PendingCall* const call = calls[i];
    if (call == nullptr) continue;  // its caller gave up before
    if (call->reply == nullptr) {
      static_cast<QuickCall*>(call)->take(answers[i], chunk);
    } else {
      fill(*call->reply, answers[i], chunk);
    }
    call->end();
  }
  return count == answers_per_turn;
}

}  // namespace parley::impl
