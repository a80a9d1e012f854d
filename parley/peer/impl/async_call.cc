#include "parley/peer/impl/async_call.h"

#include <algorithm>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/plugged.h"
#include "parley/rt/context.h"

namespace parley::impl {

using wire::Message;

AsyncCall::AsyncCall(std::shared_ptr<Connection> connection, const CallOptions& options,
                     std::string_view method, Then then)
    : connection_(std::move(connection)),
      errands_(connection_->errands()),
      method_(method),
      filters_(options.filters),
      then_(std::move(then)),
      reply_metadata_(options.reply_metadata) {}

Result<std::shared_ptr<AsyncCall>> AsyncCall::begin(std::shared_ptr<Connection> connection,
                                                    const CallOptions& options,
                                                    std::string_view method, wire::BodyCodec codec,
                                                    Bytes body, Then then) {
  const auto terms = connection->terms_of(options.timeout);
  if (!terms) return terms.error();
  const bool has_callback = then != nullptr;
  auto call = std::make_shared<AsyncCall>(std::move(connection), options, method, std::move(then));
  if (call->errands_ == nullptr) return call->connection_->not_sent();
  const bool is_plugged = Plugged::calls(*call->connection_);
  if (has_callback || is_plugged) {
    if (Status s = call->connection_->room_for_callback(); !s.is_ok()) return s;
  }
  call->terms_ = *terms;
  if (is_plugged) [[unlikely]] {
    if (Status s = call->begin_plugged(options, codec, std::move(body)); !s.is_ok()) return s;
    return call;
  }
  Outgoing out{.message = {.seq = call->connection_->next_seq(),
                           .type = wire::MessageType::call,
                           .method = method,
                           .metadata = options.metadata,
                           .body_codec = codec,
                           .filters = options.filters,
                           .body = std::move(body),
                           .timeout = terms->left}};
  if (!options.filters.empty()) [[unlikely]] {
    Status s = call->connection_->filter_question(out, terms->deadline);
    if (!s.is_ok()) return s;
  }
  call->call_.told = call.get();
  call->self_ = call;
  const Status sent = call->connection_->send_call(call->call_, out, terms->deadline);
  if (!sent.is_ok()) {
    call->self_ = nullptr;
    return sent;
  }
  if (!terms->deadline.is_never()) call->errands_->add_at(terms->deadline.instant(), call);
  return call;
}

void AsyncCall::ended(PendingCall& call) {
  std::shared_ptr<AsyncCall> self = std::move(self_);
  const std::shared_ptr<Errands> errands = errands_;
  errands->take_back(*this);
  call.done.set();
  // What the callback refers to may go as soon as it has returned: nothing of it is kept here.
  if (then_) errands->add(std::move(self));
}

void AsyncCall::run() {
  const Status status = guarded([&] { then_(settled()); });
  if (status.is_ok()) return;
  connection_->log("the callback of a call of " + method_ + " failed: " + status.to_string());
}

void AsyncCall::time_is_over() {
  give_up(connection_->no_answer(method_, terms_, terms_.is_callers));
}

void AsyncCall::give_up(const Status& why) {
  if (plugged_ != nullptr) [[unlikely]] {
    (void)end_plugged(why);
    return;
  }
  if (has_ended() || !connection_->try_withdraw(call_)) return;
  call_.failure = why;
  ended(call_);
}

Status AsyncCall::wait(rt::Deadline deadline) {
  const Status status = call_.done.wait(std::min(deadline, terms_.deadline));
  if (status.is_ok() || has_ended() || !terms_.deadline.is_over()) return status;
  time_is_over();
  // Whoever was faster is about to end it.
  return call_.done.wait(deadline);
}

Result<Message> AsyncCall::take() {
  if (Status s = wait(rt::Deadline::never()); !s.is_ok()) {
    give_up(s);
    const rt::WithContext bound(rt::Context::background());
    (void)call_.done.wait();
  }
  return settled();
}

Result<Message> AsyncCall::settled() {
  Result<Message> reply = result();
  if (plugged_ != nullptr && !reply && reply_metadata_ != nullptr) [[unlikely]] {
    *reply_metadata_ = std::move(call_.reply.metadata);
  }
  settle(reply, reply_metadata_, connection_->is_told_not_sent());
  return reply;
}

Result<Message> AsyncCall::result() {
  if (!call_.failure.is_ok()) return call_.failure;
  unfilter_answer(*connection_->options_, {method_, connection_->remote_address(), filters_},
                  call_.reply);
  return std::move(call_.reply);
}

}  // namespace parley::impl
