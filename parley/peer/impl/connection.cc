#include "parley/peer/impl/connection.h"

#include <limits>
#include <utility>

#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// One read brings at most this much; frames in it share it without copying.
constexpr std::size_t read_chunk_bytes = std::size_t{64} * 1024;
// With less room than this at its end, a chunk is left to the bodies that point into it.
constexpr std::size_t least_read_bytes = std::size_t{4} * 1024;
// A sending buffer that a burst made larger than this is given back.
constexpr std::size_t kept_buffer_bytes = std::size_t{256} * 1024;

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

// The memory reads go to. While no body points into a chunk, it is used again.
class ReadBuffer {
 public:
  std::span<char> room() {
    if (chunk_ && chunk_.get()->is_unique()) used_ = 0;
    if (!chunk_ || chunk_->capacity() - used_ < least_read_bytes) {
      chunk_ = BlockRef(Block::allocate(read_chunk_bytes));
      used_ = 0;
    }
    return {chunk_->data() + used_, chunk_->capacity() - used_};
  }
  Bytes take(std::size_t size) {
    used_ += size;
    return Bytes::view_of(chunk_, used_ - size, size);
  }

 private:
  BlockRef chunk_;
  std::size_t used_ = 0;
};

}  // namespace

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionId id,
                       std::shared_ptr<const PeerOptions> options, std::shared_ptr<Router> router)
    : stream_(std::move(stream)),
      id_(id),
      options_(std::move(options)),
      router_(std::move(router)),
      framing_(wire::RawLimits{.max_frame_bytes = options_->max_frame_bytes}),
      decoder_(framing_.make_decoder()) {}

// --- The life of a session

void Connection::run() {
  rt::Scope scope;
  scope_ = &scope;
  scope.go("session writer", [this] { write_loop(); });
  const Status why = read_loop();
  const bool in_order = why.is_ok();
  end(in_order ? Status(Code::unavailable, "the other side closed the session") : why, in_order);
  scope.cancel(Status(Code::cancelled, "the session has ended").with_cause(reason_.message()));
  scope.join();
  scope_ = nullptr;
}

// Nothing can come any more. In order (the other side finished): what is still being answered may
// leave; it may have half-closed only to say that it has no more questions.
void Connection::end(const Status& why, bool in_order) {
  if (reason_.is_ok()) reason_ = why;
  phase_ = Phase::ended;
  fail_pending(reason_);
  if (in_order) {
    (void)wait_quiet(rt::Deadline::after(options_->drain_timeout));
    finish_writing_ = true;
    has_output_.set();
    (void)writer_done_.wait();
    (void)stream_->close_write();
  } else if (reason_.code() != Code::cancelled) {
    log("closed: " + reason_.to_string());
  }
  can_send_ = false;
  finish_writing_ = true;
  stream_->close();
  has_output_.set();
  has_room_.set();
  closed_.set();
}

// A handler that closes its own session is not waited for: it waits for the end itself.
bool Connection::in_own_handler() const {
  return scope_ != nullptr && rt::Context::current().descends_from(scope_->context());
}

void Connection::close() {
  const bool inside = in_own_handler();
  if (inside) ++closing_handlers_;
  quiet_.set();
  if (phase_ == Phase::open) {
    phase_ = Phase::closing;
    reason_ = Status(Code::cancelled, "the session was closed on this side");
    (void)wait_quiet(rt::Deadline::after(options_->drain_timeout));
    finish_writing_ = true;
    has_output_.set();
    (void)writer_done_.wait();
    (void)stream_->close_write();
    if (!closed_.wait(rt::Deadline::after(options_->close_timeout)).is_ok()) stream_->close();
  }
  (void)closed_.wait();
  if (inside) --closing_handlers_;
}

Status Connection::wait_closed(rt::Deadline deadline) {
  if (Status s = closed_.wait(deadline); !s.is_ok()) return s;
  return reason_;
}

bool Connection::wait_quiet(rt::Deadline deadline) {
  while (handlers_ > closing_handlers_ || !pending_.empty()) {
    quiet_.reset();
    if (!quiet_.wait(deadline).is_ok()) return false;
  }
  return true;
}

// --- Reading

Status Connection::read_loop() {
  ReadBuffer buffer;
  rt::Deadline frame_deadline;
  for (;;) {
    const auto size = stream_->read(buffer.room(), frame_deadline);
    if (!size) {
      if (size.error().code() != Code::deadline_exceeded) return size.error();
      return {Code::deadline_exceeded, "a message did not come whole within frame_timeout (" +
                                           seconds(options_->frame_timeout) + ")"};
    }
    if (*size == 0) {
      if (!decoder_->mid_frame()) return {};
      return {Code::unavailable, "the other side closed the session in the middle of a message"};
    }
    const bool was_mid_frame = decoder_->mid_frame();
    decoder_->feed(buffer.take(*size));
    bool frame_completed = false;
    if (Status s = read_frames(frame_completed); !s.is_ok()) return s;
    if (!decoder_->mid_frame()) {
      frame_deadline = rt::Deadline::never();
    } else if (frame_completed || !was_mid_frame) {
      frame_deadline = rt::Deadline::after(options_->frame_timeout);
    }
  }
}

Status Connection::read_frames(bool& frame_completed) {
  for (;;) {
    auto message = decoder_->next();
    if (!message) return message.error();
    if (!message->has_value()) return {};
    frame_completed = true;
    if (Status s = accept_message(**std::move(message)); !s.is_ok()) return s;
  }
}

Status Connection::accept_message(Message message) {
  switch (message.type) {
    case MessageType::reply: {
      const auto found = pending_.find(message.seq);
      // Nobody waits any more: the caller gave up before the answer came.
      if (found == pending_.end()) return {};
      found->second->reply = std::move(message);
      found->second->done.set();
      pending_.erase(found);
      if (pending_.empty()) quiet_.set();
      return {};
    }
    case MessageType::call:
    case MessageType::push:
      accept_request(std::move(message));
      return {};
    default:
      return {Code::unimplemented, "message type " + std::string(name_of(message.type)) +
                                       " is not expected in a session"};
  }
}

void Connection::accept_request(Message request) {
  if (phase_ != Phase::open) {
    refuse(request, Status(Code::unavailable, "the session is closing: the call was not run"));
    return;
  }
  if (handlers_ >= options_->max_handlers) {
    refuse(request, Status(Code::resource_exhausted,
                           "max_handlers: " + std::to_string(handlers_) +
                               " calls of this session are running; the call was not run"));
    return;
  }
  ++handlers_;
  const std::string name = request.method;
  scope_->go(name, [this, request = std::move(request)] {
    serve(request);
    --handlers_;
    quiet_.set();
  });
}

void Connection::serve(const Message& request) {
  Context context(Session(shared_from_this()), request);
  Result<Bytes> answer = router_->serve(context, request);
  if (request.type == MessageType::call) {
    reply(request.seq, std::move(answer), std::move(context.reply_metadata()));
  } else if (!answer) {
    log("PUSH " + request.method + " failed: " + answer.error().to_string());
  }
}

void Connection::refuse(const Message& request, Status why) {
  if (request.type == MessageType::call) {
    reply(request.seq, std::move(why), {});
  } else {
    log("PUSH " + request.method + " dropped: " + why.to_string());
  }
}

void Connection::reply(std::int32_t seq, Result<Bytes> answer, wire::Metadata metadata) {
  Message message{.seq = seq, .type = MessageType::reply, .metadata = std::move(metadata)};
  if (!answer) {
    message.status = answer.error();
  } else if (!answer->empty()) {
    message.body_codec = wire::BodyCodec::json;
    message.body = *std::move(answer);
  }
  Status sent = enqueue(message, rt::Deadline::never(), nullptr);
  if (sent.is_ok() || !can_send_) return;
  // The answer itself is what cannot be sent (it is too large): say that instead.
  message = {.seq = seq,
             .type = MessageType::reply,
             .status = Status(sent.code(), "the answer cannot be sent: " + sent.message())};
  (void)enqueue(message, rt::Deadline::never(), nullptr);
}

// --- Writing

Status Connection::enqueue(const Message& message, rt::Deadline deadline,
                           std::uint64_t* frame_end) {
  while (can_send_ && outgoing_.size() >= options_->max_outgoing_bytes) {
    has_room_.reset();
    if (Status s = has_room_.wait(deadline); !s.is_ok()) {
      return Status(Code::not_sent,
                    "max_outgoing_bytes are waiting to be sent and the other side "
                    "takes nothing")
          .with_cause(s.message());
    }
  }
  if (!can_send_) {
    return Status(Code::not_sent, "the session has ended").with_cause(reason_.message());
  }
  const std::size_t before = outgoing_.size();
  if (Status s = framing_.encode(message, outgoing_); !s.is_ok()) return s;
  enqueued_ += outgoing_.size() - before;
  if (frame_end != nullptr) *frame_end = enqueued_;
  has_output_.set();
  return {};
}

void Connection::write_loop() {
  Status status;
  while (status.is_ok()) {
    if (outgoing_.empty()) {
      if (finish_writing_) break;
      has_output_.reset();
      status = has_output_.wait();
      continue;
    }
    status = flush();
  }
  can_send_ = false;
  if (!status.is_ok()) {
    if (reason_.is_ok()) reason_ = status;
    stream_->close();  // which the reader finds, and ends the session
  }
  has_room_.set();
  writer_done_.set();
}

Status Connection::flush() {
  std::swap(outgoing_, writing_);
  has_room_.set();
  std::string_view left = writing_;
  while (!left.empty()) {
    const auto size = stream_->write_some(left, rt::Deadline::after(options_->write_timeout));
    if (!size) {
      if (size.error().code() != Code::deadline_exceeded) return size.error();
      return {Code::unavailable, "the other side took nothing for write_timeout (" +
                                     seconds(options_->write_timeout) + ")"};
    }
    written_ += *size;
    left.remove_prefix(*size);
  }
  writing_.clear();
  if (writing_.capacity() > kept_buffer_bytes) writing_ = {};
  return {};
}

// --- Calling

std::int32_t Connection::next_seq() {
  do {
    last_seq_ = last_seq_ == std::numeric_limits<std::int32_t>::max() ? 1 : last_seq_ + 1;
  } while (pending_.contains(last_seq_));
  return last_seq_;
}

Result<Message> Connection::call(const CallOptions& options, std::string_view method,
                                 wire::BodyCodec codec, Bytes body) {
  if (phase_ != Phase::open) {
    return Status(Code::not_sent, "the session has ended").with_cause(reason_.message());
  }
  if (pending_.size() >= options_->max_calls) {
    return Status(Code::resource_exhausted, "max_calls: " + std::to_string(pending_.size()) +
                                                " calls of this session wait for an answer");
  }
  const Duration timeout = options.timeout.value_or(options_->call_timeout);
  const auto deadline = rt::Deadline::after(timeout);
  Message message{.seq = next_seq(),
                  .type = MessageType::call,
                  .method = std::string(method),
                  .metadata = options.metadata,
                  .body_codec = codec,
                  .body = std::move(body)};
  // In the table before it can wait for room, so that no other call takes its number.
  Pending pending;
  pending_.emplace(message.seq, &pending);
  Status status = enqueue(message, deadline, &pending.frame_end);
  if (status.is_ok()) status = pending.done.wait(deadline);
  if (!pending.done.is_set()) {
    pending_.erase(message.seq);
    if (pending_.empty()) quiet_.set();
    if (status.code() == Code::deadline_exceeded) {
      return Status(Code::deadline_exceeded, "no answer to " + message.method + " from " +
                                                 stream_->remote_address().to_string() +
                                                 " within " + seconds(timeout) +
                                                 "; it may still run there");
    }
    return status;
  }
  if (!pending.failure.is_ok()) return pending.failure;
  return std::move(pending.reply);
}

Status Connection::push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                        Bytes body) {
  if (phase_ != Phase::open) {
    return Status(Code::not_sent, "the session has ended").with_cause(reason_.message());
  }
  const Message message{.seq = next_seq(),
                        .type = MessageType::push,
                        .method = std::string(method),
                        .metadata = options.metadata,
                        .body_codec = codec,
                        .body = std::move(body)};
  const Duration timeout = options.timeout.value_or(options_->call_timeout);
  return enqueue(message, rt::Deadline::after(timeout), nullptr);
}

// A frame that was not handed to the network whole cannot have been understood over there.
void Connection::fail_pending(const Status& why) {
  for (const auto& [seq, pending] : pending_) {
    const bool left = pending->frame_end != 0 && pending->frame_end <= written_;
    pending->failure =
        left ? Status(Code::outcome_unknown, "the session was cut before the answer came")
             : Status(Code::not_sent, "the session was cut before the call was sent");
    pending->failure = pending->failure.with_cause(why.message());
    pending->done.set();
  }
  pending_.clear();
  quiet_.set();
}

void Connection::log(const std::string& line) const {
  if (!options_->log) return;
  std::string text = "session " + std::to_string(id_.value()) + " with " +
                     stream_->remote_address().to_string() + ": " + line;
  // The other side chose part of it (names of methods): it must not forge lines or drive a
  // terminal.
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  }
  options_->log(text);
}

}  // namespace parley::impl
