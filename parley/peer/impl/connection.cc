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
// After so many messages of one read the reader lets others run: messages that nobody runs (late
// answers, say) cost a worker time without ever making it wait.
constexpr int messages_per_turn = 64;
// A sending buffer that a burst made larger than this is given back.
constexpr std::size_t kept_buffer_bytes = std::size_t{256} * 1024;

std::string milliseconds(Duration duration) {
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
      local_address_(stream_->local_address().to_string()),
      remote_address_(stream_->remote_address().to_string()),
      id_(id),
      options_(std::move(options)),
      router_(std::move(router)),
      framing_(wire::RawLimits{.max_frame_bytes = options_->max_frame_bytes}),
      decoder_(framing_.make_decoder()) {}

// --- The life of a session

void Connection::run() {
  rt::Scope scope;
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
  scope.join();
  scope_ = nullptr;
  // Handles may be kept for long, by a handler of this very router even; what is behind them is
  // not.
  stream_.reset();
  router_.reset();
}

// Nothing can come any more. In order (the other side finished): what is still being answered may
// leave; it may have half-closed only to say that it has no more questions.
void Connection::end(const Status& why, bool in_order) {
  // Ending has its own time limits; it must not be cut short by a context that is over.
  const rt::WithContext bound(rt::Context::background());
  if (reason_.is_ok()) reason_ = why;
  phase_ = Phase::ended;
  // In order, all that is queued will still be sent.
  fail_pending(reason_, in_order ? enqueued_ : written_);
  has_room_.set();
  if (in_order) {
    finish_writing();
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

// Lets handlers and calls under way end, sends what is queued and half-closes.
void Connection::finish_writing() {
  (void)wait_quiet(rt::Deadline::after(options_->drain_timeout));
  finish_writing_ = true;
  has_output_.set();
  (void)writer_done_.wait(rt::Deadline::after(options_->flush_timeout));
  if (!closed_.is_set()) (void)stream_->close_write();
}

// A handler that closes its own session is not waited for: it waits for the end itself.
bool Connection::in_own_handler() const {
  return scope_ != nullptr && rt::Context::current().descends_from(scope_->context());
}

void Connection::close() {
  if (closed_.is_set()) return;
  const bool inside = in_own_handler();
  if (inside) ++closing_handlers_;
  quiet_.set();
  const rt::WithContext bound(rt::Context::background());
  if (phase_ == Phase::open) {
    phase_ = Phase::closing;
    reason_ = Status(Code::cancelled, "the session was closed on this side");
    finish_writing();
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
      if (!frame_deadline.is_over()) return size.error();
      return {Code::deadline_exceeded, "a message did not come whole within frame_timeout (" +
                                           milliseconds(options_->frame_timeout) + ")"};
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
    // Whoever sends without end keeps the socket readable without end: others have their turn.
    rt::yield();
  }
}

Status Connection::read_frames(bool& frame_completed) {
  for (int count = 1;; ++count) {
    auto message = decoder_->next();
    if (!message) return message.error();
    if (!message->has_value()) return {};
    frame_completed = true;
    if (Status s = accept_message(**std::move(message)); !s.is_ok()) return s;
    if (count % messages_per_turn == 0) rt::yield();
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

// Ok when a request with such a body may run.
Status Connection::reason_to_refuse(std::size_t body_bytes) const {
  if (phase_ != Phase::open) {
    return {Code::unavailable, "the session is closing: the call was not run"};
  }
  if (handlers_ >= options_->max_handlers) {
    return {Code::resource_exhausted,
            "max_handlers: " + std::to_string(handlers_) +
                " calls of this session are running; the call was not run"};
  }
  if (handlers_ > 0 && handler_bytes_ + body_bytes > options_->max_handler_bytes) {
    return {Code::resource_exhausted,
            "max_handler_bytes: the calls of this session that are "
            "running hold " +
                std::to_string(handler_bytes_) + " bytes; the call was not run"};
  }
  return {};
}

void Connection::accept_request(Message request) {
  const MessageType type = request.type;
  const std::int32_t seq = request.seq;
  const std::string method = request.method;
  const std::size_t size = request.body.size();
  Status refused = reason_to_refuse(size);
  if (refused.is_ok()) {
    ++handlers_;
    handler_bytes_ += size;
    auto serve_it = [this, size, request = std::move(request)] {
      serve(request);
      --handlers_;
      handler_bytes_ -= size;
      quiet_.set();
    };
    if (scope_->try_go(method, std::move(serve_it))) return;
    // The reader must not wait for a fiber: those that hold them may wait for what it reads.
    --handlers_;
    handler_bytes_ -= size;
    refused = Status(Code::resource_exhausted, "max_fibers: no fiber for the call; it was not run");
  }
  refuse(type, seq, method, std::move(refused));
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

void Connection::refuse(MessageType type, std::int32_t seq, const std::string& method, Status why) {
  if (type == MessageType::call) {
    reply(seq, std::move(why), {});
  } else {
    log("PUSH " + method + " dropped: " + why.to_string());
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
  // Once nothing can come any more only answers may still leave.
  if (!can_send_ || (phase_ == Phase::ended && message.type != MessageType::reply)) {
    return not_sent();
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
    auto size = stream_->write_some(left, rt::Deadline::after(options_->write_timeout));
    // The kernel tells of room only when there is much of it; a slow reader may have made some.
    if (!size && size.error().code() == Code::deadline_exceeded) {
      size = stream_->write_some(left, rt::Deadline::after(Duration::zero()));
    }
    if (!size) {
      if (size.error().code() != Code::deadline_exceeded) return size.error();
      return {Code::unavailable, "the other side took nothing for write_timeout (" +
                                     milliseconds(options_->write_timeout) + ")"};
    }
    written_ += *size;
    left.remove_prefix(*size);
  }
  writing_.clear();
  if (writing_.capacity() > kept_buffer_bytes) writing_ = {};
  return {};
}

// --- Calling

Status Connection::not_sent() const {
  return Status(Code::not_sent, "the session has ended").with_cause(reason_.message());
}

std::int32_t Connection::next_seq() {
  do {
    last_seq_ = last_seq_ == std::numeric_limits<std::int32_t>::max() ? 1 : last_seq_ + 1;
  } while (pending_.contains(last_seq_));
  return last_seq_;
}

Result<Message> Connection::call(const CallOptions& options, std::string_view method,
                                 wire::BodyCodec codec, Bytes body) {
  if (phase_ != Phase::open) return not_sent();
  if (pending_.size() >= options_->max_calls) {
    return Status(Code::resource_exhausted, "max_calls: " + std::to_string(pending_.size()) +
                                                " calls of this session wait for an answer");
  }
  const Duration timeout = options.timeout.value_or(options_->call_timeout);
  const auto deadline = rt::Deadline::after(timeout);
  // Nobody would wait for the answer: then it is better not to run.
  if (deadline.is_over()) {
    return Status(Code::not_sent,
                  "a timeout of " + milliseconds(timeout) + " leaves no time to call");
  }
  if (Status s = rt::Context::current().status(); !s.is_ok()) {
    return s.with_context("the call was not sent");
  }
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
    if (status.code() == Code::deadline_exceeded && !deadline.is_over()) {
      return Status(Code::deadline_exceeded, "no answer to " + message.method + " from " +
                                                 remote_address_ +
                                                 " before the caller's context "
                                                 "ended; it may still run there");
    }
    if (status.code() == Code::deadline_exceeded) {
      return Status(Code::deadline_exceeded,
                    "no answer to " + message.method + " from " + remote_address_ + " within " +
                        milliseconds(timeout) + "; it may still run there");
    }
    return status;
  }
  if (!pending.failure.is_ok()) return pending.failure;
  return std::move(pending.reply);
}

Status Connection::push(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                        Bytes body) {
  if (phase_ != Phase::open) return not_sent();
  const Message message{.seq = next_seq(),
                        .type = MessageType::push,
                        .method = std::string(method),
                        .metadata = options.metadata,
                        .body_codec = codec,
                        .body = std::move(body)};
  const Duration timeout = options.timeout.value_or(options_->call_timeout);
  return enqueue(message, rt::Deadline::after(timeout), nullptr);
}

// A frame that does not lie whole within the first `sent` bytes of the outgoing stream cannot have
// been understood over there.
void Connection::fail_pending(const Status& why, std::uint64_t sent) {
  for (const auto& [seq, pending] : pending_) {
    const bool left = pending->frame_end != 0 && pending->frame_end <= sent;
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
  std::string text =
      "session " + std::to_string(id_.value()) + " with " + remote_address_ + ": " + line;
  // The other side chose part of it (names of methods): it must not forge lines or drive a
  // terminal.
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  }
  options_->log(text);
}

}  // namespace parley::impl
