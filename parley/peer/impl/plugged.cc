#include "parley/peer/impl/plugged.h"

#include <mutex>
#include <utility>
#include <vector>

#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/async_call.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/route.h"
#include "parley/peer/impl/turn.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// The call as its plugins have made it.
Result<Message> exchange_once(Connection& connection, CallStep& step) {
  if (Line* const line = connection.extras().line(); line != nullptr) {
    return line->call(step.options(), step.method(), step.body_codec(), step.body(),
                      &step.reply_metadata());
  }
  Message reply;
  Status status =
      connection.call(step.options(), step.method(), step.body_codec(), step.body(), {}, reply);
  if (status.is_ok()) {
    status = settle(reply, &step.reply_metadata(), connection.is_told_not_sent());
  }
  if (!status.is_ok()) return status;
  return reply;
}

// What came as it had travelled elsewhere is for them to see as it was before that.
Status unfilter_step(const PeerOptions& options, CallStep& step) {
  const bool is_filtered = std::exchange(step.options().is_filtered, false);
  const wire::FilterPipe& filters = step.options().filters;
  if (!is_filtered || filters.empty()) return {};
  auto body =
      wire::undo_filters(options.filters.get(), filters, step.body(), undone_limit(options));
  if (!body) return body.error();
  step.set_body(step.body_codec(), *std::move(body));
  return {};
}

Session session_of(Connection& connection) { return Session(connection.shared_from_this()); }

}  // namespace

// --- Serving

// Nothing here may wait before its caller can end it.
Status Plugged::serve(Connection& connection, Arrived& arrived, Context& context,
                      Connection::Turn& turn, rt::OnPark& waits) {
  Message& request = arrived.message;
  Workplace& place = *turn.place;
  if (!connection.tells_of_ends_ || context.is_push()) {
    return go_through(connection, context, request, place, waits);
  }
  rt::DeferredContext bound(arrived.deadline, deadline_passed());
  ServedCall call{.seq = request.seq, .context = bound};
  turn.serving = &call;
  Status status = go_through(connection, context, request, place, waits);
  turn.serving = nullptr;
  connection.served_.remove(call);
  return status;
}

Status Plugged::go_through(Connection& connection, Context& context, Message& request,
                           Workplace& place, rt::OnPark& waits) {
  if (Status s = Enclosing::open_question(connection, request, waits); !s.is_ok()) return s;
  auto last = [&] {
    Status status = route(connection, context, request, place, waits);
    if (!status.is_ok()) place.answer.clear();
    return status;
  };
  ServeStep step(context, place.answer, &waits);
  if (connection.extras_.envelope() == nullptr) {
    return connection.extras_.plugins()->serve(step, Last(last));
  }
  // Whether the answer is enclosed is for the caller to say, and for no plugin to change.
  wire::Metadata asked = request.metadata;
  Status status = connection.extras_.plugins()->serve(step, Last(last));
  step.set_metadata(std::move(asked));
  return status;
}

Status Plugged::route(Connection& connection, Context& context, Message& request, Workplace& place,
                      rt::OnPark& waits) {
  const Router& router = *connection.router_;
  const Router::Method* const method = method_for(request, router, place.recent, context);
  if (!can_serve(method, request)) return no_handler(method, request, router);
  return connection.run_handler(*method, context, request, place.answer, waits);
}

Status Plugged::unfilter(const PeerOptions& options, const wire::FilterPipe& filters,
                         Answer& answer) {
  auto body =
      wire::undo_filters(options.filters.get(), filters, answer.bytes, undone_limit(options));
  if (!body) return body.error();
  answer.bytes = *std::move(body);
  answer.is_filtered = false;
  return {};
}

void Plugged::count_again(Connection& connection, std::size_t before, std::size_t after) {
  const std::lock_guard lock(connection.lock_);
  connection.handler_bytes_ += after;
  connection.handler_bytes_ -= before;
}

// --- Calling

Result<Message> Plugged::exchange(Connection& connection, const CallOptions& options,
                                  std::string_view method, wire::BodyCodec codec, Bytes body) {
  CallStep step(session_of(connection), CallStep::Kind::call, options, method, codec,
                std::move(body));
  if (Status s = unfilter_step(*connection.options_, step); !s.is_ok()) return s;
  auto last = [&]() -> Status {
    step.reply() = {};
    step.reply_metadata().clear();
    auto reply = exchange_once(connection, step);
    if (!reply) return reply.error();
    step.reply() = *std::move(reply);
    return {};
  };
  Status status = connection.extras_.plugins()->call(step, Last(last));
  if (options.reply_metadata != nullptr) *options.reply_metadata = std::move(step.reply_metadata());
  if (!status.is_ok()) return status;
  return std::move(step.reply());
}

Status Plugged::push(Connection& connection, const CallOptions& options, std::string_view method,
                     wire::BodyCodec codec, Bytes body) {
  CallStep step(session_of(connection), CallStep::Kind::push, options, method, codec,
                std::move(body));
  if (Status s = unfilter_step(*connection.options_, step); !s.is_ok()) return s;
  Line* const line = connection.extras().line();
  auto last = [&] {
    return line == nullptr
               ? connection.push(step.options(), step.method(), step.body_codec(), step.body())
               : line->push(step.options(), step.method(), step.body_codec(), step.body());
  };
  return connection.extras_.plugins()->call(step, Last(last));
}

Result<OpenedStream> Plugged::open_once(Connection& connection, const CallOptions& options,
                                        std::string_view method, wire::BodyCodec codec) {
  if (Line* const line = connection.extras().line(); line != nullptr) [[unlikely]] {
    return line->open_stream(options, method, codec);
  }
  return connection.open_stream(options, method, codec)
      .transform([&connection](std::shared_ptr<StreamCore>&& core) {
        return OpenedStream{connection.shared_from_this(), std::move(core)};
      });
}

Result<OpenedStream> Plugged::open(Connection& connection, const CallOptions& options,
                                   std::string_view method, wire::BodyCodec codec) {
  CallStep step(session_of(connection), CallStep::Kind::stream, options, method, codec, {});
  OpenedStream stream;
  auto last = [&] {
    auto opened = open_once(connection, step.options(), step.method(), step.body_codec());
    if (!opened) return opened.error();
    stream = *std::move(opened);
    return Status();
  };
  Status status = connection.extras_.plugins()->call(step, Last(last));
  if (status.is_ok() && stream.core == nullptr) {
    status = Status(Code::internal,
                    "a plugin around the opening of a stream was ok with it and opened none: it "
                    "has to call next(), or to return an error");
  }
  if (status.is_ok()) return stream;
  if (stream.core != nullptr) stream.connection->release_stream(*stream.core);
  return status;
}

Status Plugged::prepare_push(Connection& connection, Outgoing& push, std::string& method) {
  Message& message = push.message;
  CallStep step(session_of(connection), CallStep::Kind::push,
                {.metadata = message.metadata, .filters = message.filters}, message.method,
                message.body_codec, message.body);
  bool goes_on = false;
  auto last = [&] {
    goes_on = true;
    return Status();
  };
  Status status = connection.extras_.plugins()->call(step, Last(last));
  if (!status.is_ok()) return status;
  if (!goes_on) return {Code::cancelled, "a plugin kept the PUSH back"};
  method = step.method();
  message.method = method;
  message.metadata = std::move(step.options().metadata);
  message.filters = step.options().filters;
  message.body_codec = step.body_codec();
  message.body = step.body();
  return {};
}

// Each is a call of its own; their fibers take turns, so that they leave in their order.
void Plugged::call_all(Connection& connection, const BatchOptions& options,
                       std::span<BatchedCall> calls) {
  CallTerms terms;
  const Status no_terms = connection.terms_of(options.timeout, terms);
  std::vector<std::shared_ptr<AsyncCall>> begun(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    BatchedCall& each = calls[i];
    if (!each.reply) continue;
    if (!no_terms.is_ok()) {
      each.reply = no_terms;
      continue;
    }
    auto call = AsyncCall::begin(
        connection.shared_from_this(),
        {.timeout =
             terms.deadline.is_never() ? options.timeout : terms.deadline.instant() - rt::now(),
         .metadata = options.metadata,
         .filters = options.filters},
        each.method, each.codec, std::move(each.body), nullptr);
    if (call) {
      begun[i] = *std::move(call);
    } else {
      each.reply = call.error();
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (begun[i] != nullptr) calls[i].reply = begun[i]->take();
  }
}

}  // namespace parley::impl
