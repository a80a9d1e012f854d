#include "parley/peer/impl/foreign.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/guarded_handler.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/plugged.h"
#include "parley/peer/impl/route.h"
#include "parley/peer/impl/terms.h"
#include "parley/peer/impl/words.h"
#include "parley/rt/context.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/done_call.h"
#include "parley/rt/time.h"

namespace parley::impl {

using wire::Message;

MethodKind Foreign::kind_of(Connection& connection, std::string_view method) {
  const Router& router = *connection.router_;
  const Router::Method* const found = router.find(method);
  if (found != nullptr) return found->is_stream ? MethodKind::stream : MethodKind::call;
  const bool is_taken = router.unknown(wire::MessageType::call) != nullptr;
  return is_taken ? MethodKind::other : MethodKind::none;
}

const PeerOptions& Foreign::options_of(const Connection& connection) {
  return *connection.options_;
}

bool Foreign::is_sealed(Connection& connection) { return connection.extras_.envelope() != nullptr; }

// Its stream then reads as one that has ended in order.
void Foreign::end(Connection& connection) {
  Connection::Lock lock(connection.lock_);
  const std::shared_ptr<net::Stream> stream = connection.stream_;
  lock.unlock();
  if (stream != nullptr) stream->close();
}

Status Foreign::admit(Connection& connection, Message& request) {
  const std::size_t most = connection.options_->max_frame_bytes;
  if (request.body.size() > most) {
    return {Code::resource_exhausted, "max_frame_bytes: a body of " +
                                          std::to_string(request.body.size()) +
                                          " bytes is beyond " + std::to_string(most)};
  }
  Arrived arrived;
  {
    const std::lock_guard lock(connection.lock_);
    arrived.verdict = connection.admit(request, arrived.in_use);
  }
  return why_refused(arrived);
}

namespace {

rt::DoneCall pass_end(const rt::Context& caller, rt::Scope& ends, ServedList& served,
                      ServedCall& call) {
  served.add(call);
  return {caller, ends, "caller gave up",
          [&served, seq = call.seq, caller] { served.end(seq, caller.status()); }};
}

}  // namespace

Status Foreign::serve(Connection& connection, Message& request, rt::Deadline deadline,
                      rt::Scope& ends, Answer& answer, wire::Metadata& metadata) {
  const Instant now = rt::now();
  rt::Deadline by_caller;
  if (Status s = rt::Context::look_at_current(now, by_caller); !s.is_ok()) {
    return s.with_context("the call was not run");
  }
  deadline = std::min(deadline, by_caller);
  if (deadline.instant() <= now) return deadline_passed();
  if (Status s = admit(connection, request); !s.is_ok()) return s;
  Status status;
  {
    // Its plugins and handlers find themselves in the session, wherever the caller is.
    rt::SetAside caller(connection.context_);
    rt::DeferredContext bound(deadline, deadline_passed());
    ServedCall call{.seq = request.seq, .context = bound};
    rt::DoneCall given_up;
    if (caller.can_pass()) {
      caller.pass_to(bound);
    } else {
      given_up = pass_end(caller.outer(), ends, connection.served_, call);
    }
    Context context(connection, static_cast<std::uint32_t>(request.seq), request, now);
    status = run(connection, context, request, answer);
    metadata = std::move(context.reply_metadata());
    if (caller.can_pass()) {
      caller.pass_no_more();
    } else {
      (void)given_up.stop();
      connection.served_.remove(call);
    }
  }
  if (!status.is_ok()) answer.clear();
  connection.handler_ended(held_by(request));  // plugins may have changed what it holds
  return as_answer(std::move(status));
}

Status Foreign::run(Connection& connection, Context& context, Message& request, Answer& answer) {
  auto last = [&] {
    Status status = route(connection, context, request, answer);
    if (!status.is_ok()) answer.clear();
    return status;
  };
  if (!Plugged::serves(connection)) return last();
  ServeStep step(context, answer);
  return connection.extras_.plugins()->serve(step, Last(last));
}

Status Foreign::route(Connection& connection, Context& context, Message& request, Answer& answer) {
  const Router& router = *connection.router_;
  const Router::Method* method = router.find(request.method);
  if (method == nullptr) method = find_before_query(router, request, context);
  if (method == nullptr) method = router.unknown(request.type);
  if (!can_serve(method, request)) return no_handler(method, request, router);
  return guarded_call(context, [&] { return method->handler(context, request, answer); });
}

}  // namespace parley::impl
