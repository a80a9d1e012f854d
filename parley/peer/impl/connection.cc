#include "parley/peer/impl/connection.h"

#include <algorithm>
#include <utility>

#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// After so many messages of one read the reader lets others run: messages that nobody runs (late
// answers, say) cost a worker time without ever making it wait.
constexpr std::size_t messages_per_turn = 64;

// Marks the context of a session's fibers.
struct InSession {};

// What a request holds while it is served.
std::size_t held_by(const Message& request) {
  std::size_t bytes = request.body.size();
  for (const auto& [key, value] : request.metadata) {
    bytes += sizeof(wire::Metadata::Entry) + key.size() + value.size();
  }
  return bytes;
}

std::string printable(std::string text) {
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  }
  return text;
}

}  // namespace

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

Framings framings_of(const PeerOptions& options) {
  if (!options.framings.empty()) return options.framings;
  wire::ParleyLimits limits;
  limits.takes.max_message =
      std::max<std::uint64_t>(options.max_frame_bytes, wire::Settings().max_message);
  limits.takes.max_frame = std::min(limits.takes.max_frame, limits.takes.max_message);
  const wire::RawLimits raw_limits{.max_frame_bytes = options.max_frame_bytes};
  return {std::make_shared<wire::ParleyFraming>(limits),
          std::make_shared<wire::RawFraming>(raw_limits)};
}

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionId id, Side side, Origin origin,
                       const rt::Context& parent)
    : local_address_(stream->local_address().to_string()),
      remote_address_(stream->remote_address().to_string()),
      id_(id),
      options_(std::move(origin.options)),
      framings_(std::move(origin.framings)),
      context_(parent.with_value(InSession())),
      stream_(std::move(stream)),
      router_(std::move(origin.router)) {
  if (side == Side::dialled || framings_->size() == 1) speak(*framings_->front());
}

// --- The life of a session

void Connection::run() {
  {
    rt::Scope scope(context_);
    scope_ = &scope;
    Status why(Code::resource_exhausted, "max_fibers: no fiber for the session's writer");
    if (scope.try_go("session writer", [this] { write_loop(); })) {
      why = read_loop();
    } else {
      writer_done_.set();
    }
    const bool in_order = why.is_ok();
    end(in_order ? Status(Code::unavailable, "the other side closed the session") : why, in_order);
    scope.cancel(Status(Code::cancelled, "the session has ended").with_cause(reason_.message()));
  }
  let_go();
}

void Connection::abandon(const Status& why) {
  writer_done_.set();
  end(why, false);
  let_go();
}

// Handles may be kept for long, by a handler of this very router even; what is behind them is not.
void Connection::let_go() {
  const std::shared_ptr<Router> router = std::move(router_);
  std::shared_ptr<net::Stream> stream;  // ends outside the lock
  const std::lock_guard lock(lock_);
  std::swap(stream, stream_);
}

// Nothing can come any more. In order (the other side finished): what is still being answered may
// leave; it may have half-closed only to say that it has no more questions.
void Connection::end(const Status& why, bool in_order) {
  // Ending has its own time limits; it must not be cut short by a context that is over.
  const rt::WithContext bound(rt::Context::background());
  Lock lock(lock_);
  if (reason_.is_ok()) reason_ = why;
  phase_ = Phase::ended;
  const std::uint64_t enqueued = enqueued_;
  lock.unlock();
  has_room_.broadcast();
  if (in_order) {
    // All that is queued will still be sent.
    fail_pending(enqueued);
    finish_writing();
  } else if (reason_.code() != Code::cancelled) {
    log("closed: " + reason_.to_string());
  }
  stop_sending();
  // What has left is certain only when the writer writes no more; it does not wait for anything.
  (void)writer_done_.wait();
  fail_pending(written_);
  closed_.set();
}

void Connection::stop_sending() {
  {
    const std::lock_guard lock(lock_);
    can_send_ = false;
    finish_writing_ = true;
  }
  stream_->close();
  has_output_.set();
  has_room_.broadcast();
}

// Lets handlers and calls under way end, sends what is queued and half-closes.
void Connection::finish_writing() {
  (void)wait_quiet(rt::Deadline::after(options_->drain_timeout));
  Lock lock(lock_);
  finish_writing_ = true;
  const std::shared_ptr<net::Stream> stream = stream_;  // the session may end meanwhile
  lock.unlock();
  has_output_.set();
  (void)writer_done_.wait(rt::Deadline::after(options_->flush_timeout));
  if (stream != nullptr && !closed_.is_set()) (void)stream->close_write();
}

// A handler that closes its own session is not waited for: it waits for the end itself.
bool Connection::in_own_handler() const { return rt::Context::current().descends_from(context_); }

void Connection::close(std::uint64_t handler) {
  if (closed_.is_set()) return;
  const bool inside = in_own_handler();
  Lock lock(lock_);
  if (inside) ++closers_[handler];
  const bool is_first = phase_ == Phase::open;
  if (is_first) {
    reason_ = Status(Code::cancelled, "the session was closed on this side");
    phase_ = Phase::closing;  // after the reason: whoever sees it may read that
  }
  lock.unlock();
  quiet_.set();
  const rt::WithContext bound(rt::Context::background());
  if (is_first) {
    finish_writing();
    if (!closed_.wait(rt::Deadline::after(options_->close_timeout)).is_ok()) {
      lock.lock();
      const std::shared_ptr<net::Stream> stream = stream_;
      lock.unlock();
      if (stream != nullptr) stream->close();
    }
  }
  (void)closed_.wait();
  if (!inside) return;
  lock.lock();
  const auto mine = closers_.find(handler);
  if (--mine->second == 0) closers_.erase(mine);
}

Status Connection::wait_closed(rt::Deadline deadline) {
  if (Status s = closed_.wait(deadline); !s.is_ok()) return s;
  return reason_;  // which does not change any more
}

bool Connection::wait_quiet(rt::Deadline deadline) {
  Lock lock(lock_);
  ++draining_;
  Status status;
  // Several fibers of one handler may close at once: it is still one handler.
  while ((handlers_ > closers_.size() || calls_ > 0) && status.is_ok()) {
    quiet_.reset();
    lock.unlock();
    status = quiet_.wait(deadline);
    lock.lock();
  }
  --draining_;
  return status.is_ok();
}

// A frame that does not lie whole within the first `sent` bytes of the outgoing stream cannot have
// been understood over there.
void Connection::fail_pending(std::uint64_t sent) {
  Lock lock(lock_);
  calls_ -= pending_.size();
  PendingCall* call = pending_.take_all();
  lock.unlock();
  while (call != nullptr) {
    PendingCall* next = call->next;  // once told, the call may be gone
    const Status failure =
        call->frame_end <= sent
            ? Status(Code::outcome_unknown, "the session was cut before the answer came")
            : Status(Code::not_sent, "the session was cut before the call was sent");
    call->failure = failure.with_cause(reason_.message());
    call->done.set();
    call = next;
  }
  quiet_.set();
}

// --- Reading

// Nothing when the other side has closed.
Result<std::size_t> Connection::read_some(ReadBuffer& buffer, rt::Deadline frame_deadline) {
  auto size = stream_->read(buffer.room(), frame_deadline);
  if (size || !frame_deadline.is_over()) return size;
  return Status(Code::deadline_exceeded, "a message did not come whole within frame_timeout (" +
                                             in_milliseconds(options_->frame_timeout) + ")");
}

Status Connection::read_loop() {
  ReadBuffer buffer;
  if (decoder_ == nullptr) {
    if (Status s = find_framing(buffer); !s.is_ok() || decoder_ == nullptr) return s;
  }
  rt::Deadline frame_deadline;
  bool was_mid_frame = false;
  rt::Deadline parts_deadline;
  std::uint64_t oldest = 0;
  for (;;) {
    bool frame_completed = false;
    if (Status s = read_frames(frame_completed); !s.is_ok()) return s;
    if (!decoder_->mid_frame()) {
      frame_deadline = rt::Deadline::never();
    } else if (frame_completed || !was_mid_frame) {
      frame_deadline = rt::Deadline::after(options_->frame_timeout);
    }
    was_mid_frame = decoder_->mid_frame();
    // The same for a body that comes in parts.
    if (decoder_->oldest_unfinished() != std::exchange(oldest, decoder_->oldest_unfinished())) {
      parts_deadline =
          oldest == 0 ? rt::Deadline::never() : rt::Deadline::after(options_->frame_timeout);
    }
    // Whoever sends without end keeps the socket readable without end: others have their turn.
    rt::yield();
    const bool parts_first = parts_deadline.instant() < frame_deadline.instant();
    const auto size = read_some(buffer, parts_first ? parts_deadline : frame_deadline);
    if (!size) return size.error();
    if (*size == 0) {
      if (!decoder_->mid_message()) return {};
      return {Code::unavailable, "the other side closed the session in the middle of a message"};
    }
    decoder_->feed(buffer.take(*size));
  }
}

// Reads until the first bytes say what the other side speaks. Ok without a decoder: it closed
// without a word.
Status Connection::find_framing(ReadBuffer& buffer) {
  constexpr std::size_t enough = 16;
  Bytes begin;
  rt::Deadline deadline;
  for (;;) {
    const auto size = read_some(buffer, deadline);
    if (!size) return size.error();
    if (*size == 0) {
      if (begin.empty()) return {};
      return {Code::unavailable, "the other side closed the session in the middle of a message"};
    }
    if (begin.empty()) deadline = rt::Deadline::after(options_->frame_timeout);
    begin.append(buffer.take(*size));
    const std::string first = begin.slice(0, enough).to_string();
    bool is_open = false;
    for (const auto& framing : *framings_) {
      const wire::Match match = framing->matches(first);
      if (match == wire::Match::yes) {
        speak(*framing);
        decoder_->feed(std::move(begin));
        return {};
      }
      is_open = is_open || match == wire::Match::needs_more;
    }
    if (is_open && first.size() < enough) continue;
    std::string names;
    for (const auto& framing : *framings_) {
      names += (names.empty() ? "" : ", ") + std::string(framing->name());
    }
    return {Code::invalid_argument, "the first bytes are of no protocol that is spoken here (" +
                                        names + "): \"" + printable(first) + "\""};
  }
}

void Connection::speak(const wire::Framing& framing) {
  decoder_ = framing.make_decoder();
  Lock lock(lock_);
  encoder_ = framing.make_encoder();
  const std::size_t before = outgoing_.bytes();
  outgoing_.start(*encoder_);
  awaits_hello_ = outgoing_.bytes() > before;
  enqueued_ += outgoing_.bytes() - before;
  wake_writer(lock);
  has_room_.broadcast();
}

Status Connection::read_frames(bool& frame_completed) {
  for (;;) {
    const Status status = decode_some(frame_completed);
    const bool may_be_more = arrived_.size() == messages_per_turn;
    if (!arrived_.empty()) {
      sort_arrived();
      pass_on_arrived();
      arrived_.clear();
    }
    if (!status.is_ok() || !may_be_more) return status;
    rt::yield();
  }
}

// The error is that of the message behind those that arrived.
Status Connection::decode_some(bool& frame_completed) {
  while (arrived_.size() < messages_per_turn) {
    auto message = decoder_->next();
    if (!message) return message.error();
    if (!message->has_value()) return {};
    frame_completed = true;
    const MessageType type = (*message)->type;
    if (type == MessageType::auth_call || type == MessageType::auth_reply) {
      return {Code::unimplemented,
              "message type " + std::string(name_of(type)) + " is not expected in a session"};
    }
    if (type == MessageType::hello) take_hello();
    arrived_.emplace_back(**std::move(message));
  }
  return {};
}

void Connection::take_hello() {
  {
    const std::lock_guard lock(lock_);
    encoder_->allow(*decoder_->settings());
    awaits_hello_ = false;
  }
  has_room_.broadcast();
}

void Connection::sort_arrived() {
  const std::lock_guard lock(lock_);
  for (Arrived& arrived : arrived_) {
    const Message& message = arrived.message;
    if (message.type == MessageType::reply) {
      arrived.caller = pending_.take(message.seq);
      if (arrived.caller != nullptr) --calls_;
    } else if (message.type != MessageType::call && message.type != MessageType::push) {
      arrived.verdict = Verdict::control;
    } else {
      arrived.verdict = message.is_refused ? Verdict::no_body : admit(message, arrived.in_use);
    }
  }
  if (draining_ > 0) quiet_.set();
}

// Under the lock. A request that may run is counted from here on.
Connection::Verdict Connection::admit(const Message& request, std::size_t& in_use) {
  if (phase_ != Phase::open) return Verdict::closing;
  in_use = handlers_;
  if (handlers_ >= options_->max_handlers) return Verdict::max_handlers;
  in_use = handler_bytes_;
  const std::size_t held = held_by(request);
  if (handlers_ > 0 && handler_bytes_ + held > options_->max_handler_bytes) {
    return Verdict::max_handler_bytes;
  }
  ++handlers_;
  handler_bytes_ += held;
  return Verdict::run;
}

// In their order, but what is refused comes last: its answer may have to wait for room, and nobody
// else's is to wait with it.
void Connection::pass_on_arrived() {
  bool any_refused = false;
  for (Arrived& arrived : arrived_) {
    if (arrived.message.type == MessageType::reply) {
      if (arrived.caller == nullptr) continue;  // the caller gave up before the answer came
      arrived.caller->reply = std::move(arrived.message);
      arrived.caller->done.set();
    } else if (arrived.verdict != Verdict::run) {
      any_refused = true;
    } else if (!start_handler(arrived.message)) {
      arrived.verdict = Verdict::max_fibers;
      any_refused = true;
    }
  }
  if (!any_refused) return;
  for (const Arrived& arrived : arrived_) {
    if (arrived.verdict != Verdict::run) refuse(arrived);
  }
}

// False at the limit of fibers: the reader must not wait for one, since those that hold them may
// wait for what it reads. What a refusal needs stays in `request` then.
bool Connection::start_handler(Message& request) {
  const MessageType type = request.type;
  const std::int32_t seq = request.seq;
  const std::size_t held = held_by(request);
  const std::string_view method = request.method;
  const BlockRef method_block = request.method_block;
  const std::uint64_t number = ++handlers_started_;
  auto serve_it = [this, number, request = std::move(request)] { serve(request, number); };
  if (scope_->try_go(std::string(method), std::move(serve_it))) return true;
  request = {.seq = seq, .type = type, .method = method, .method_block = method_block};
  handler_ended(held);
  return false;
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
  if (room.is_ok() && can_send_ && encode(answer).is_ok()) wake_writer(lock);
}

// --- Serving

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
  wake_writer(lock);
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

void Connection::log(const std::string& line) const {
  if (!options_->log) return;
  // The other side chose part of it (names of methods): it must not forge lines or drive a
  // terminal.
  options_->log(printable("session " + std::to_string(id_.value()) + " with " + remote_address_ +
                          ": " + line));
}

}  // namespace parley::impl
