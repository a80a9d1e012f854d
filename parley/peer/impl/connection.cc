#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/in_parts.h"
#include "parley/peer/impl/logging.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/peer/impl/turn.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "parley/rt/pollable.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// Handlers and callbacks hold fibers that the end they wait for may need: they wait no longer than
// their context lasts. Others have to know.
void wait_in_turn(rt::Event& event) {
  const rt::Context caller = rt::Context::current();
  const bool is_in_session = caller.value<InSession>() != nullptr;
  const rt::WithContext bound(is_in_session ? caller : rt::Context::background());
  (void)event.wait();
}

void tell_left_out(const Connection& connection, std::size_t lines) {
  if (lines == 0) return;
  connection.log("max_request_lines: " + std::to_string(lines) +
                 " more lines about requests were left out");
}

}  // namespace

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionNumber number, Side side,
                       Origin origin)
    : Connection(std::move(stream), number, side, origin, origin.context.with_cancel()) {}

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionNumber number, Side side,
                       Origin origin, std::pair<rt::Context, rt::Cancel> context)
    : local_address_(stream->local_address().to_string()),
      remote_address_(stream->remote_address().to_string()),
      number_(number),
      options_(std::move(origin.options)),
      framings_(std::move(origin.framings)),
      extras_(*options_, remote_address_, std::move(origin.line)),
      context_(std::move(context.first)),
      cancel_(std::move(context.second)),
      queue_(origin.queue),
      workplaces_(origin.workplaces),
      peers_context_(std::move(origin.context)),
      hub_(std::move(origin.hub)),
      forget_(std::move(origin.forget)),
      reading_(options_->frame_timeout),
      stream_(share_stream(std::move(stream))),
      router_(std::move(origin.router)) {
  extras_.set_plugins(std::move(origin.plugins));
  extras_.set_shortcut(Shortcut::over(*stream_));
  join(queue_);
  if (side == Side::dialled || framings_->size() == 1) speak(*framings_->front());
}

Connection::~Connection() = default;

// --- The life of a session

void Connection::begin() {
  has_reader_.store(false, std::memory_order_release);
  if (can_tell()) stream_->readiness()->on_readable(this);
  Shortcut::open_of(*this);
  ready();
}

rt::ReadyItem::After Connection::run() {
  // It may outlast the session.
  const std::shared_ptr<Connection> self = shared_from_this();
  Lock lock(lock_);
  is_asked_ = false;
  const bool is_gone = is_gone_;
  lock.unlock();
  if (is_gone) return retire();
  const rt::WithContext bound(context_);
  Turn turn(*this);
  if (!has_reader_.exchange(true, std::memory_order_acq_rel)) {
    turn.is_reader = true;
    return read_and_serve(turn);
  }
  const rt::OnPark waits(&hand_on, &turn);
  send_gathered();
  return waits.was_called() ? After::gone : After::rest;
}

// The fiber is about to wait: others go on.
void Connection::hand_on(void* argument) {
  Turn& turn = *static_cast<Turn*>(argument);
  if (turn.serving != nullptr) turn.of.served_.add(*turn.serving);
  if (turn.is_reader) {
    // The call it waits in stays where it is, and holds nothing of those before it.
    Arrivals& arrived = turn.place->arrived;
    const std::size_t done = turn.next == 0 ? 0 : turn.next - 1;
    for (Arrived& each : arrived.all().first(done)) each.message = {};
    for (Arrived& each : arrived.all().subspan(turn.next))
      turn.of.reading_.left.add() = std::move(each);
    arrived.cut(turn.next);
    turn.place->small_answers.move_to(turn.place->answers.frames);
    std::swap(turn.of.reading_.left_answers, turn.place->answers);
    turn.of.has_reader_.store(false, std::memory_order_release);
  }
  if (turn.has_returned && turn.stand_in) {
    turn.of.ready(*turn.stand_in);
  } else if (turn.has_returned) {
    turn.of.ready();
  } else if (turn.stand_in) {
    turn.of.return_early(*turn.stand_in);
  } else {
    turn.of.return_early(After::again);
  }
}

rt::ReadyItem::After Connection::read_and_serve(Turn& turn) {
  Arrivals& arrived = turn.place->arrived;
  turn.is_late = !reading_.left.empty();
  if (turn.is_late) swap(arrived, reading_.left);
  if (reading_.left_answers.count > 0) std::swap(reading_.left_answers, turn.place->answers);
  for (bool has_read = false;; has_read = true) {
    {
      rt::OnPark waits(&hand_on, &turn);
      if (!run_calls(turn, waits)) return After::gone;
      turn.add_gathered();
      if (waits.was_called()) return After::gone;
      send_gathered();
      if (waits.was_called()) return After::gone;
    }
    if (reading_.may_be_more) {
      take_messages(arrived);
      continue;
    }
    turn.stand_in.reset();
    if (reading_.is_over) {
      // There is no reader from here on. Others send and answer meanwhile.
      if (!turn.has_returned) return_early(After::again);
      end();
      return After::gone;
    }
    if ((has_read && can_tell()) || !read_once(turn)) break;  // one read, then others have a turn
  }
  const bool is_drained = stream_->unread() == net::Stream::Unread::nothing;
  has_reader_.store(false, std::memory_order_release);
  return is_drained ? After::rest : After::again;
}

// Handles may be kept for long, by a handler of this very router even; what is behind them is not.
rt::ReadyItem::After Connection::retire() {
  forget_(*this);
  return After::gone;
}

void Connection::let_go() {
  if (can_tell()) stream_->readiness()->on_readable(nullptr);
  const std::shared_ptr<Router> router = std::move(router_);
  std::shared_ptr<net::Stream> stream;  // ends outside the lock
  const std::lock_guard lock(lock_);
  std::swap(stream, stream_);
  is_gone_ = true;
  ready();
}

// Nothing can come any more. In order (the other side finished): what is still being answered may
// leave; it may have half-closed only to say that it has no more questions.
void Connection::end() {
  // Ending has its own time limits; it must not be cut short by a context that is over.
  const rt::WithContext bound(rt::Context::background());
  const bool in_order = reading_.why_over.is_ok();
  Lock lock(lock_);
  ending_.awaits_pong = false;
  if (reason_.is_ok()) {
    reason_ = in_order ? Status(Code::unavailable, "the other side closed the session")
                             .with_cause(reading_.why_going)
                       : reading_.why_over;
  }
  if (sent_ > 0 && phase_ < Phase::closing) reason_ = Early::of_silence(*this, reason_);
  if (reads_ > 0 && !in_order && phase_ == Phase::open && !reading_.watch.has_ever_come() &&
      reading_.decoder != nullptr) {
    reason_ = at_first_bytes(reason_, framings_->front()->name());
  }
  phase_ = Phase::ended;
  Shortcut::close_of(*this);
  PendingCall* const unsent = in_order ? InParts::take_unsent(*this) : nullptr;
  const std::uint64_t enqueued = enqueued_;
  lock.unlock();
  if (extras_.line() != nullptr) tell_line();
  InParts::end_unsent(unsent, reason_);
  Shortcut::end_of(*this);
  has_room_.broadcast();
  if (in_order) {
    // All that is queued will still be sent.
    fail_pending(enqueued);
    fail_streams(enqueued, true);
    finish_writing();
  } else if (reason_.code() != Code::cancelled) {
    log("closed: " + reason_.to_string());
  }
  stop_sending();
  fail_pending(sent_);
  fail_streams(sent_, false);
  closed_.set();
  tell_closed();
  lock.lock();
  const WorkCount left = count_work();  // calls have ended
  ending_.cut += {.handlers = left.handlers, .streams = left.streams};
  lock.unlock();
  cancel_(Status(Code::cancelled, "the session has ended").with_cause(as_cause(reason_)));
  // Whoever closes waits for callbacks, but not for handlers that do not mind their context's end.
  finish_errands();
  if (extras_.plugins() != nullptr && extras_.line() == nullptr) [[unlikely]]
    Early::tell_of_end(*this, reason_);
  told_.set();
  wait_for_handlers();
  tell_left_out(*this, extras_.requests_not_logged());
  extras_.end_values();
  let_go();
}

// What has left is certain only when nobody sends any more, which then waits for nothing.
void Connection::stop_sending() {
  Lock lock(lock_);
  can_send_ = false;
  lock.unlock();
  stream_->close();
  has_room_.broadcast();
  lock.lock();
  outgoing_.drop_parts();
  while (is_sending_) {
    sent_all_.reset();
    lock.unlock();
    (void)sent_all_.wait();
    lock.lock();
  }
}

void Connection::wait_for_handlers() {
  Lock lock(lock_);
  ++draining_;
  (void)quiet_.wait(lock,
                    [this] { return handlers_ == 0 && Shortcut::under_way(*this).handlers == 0; });
  --draining_;
}

// Lets handlers and calls under way end, sends what is queued and half-closes.
void Connection::finish_writing() {
  wait_quiet();
  const auto deadline = rt::Deadline::after(options_->flush_timeout);
  Status status;
  Lock lock(lock_);
  while (status.is_ok() && can_send_ && (is_sending_ || !outgoing_.is_empty())) {
    const bool somebody_does = is_sending_;
    sent_all_.reset();
    lock.unlock();
    if (somebody_does) {
      status = sent_all_.wait(deadline);
    } else {
      send_gathered(deadline);
    }
    lock.lock();
  }
  can_send_ = false;
  const std::shared_ptr<net::Stream> stream = stream_;  // the session may end meanwhile
  lock.unlock();
  has_room_.broadcast();
  if (stream != nullptr && !closed_.is_set()) (void)stream->close_write();
}

bool Connection::is_around_caller() const { return rt::Context::current().descends_from(context_); }

void Connection::close(std::uint64_t handler) {
  // A handler that closes its own session is not waited for: it waits for the end itself.
  const bool inside = is_around_caller();
  if (!closed_.is_set()) {
    Lock lock(lock_);
    if (inside) ++closers_[handler];
    lock.unlock();
    const Status why(Code::cancelled, "the session was closed");
    const bool is_first = begin_close(why);
    if (!is_first) quiet_.broadcast();
    if (is_first) {
      const rt::WithContext bound(rt::Context::background());
      finish_close();
    }
    wait_in_turn(closed_);
    lock.lock();
    const auto mine = inside ? closers_.find(handler) : closers_.end();
    if (mine != closers_.end() && --mine->second == 0) closers_.erase(mine);
  }
  // Until nothing that callbacks refer to is in use any more.
  const std::shared_ptr<Errands> errands = this->errands();
  const bool is_one_of_them = errands != nullptr && errands->is_inside();
  if (!inside && !is_one_of_them) wait_in_turn(told_);
}

void Connection::finish_close() {
  finish_writing();
  if (closed_.wait(rt::Deadline::after(options_->close_timeout)).is_ok()) return;
  Lock lock(lock_);
  const std::shared_ptr<net::Stream> stream = stream_;
  lock.unlock();
  if (stream != nullptr) stream->close();
}

Status Connection::wait_closed(rt::Deadline deadline) {
  if (Status s = closed_.wait(deadline); !s.is_ok()) return s;
  return reason_;  // which does not change any more
}

// A frame that does not lie whole within the first `sent` bytes of the outgoing stream cannot have
// been understood over there.
void Connection::fail_pending(std::uint64_t sent) {
  Lock lock(lock_);
  calls_ -= pending_.size();
  ending_.cut.calls += pending_.size();
  PendingCall* call = pending_.take_all();
  lock.unlock();
  while (call != nullptr) {
    PendingCall* next = call->next;  // once told, the call may be gone
    const Status failure =
        call->frame_end <= sent
            ? Status(Code::outcome_unknown, "the session was cut before the answer came")
            : Status(Code::not_sent, "the session was cut before the call was sent");
    call->failure = failure.with_cause(as_cause(reason_));
    call->end();
    call = next;
  }
  quiet_.broadcast();
}

void Connection::log(const std::string& line) const {
  if (!options_->log) return;
  // The other side chose part of it (names of methods): it must not forge lines or drive a
  // terminal.
  log_line(*options_, printable("session " + std::to_string(number_.value()) + " with " +
                                remote_address_ + ": " + line));
}

// Whoever is at the other side may cause one with each of its frames.
void Connection::log_request(const std::string& line) {
  std::size_t left_out = 0;
  if (!extras_.may_log_request(left_out)) return;
  tell_left_out(*this, left_out);
  log(line);
}

}  // namespace parley::impl
