// The reading side of a Connection.
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// So many messages are sorted at a time: messages that nobody runs (late answers, say) cost a
// worker time without ever making it wait.
constexpr std::size_t messages_per_turn = 64;

// Whether the memory that it came in is far larger than a body.
bool keeps_much_more(const Bytes& body) {
  return !body.empty() && 2 * body.size() < body.first_block()->capacity();
}

}  // namespace

// False when there is nothing to be read now. By a stream that cannot tell, the fiber waits for it;
// the item may be run by others meanwhile, which send.
bool Connection::read_once(Turn& turn) {
  if (!can_tell()) {
    if (!std::exchange(turn.has_returned, true)) return_early(After::rest);
    rt::yield();  // whoever sends without end keeps the stream readable without end
  }
  ReadBuffer& buffer = turn.place->buffer;
  std::optional<std::size_t> size;
  if (can_tell()) {
    auto got = stream_->try_read(buffer.room());
    if (!got) {
      over(got.error());
    } else {
      size = *got;
      if (!size && next_deadline().is_over()) over(too_slow());
    }
  } else {
    auto got = stream_->read(buffer.room(), next_deadline());
    if (got) {
      size = *got;
    } else {
      over(next_deadline().is_over() ? too_slow() : got.error());
    }
  }
  if (size && *size > 0) take_bytes(buffer.take(*size), turn.place->arrived);
  if (size && *size == 0) {
    const bool is_between = decoder_ == nullptr ? begin_.empty() : !decoder_->mid_message();
    over(is_between ? Status()
                    : Status(Code::unavailable,
                             "the other side closed the session in the middle of a message"));
  }
  return size.has_value() || is_over_;
}

Status Connection::too_slow() const {
  return {Code::deadline_exceeded, "a message did not come whole within frame_timeout (" +
                                       in_milliseconds(options_->frame_timeout) + ")"};
}

void Connection::over(Status why) {
  is_over_ = true;
  why_over_ = std::move(why);
}

void Connection::take_bytes(Bytes chunk, std::vector<Arrived>& arrived) {
  came_at_ = Instant();
  if (decoder_ == nullptr) {
    begin_.append(std::move(chunk));
    if (Status s = find_framing(); !s.is_ok()) return over(std::move(s));
    if (decoder_ == nullptr) return watch_frame_time();
    decoder_->feed(std::exchange(begin_, {}));
  } else {
    decoder_->feed(std::move(chunk));
  }
  take_messages(arrived);
}

// What has begun to come must come whole in time.
void Connection::watch_frame_time() {
  const bool is_mid_frame = decoder_ == nullptr ? !begin_.empty() : decoder_->mid_frame();
  const std::uint64_t oldest = decoder_ == nullptr ? 0 : decoder_->oldest_unfinished();
  const bool any_came = std::exchange(any_came_, false);
  if (!is_mid_frame) {
    frame_deadline_ = rt::Deadline::never();
  } else if (any_came || !was_mid_frame_) {
    frame_deadline_ = rt::Deadline::after(options_->frame_timeout);
  }
  was_mid_frame_ = is_mid_frame;
  if (oldest != std::exchange(oldest_unfinished_, oldest)) {
    parts_deadline_ =
        oldest == 0 ? rt::Deadline::never() : rt::Deadline::after(options_->frame_timeout);
  }
  set_alarm();
}

// It has to be run when the time of what has begun to come is over. An alarm that rings too early
// is set again.
void Connection::set_alarm() {
  const Instant due = next_deadline().instant();
  if (due == Instant::max() || !can_tell()) return;
  if (alarm_ <= due && rt::now() < alarm_) return;
  alarm_ = due;
  ready_at(alarm_);
}

rt::Deadline Connection::next_deadline() const {
  return parts_deadline_.instant() < frame_deadline_.instant() ? parts_deadline_ : frame_deadline_;
}

// Decides by the first bytes what the other side speaks, if they are enough.
Status Connection::find_framing() {
  constexpr std::size_t enough = 16;
  const std::string first = begin_.slice(0, enough).to_string();
  bool is_open = false;
  for (const auto& framing : *framings_) {
    const wire::Match match = framing->matches(first);
    if (match == wire::Match::yes) {
      speak(*framing);
      return {};
    }
    is_open = is_open || match == wire::Match::needs_more;
  }
  if (is_open && first.size() < enough) return {};
  std::string names;
  for (const auto& framing : *framings_) {
    names += (names.empty() ? "" : ", ") + std::string(framing->name());
  }
  return {Code::invalid_argument, "the first bytes are of no protocol that is spoken here (" +
                                      names + "): \"" + printable(first) + "\""};
}

void Connection::speak(const wire::Framing& framing) {
  decoder_ = framing.make_decoder();
  Lock lock(lock_);
  encoder_ = framing.make_encoder();
  tells_of_ends_ = encoder_->has(MessageType::cancel);
  const std::size_t before = outgoing_.bytes();
  outgoing_.start(*encoder_);
  awaits_hello_ = outgoing_.bytes() > before;
  enqueued_ += outgoing_.bytes() - before;
  lock.unlock();
  has_room_.broadcast();
}

// Sorts what the decoder has, or so many messages of it.
void Connection::take_messages(std::vector<Arrived>& arrived) {
  Status status = decode_some(arrived);
  const bool is_all = arrived.size() < messages_per_turn;
  if (!arrived.empty()) {
    if (Status sorted = sort(arrived); !sorted.is_ok()) status = std::move(sorted);
    pass_on_answers(arrived);
  }
  may_be_more_ = status.is_ok() && !is_all;
  if (!status.is_ok()) return over(std::move(status));
  if (!may_be_more_) watch_frame_time();
}

// The error is that of the message behind those that arrived.
Status Connection::decode_some(std::vector<Arrived>& arrived) {
  while (arrived.size() < messages_per_turn) {
    Message message;
    const auto came = decoder_->next(message);
    if (!came) return came.error();
    if (!*came) return {};
    any_came_ = true;
    const MessageType type = message.type;
    if (type == MessageType::auth_call || type == MessageType::auth_reply) {
      return {Code::unimplemented,
              "message type " + std::string(name_of(type)) + " is not expected in a session"};
    }
    if (type == MessageType::hello) take_hello();
    // The credit counts its bytes: it must not keep many more.
    if (type == MessageType::data && keeps_much_more(message.body)) {
      message.body = Bytes::copy_of(message.body.to_string());
    }
    Arrived& added = arrived.emplace_back(std::move(message));
    if (added.message.timeout) {
      if (came_at_ == Instant()) came_at_ = rt::now();
      added.deadline = rt::Deadline::at(came_at_ + *added.message.timeout);
    }
  }
  return {};
}

void Connection::take_hello() {
  {
    const std::lock_guard lock(lock_);
    other_takes_ = decoder_->settings();
    encoder_->allow(*other_takes_);
    if (streams_ != nullptr) streams_->allow(*other_takes_);
    awaits_hello_ = false;
  }
  has_room_.broadcast();
}

// The error is a mistake of the other side's; what stands behind it is gone.
Status Connection::sort(std::vector<Arrived>& all) {
  const std::lock_guard lock(lock_);
  is_asked_ = true;  // this turn ends with sending
  gathers_ = !is_full();
  Status broken;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Arrived& arrived = all[i];
    const Message& message = arrived.message;
    if (message.type == MessageType::reply) {
      arrived.verdict = Verdict::taken;
      arrived.caller = pending_.take(message.seq);
      if (arrived.caller != nullptr) --calls_;
    } else if (message.type == MessageType::call || message.type == MessageType::push) {
      arrived.verdict = message.is_refused ? Verdict::no_body : admit(message, arrived.in_use);
    } else if (broken = sort_other(arrived); !broken.is_ok()) {
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i), all.end());
      break;
    }
  }
  if (draining_ > 0) quiet_.set();
  return broken;
}

// Under the lock: streams, and what is neither a request nor an answer.
Status Connection::sort_other(Arrived& arrived) {
  switch (arrived.message.type) {
    case MessageType::open:
      return admit_stream(arrived);
    case MessageType::data:
    case MessageType::end:
    case MessageType::credit:
      arrived.verdict = Verdict::taken;
      return take_on_stream(arrived.message);
    case MessageType::cancel:
      arrived.verdict = Verdict::control;
      return streams_ == nullptr ? Status() : take_on_stream(arrived.message);
    default:
      arrived.verdict = Verdict::control;
      return {};
  }
}

// Under the lock. A request that may run is counted from here on.
Verdict Connection::admit(const Message& request, std::size_t& in_use) {
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

// Hands answers to who waits for them; calls, pushes and streams stay to be run.
void Connection::pass_on_answers(std::vector<Arrived>& all) {
  for (Arrived& arrived : all) {
    if (arrived.caller == nullptr) continue;  // no answer, or the caller gave up before
    arrived.caller->reply = std::move(arrived.message);
    arrived.caller->done.set();
  }
  std::erase_if(all, [](const Arrived& each) { return each.verdict == Verdict::taken; });
}

}  // namespace parley::impl
