#include "parley/peer/impl/connection.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "parley/rt/pollable.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// Marks the context of a session's fibers.
struct InSession {};

}  // namespace

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionId id, Side side, Origin origin,
                       const rt::Context& parent)
    : Connection(std::move(stream), id, side, std::move(origin),
                 parent.with_value(InSession()).with_cancel()) {}

Connection::Connection(std::unique_ptr<net::Stream> stream, SessionId id, Side side, Origin origin,
                       std::pair<rt::Context, rt::Cancel> context)
    : local_address_(stream->local_address().to_string()),
      remote_address_(stream->remote_address().to_string()),
      id_(id),
      options_(std::move(origin.options)),
      framings_(std::move(origin.framings)),
      context_(std::move(context.first)),
      cancel_(std::move(context.second)),
      queue_(origin.queue),
      workplaces_(origin.workplaces),
      forget_(std::move(origin.forget)),
      stream_(std::move(stream)),
      router_(std::move(origin.router)) {
  join(queue_);
  if (side == Side::dialled || framings_->size() == 1) speak(*framings_->front());
}

Connection::~Connection() = default;

// --- The life of a session

void Connection::begin() {
  if (can_tell()) stream_->readiness()->on_readable(this);
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
  if (turn.serving != nullptr) turn.of.list(*turn.serving);
  if (turn.is_reader) {
    // The call it waits in stays where it is, and holds nothing of those before it.
    std::vector<Arrived>& arrived = turn.place->arrived;
    for (std::size_t i = 0; i + 1 < turn.next; ++i) arrived[i].message = {};
    const auto left = arrived.begin() + static_cast<std::ptrdiff_t>(turn.next);
    turn.of.left_.assign(std::move_iterator(left), std::move_iterator(arrived.end()));
    arrived.erase(left, arrived.end());
    std::swap(turn.of.left_answers_, turn.place->answers);
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

// From here on it may be ended by what others read. Of several calls of one number, which nobody
// may use, the first.
void Connection::list(ServedCall& call) {
  const std::lock_guard lock(served_lock_);
  if (served_.find(call.seq) != nullptr) return;
  served_.add(call);
  call.is_listed = true;
}

rt::ReadyItem::After Connection::read_and_serve(Turn& turn) {
  std::vector<Arrived>& arrived = turn.place->arrived;
  arrived.swap(left_);
  turn.is_late = !arrived.empty();
  std::swap(left_answers_, turn.place->answers);
  for (bool has_read = false;; has_read = true) {
    {
      rt::OnPark waits(&hand_on, &turn);
      if (!run_calls(turn, waits)) return After::gone;
      add(turn.place->answers);
      if (waits.was_called()) return After::gone;
      send_gathered();
      if (waits.was_called()) return After::gone;
    }
    if (may_be_more_) {
      take_messages(arrived);
      continue;
    }
    turn.stand_in.reset();
    if (is_over_) {
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
  const bool in_order = why_over_.is_ok();
  Lock lock(lock_);
  if (reason_.is_ok()) {
    reason_ = in_order ? Status(Code::unavailable, "the other side closed the session") : why_over_;
  }
  phase_ = Phase::ended;
  const std::uint64_t enqueued = enqueued_;
  lock.unlock();
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
  cancel_(Status(Code::cancelled, "the session has ended").with_cause(reason_.message()));
  wait_for_handlers();
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
  while (handlers_ > 0) {
    quiet_.reset();
    lock.unlock();
    (void)quiet_.wait();
    lock.lock();
  }
  --draining_;
}

// Lets handlers and calls under way end, sends what is queued and half-closes.
void Connection::finish_writing() {
  (void)wait_quiet(rt::Deadline::after(options_->drain_timeout));
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

void Connection::log(const std::string& line) const {
  if (!options_->log) return;
  // The other side chose part of it (names of methods): it must not forge lines or drive a
  // terminal.
  options_->log(printable("session " + std::to_string(id_.value()) + " with " + remote_address_ +
                          ": " + line));
}

}  // namespace parley::impl
