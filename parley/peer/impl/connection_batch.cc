// Calls of a Connection that no fiber waits for one by one.
#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/filters.h"
#include "parley/rt/context.h"

namespace parley::impl {
namespace {

// So many calls at a time are written under the lock, which others need too.
constexpr std::size_t calls_in_a_row = 64;

}  // namespace

void Connection::call_all(const BatchOptions& options, std::span<BatchedCall> calls) {
  CallTerms terms;
  if (const Status s = terms_of(options.timeout, terms); !s.is_ok()) {
    for (BatchedCall& each : calls) {
      if (each.reply) each.reply = s;
    }
    return;
  }
  Batch batch(calls);
  send_all(batch, options, terms);
  batch.end_one();
  if (Status s = batch.done.wait(terms.deadline); !s.is_ok()) {
    withdraw_all(batch, s, terms);
    // Whoever took out one that is still missing is about to end it.
    const rt::WithContext bound(rt::Context::background());
    (void)batch.done.wait();
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    KeptCall& call = batch.pending[i];
    if (call.told == nullptr) continue;  // it was never sent, and says why
    if (call.failure.is_ok()) {
      unfilter_answer(*options_, {calls[i].method, remote_address_, options.filters}, call.answer);
      calls[i].reply = std::move(call.answer);
      calls[i].is_refused = is_told_not_sent() && calls[i].reply->status.code() == Code::not_sent;
      settle(calls[i].reply, nullptr, is_told_not_sent());
    } else {
      calls[i].reply = std::move(call.failure);
    }
  }
}

void Connection::send_all(Batch& batch, const BatchOptions& options, const CallTerms& terms) {
  std::optional<Duration> left = terms.left;
  Lock lock(lock_);
  for (std::size_t i = 0; i < batch.all.size(); ++i) {
    BatchedCall& each = batch.all[i];
    if (!each.reply) continue;
    Outgoing out{.message = {.seq = next_seq(),
                             .type = wire::MessageType::call,
                             .method = each.method,
                             .metadata = options.metadata,
                             .body_codec = each.codec,
                             .filters = options.filters,
                             .body = std::move(each.body),
                             .timeout = left}};
    if (!options.filters.empty()) [[unlikely]] {
      ask_to_send(lock);
      Status status = filter_question(out, terms.deadline);
      lock.lock();
      if (!status.is_ok()) {
        each.reply = std::move(status);
        continue;
      }
    }
    // What was written so far has to leave, or there would never be room.
    if (i % calls_in_a_row == calls_in_a_row - 1 || has_to_wait(out.message)) {
      ask_to_send(lock);
      lock.lock();
    }
    PendingCall& call = batch.start(i);
    Status status = add_call(lock, call, out, terms.deadline);
    left = out.message.timeout;  // less if it has waited
    if (status.is_ok()) continue;
    call.told = nullptr;
    each.reply = std::move(status);
    batch.end_one();
  }
  ask_to_send(lock);
}

// All that have not ended.
void Connection::withdraw_all(Batch& batch, const Status& why, const CallTerms& terms) {
  std::size_t ended = 0;
  Lock lock(lock_);
  for (std::size_t i = 0; i < batch.all.size(); ++i) {
    PendingCall& call = batch.pending[i];
    if (call.told == nullptr || !take_back(call)) continue;
    ++ended;
    call.failure = gave_up(why, batch.all[i].method, terms);
    if (i % calls_in_a_row == calls_in_a_row - 1) {
      ask_to_send(lock);
      lock.lock();
    }
  }
  ask_to_send(lock);
  for (; ended > 0; --ended) batch.end_one();
}

// Who gets answers faster than the callbacks take them, or than they return, must not fill the
// memory. A callback that makes the next call does not count itself.
Status Connection::room_for_callback(const Errands& errands) const {
  const std::size_t unfinished = errands.unfinished();
  if (unfinished < options_->max_calls) return {};
  if (unfinished == options_->max_calls && errands.is_inside()) return {};
  return {Code::resource_exhausted, "max_calls: " + std::to_string(unfinished) +
                                        " callbacks of this session wait to be called or to end"};
}

}  // namespace parley::impl
