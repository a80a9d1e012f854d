#include "parley/peer/impl/enclosing.h"

#include <mutex>
#include <string>
#include <utility>

#include "parley/peer/impl/filters.h"
#include "parley/peer/impl/plugged.h"
#include "parley/wire/filter.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// What is larger may take long: what stands behind it does not wait for it.
constexpr std::size_t quickly_closed_bytes = 4096;

bool is_enclosed_by(const Envelope* envelope, const wire::Metadata& question) {
  return envelope != nullptr && envelope->cover_of(question).question;
}

}  // namespace

Status Enclosing::close_question(Connection& connection, Outgoing& out) {
  bool takes_filtered_bodies = false;
  {
    const std::lock_guard lock(connection.lock_);
    if (connection.encoder_ == nullptr) return connection.not_sent();
    takes_filtered_bodies = connection.encoder_->takes_filtered_bodies();
  }
  Message& message = out.message;
  if (!out.text.empty()) message.body = Bytes::copy_of(std::exchange(out.text, {}));
  Envelope& envelope = *connection.extras_.envelope();
  const bool is_closed = envelope.cover_of(message.metadata).question;
  const auto close = [&] { return is_closed ? envelope.close(message, 0) : Status(); };
  if (message.filters.empty()) return close();
  if (takes_filtered_bodies) {
    Status status = connection.go_through_filters(out);
    return status.is_ok() ? close() : status;
  }
  // There the filters are the encoder's: what came through them elsewhere comes out of them first.
  const PeerOptions& options = *connection.options_;
  Status status = wire::unfilter_body(message, options.filters.get(), undone_limit(options));
  if (status.is_ok()) status = close();
  return status.is_ok() ? connection.go_through_filters(out) : status;
}

Status Enclosing::close_own(const Connection& connection, Message& question) {
  Envelope* const envelope = connection.extras_.envelope();
  return is_enclosed_by(envelope, question.metadata) ? envelope->close(question, 0) : Status();
}

void Enclosing::open_late(const Connection& connection, Message& reply) {
  Envelope* const envelope = connection.extras_.envelope();
  if (envelope == nullptr || reply.is_refused) return;
  if (envelope->is_closed(reply)) (void)envelope->open(reply, 0);
}

void Enclosing::open_answer(const Connection& connection, const wire::Metadata& question,
                            Message& reply) {
  Envelope* const envelope = connection.extras_.envelope();
  // Of one that was too large this side itself says so.
  if (envelope == nullptr || reply.is_refused) return;
  if (!envelope->cover_of(question).answer && !envelope->is_closed(reply)) return;
  Status status = envelope->open(reply, 0);
  if (status.is_ok()) return;
  reply.is_filtered = false;
  reply.body = {};
  reply.metadata = {};
  reply.status = std::move(status);
}

Status Enclosing::open_question(Connection& connection, Message& request, rt::OnPark& waits) {
  Envelope* const envelope = connection.extras_.envelope();
  if (!is_enclosed_by(envelope, request.metadata)) return {};
  if (request.body.size() > quickly_closed_bytes) waits.call_now();
  const std::size_t held_before = held_by(request);
  Status status = envelope->open(request, 0);
  Plugged::count_again(connection, held_before, held_by(request));
  return status;
}

Status Enclosing::close_answer(const Connection& connection, const wire::Metadata& question,
                               Message& answer, std::uint64_t place) {
  Envelope* const envelope = connection.extras_.envelope();
  if (envelope == nullptr) return {};
  const Envelope::Cover cover = envelope->cover_of(question);
  const bool is_covered = answer.type == MessageType::end ? cover.question : cover.answer;
  return is_covered ? envelope->close(answer, place) : Status();
}

void Enclosing::close_reply(Connection& connection, const Message& request, Answer& answer,
                            Outgoing& reply, rt::OnPark& waits) {
  if (connection.extras_.envelope() == nullptr) return;
  Message& message = reply.message;
  if (message.body.empty()) message.body = Bytes::from(std::exchange(answer.text, {}));
  if (message.body.size() > quickly_closed_bytes) waits.call_now();
  bool closes_last = true;
  {
    const std::lock_guard lock(connection.lock_);
    if (connection.encoder_ == nullptr) return;
    closes_last = connection.encoder_->takes_filtered_bodies();
  }
  const bool is_filtered = message.type == MessageType::reply && message.status.is_ok() &&
                           !message.body.empty() && !request.filters.empty();
  // False when something else is said instead.
  const auto close = [&] {
    Status status = close_answer(connection, request.metadata, message, request.value);
    if (status.is_ok()) return true;
    message = {.seq = message.seq,
               .type = message.type,
               .status = Status(status.code(), "the answer cannot be enclosed")};
    status = close_answer(connection, request.metadata, message, request.value);
    if (status.is_ok()) return false;
    // Nothing can be said any more that the other side would believe.
    Connection::Lock lock(connection.lock_);
    connection.cut(lock, status);
    return false;
  };
  if (is_filtered) message.filters = request.filters;
  if (is_filtered && closes_last) connection.filter_answer(request, answer, reply, waits);
  if (is_filtered && !closes_last && std::exchange(answer.is_filtered, false)) {
    // A proxy's: the encoder filters what is closed.
    message.is_filtered = true;
    const PeerOptions& options = *connection.options_;
    const Status status =
        wire::unfilter_body(message, options.filters.get(), undone_limit(options));
    if (!status.is_ok()) {
      message = {.seq = message.seq,
                 .type = message.type,
                 .status = status.with_context("the answer cannot be sent")};
      (void)close();
      return;
    }
  }
  if (!close() || !is_filtered || closes_last) return;
  connection.filter_answer(request, answer, reply, waits);
  if (!message.status.is_ok()) (void)close();
}

void Enclosing::check_refused(const Connection& connection, Arrived& arrived) {
  Envelope* const envelope = connection.extras_.envelope();
  const Verdict verdict = arrived.verdict;
  if (envelope == nullptr || verdict == Verdict::run || verdict == Verdict::control ||
      verdict == Verdict::taken || !is_enclosed_by(envelope, arrived.message.metadata)) {
    return;
  }
  // Who lost the body of one that was too large has not forged it, and cannot show who sent it.
  Status status = arrived.message.is_refused
                      ? Status(Code::unauthenticated, "what has no body cannot be opened")
                            .with_cause(arrived.message.status.message())
                      : envelope->open(arrived.message, 0);
  if (status.is_ok()) return;
  arrived.verdict = Verdict::no_body;
  arrived.message.status = std::move(status);
}

Status Enclosing::close_refusal(const Connection& connection, Message& answer) {
  Envelope* const envelope = connection.extras_.envelope();
  const bool is_answer = answer.type == MessageType::reply || answer.type == MessageType::end;
  return envelope != nullptr && is_answer ? envelope->close(answer, 0) : Status();
}

Result<bool> Enclosing::close_open(const Connection& connection, Message& open) {
  Envelope* const envelope = connection.extras_.envelope();
  if (!is_enclosed_by(envelope, open.metadata)) return false;
  if (Status s = envelope->close(open, 0); !s.is_ok()) return s;
  return true;
}

bool Enclosing::is_enclosed(const Connection& connection, const Message& open) {
  return is_enclosed_by(connection.extras_.envelope(), open.metadata);
}

std::size_t Enclosing::cost_beside(const Connection& connection, const StreamCore& core) {
  return core.is_enclosed ? connection.extras_.envelope()->overhead() : 0;
}

Status Enclosing::close_data(const Connection& connection, const StreamCore& core,
                             Message& message) {
  return connection.extras_.envelope()->close(message, core.sent_count);
}

Status Enclosing::close_end(const Connection& connection, const StreamCore& core, Message& end) {
  return core.is_enclosed ? connection.extras_.envelope()->close(end, core.sent_count) : Status();
}

void Enclosing::open_data(const Connection& connection, Message& message) {
  if (message.type != MessageType::data || message.is_refused) return;
  const Streams::Core core =
      connection.streams_ == nullptr ? nullptr : connection.streams_->of_message(message);
  if (core == nullptr || !core->is_enclosed) return;
  const std::size_t size = message.body.size();
  const Status status = connection.extras_.envelope()->open(message, core->came_count);
  if (status.is_ok()) return;
  message.is_refused = true;
  message.value = size;
  message.body = {};
  message.status = status.with_context("a message of the stream cannot be read");
}

Status Enclosing::open_end(const Connection& connection, Message& message) {
  if (message.type != MessageType::end || connection.streams_ == nullptr) return {};
  const Streams::Core core = connection.streams_->of_message(message);
  Envelope* const envelope = connection.extras_.envelope();
  if (core == nullptr || envelope == nullptr) return {};
  // One that refuses an OPEN is enclosed whatever that was.
  if (!core->is_enclosed && !envelope->is_closed(message)) return {};
  return envelope->open(message, core->came_count);
}

Status Enclosing::close_early(const Connection& connection, Message& message) {
  Envelope* const envelope = connection.extras_.envelope();
  const bool is_exchange =
      message.type == MessageType::auth_call || message.type == MessageType::auth_reply;
  return envelope != nullptr && is_exchange ? envelope->close(message, 0) : Status();
}

Status Enclosing::open_early(const Connection& connection, Message& message) {
  Envelope* const envelope = connection.extras_.envelope();
  return envelope != nullptr ? envelope->open(message, 0) : Status();
}

}  // namespace parley::impl
