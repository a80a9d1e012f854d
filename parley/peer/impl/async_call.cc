#include "parley/peer/impl/async_call.h"

#include <algorithm>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/plugged.h"
#include "parley/rt/context.h"

namespace parley::impl {

using wire::Message;

// What it takes to send it once more.
struct AsyncCall::Again {
  explicit Again(Line& with) : line(with.shared_from_this()) {}

  const std::shared_ptr<Line> line;
  wire::Metadata metadata{};
  wire::BodyCodec codec = wire::BodyCodec::none;
  Bytes body{};
  Status given_up{};  // under the line's lock: whoever has the call next ends it with this
};

AsyncCall::AsyncCall(std::shared_ptr<Connection> connection, const CallOptions& options,
                     std::string_view method, Then then)
    : connection_(std::move(connection)),
      again_(connection_->extras().line() == nullptr
                 ? nullptr
                 : std::make_unique<Again>(*connection_->extras().line())),
      errands_(again_ == nullptr ? connection_->errands() : again_->line->errands()),
      method_(method),
      filters_(options.filters),
      is_filtered_(options.is_filtered && !options.filters.empty()),
      then_(std::move(then)),
      reply_metadata_(options.reply_metadata) {}

AsyncCall::~AsyncCall() = default;

Result<std::shared_ptr<AsyncCall>> AsyncCall::begin(std::shared_ptr<Connection> connection,
                                                    const CallOptions& options,
                                                    std::string_view method, wire::BodyCodec codec,
                                                    Bytes body, Then then) {
  if (Line* const line = connection->extras().line(); line != nullptr) [[unlikely]] {
    if (!line->is_open()) return line->not_sent();
    // Plugins are around all its tries: what they are around is made as any other call.
    if (!Plugged::calls(*connection)) return line->begin_call(options, method, codec, body, then);
  }
  return begin_on(std::move(connection), options, method, codec, std::move(body), std::move(then));
}

Result<std::shared_ptr<AsyncCall>> AsyncCall::begin_on(std::shared_ptr<Connection> connection,
                                                       const CallOptions& options,
                                                       std::string_view method,
                                                       wire::BodyCodec codec, Bytes body,
                                                       Then then) {
  CallTerms terms;
  if (Status s = connection->terms_of(options.timeout, terms); !s.is_ok()) return s;
  const bool has_callback = then != nullptr;
  auto call = std::make_shared<AsyncCall>(std::move(connection), options, method, std::move(then));
  if (call->errands_ == nullptr) return call->connection_->not_sent();
  const bool is_plugged = Plugged::calls(*call->connection_);
  if (has_callback || is_plugged) {
    Status s = call->connection_->room_for_callback(*call->errands_);
    if (!s.is_ok()) return s;
  }
  if (call->again_ != nullptr && !is_plugged) [[unlikely]] {
    call->again_->metadata = options.metadata;
    call->again_->codec = codec;
    call->again_->body = body;
  }
  call->terms_ = terms;
  if (is_plugged) [[unlikely]] {
    if (Status s = call->begin_plugged(options, codec, std::move(body)); !s.is_ok()) return s;
    return call;
  }
  Outgoing out{.message = {.seq = call->connection_->next_seq(),
                           .type = wire::MessageType::call,
                           .method = method,
                           .metadata = options.metadata,
                           .body_codec = codec,
                           .is_filtered = call->is_filtered_,
                           .filters = options.filters,
                           .body = std::move(body),
                           .timeout = terms.left}};
  if (!options.filters.empty()) [[unlikely]] {
    Status s = call->connection_->filter_question(out, terms.deadline);
    if (!s.is_ok()) return s;
  }
  call->call_.told = call.get();
  call->self_ = call;
  Connection& first = *call->connection_;
  // It may be on another one before this has returned.
  const auto kept = call->again_ == nullptr ? nullptr : call->connection_;
  const Status sent = first.send_call(call->call_, out, terms.deadline);
  if (!sent.is_ok()) {
    call->self_ = nullptr;
    return sent;
  }
  if (!terms.deadline.is_never()) call->errands_->add_at(terms.deadline.instant(), call);
  return call;
}

void AsyncCall::ended(PendingCall& /*call*/) {
  if (again_ == nullptr || !waits_to_go_again()) finish();
}

void AsyncCall::finish() {
  std::shared_ptr<AsyncCall> self = std::move(self_);
  const std::shared_ptr<Errands> errands = errands_;
  errands->take_back(*this);
  done_.set();
  // What the callback refers to may go as soon as it has returned: nothing of it is kept here.
  if (then_) errands->add(std::move(self));
}

void AsyncCall::run() {
  const Status status = guarded([&] { then_(settled()); });
  if (status.is_ok()) return;
  connection_->log("the callback of a call of " + method_ + " failed: " + status.to_string());
}

std::shared_ptr<Connection> AsyncCall::connection() const {
  if (again_ == nullptr) return connection_;
  const auto lock = again_->line->lock();
  return connection_;
}

void AsyncCall::time_is_over() {
  give_up(connection()->no_answer(method_, terms_, terms_.is_callers));
}

void AsyncCall::give_up(const Status& why) {
  if (plugged_ != nullptr) [[unlikely]]
    return give_up_plugged(why);
  if (has_ended()) return;
  if (again_ == nullptr) {
    if (!connection_->try_withdraw(call_)) return;
  } else {
    auto lock = again_->line->lock();
    if (again_->given_up.is_ok()) again_->given_up = why;
    const bool has_waited = again_->line->take_out(*this);
    const std::shared_ptr<Connection> connection = connection_;
    lock.unlock();
    if (has_waited) return end_unsent(why);
    // Whoever has it looks at what was left for it.
    if (!connection->try_withdraw(call_)) return;
  }
  call_.failure = why;
  finish();
}

bool AsyncCall::waits_to_go_again() {
  // Not sent, or the other side says that it did not run it.
  const bool is_told = call_.failure.is_ok() && call_.answer.status.code() == Code::not_sent &&
                       connection_->is_told_not_sent();
  if (!is_told && call_.failure.code() != Code::not_sent) return false;
  const auto lock = again_->line->lock();
  return again_->given_up.is_ok() && again_->line->wait_to_go(self_, *connection_);
}

Status AsyncCall::unsent_in_time() {
  return {Code::not_sent, "the time of the call was over before the session was dialled again"};
}

void AsyncCall::end_unsent(const Status& why) {
  if (why.code() == Code::deadline_exceeded) {
    call_.failure = unsent_in_time();
  } else if (why.code() == Code::not_sent) {
    call_.failure = why;
  } else {
    call_.failure =
        Status(why.code(), "the call of " + method_ + " was given up before it was sent")
            .with_cause(why.cause());
  }
  finish();
}

void AsyncCall::go_again(const std::shared_ptr<Connection>& connection) {
  auto lock = again_->line->lock();
  if (const Status given_up = again_->given_up; !given_up.is_ok()) {
    lock.unlock();
    return end_unsent(given_up);
  }
  connection_ = connection;
  lock.unlock();
  call_.failure = {};
  call_.answer = {};
  Outgoing out{.message = {.seq = connection->next_seq(),
                           .type = wire::MessageType::call,
                           .method = method_,
                           .metadata = again_->metadata,
                           .body_codec = again_->codec,
                           .is_filtered = is_filtered_,
                           .filters = filters_,
                           .body = again_->body}};
  if (!terms_.deadline.is_never()) out.message.timeout = terms_.deadline.instant() - rt::now();
  Status status;
  if (!filters_.empty()) status = connection->filter_question(out, terms_.deadline);
  if (status.is_ok()) status = connection->send_call(call_, out, terms_.deadline);
  if (!status.is_ok()) {
    call_.failure = std::move(status);
    return ended(call_);
  }
  lock.lock();
  const Status given_up = again_->given_up;
  lock.unlock();
  if (given_up.is_ok() || !connection->try_withdraw(call_)) return;
  call_.failure = given_up;
  finish();
}

Status AsyncCall::wait(rt::Deadline deadline) {
  const Status status = done_.wait(std::min(deadline, terms_.deadline));
  if (status.is_ok() || has_ended() || !terms_.deadline.is_over()) return status;
  time_is_over();
  // Whoever was faster is about to end it.
  return done_.wait(deadline);
}

Result<Message> AsyncCall::take() {
  if (Status s = wait(rt::Deadline::never()); !s.is_ok()) {
    give_up(connection()->gave_up(s, method_, terms_));
    const rt::WithContext bound(rt::Context::background());
    (void)done_.wait();
  }
  return settled();
}

Result<Message> AsyncCall::settled() {
  Result<Message> reply = result();
  if (plugged_ != nullptr && !reply && reply_metadata_ != nullptr) [[unlikely]] {
    *reply_metadata_ = std::move(call_.answer.metadata);
  }
  settle(reply, reply_metadata_, connection_->is_told_not_sent());
  return reply;
}

Result<Message> AsyncCall::result() {
  if (!call_.failure.is_ok()) return call_.failure;
  if (is_filtered_) return std::move(call_.answer);
  unfilter_answer(*connection_->options_, {method_, connection_->remote_address(), filters_},
                  call_.answer);
  return std::move(call_.answer);
}

}  // namespace parley::impl
