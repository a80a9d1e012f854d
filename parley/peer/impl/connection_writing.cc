// The writing side of a Connection.
#include <array>
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/in_parts.h"

namespace parley::impl {

using wire::Message;

namespace {

// So much metadata any side takes in a frame.
constexpr std::size_t small_metadata_bytes = std::size_t{16} << 10U;
// So often a fiber sends what has gathered meanwhile.
constexpr int most_rounds = 8;

}  // namespace

Status Connection::await_room(const Message& message, rt::Deadline deadline) {
  Lock lock(lock_);
  if (phase_ != Phase::open) return not_sent();
  if (Status s = wait_for_room(lock, message, deadline); !s.is_ok()) return s;
  return encoder_ == nullptr || !may_ask() ? not_sent() : Status();
}

bool Connection::is_full() const { return outgoing_.bytes() >= options_->max_outgoing_bytes; }

// Under the lock: it is not known yet whether the other side takes this message, and may become so.
bool Connection::must_wait_for_hello(const Message& message) const {
  if (phase_ == Phase::ended) return false;
  if (encoder_ == nullptr) return true;
  if (!awaits_hello_) return false;
  std::size_t metadata = 0;
  for (const auto& [key, value] : message.metadata) metadata += key.size() + value.size();
  return metadata > small_metadata_bytes || message.body.size() > encoder_->max_body_bytes();
}

// Under the lock. What goes in parts, or behind such, has as many bytes again.
bool Connection::is_full_for(const Message& message) const {
  if (!outgoing_.has_parts()) [[likely]]
    return is_full();
  if (!outgoing_.joins_parts(message, *encoder_, options_->part_bytes)) return is_full();
  return outgoing_.bytes_of_parts() >= options_->max_outgoing_bytes;
}

// Under the lock.
bool Connection::has_to_wait(const Message& message) const {
  return can_send_ && (must_wait_for_hello(message) || is_full_for(message));
}

// Under the lock, which is let go while it waits. Ok also when nothing can be sent any more, or
// nothing asked.
Status Connection::wait_for_room(Lock& lock, const Message& message, rt::Deadline deadline) {
  const bool asks = message.type == wire::MessageType::call ||
                    message.type == wire::MessageType::push ||
                    message.type == wire::MessageType::open;
  Status status;
  while (has_to_wait(message) && (!asks || may_ask()) && status.is_ok()) {
    status = has_room_.wait(lock, deadline);
  }
  if (status.is_ok() || !can_send_ || (asks && !may_ask())) return {};
  return Status(Code::not_sent, must_wait_for_hello(message)
                                    ? "the other side has not said yet what it takes"
                                    : "max_outgoing_bytes are waiting to be sent and the other "
                                      "side takes nothing")
      .with_cause(status.message());
}

// Under the lock. What is written already only joins the others.
Status Connection::encode(Outgoing& out) {
  if (!out.text.empty()) return encode(out.message, out.text);
  if (out.frame.empty()) return encode(out.message);
  const std::size_t before = outgoing_.bytes();
  outgoing_.add_frame(std::move(out.frame));
  enqueued_ += outgoing_.bytes() - before;
  return {};
}

// Under the lock.
Status Connection::encode(const Message& message) {
  const std::size_t before = outgoing_.bytes();
  Status status = outgoing_.encode(message, *encoder_, options_->part_bytes);
  enqueued_ += outgoing_.bytes() - before;
  return status;
}

Status Connection::encode(const Message& message, std::string_view body) {
  const std::size_t before = outgoing_.bytes();
  Status status = outgoing_.encode(message, body, *encoder_);
  enqueued_ += outgoing_.bytes() - before;
  return status;
}

// Under the lock, which is let go. A run that is to come sends all that was gathered until then.
void Connection::ask_to_send(Lock& lock) {
  if (!is_asked_ && !is_sending_ && !is_gone_) {
    is_asked_ = true;
    ready();
  }
  lock.unlock();
}

// Sends what there is, unless somebody does already; while others add to it, not for ever: who
// reads has more to do.
void Connection::send_gathered(rt::Deadline until) {
  Lock lock(lock_);
  is_asked_ = false;
  if (is_sending_ || !can_send_) return;
  Status status;
  for (int round = 0; status.is_ok() && can_send_ && !outgoing_.is_empty(); ++round) {
    if (round == most_rounds) break;
    is_sending_ = true;
    is_asked_ = false;
    InParts::take_to_send(*this);
    uncounted_ = 0;
    lock.unlock();
    has_room_.broadcast();
    status = send(sending_, until);
    lock.lock();
  }
  if (!std::exchange(is_sending_, false)) return;
  if (!status.is_ok()) {
    cut(lock, Early::of_silence(*this, status));
    sent_all_.set();
    return;
  }
  const bool is_left = can_send_ && !outgoing_.is_empty();
  if (is_left) is_asked_ = true;
  lock.unlock();
  sent_all_.set();
  if (is_left) ready();
}

// Under the lock, which is let go: nothing can be sent any more, and so nothing asked. The reader
// finds the stream closed and ends the session.
void Connection::cut(Lock& lock, const Status& why) {
  can_send_ = false;
  if (reason_.is_ok()) reason_ = why;
  if (phase_ < Phase::closing) phase_ = Phase::closing;  // after the reason, as in begin_close()
  const std::shared_ptr<net::Stream> stream = stream_;
  lock.unlock();
  stream->close();
  has_room_.broadcast();
}

Status Connection::send(Outbox& outbox, rt::Deadline until) {
  std::array<std::string_view, 16> room;
  while (!outbox.is_empty()) {
    const auto pieces = outbox.front(room);
    const auto taken = rt::Deadline::after(options_->write_timeout);
    auto size = stream_->write_some_of(pieces, until.instant() < taken.instant() ? until : taken);
    // The kernel tells of room only when there is much of it; a slow reader may have made some.
    if (!size && size.error().code() == Code::deadline_exceeded) {
      size = stream_->write_some_of(pieces, rt::Deadline::after(Duration::zero()));
    }
    if (!size) {
      if (size.error().code() != Code::deadline_exceeded || until.is_over()) return size.error();
      return {Code::unavailable, "the other side took nothing for write_timeout (" +
                                     in_milliseconds(options_->write_timeout) + ")"};
    }
    sent_ += *size;
    outbox.drop(*size);
  }
  return {};
}

}  // namespace parley::impl
