#include "parley/http/websocket.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "parley/http/syntax.h"
#include "parley/rt/context.h"

namespace parley::http {
namespace {

constexpr std::size_t buffer_size = std::size_t{16} << 10U;
// Larger ones are not copied behind their heads.
constexpr std::size_t most_copied = 4096;
// While an answer could not leave, who receives tries again after so long.
constexpr Duration answer_again = std::chrono::milliseconds(50);

Status closed_here(std::string_view what) {
  return {Code::unavailable, std::string(what) + ": the WebSocket was closed here"};
}

bool is_peaceful(std::uint16_t code) {
  return code == close_code::normal || code == close_code::going_away || code == close_code::none;
}

}  // namespace

WebSocket::WebSocket(std::unique_ptr<net::Stream> stream, Side side,
                     const WebSocketOptions& options,
                     const std::optional<DeflateAgreement>& deflate, std::string subprotocol)
    : stream_(std::move(stream)),
      side_(side),
      options_(options),
      subprotocol_(std::move(subprotocol)),
      is_compressed_(deflate.has_value()),
      reader_(side, options.limits, deflate),
      answers_(side, std::nullopt, options.writer),
      heard_(rt::now()),
      writer_(side, deflate, options.writer) {}

WebSocket::~WebSocket() { leave(); }

const net::Address& WebSocket::local_address() const { return stream_->local_address(); }
const net::Address& WebSocket::remote_address() const { return stream_->remote_address(); }

Result<WebSocketMessage> WebSocket::receive_message(rt::Deadline deadline) {
  for (;;) {
    const Result<bool> has_message = take_event();
    if (!has_message) return has_message.error();
    if (*has_message) return *std::exchange(message_, std::nullopt);
    if (Status bad = read_more(deadline); !bad.is_ok()) return bad;
  }
}

Result<std::optional<WebSocketMessage>> WebSocket::try_receive_message() {
  for (;;) {
    const Result<bool> has_message = take_event();
    if (!has_message) return has_message.error();
    if (*has_message) return std::exchange(message_, std::nullopt);
    write_answers();
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    const auto size = stream_->try_read({buffer_.get(), buffer_size});
    if (!size) return end_wait(size.error());
    if (!*size) {
      buffer_.reset();  // it may be long until something comes
      const Instant now = rt::now();
      if (Status bad = keep_alive(now); !bad.is_ok()) return bad;
      rest(now);
      return std::optional<WebSocketMessage>();
    }
    use(**size);
  }
}

Result<Bytes> WebSocket::receive(rt::Deadline deadline) {
  Result<WebSocketMessage> message = receive_message(deadline);
  if (!message) return message.error();
  return std::move(message->payload);
}

// True when there is a message; false when all that has come is used.
Result<bool> WebSocket::take_event() {
  using Event = WebSocketReader::Event;
  if (!ended_.is_ok()) return ended_;
  for (;;) {
    const Result<Event> event = reader_.next(in_, heard_);
    if (!event) {
      std::string frame;
      (void)answers_.close(reader_.answer(), {}, frame);
      if (!close_sent_.exchange(true)) answer_soon(std::move(frame));
      end_writing();
      return end(event.error().with_context("receive"));
    }
    switch (*event) {
      case Event::more:
        return false;
      case Event::message:
        message_ = WebSocketMessage{reader_.type(), Bytes::from(reader_.take_message())};
        return true;
      case Event::ping: {
        std::string frame;
        if (!close_sent_ && answers_.pong(reader_.control(), frame).is_ok()) {
          answer_soon(std::move(frame));
        }
        break;
      }
      case Event::pong:
        last_pong_ = reader_.control();
        break;
      case Event::close:
        take_close();
        return ended_;
    }
  }
}

void WebSocket::take_close() {
  close_code_ = reader_.close_code();
  close_reason_ = reader_.close_reason();
  if (!close_sent_.exchange(true)) {
    std::string frame;
    (void)answers_.close(close_code_, {}, frame);
    answer_soon(std::move(frame));
  }
  // The server ends the connection first (RFC 6455 7.1.1).
  if (side_ == Side::server) end_writing();
  if (goes_away_ && close_code_ == close_code::going_away) {
    (void)end(
        Status(Code::out_of_range, "receive: this server goes away, and the other side knows"));
    return;
  }
  const std::string said =
      "receive: the other side closed with " + std::to_string(close_code_) +
      (close_reason_.empty() ? std::string() : ": " + quoted(close_reason_, 123));
  (void)end(Status(is_peaceful(close_code_) ? Code::out_of_range : Code::unavailable, said));
}

// Unless the Close frame is still to leave, or somebody writes: then whoever drops the stream ends
// it.
void WebSocket::end_writing() {
  if (!answer_.empty() || !writing_.try_lock()) return;
  const std::lock_guard lock(writing_, std::adopt_lock);
  if (unsent_.empty()) (void)stream_->close_write();
}

// Receiving is over, for good.
Status WebSocket::end(Status why) {
  ended_ = why;
  buffer_.reset();
  in_ = {};
  return why;
}

// A read has failed; receiving may go on after one that its deadline or context ended.
Status WebSocket::end_wait(Status why) {
  const bool is_a_pause =
      why.code() == Code::deadline_exceeded || !rt::Context::current().status().is_ok();
  if (is_a_pause && !closed_) return why;
  if (closed_ && goes_away_) {
    why = Status(Code::unavailable,
                 "receive: this server goes away, and the other side did not agree within "
                 "close_timeout");
  }
  return end(std::move(why));
}

Status WebSocket::read_more(rt::Deadline deadline) {
  for (;;) {
    write_answers();
    const Instant now = rt::now();
    if (Status bad = keep_alive(now); !bad.is_ok()) return bad;
    const Instant look = next_look(now);
    const bool is_ours = look < deadline.instant();
    Status status = read_some(is_ours ? rt::Deadline::at(look) : deadline);
    if (status.is_ok()) return {};
    if (!ended_.is_ok()) return ended_;
    if (status.code() != Code::deadline_exceeded || !is_ours) return end_wait(std::move(status));
    if (Status context = rt::Context::current().status(); !context.is_ok()) return context;
  }
}

Status WebSocket::read_some(rt::Deadline deadline) {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
  const Result<std::size_t> size = stream_->read({buffer_.get(), buffer_size}, deadline);
  if (!size) return size.error();
  use(*size);
  return ended_;
}

// `size` bytes came into the buffer; 0 is the end.
void WebSocket::use(std::size_t size) {
  if (size == 0) {
    (void)end(Status(Code::data_loss, reader_.is_at_rest()
                                          ? "receive: the connection ended without a Close frame"
                                          : "receive: the connection ended within a message"));
    return;
  }
  in_ = {buffer_.get(), size};
  heard_ = rt::recently();
  waits_for_pong_ = false;
}

// The next moment at which keep_alive() or write_answers() has something to do.
Instant WebSocket::next_look(Instant now) const {
  Instant look = Instant::max();
  if (options_.ping_interval > Duration::zero()) {
    const Duration silence =
        options_.ping_interval + (waits_for_pong_ ? options_.pong_timeout : Duration::zero());
    if (!waits_for_pong_ || options_.pong_timeout > Duration::zero()) {
      look = rt::Deadline::after(silence, heard_).instant();
    }
  }
  if (has_unsent_ || !answer_.empty()) look = std::min(look, now + answer_again);
  return look;
}

Status WebSocket::keep_alive(Instant now) {
  if (options_.ping_interval <= Duration::zero()) return {};
  const Duration silence = now - heard_;
  if (silence < options_.ping_interval) return {};
  if (!waits_for_pong_) {
    waits_for_pong_ = true;
    std::string frame;
    if (!close_sent_ && answer_.empty() && answers_.ping({}, frame).is_ok()) {
      answer_soon(std::move(frame));
    }
    return {};
  }
  if (options_.pong_timeout <= Duration::zero() ||
      silence < options_.ping_interval + options_.pong_timeout) {
    return {};
  }
  stream_->close();
  return end(Status(Code::unavailable,
                    "receive: nothing came within pong_timeout of a ping: the connection is gone"));
}

// Who receives never waits for the other side to take something: it might be waiting for the same.
// An answer that cannot leave is kept, and a later one takes its place (RFC 6455 5.5.3).
void WebSocket::answer_soon(std::string frame) {
  answer_ = std::move(frame);
  write_answers();
}

void WebSocket::write_answers() {
  if ((answer_.empty() && !has_unsent_) || !writing_.try_lock()) return;
  const std::lock_guard lock(writing_, std::adopt_lock);
  if (cut_) {
    // Nothing can follow: there is nothing to look after any more either.
    answer_.clear();
    unsent_.clear();
    has_unsent_ = false;
    return;
  }
  // Nothing follows a Close frame: an answer that came too late for it is dropped.
  constexpr unsigned char close_opcode = 8;
  if (close_sent_ && !answer_.empty() &&
      (static_cast<unsigned char>(answer_.front()) & 0x0fU) != close_opcode) {
    answer_.clear();
  }
  while (!unsent_.empty() || !answer_.empty()) {
    if (unsent_.empty()) unsent_ = std::exchange(answer_, {});
    const auto size = stream_->write_some(unsent_, rt::Deadline::after(Duration::zero()));
    if (!size) break;
    unsent_.erase(0, *size);
  }
  has_unsent_ = !unsent_.empty();
}

Status WebSocket::send_text(std::string_view text, rt::Deadline deadline) {
  return send_message(WebSocketType::text, {&text, 1}, deadline);
}

Status WebSocket::send_binary(std::string_view bytes, rt::Deadline deadline) {
  return send_message(WebSocketType::binary, {&bytes, 1}, deadline);
}

Status WebSocket::send_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) {
  return send_message(WebSocketType::binary, pieces, deadline);
}

Status WebSocket::check_open() const {
  if (closed_) return closed_here("send");
  if (close_sent_) {
    return {Code::failed_precondition, "send: a Close frame was sent, nothing can follow it"};
  }
  if (cut_) return {Code::unavailable, "send: an earlier message was cut off, none can follow it"};
  return {};
}

Status WebSocket::send_message(WebSocketType type, std::span<const std::string_view> pieces,
                               rt::Deadline deadline) {
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (size > max_message()) {
    return {Code::invalid_argument, "send: a message of " + std::to_string(size) +
                                        " bytes, max_message is " + std::to_string(max_message())};
  }
  const std::lock_guard lock(writing_);
  if (Status bad = check_open(); !bad.is_ok()) return bad;
  // First, since what has been compressed must be sent: what follows refers to it.
  if (Status bad = write_unsent(deadline); !bad.is_ok()) return bad;
  out_.clear();
  if (size > most_copied && type == WebSocketType::binary && writer_.goes_as_it_is(size)) {
    writer_.head(type, size, out_);
    std::vector<std::string_view> parts{out_};
    parts.insert(parts.end(), pieces.begin(), pieces.end());
    return write_pieces(parts, deadline);
  }
  if (Status bad = writer_.message(type, pieces, out_); !bad.is_ok()) {
    return bad.with_context("send");
  }
  const std::string_view all = out_;
  Status status = write_pieces({&all, 1}, deadline);
  if (out_.capacity() > most_copied) out_ = {};
  return status;
}

// What is left of an answer.
Status WebSocket::write_unsent(rt::Deadline deadline) {
  while (!unsent_.empty()) {
    const auto size = stream_->write_some(unsent_, deadline);
    if (!size) return size.error();
    unsent_.erase(0, *size);
  }
  has_unsent_ = false;
  return {};
}

Status WebSocket::write_pieces(std::span<const std::string_view> pieces, rt::Deadline deadline) {
  if (Status bad = write_unsent(deadline); !bad.is_ok()) return bad;
  Status status = stream_->write_all_of(pieces, deadline);
  if (status.is_ok()) return status;
  cut_ = true;  // perhaps it is
  return closed_ ? closed_here("send") : status;
}

Status WebSocket::ping(std::string_view payload, rt::Deadline deadline) {
  const std::lock_guard lock(writing_);
  if (Status bad = check_open(); !bad.is_ok()) return bad;
  out_.clear();
  if (Status bad = writer_.ping(payload, out_); !bad.is_ok()) return bad;
  const std::string_view all = out_;
  return write_pieces({&all, 1}, deadline);
}

Status WebSocket::close_write() { return close_write(close_code::normal, {}); }

Status WebSocket::close_write(std::uint16_t code, std::string_view reason, rt::Deadline deadline) {
  const std::lock_guard lock(writing_);
  if (closed_) return closed_here("close_write");
  if (cut_ && !close_sent_) return check_open();
  if (!close_sent_) {
    out_.clear();
    if (Status bad = writer_.close(code, reason, out_); !bad.is_ok()) return bad;
    // Behind what is left of an answer, with which it leaves in any case: if not now, then by
    // whoever receives, or asks again.
    if (!close_sent_.exchange(true)) {
      unsent_ += out_;
      has_unsent_ = true;
    }
  }
  return write_unsent(deadline);
}

Status WebSocket::shut(std::uint16_t code, std::string_view reason) {
  const rt::Deadline deadline = rt::Deadline::after(options_.close_timeout);
  if (Status bad = close_write(code, reason, deadline); !bad.is_ok()) {
    if (bad.code() != Code::invalid_argument) close();
    return bad;
  }
  Status status = wait_for_end(deadline);
  close();
  return status;
}

// Until the other side's Close frame has come, and to a client the end behind it.
Status WebSocket::wait_for_end(rt::Deadline deadline) {
  // A read takes what is there even when the time is over: who never falls silent must not keep us.
  const auto too_late = [&] {
    return Status(Code::deadline_exceeded,
                  "the other side went on sending for close_timeout instead of closing");
  };
  while (ended_.is_ok()) {
    if (deadline.is_over()) return too_late();
    const Result<WebSocketMessage> message = receive_message(deadline);
    if (!message && ended_.is_ok()) return message.error();
  }
  write_answers();
  if (close_code_ == close_code::lost) return ended_;
  std::array<char, 512> scratch{};
  while (side_ == Side::client && !deadline.is_over()) {
    const auto size = stream_->read(scratch, deadline);
    if (!size || *size == 0) break;
  }
  return {};
}

void WebSocket::close() {
  closed_ = true;
  stream_->close();
}

net::Stream::Unread WebSocket::unread() {
  using Unread = net::Stream::Unread;
  if (!ended_.is_ok()) return Unread::ended;
  if (!in_.empty() || message_) return Unread::perhaps;
  const Unread below = stream_->unread();
  // The end of the connection is still to be told as what it is.
  return below == Unread::ended ? Unread::perhaps : below;
}

}  // namespace parley::http
