// The streams of Foreign.
#include "parley/peer/impl/foreign_end.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/foreign.h"
#include "parley/peer/impl/terms.h"
#include "parley/peer/impl/words.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/fiber_number.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

Status time_is_over() { return {Code::deadline_exceeded, "the time of the stream is over"}; }

// Under the lock. The credit of what nobody takes any more is the session's again.
void drop_sent(Streams& streams, StreamCore& core) {
  ForeignEnd& end = *core.foreign;
  std::size_t cost = 0;
  for (; end.next < end.sent.size(); ++end.next) cost += core.cost_of(end.sent[end.next]);
  end.sent = {};
  end.next = 0;
  streams.taken(core, cost);
}

}  // namespace

const rt::Context& Foreign::context_of(Connection& connection) { return connection.context_; }

Result<std::shared_ptr<StreamCore>> Foreign::open(Connection& connection, Message& request,
                                                  rt::Deadline deadline) {
  const PeerOptions& options = *connection.options_;
  Arrived arrived;
  arrived.message = std::move(request);
  arrived.deadline = deadline;
  Status status;
  std::shared_ptr<StreamCore> core;
  {
    const std::lock_guard lock(connection.lock_);
    if (connection.streams_ == nullptr) {
      // What one of them holds is nobody else's business, but for messages beyond all credit.
      const wire::Settings here{.max_streams = options.max_streams,
                                .stream_credit = options.stream_credit,
                                .session_credit = options.max_handler_bytes};
      connection.streams_ = std::make_unique<Streams>(here, here, true);
    }
    status = connection.admit_stream(arrived);
    if (arrived.stream != nullptr) {
      core = arrived.stream->shared_from_this();
      core->foreign = std::make_shared<ForeignEnd>();
    }
  }
  if (status.is_ok()) status = why_refused(arrived);
  request = std::move(arrived.message);
  if (!status.is_ok()) return status;
  return core;
}

void Foreign::drop(Connection& connection, StreamCore& core, const Message& request) {
  (void)connection.end_served_stream(core);
  connection.handler_ended(held_by(request));
}

void Foreign::serve_stream(Connection& connection, StreamCore& core, Message& request,
                           Instant came_at) {
  Status status;
  wire::Metadata metadata;
  {
    const rt::DeferredContext bound(core.deadline, deadline_passed());
    Context context(connection, static_cast<std::uint32_t>(request.seq), request, came_at, &core);
    core.foreign->context = &context;
    core.foreign->handler = rt::fiber_number();
    Answer answer;
    status = as_answer(run(connection, context, request, answer));
    metadata = std::move(context.reply_metadata());
  }
  drop(connection, core, request);
  const std::lock_guard lock(connection.lock_);
  ForeignEnd& end = *core.foreign;
  end.has_ended = true;
  end.metadata = std::move(metadata);
  if (!end.is_given_up) end.status = std::move(status);
  end.there.broadcast();
}

// --- By the other side

Status Foreign::give(Connection& connection, StreamCore& core, Bytes body, rt::Deadline deadline) {
  const std::size_t most = connection.options_->max_frame_bytes;
  if (body.size() > most) {
    return {Code::resource_exhausted, "max_frame_bytes: a message of " +
                                          std::to_string(body.size()) + " bytes is beyond " +
                                          std::to_string(most)};
  }
  const std::size_t cost = core.cost_of(body);
  const rt::Deadline until = std::min(deadline, core.deadline);
  Connection::Lock lock(connection.lock_);
  Streams& streams = *connection.streams_;
  Status waited;
  for (;;) {
    if (core.foreign->is_given_up) return core.foreign->status;
    if (core.is_over) return {Code::cancelled, "the handler has ended the stream"};
    if (core.has_other_finished) {
      return {Code::failed_precondition, "a message was given after finish()"};
    }
    if (core.deadline.is_over()) return time_is_over();
    if (!waited.is_ok()) return waited;
    const Streams::Missing missing = streams.missing_to_come(core, cost);
    if (missing == Streams::Missing::nothing) break;
    const bool is_session = missing == Streams::Missing::session;
    if (is_session) ++core.foreign->waits_to_give;
    waited = (is_session ? streams.may_give() : core.foreign->may_give).wait(lock, until);
    if (is_session) --core.foreign->waits_to_give;
    if (waited.code() == Code::deadline_exceeded && deadline.is_over()) {
      waited =
          Status(Code::deadline_exceeded, "waited in vain for the handler to read from the stream");
    }
  }
  Message message{.seq = core.seq, .type = MessageType::data, .own = true, .body = std::move(body)};
  return streams.take(message);
}

void Foreign::finish(Connection& connection, StreamCore& core) {
  const std::lock_guard lock(connection.lock_);
  if (core.is_over || core.has_other_finished) return;
  Message message{.seq = core.seq, .type = MessageType::end, .own = true};
  (void)connection.streams_->take(message);
}

Result<std::optional<Bytes>> Foreign::take(Connection& connection, StreamCore& core,
                                           rt::Deadline deadline) {
  Connection::Lock lock(connection.lock_);
  ForeignEnd& end = *core.foreign;
  Status waited;
  for (;;) {
    if (!end.has_ended && !end.is_given_up && core.deadline.is_over()) {
      set_given_up(connection, core, time_is_over());
    }
    if (end.next < end.sent.size()) break;
    if ((end.has_ended || end.is_given_up) && !end.status.is_ok()) return end.status;
    if (end.has_ended) return std::optional<Bytes>();
    if (!waited.is_ok()) return waited;
    waited = end.there.wait(lock, std::min(deadline, core.deadline));
    if (waited.code() == Code::deadline_exceeded && deadline.is_over()) {
      waited = Status(Code::deadline_exceeded, "the handler sent no message in time");
    }
  }
  Bytes body = std::move(end.sent[end.next++]);
  if (end.next == end.sent.size()) {
    end.sent.clear();
    end.next = 0;
  }
  connection.streams_->taken(core, core.cost_of(body));
  return std::optional<Bytes>(std::move(body));
}

Result<std::optional<wire::Metadata>> Foreign::take_head(Connection& connection, StreamCore& core,
                                                         rt::Deadline deadline) {
  Connection::Lock lock(connection.lock_);
  ForeignEnd& end = *core.foreign;
  Status waited;
  for (;;) {
    if (end.is_given_up) return end.status;
    if (end.next < end.sent.size() || end.is_head_wanted) return std::optional(end.head);
    if (end.has_ended && end.has_head && end.status.is_ok()) return std::optional(end.head);
    if (end.has_ended) return std::optional<wire::Metadata>();
    if (core.deadline.is_over()) return time_is_over();
    if (!waited.is_ok()) return waited;
    waited = end.there.wait(lock, std::min(deadline, core.deadline));
  }
}

bool Foreign::has_some(Connection& connection, const StreamCore& core) {
  const std::lock_guard lock(connection.lock_);
  const ForeignEnd& end = *core.foreign;
  return end.next < end.sent.size() || end.has_ended || end.is_given_up;
}

// Under the lock.
void Foreign::set_given_up(Connection& connection, StreamCore& core, Status why) {
  ForeignEnd& end = *core.foreign;
  end.is_given_up = true;
  end.status = std::move(why);
  Message message{.seq = core.seq, .type = MessageType::cancel, .own = true};
  (void)connection.streams_->take(message);
  drop_sent(*connection.streams_, core);
  end.there.broadcast();
}

bool Foreign::give_up(Connection& connection, StreamCore& core, const Status& why) {
  const std::lock_guard lock(connection.lock_);
  if (core.foreign->has_ended) drop_sent(*connection.streams_, core);
  if (core.foreign->has_ended || core.foreign->is_given_up) return false;
  set_given_up(connection, core, why);
  return true;
}

bool Foreign::is_given_up(Connection& connection, const StreamCore& core) {
  const std::lock_guard lock(connection.lock_);
  return core.foreign->is_given_up;
}

Result<wire::Metadata> Foreign::end_metadata(Connection& connection, const StreamCore& core) {
  const std::lock_guard lock(connection.lock_);
  if (core.foreign->has_ended) return core.foreign->metadata;
  return Status(Code::failed_precondition, "the handler has not ended the stream");
}

// --- By the handler; send() as Connection::send_on

// Under the lock. The metadata belong to the handler's fiber: another one that has the first word
// leaves them to the end.
void Foreign::set_head(ForeignEnd& end) {
  if (end.has_head) return;
  end.has_head = true;
  if (end.context == nullptr || end.handler != rt::fiber_number()) return;
  end.head = end.context->reply_metadata();
}

void Foreign::before_receive(StreamCore& core) {
  ForeignEnd& end = *core.foreign;
  set_head(end);
  const bool has_to_wait = core.inbox.empty() && !core.has_other_finished && !core.is_over;
  if (!has_to_wait || end.is_head_wanted) return;
  end.is_head_wanted = true;
  end.there.signal();
}

Status Foreign::send(Connection& connection, StreamCore& core, Bytes body, rt::Deadline deadline) {
  const std::size_t cost = core.cost_of(body);
  const rt::Deadline until = std::min(deadline, core.deadline);
  Connection::Lock lock(connection.lock_);
  Streams& streams = *connection.streams_;
  Status waited;
  for (;;) {
    if (core.deadline.is_over()) return time_is_over();
    if (core.is_over) return core.end;
    if (!waited.is_ok()) return waited;
    const Streams::Missing missing = streams.missing(core, cost);
    if (missing == Streams::Missing::nothing) break;
    const bool is_session = missing == Streams::Missing::session;
    if (is_session) ++core.foreign->waits_to_send;
    waited = (is_session ? streams.session_may_go() : core.may_go).wait(lock, until);
    if (is_session) --core.foreign->waits_to_send;
    if (waited.code() == Code::deadline_exceeded && deadline.is_over()) {
      waited = Status(Code::deadline_exceeded,
                      "waited in vain for the other side to read from the "
                      "stream");
    }
  }
  streams.spend(core, cost);
  ++core.sent_count;
  set_head(*core.foreign);
  core.foreign->sent.push_back(std::move(body));
  core.foreign->there.signal();
  return {};
}

}  // namespace parley::impl
