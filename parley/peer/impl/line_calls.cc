// What goes over the connections of a session that is dialled again.
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/reason.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;

Code code_of(const Status& status) { return status.code(); }
template <class T>
Code code_of(const Result<T>& result) {
  return result.error().code();
}

// Of the options of a call that has waited.
template <class Options>
Options within(const Options& options, rt::Deadline deadline) {
  Options rest = options;
  if (!deadline.is_never()) rest.timeout = deadline.instant() - rt::now();
  return rest;
}

std::shared_ptr<PluggedState> plugged_of_caller() {
  const rt::Context context = rt::Context::current();
  const auto* const found = context.value<std::shared_ptr<PluggedState>>();
  return found == nullptr ? nullptr : *found;
}

// Something of a line's that has to be done on a fiber.
class LineErrand final : public Errand {
 public:
  explicit LineErrand(std::function<void()> what) : what_(std::move(what)) {}
  void run() override { what_(); }

 private:
  const std::function<void()> what_;
};

}  // namespace

Status Line::not_sent() const {
  return Status(Code::not_sent, "the session has ended").with_cause(as_cause(reason_));
}

// Under the lock.
Status Line::not_connected() const {
  const std::string done = attempts_ == 0 ? ""
                                          : " (" + std::to_string(attempts_) +
                                                (attempts_ == 1 ? " attempt)" : " attempts)");
  return Status(Code::not_sent, "the session was cut and is being dialled again" + done)
      .with_cause(as_cause(tried_.is_ok() ? cut_ : tried_));
}

Status Line::health() const {
  std::unique_lock guard(lock_);
  if (is_over_) {
    return Status(Code::unavailable, "the session takes no calls any more")
        .with_cause(as_cause(reason_));
  }
  if (!is_up_) {
    const Status why = not_connected();
    return Status(Code::unavailable, why.message()).with_cause(why.cause());
  }
  const std::shared_ptr<Connection> connection = connection_;
  guard.unlock();
  return connection->health();
}

// A connection other than `failed`. Who logs in, and the handlers of the connection that is logged
// in on, have it before all others, and do not wait: nobody would dial meanwhile.
Result<Line::Found> Line::find(const Connection* failed, rt::Deadline deadline) {
  Lock lock(lock_);
  const auto is_there = [&] { return is_up_ && connection_.get() != failed; };
  if (is_over_) return not_sent();
  if (is_there()) return Found{connection_};
  if (rt::Context::current().descends_from(*its_context_)) {
    if (is_trying_ && is_connected_ && connection_.get() != failed) return Found{connection_};
    return not_connected();
  }
  if (waiting_ >= terms_.origin.options->max_calls) {
    return Status(Code::resource_exhausted, "max_calls: " + std::to_string(waiting_) +
                                                " calls wait for the session to be dialled again");
  }
  ++waiting_;
  const Status status = changed_.wait(lock, [&] { return is_over_ || is_there(); }, deadline);
  --waiting_;
  if (is_over_) return not_sent();
  if (!status.is_ok()) return not_connected();
  return Found{connection_, true};
}

// Tries until what came of it is not that it cannot have been sent, or its time is over. `is_told`:
// by the other side, which may go before this side knows of that.
template <class Try>
auto Line::carry(rt::Deadline deadline, Try attempt, const bool* is_told) {
  using Outcome = decltype(attempt(connection_, false));
  // A call that no fiber of the caller's waits for, and that has plugins around it.
  const std::shared_ptr<PluggedState> plugged = plugged_of_caller();
  std::shared_ptr<Connection> failed;
  for (;;) {
    auto found = find(failed.get(), deadline);
    if (!found) return Outcome(found.error());
    const std::shared_ptr<Connection> connection = std::move(found->connection);
    if (plugged != nullptr && !plugged->leaves()) {
      return Outcome(Status(Code::not_sent, "the call has ended"));
    }
    Outcome outcome = attempt(connection, found->has_waited || failed != nullptr);
    if (plugged != nullptr && code_of(outcome) == Code::not_sent) plugged->has_not_left();
    const bool goes_on = !connection->is_open() || (is_told != nullptr && *is_told);
    if (code_of(outcome) != Code::not_sent || !goes_on || deadline.is_over() ||
        rt::Context::current().is_done()) {
      return outcome;
    }
    failed = connection;
  }
}

Result<Message> Line::call(const CallOptions& options, std::string_view method,
                           wire::BodyCodec codec, const Bytes& body,
                           wire::Metadata* reply_metadata) {
  const auto deadline =
      rt::Deadline::after(options.timeout.value_or(terms_.origin.options->call_timeout));
  bool is_told = false;
  const auto attempt = [&](const std::shared_ptr<Connection>& on, bool is_late) {
    Message reply;
    Status status =
        on->call(is_late ? within(options, deadline) : options, method, codec, body, {}, reply);
    is_told = status.is_ok() && on->is_told_not_sent() && reply.status.code() == Code::not_sent;
    if (status.is_ok()) status = settle(reply, reply_metadata, on->is_told_not_sent());
    return status.is_ok() ? Result<Message>(std::move(reply)) : Result<Message>(status);
  };
  return carry(deadline, attempt, &is_told);
}

Status Line::push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                  const Bytes& body) {
  const auto deadline =
      rt::Deadline::after(options.timeout.value_or(terms_.origin.options->call_timeout));
  return carry(deadline, [&](const std::shared_ptr<Connection>& on, bool is_late) {
    if (!is_late) return on->push(options, method, codec, body);
    return on->push(within(options, deadline), method, codec, body);
  });
}

Result<OpenedStream> Line::open_stream(const CallOptions& options, std::string_view method,
                                       wire::BodyCodec codec) {
  const auto deadline =
      rt::Deadline::after(options.timeout.value_or(terms_.origin.options->call_timeout));
  return carry(deadline, [&](const std::shared_ptr<Connection>& on, bool is_late) {
    // Its time is that of the stream.
    const bool has_less = is_late && options.timeout.has_value();
    auto core = has_less ? on->open_stream(within(options, deadline), method, codec)
                         : on->open_stream(options, method, codec);
    return std::move(core).transform(
        [&](std::shared_ptr<StreamCore>&& opened) { return OpenedStream{on, std::move(opened)}; });
  });
}

// Those that were not sent go on with the next connection.
void Line::call_all(const BatchOptions& options, std::span<BatchedCall> calls) {
  const auto deadline =
      rt::Deadline::after(options.timeout.value_or(terms_.origin.options->call_timeout));
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].reply) left.push_back(i);  // others cannot be sent at all
  }
  bool is_told = false;
  const auto attempt = [&](const std::shared_ptr<Connection>& on, bool is_late) {
    std::vector<BatchedCall> round;
    for (const std::size_t i : left) {
      round.push_back({.method = calls[i].method, .codec = calls[i].codec, .body = calls[i].body});
    }
    on->call_all(is_late ? within(options, deadline) : options, round);
    std::vector<std::size_t> unsent;
    Status why;
    is_told = false;
    for (std::size_t k = 0; k < round.size(); ++k) {
      if (code_of(round[k].reply) == Code::not_sent) {
        unsent.push_back(left[k]);
        is_told = is_told || round[k].is_refused;
        why = round[k].reply.error();
      }
      calls[left[k]].reply = std::move(round[k].reply);
    }
    left = std::move(unsent);
    return why;
  };
  const Status status = carry(deadline, attempt, &is_told);
  for (const std::size_t i : left) calls[i].reply = status;
}

// --- Calls that no fiber waits for

Result<std::shared_ptr<AsyncCall>> Line::begin_call(const CallOptions& options,
                                                    std::string_view method, wire::BodyCodec codec,
                                                    const Bytes& body,
                                                    const AsyncCall::Then& then) {
  const auto deadline =
      rt::Deadline::after(options.timeout.value_or(terms_.origin.options->call_timeout));
  return carry(deadline, [&](const std::shared_ptr<Connection>& on, bool is_late) {
    if (!is_late) return AsyncCall::begin_on(on, options, method, codec, body, then);
    return AsyncCall::begin_on(on, within(options, deadline), method, codec, body, then);
  });
}

bool Line::wait_to_go(const std::shared_ptr<AsyncCall>& call, const Connection& failed) {
  if (is_over_) return false;
  to_go_.push_back(call);
  if (is_up_ && connection_.get() != &failed && to_go_.size() == 1) call_again();
  return true;
}

bool Line::take_out(const AsyncCall& call) {
  return std::erase_if(to_go_, [&](const auto& each) { return each.get() == &call; }) > 0;
}

// On a fiber of the session's: they may have to wait for room.
void Line::call_again() {
  errands_->add(std::make_shared<LineErrand>([self = shared_from_this()] {
    Lock lock(self->lock_);
    if (!self->is_up_) return;  // then again when it is
    const std::vector<std::shared_ptr<AsyncCall>> calls = std::exchange(self->to_go_, {});
    const std::shared_ptr<Connection> connection = self->connection_;
    lock.unlock();
    for (const auto& call : calls) call->go_again(connection);
  }));
}

void Line::end_waiting() {
  Lock lock(lock_);
  const std::vector<std::shared_ptr<AsyncCall>> calls = std::exchange(to_go_, {});
  const Status why = not_sent();
  lock.unlock();
  for (const auto& call : calls) call->end_unsent(why);
}

}  // namespace parley::impl
