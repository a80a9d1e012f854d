// The serving side of a Connection.
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

}  // namespace

// Runs what has arrived, in its order. Who waits in the middle of it is no longer the reader, and
// must not look at what arrived any more.
bool Connection::run_calls(Turn& turn, const rt::OnPark& waits) {
  while (next_arrived_ < arrived_.size()) {
    Arrived arrived = std::move(arrived_[next_arrived_++]);
    // Without a fiber to go on with the rest, this one must not wait: those that hold the others
    // may wait for what comes here.
    if (arrived.verdict == Verdict::run && !turn.stand_in) {
      arrived.verdict = Verdict::max_fibers;
      handler_ended(held_by(arrived.message));
    }
    if (arrived.verdict == Verdict::run) {
      serve(arrived.message, ++handlers_started_);
    } else {
      refuse(arrived);
    }
    if (waits.was_called()) return false;
  }
  arrived_.clear();
  next_arrived_ = 0;
  return true;
}

void Connection::refuse(const Arrived& arrived) {
  if (arrived.verdict == Verdict::control) return answer_control(arrived.message);
  const std::string in_use = std::to_string(arrived.in_use);
  Status why;
  switch (arrived.verdict) {
    case Verdict::run:
    case Verdict::control:
      return;
    case Verdict::closing:
      why = Status(Code::unavailable, "the session is closing: the call was not run");
      break;
    case Verdict::max_handlers:
      why = Status(
          Code::resource_exhausted,
          "max_handlers: " + in_use + " calls of this session are running; the call was not run");
      break;
    case Verdict::max_handler_bytes:
      why = Status(Code::resource_exhausted,
                   "max_handler_bytes: the calls of this session that are running hold " + in_use +
                       " bytes; the call was not run");
      break;
    case Verdict::no_body:
      why = arrived.message.status;
      break;
    case Verdict::max_fibers:
      why = Status(Code::resource_exhausted, "max_fibers: no fiber for the call; it was not run");
      break;
  }
  const Message& request = arrived.message;
  if (request.type == MessageType::call) {
    reply(request.seq, std::move(why), {}, nullptr);
  } else {
    log("PUSH " + std::string(request.method) + " dropped: " + why.to_string());
  }
}

// What is neither a request nor an answer.
void Connection::answer_control(const Message& message) {
  Message answer{.type = MessageType::pong, .value = message.value};
  if (message.type == MessageType::open) {
    answer = {.seq = message.seq,
              .type = MessageType::end,
              .status = Status(Code::unimplemented, "this peer serves no streams")};
  } else if (message.type != MessageType::ping) {
    return;  // on a stream that was refused, or about what is not looked at yet
  }
  Lock lock(lock_);
  const Status room = wait_for_room(lock, answer, rt::Deadline::never());
  if (room.is_ok() && can_send_ && encode(answer).is_ok()) ask_to_send(lock);
}

void Connection::serve(const Message& request, std::uint64_t number) {
  Context context(Session(shared_from_this(), number), request);
  Result<Bytes> answer = router_->serve(context, request);
  if (request.type == MessageType::call) {
    reply(request.seq, std::move(answer), std::move(context.reply_metadata()), &request);
    return;
  }
  if (!answer)
    log("PUSH " + std::string(request.method) + " failed: " + answer.error().to_string());
  handler_ended(held_by(request));
}

// `served`: the request whose handler ends with this; null when none ran.
void Connection::reply(std::int32_t seq, Result<Bytes> answer, wire::Metadata metadata,
                       const Message* served) {
  Message message{.seq = seq, .type = MessageType::reply, .metadata = std::move(metadata)};
  if (!answer) {
    message.status = answer.error();
  } else if (!answer->empty()) {
    message.body_codec = wire::BodyCodec::json;
    message.body = *std::move(answer);
  }
  send_answer(message, served);
}

void Connection::send_answer(const Message& answer, const Message* served) {
  Lock lock(lock_);
  const Status room = wait_for_room(lock, answer, rt::Deadline::never());
  if (served != nullptr) count_out(held_by(*served));
  if (!room.is_ok() || !can_send_ || encoder_ == nullptr) return;
  if (Status s = encode(answer); !s.is_ok()) {
    // The answer itself is what cannot be sent (it is too large): say that instead.
    (void)encode({.seq = answer.seq,
                  .type = MessageType::reply,
                  .status = Status(s.code(), "the answer cannot be sent: " + s.message())});
  }
  ask_to_send(lock);
}

void Connection::handler_ended(std::size_t held) {
  const std::lock_guard lock(lock_);
  count_out(held);
}

// Under the lock: a handler has ended.
void Connection::count_out(std::size_t held) {
  --handlers_;
  handler_bytes_ -= held;
  if (draining_ > 0) quiet_.set();
}

}  // namespace parley::impl
