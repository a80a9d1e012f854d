// The reading side of a Connection.
#include <algorithm>
#include <string>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/peer/impl/turn.h"
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

// Of what is not run: nobody looks at the rest, which may be large, and so may be the memory that
// it has in common with the name where it came out of filters.
void keep_the_name(Message& message) {
  message.body = {};
  message.metadata = {};
  if (message.filters.empty() || message.method.empty()) return;
  Bytes name = Bytes::copy_of(message.method);
  message.method = name.flatten();
  message.method_block = name.first_block();
}

// When a request came, and until when somebody waits for its answer.
void stamp(Arrived& request, ReadTimes& times) {
  times.look();
  const auto& timeout = request.message.timeout;
  request.came_at = times.came;
  request.deadline = rt::Deadline::never();
  if (timeout) request.deadline = rt::Deadline::at(times.read + *timeout);
}

// Hands answers to who waits for them; calls, pushes and streams stay to be run, or refused.
void pass_on_answers(Arrivals& all) {
  bool are_taken = false;
  for (Arrived& arrived : all.all()) {
    if (arrived.verdict == Verdict::run) [[likely]]
      continue;
    are_taken = are_taken || arrived.verdict == Verdict::taken;
    if (arrived.caller == nullptr) {  // no answer, or the caller gave up before
      if (!arrived.is_plain || arrived.verdict != Verdict::taken) keep_the_name(arrived.message);
      continue;
    }
    Message& reply = reply_of(*arrived.caller);
    if (arrived.is_plain) [[likely]] {
      reply.seq = arrived.message.seq;
      reply.type = MessageType::reply;
      reply.body_codec = arrived.message.body_codec;
      reply.body = std::move(arrived.message.body);
    } else {
      reply = std::move(arrived.message);
    }
    arrived.caller->end();
  }
  if (are_taken) all.keep([](const Arrived& each) { return each.verdict != Verdict::taken; });
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
  const rt::Pollable* const readiness = stream_->readiness();
  reading_.times.begin(readiness);
  if (readiness != nullptr) {
    auto got = stream_->try_read(buffer.room());
    if (!got) {
      over(got.error());
    } else {
      size = *got;
      if (!size && reading_.watch.deadline().is_over()) over(reading_.watch.too_slow());
    }
  } else {
    auto got = stream_->read(buffer.room(), reading_.watch.deadline());
    if (got) {
      size = *got;
    } else {
      over(reading_.watch.deadline().is_over() ? reading_.watch.too_slow() : got.error());
    }
  }
  if (size && *size > 0) {
    take_bytes(buffer.take(*size), turn.place->arrived);
    buffer.brought(turn.place->arrived.take_large());
  }
  if (size && *size == 0) {
    const bool is_between =
        reading_.decoder == nullptr ? reading_.begin.empty() : !reading_.decoder->mid_message();
    over(is_between ? Status()
                    : Status(Code::unavailable,
                             "the other side closed the session in the middle of a message"));
  }
  return size.has_value() || reading_.is_over;
}

void Connection::over(Status why) {
  reading_.is_over = true;
  reading_.why_over = std::move(why);
}

void Connection::take_bytes(Bytes chunk, Arrivals& arrived) {
  reads_.store(reads_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (reading_.decoder == nullptr) {
    reading_.begin.append(std::move(chunk));
    if (Status s = find_framing(); !s.is_ok()) return over(std::move(s));
    Shortcut::open_of(*this);
    if (reading_.decoder == nullptr) return watch_frame_time();
    reading_.decoder->feed(std::exchange(reading_.begin, {}));
  } else {
    reading_.decoder->feed(std::move(chunk));
  }
  take_messages(arrived);
}

// What has begun to come must come whole in time.
void Connection::watch_frame_time() {
  const bool is_mid_frame =
      reading_.decoder == nullptr ? !reading_.begin.empty() : reading_.decoder->mid_frame();
  FrameWatch::InParts in_parts;
  if (reading_.decoder != nullptr) {
    in_parts = {reading_.decoder->oldest_unfinished(), reading_.decoder->last_in_parts()};
  }
  reading_.watch.look(is_mid_frame, in_parts);
  set_alarm();
}

// It has to be run when the time of what has begun to come is over. An alarm that rings too early
// is set again.
void Connection::set_alarm() {
  const Instant due = reading_.watch.deadline().instant();
  if (due == Instant::max() || !can_tell()) return;
  if (reading_.alarm <= due && rt::now() < reading_.alarm) return;
  reading_.alarm = due;
  ready_at(reading_.alarm);
}

// Decides by the first bytes what the other side speaks, if they are enough.
Status Connection::find_framing() {
  constexpr std::size_t enough = 16;
  const std::string first = reading_.begin.slice(0, enough).to_string();
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
  reading_.decoder = framing.make_decoder();
  Lock lock(lock_);
  encoder_ = framing.make_encoder();
  tells_of_ends_ = encoder_->has(MessageType::cancel);
  const std::size_t before = outgoing_.bytes();
  outgoing_.start(*encoder_);
  awaits_hello_ = outgoing_.bytes() > before;
  enqueued_ += outgoing_.bytes() - before;
  say_farewell(reason_);
  lock.unlock();
  has_room_.broadcast();
  quiet_.broadcast();
}

// Sorts what the decoder has, or so many messages of it.
void Connection::take_messages(Arrivals& arrived) {
  if (take_answers()) {
    reading_.may_be_more = true;
    return;
  }
  Status status = decode_some(arrived);
  if (!arrived.empty()) {
    bool are_calls = false;
    if (Status sorted = sort(arrived, are_calls); !sorted.is_ok()) status = std::move(sorted);
    if (!are_calls) {
      if (extras_.envelope() != nullptr) [[unlikely]] {
        for (Arrived& each : arrived.all()) {
          const bool is_answer = each.message.type == MessageType::reply;
          if (is_answer && each.caller == nullptr) Enclosing::open_late(*this, each.message);
          if (!is_answer) Enclosing::check_refused(*this, each);
        }
      }
      pass_on_answers(arrived);
    }
  }
  if (!status.is_ok()) {
    reading_.may_be_more = false;
    return over(std::move(status));
  }
  if (!reading_.may_be_more) watch_frame_time();
}

// The error is that of the message behind those that arrived.
Status Connection::decode_some(Arrivals& arrived) {
  reading_.may_be_more = true;
  std::size_t grown = 0;
  while (reading_.may_be_more && arrived.size() < messages_per_turn &&
         grown <= options_->max_frame_bytes) {
    const wire::MessageRow room = arrived.room(messages_per_turn - arrived.size());
    const std::size_t count = reading_.decoder->next_plain(room);
    if (count > 0) reading_.watch.came();
    arrived.add_messages(count);
    if (count == room.size()) continue;
    if (reading_.decoder->buffered() == 0) {
      reading_.may_be_more = false;
      return {};
    }
    Arrived& added = arrived.add();
    const auto came = decode_next(added);
    if (!came || !*came) {
      arrived.cut(arrived.size() - 1);
      if (!came) return came.error();
      reading_.may_be_more = false;
      return {};
    }
    const Message& message = added.message;
    // What the decoder took out of filters came as fewer bytes, and nobody has counted it yet.
    if (!message.filters.empty() && !message.is_filtered) [[unlikely]] {
      grown += held_by(message);
    }
    const std::size_t size = message.body.size();
    if (size >= ReadBuffer::large_body_bytes) arrived.count_large(size);
  }
  return {};
}

// One that is not plain; false when there is none, or not the whole of it.
Result<bool> Connection::decode_next(Arrived& added) {
  added = Arrived();
  added.is_plain = false;
  Message& message = added.message;
  auto came = reading_.decoder->next(message);
  if (!came || !*came) return came;
  reading_.watch.came();
  const bool is_common = message.type == MessageType::reply || message.type == MessageType::call ||
                         message.type == MessageType::push;
  if (is_common) return true;
  if (Status s = look_at(message); !s.is_ok()) return s;
  return true;
}

// What is neither a call nor its answer nor a push, before it is sorted.
Status Connection::look_at(Message& message) {
  const MessageType type = message.type;
  if (type == MessageType::auth_call || type == MessageType::auth_reply) {
    return {Code::unimplemented,
            "message type " + std::string(name_of(type)) + " is not expected in a session"};
  }
  if (type == MessageType::hello) take_hello();
  // The credit counts its bytes: it must not keep many more.
  if (type == MessageType::data && keeps_much_more(message.body)) {
    message.body = Bytes::copy_of(message.body.flatten());
  }
  return {};
}

void Connection::take_hello() {
  {
    const std::lock_guard lock(lock_);
    other_takes_ = reading_.decoder->settings();
    encoder_->allow(*other_takes_);
    if (streams_ != nullptr) streams_->allow(*other_takes_);
    awaits_hello_ = false;
  }
  has_room_.broadcast();
}

// The error is a mistake of the other side's; what stands behind it is gone. `are_calls`: all of
// them are calls that may run.
Status Connection::sort(Arrivals& all, bool& are_calls) {
  const std::lock_guard lock(lock_);
  is_asked_ = true;  // this turn ends with sending
  reading_.gathers = !is_full();
  Status broken;
  std::size_t i = admit_plain(all, 0);
  are_calls = i == all.size();
  for (; i < all.size(); i = admit_plain(all, i + 1)) {
    Arrived& arrived = all[i];
    const Message& message = arrived.message;
    arrived.caller = nullptr;
    arrived.is_plain_call = false;
    if (message.type == MessageType::reply) {
      arrived.verdict = Verdict::taken;
      arrived.caller = pending_.take(message.seq);
      if (arrived.caller != nullptr) --calls_;
    } else if (message.type == MessageType::call || message.type == MessageType::push) {
      stamp(arrived, reading_.times);
      arrived.verdict = message.is_refused ? Verdict::no_body : admit(message, arrived.in_use);
    } else if (broken = sort_other(arrived); !broken.is_ok()) {
      all.cut(i);
      break;
    }
  }
  if (draining_ > 0) quiet_.broadcast();
  return broken;
}

// Under the lock. As admit() for calls of the plain kind, from that one on, as far as no limit is
// near; returns where they end.
inline std::size_t Connection::admit_plain(Arrivals& all, std::size_t from) {
  if (phase_ >= Phase::closing) return from;
  const std::size_t most = options_->max_handlers - std::min(options_->max_handlers, handlers_);
  const std::size_t to = std::min(all.size(), from + most);
  const std::size_t most_bytes = options_->max_handler_bytes;
  std::size_t bytes = handler_bytes_;
  std::size_t i = from;
  for (; i < to; ++i) {
    Arrived& each = all[i];
    const std::size_t held = bytes + each.message.body.size();
    if (!each.is_plain || each.message.type != MessageType::call || held > most_bytes) break;
    stamp(each, reading_.times);
    each.verdict = Verdict::run;
    each.is_plain_call = true;
    bytes = held;
  }
  handlers_ += i - from;
  handler_bytes_ = bytes;
  return i;
}

// Under the lock: streams, and what is neither a request nor an answer.
Status Connection::sort_other(Arrived& arrived) {
  switch (arrived.message.type) {
    case MessageType::open:
      stamp(arrived, reading_.times);
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
  if (phase_ >= Phase::closing) return Verdict::closing;
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

}  // namespace parley::impl
