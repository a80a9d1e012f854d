// The serving side of a Connection.
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "parley/peer/guarded_handler.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/in_parts.h"
#include "parley/peer/impl/plugged.h"
#include "parley/peer/impl/route.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/peer/impl/turn.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/label.h"
#include "parley/rt/time.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// So much a reader gathers; what is more waits for room, if it has to, as others do.
constexpr std::size_t most_gathered_bytes = std::size_t{64} << 10U;

}  // namespace

// Runs what has arrived, in its order. Who waits in the middle of it is no longer the reader, and
// must not look at what arrived any more.
bool Connection::run_calls(Turn& turn, rt::OnPark& waits) {
  Arrivals& all = turn.place->arrived;
  if (all.empty()) return true;
  const Instant start = rt::now();
  const rt::Deadline late_by = rt::Deadline::at(turn.is_late ? start : Instant::min());
  const bool serves_quick = tells_of_ends_ && reading_.gathers && !Plugged::serves(*this);
  turn.method = nullptr;
  while (turn.next < all.size()) {
    // Without a fiber to go on with the rest, this one must not wait: those that hold the others
    // may wait for what comes here.
    if (all[turn.next].verdict == Verdict::run && !turn.stand_in) turn.stand_in.emplace(queue_);
    const std::size_t held_up = held_up_.load(std::memory_order_relaxed);
    if (serves_quick && held_up == 0 && turn.stand_in && *turn.stand_in) {
      turn.serve_quick(late_by, waits);
    }
    turn.forget_quick();
    if (waits.was_called()) return false;
    if (turn.next == all.size()) break;
    Arrived& arrived = all[turn.next++];
    if (arrived.verdict == Verdict::run && (!turn.stand_in || !*turn.stand_in)) {
      give_up(arrived, Verdict::max_fibers);
    } else if (arrived.verdict == Verdict::run && held_up > 0) [[unlikely]] {
      arrived.in_use = held_up;
      give_up(arrived, Verdict::max_handler_bytes);
    } else if (arrived.verdict == Verdict::run && arrived.deadline <= late_by) {
      give_up(arrived, Verdict::too_late);
    }
    if (arrived.verdict == Verdict::run) {
      serve(arrived, turn, waits);
    } else {
      refuse(arrived);
    }
    if (waits.was_called()) return false;
  }
  turn.look_for_slow(start);
  all.clear();
  turn.next = 0;
  return true;
}

// Not run, after it was counted as one that may.
void Connection::give_up(Arrived& arrived, Verdict why) {
  arrived.verdict = why;
  handler_ended(held_by(arrived.message));
  Enclosing::check_refused(*this, arrived);
}

// Of a request that may not run, whatever becomes of it.
Status why_refused(const Arrived& arrived) {
  const std::string in_use = std::to_string(arrived.in_use);
  switch (arrived.verdict) {
    case Verdict::run:
    case Verdict::control:
    case Verdict::taken:
      return {};
    case Verdict::closing:
      return {Code::not_sent, "the session is closing: the call was not run"};
    case Verdict::max_handlers:
      return {Code::resource_exhausted,
              "max_handlers: " + in_use +
                  " requests of this session are running; this one was not run"};
    case Verdict::max_handler_bytes:
      return {Code::resource_exhausted,
              "max_handler_bytes: the calls of this session that are running, and answers "
              "that it has yet to take, hold " +
                  in_use + " bytes; the call was not run"};
    case Verdict::max_streams:
      return {Code::resource_exhausted,
              "max_streams: " + in_use + " streams of this session are open"};
    case Verdict::too_late:
      return {Code::deadline_exceeded,
              "the caller's deadline had passed before the call could be run"};
    case Verdict::no_body:
      return arrived.message.status;
    case Verdict::max_fibers:
      return {Code::resource_exhausted, "max_fibers: no fiber for the call; it was not run"};
  }
  return {};
}

void Connection::refuse(const Arrived& arrived) {
  if (arrived.verdict == Verdict::control) return answer_control(arrived.message);
  Status why = why_refused(arrived);
  if (why.is_ok()) return;
  const Message& request = arrived.message;
  if (request.type == MessageType::open) {
    refuse_stream(arrived, std::move(why));
  } else if (request.type == MessageType::call) {
    answer_at_once({.seq = request.seq, .type = MessageType::reply, .status = std::move(why)});
  } else {
    if (extras_.shortcut() != nullptr) extras_.shortcut()->push_begins();
    log_request("PUSH " + std::string(shown_name(request.method)) + " dropped: " + why.to_string());
  }
}

// What is neither a request nor an answer.
void Connection::answer_control(const Message& message) {
  if (message.type == MessageType::cancel) {
    served_.end(message.seq, Status(Code::cancelled, "the caller has given up"));
    return InParts::shorten_reply(*this, message.seq);
  }
  if (message.type != MessageType::ping) return take_farewell(message);
  answer_at_once({.type = MessageType::pong, .value = message.value});
}

// What costs the other side nothing to ask for must not cost a fiber here that waits until it is
// taken: who asks on and takes no answers loses the session.
void Connection::answer_at_once(const Message& answer) {
  Message enclosed;
  Status closed;
  const bool is_enclosed = extras_.envelope() != nullptr;
  if (is_enclosed) [[unlikely]] {
    enclosed = answer;
    closed = Enclosing::close_refusal(*this, enclosed);
  }
  Lock lock(lock_);
  if (!can_send_) return;
  if (!closed.is_ok()) return cut(lock, closed);
  if (uncounted_ >= options_->max_outgoing_bytes) {
    return cut(lock, Status(Code::resource_exhausted,
                            "max_outgoing_bytes: the other side asks and takes no answers"));
  }
  const std::uint64_t before = enqueued_;
  (void)encode(is_enclosed ? enclosed : answer);  // small, and of a kind that came from there
  uncounted_ += enqueued_ - before;
  ask_to_send(lock);
}

// The next plain calls of quick methods, one after the other, each with what was made for the one
// before it.
void Connection::Turn::serve_quick(rt::Deadline late_by, rt::OnPark& waits) {
  Arrivals& all = place->arrived;
  Answer& answer = place->answer;
  answer.clear();
  std::uint64_t number = of.reading_.handlers_started;
  of.reading_.handlers_started += all.size() - next;  // some of these numbers nobody may get
  while (next < all.size()) {
    Arrived& arrived = all[next];
    if (!arrived.is_plain_call || arrived.deadline <= late_by) return;
    Message& request = arrived.message;
    const Router::Method* const called = find_method(request.method);
    if (called == nullptr || !called->is_quick.load(std::memory_order_relaxed)) return;
    ++next;
    if (context && context->renew(arrived.deadline)) [[likely]] {
      served->seq = request.seq;
      called_with->renew(++number, request, arrived.came_at);
    } else {
      begin_quick(arrived, ++number);
    }
    serving = &*served;
    Status status =
        guarded_call(*called_with, [&] { return called->handler(*called_with, request, answer); });
    serving = nullptr;
    if (!status.is_ok() || waits.was_called() || !called_with->is_as_new() ||
        !gather_small(request)) [[unlikely]] {
      end_quick(arrived, *called, std::move(status), waits);
      if (waits.was_called()) return;
      answer.clear();
    }
  }
}

void Connection::Turn::begin_quick(Arrived& arrived, std::uint64_t number) {
  forget_quick();
  context.emplace(arrived.deadline, deadline_passed());
  served.emplace(ServedCall{.seq = arrived.message.seq, .context = *context});
  called_with.emplace(of, number, arrived.message, arrived.came_at);
}

// One that has waited, failed, or cannot be answered like the others.
void Connection::Turn::end_quick(Arrived& arrived, const Router::Method& called, Status status,
                                 rt::OnPark& waits) {
  if (waits.was_called() && !called.takes_filtered) {
    called.is_quick.store(false, std::memory_order_relaxed);
  }
  of.served_.remove(*served);
  served.reset();
  context.reset();
  of.finish(arrived.message, std::move(status), *called_with, *this, waits);
  called_with.reset();
}

void Connection::Turn::forget_quick() {
  if (!context) return;
  called_with.reset();
  served.reset();
  context.reset();
}

void Connection::serve(Arrived& arrived, Turn& turn, rt::OnPark& waits) {
  Message& request = arrived.message;
  Context context(*this, ++reading_.handlers_started, request, arrived.came_at, arrived.stream);
  turn.place->answer.clear();
  if (extras_.shortcut() != nullptr && request.type == MessageType::push) [[unlikely]] {
    extras_.shortcut()->push_begins();
  }
  Status status;
  if (Plugged::serves(*this)) {
    arrived.is_plain = false;  // they may give it anything
    status = Plugged::serve(*this, arrived, context, turn, waits);
  } else if (const Router::Method* const called =
                 method_for(request, *router_, turn.place->recent, context);
             !can_serve(called, request)) {
    status = no_handler(called, request, *router_);
  } else if (!tells_of_ends_ || context.is_push()) {
    status = run_handler(*called, context, request, turn.place->answer, waits);
  } else {
    status = turn.run_call(*called, arrived, context, waits);
  }
  if (request.type == MessageType::open) request.value = end_served_stream(*arrived.stream);
  finish(request, std::move(status), context, turn, waits);
}

// A method that is called is mostly the one that was called before, by a name that stands where it
// stood. (Not beyond a run of calls: what holds the names goes with the messages.)
[[gnu::always_inline]] inline const Router::Method* Connection::Turn::find_method(
    std::string_view name) {
  if (name.data() == method_at.data() && name.size() == method_at.size() && method != nullptr)
      [[likely]] {
    return method;
  }
  method = of.router_->find(name, place->recent);
  if (method != nullptr && method->is_stream) method = nullptr;
  method_at = name;
  return method;
}

// Of a caller that may give up, or has said until when it waits.
Status Connection::Turn::run_call(const Router::Method& called, Arrived& arrived,
                                  Context& context_of_call, rt::OnPark& waits) {
  rt::DeferredContext bound(arrived.deadline, deadline_passed());
  ServedCall call{.seq = arrived.message.seq, .context = bound};
  serving = &call;
  Status status = of.run_handler(called, context_of_call, arrived.message, place->answer, waits);
  serving = nullptr;
  of.served_.remove(call);
  return status;
}

Status Connection::run_handler(const Router::Method& method, Context& context, Message& request,
                               Answer& answer, rt::OnPark& waits) {
  if (request.is_filtered && !method.takes_filtered) [[unlikely]] {
    if (Status s = unfilter_request(request, waits); !s.is_ok()) return s;
  }
  const auto call = [&] { return method.handler(context, request, answer); };
  if (method.is_quick.load(std::memory_order_relaxed)) {
    Status status = guarded_call(context, call);
    if (waits.was_called() && request.filters.empty() && !method.takes_filtered) {
      method.is_quick.store(false, std::memory_order_relaxed);
    }
    return status;
  }
  // What stands behind it is not to wait for it.
  waits.call_now();
  const rt::Label label("method", request.method);
  const Instant start = rt::now();
  Status status = guarded_call(context, call);
  const bool is_quick = !method.is_stream && rt::now() - start < longest_quick_call;
  method.is_quick.store(is_quick, std::memory_order_relaxed);
  return status;
}

void Connection::finish(const Message& request, Status status, Context& context, Turn& turn,
                        rt::OnPark& waits) {
  Answer& answer = turn.place->answer;
  if (request.type == MessageType::push) {
    if (!status.is_ok()) {
      log_request("PUSH " + std::string(shown_name(request.method)) +
                  " failed: " + status.to_string());
    }
    handler_ended(held_by(request));
    return;
  }
  if (request.type == MessageType::call && status.is_ok() && context.reply_metadata().empty() &&
      !waits.was_called() && request.filters.empty() && extras_.envelope() == nullptr &&
      turn.gather(request)) {
    return;
  }
  if (answer.number.size > 0) answer.text = answer.number.view();
  const bool is_stream = request.type == MessageType::open;
  Outgoing reply{.message = {.seq = request.seq,
                             .type = is_stream ? MessageType::end : MessageType::reply,
                             .status = std::move(status),
                             .metadata = std::move(context.reply_metadata())}};
  Message& message = reply.message;
  if (message.status.is_ok()) {
    message.body_codec = answer.codec;
    // A large text is sent from where it is.
    if (answer.text.size() >= Outbox::large_body_bytes) {
      answer.bytes = Bytes::from(std::exchange(answer.text, {}));
    }
    message.body = std::move(answer.bytes);
    if (!request.filters.empty() && !is_stream && extras_.envelope() == nullptr) [[unlikely]] {
      filter_answer(request, answer, reply, waits);
    }
  } else {
    answer.text.clear();
    message.status = as_answer(std::move(message.status));
  }
  Enclosing::close_reply(*this, request, answer, reply, waits);
  send_reply(reply, answer, request);
}

// Calls that were thought to be quick have taken long, together: from now on each is looked at.
void Connection::Turn::look_for_slow(Instant start) {
  const auto count = static_cast<Duration::rep>(place->arrived.size());
  if (rt::now() - start < longest_quick_call * count) return;
  Router::Recent recent;
  for (const Arrived& each : place->arrived.all()) {
    const Router::Method* found = of.router_->find(each.message.method, recent);
    if (found != nullptr && !found->takes_filtered) {
      found->is_quick.store(false, std::memory_order_relaxed);
    }
  }
}

// A small answer is kept by the reader, without the lock, until all calls of a read are through.
// The place of the next one is left as clear() does.
[[gnu::always_inline]] inline bool Connection::Turn::gather_small(const Message& request) {
  Workplace& at = *place;
  Answer& answer = at.answer;
  if (!answer.bytes.empty()) return false;
  char* const room = at.small_answers.room(at.answers.frames);
  char* const end =
      of.encoder_->write_answer(request.seq, answer.codec, answer.text_or_number(), room);
  if (end == nullptr) return false;
  at.small_answers.add(end);
  ++at.answers.count;
  at.answers.held += held_by(request);
  answer.codec = wire::BodyCodec::none;
  answer.number.size = 0;
  if (!answer.text.empty()) answer.text.clear();
  return true;
}

// The same of one that may be larger.
bool Connection::Turn::gather(const Message& request) {
  const Answer& answer = place->answer;
  Answers& answers = place->answers;
  const std::string_view text = answer.text_or_number();
  if (!of.reading_.gathers || !answer.bytes.empty()) return false;
  if (gather_small(request)) return true;
  if (text.size() >= Outbox::large_body_bytes) return false;
  place->small_answers.move_to(answers.frames);
  if (answers.frames.size() >= most_gathered_bytes ||
      !of.encoder_->encode_answer(request.seq, answer.codec, text, answers.frames).is_ok()) {
    return false;
  }
  ++answers.count;
  answers.held += held_by(request);
  return true;
}

void Connection::Turn::add_gathered() {
  Answers& answers = place->answers;
  if (answers.count == 0) return;
  place->small_answers.move_to(answers.frames);
  const std::lock_guard lock(of.lock_);
  of.handlers_ -= answers.count;
  of.handler_bytes_ -= answers.held;
  if (of.waiting_answers_ > 0) [[unlikely]]
    of.look_at_waiting();
  if (of.draining_ > 0) of.quiet_.broadcast();
  if (of.can_send_) {
    of.enqueued_ += answers.frames.size();
    of.outgoing_.add(answers.frames);
  }
  answers.frames.clear();
  answers.count = answers.held = 0;
}

// The body is that of the reply, or the answer's text. `served`: the request whose handler ends
// with this.
void Connection::send_reply(Outgoing& reply, Answer& answer, const Message& served) {
  Lock lock(lock_);
  Status room;
  if (has_to_wait(reply.message)) [[unlikely]]
    room = wait_with_answer(lock, reply, answer, served);
  count_out(held_by(served));
  if (!room.is_ok() || !can_send_ || encoder_ == nullptr) return;
  const Message& message = reply.message;
  const Status encoded = message.body.empty() ? encode(message, answer.text) : encode(reply);
  if (!encoded.is_ok()) {
    // The answer itself is what cannot be sent (it is too large): say that instead.
    const Status why(encoded.code(), "the answer cannot be sent: " + encoded.message());
    if (say_instead(reply, why, served)) (void)encode(reply.message);
  }
  ask_to_send(lock);
}

// Under the lock. False when that cannot be said either.
bool Connection::say_instead(Outgoing& reply, const Status& why, const Message& served) {
  reply = {.message = {.seq = served.seq, .type = reply.message.type, .status = why}};
  return Enclosing::close_answer(*this, served.metadata, reply.message, served.value).is_ok();
}

// Under the lock, which is let go while it waits. The other side decides how long that is, so what
// waits counts for as long, with the requests: when that is too much, no more of them are run. Of
// those that run already more may come; beyond twice as much it is not kept. (To read no further
// instead is no way out: two sides that answer each other would wait for each other's reading.)
Status Connection::wait_with_answer(Lock& lock, Outgoing& reply, Answer& answer,
                                    const Message& served) {
  const std::size_t most = options_->max_handler_bytes;
  const std::size_t before = handler_bytes_;
  std::size_t held = held_by(reply.message) + reply.message.status.message().size() +
                     reply.text.size() + reply.frame.size() + answer.text.size();
  constexpr std::size_t about_a_refusal = 512;  // which is no less to keep
  if (held > about_a_refusal && waiting_answers_ > 0 && before > most &&
      before - most + held > most) {
    const Status why(Code::resource_exhausted,
                     "max_handler_bytes: the calls of this session that are running, and answers "
                     "that it has yet to take, hold " +
                         std::to_string(before) + " bytes; the call was run, its answer of " +
                         std::to_string(held) + " is dropped");
    std::string().swap(answer.text);
    if (!say_instead(reply, why, served)) return why;
    held = 0;
  }
  handler_bytes_ += held;
  ++waiting_answers_;
  look_at_waiting();
  Status room = wait_for_room(lock, reply.message, rt::Deadline::never());
  --waiting_answers_;
  handler_bytes_ -= held;
  look_at_waiting();
  return room;
}

// Under the lock, which whoever runs calls must not wait for between them.
void Connection::look_at_waiting() {
  const bool is_too_much = waiting_answers_ > 0 && handler_bytes_ > options_->max_handler_bytes;
  held_up_.store(is_too_much ? handler_bytes_ : 0, std::memory_order_relaxed);
}

void Connection::handler_ended(std::size_t held) {
  const std::lock_guard lock(lock_);
  count_out(held);
}

// Under the lock: a handler has ended.
void Connection::count_out(std::size_t held) {
  --handlers_;
  handler_bytes_ -= held;
  if (waiting_answers_ > 0) [[unlikely]]
    look_at_waiting();
  if (draining_ > 0) quiet_.broadcast();
}

}  // namespace parley::impl
