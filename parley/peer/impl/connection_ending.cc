// How a Connection begins to end: on this side, or because the other one says so.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/in_parts.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/rt/context.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// Goes behind GO_AWAY, and comes back when the other side has read that.
constexpr std::uint64_t farewell_ping = 0x70'61'72'6c'65'79'21'0a;

std::uint64_t milliseconds_of(Duration limit) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

}  // namespace

// With a limit of zero nobody is told.
bool Connection::begin_close(const Status& reason, std::optional<Duration> limit) {
  Lock lock(lock_);
  if (phase_ >= Phase::closing) return false;
  if (reason_.is_ok()) reason_ = reason;
  phase_ = Phase::closing;  // after the reason: whoever sees it may read that
  Shortcut::close_of(*this);
  const Duration most = limit.value_or(options_->drain_timeout);
  ending_.drain_until = rt::Deadline::after(most);
  if (limit) ending_.patience = std::min(*limit, options_->drain_timeout);
  ending_.is_to_be_told = can_send_ && (!limit || *limit > Duration::zero());
  ending_.awaits_pong = ending_.is_to_be_told;
  ending_.pong_until = rt::Deadline::after(options_->close_timeout);
  say_farewell(reason);
  ask_to_send(lock);
  quiet_.broadcast();
  return true;
}

// Under the lock: once it is known how.
void Connection::say_farewell(const Status& reason) {
  if (encoder_ == nullptr || !std::exchange(ending_.is_to_be_told, false)) return;
  ending_.awaits_pong = encoder_->has(MessageType::go_away);
  if (!ending_.awaits_pong) return;
  const bool is_asked_for = reason.code() == Code::cancelled;
  (void)encode({.type = MessageType::go_away,
                .status = is_asked_for ? Status(Code::unavailable, reason.message()) : reason,
                .value = milliseconds_of(ending_.drain_until->instant() - rt::now())});
  (void)encode({.type = MessageType::ping, .value = farewell_ping});
}

void Connection::hurry(const Status& reason, Duration limit) {
  Early::shorten(*this, limit);
  Lock lock(lock_);
  const std::shared_ptr<Errands> errands = errands_;
  const auto until = rt::Deadline::after(limit);
  ending_.drain_until = std::min(ending_.drain_until.value_or(until), until);
  if (limit <= Duration::zero() && stream_ != nullptr) {
    cut(lock, reason);
  } else {
    lock.unlock();
  }
  quiet_.broadcast();
  if (errands != nullptr) errands->hurry(limit);
}

void Connection::finish_begun(bool is_first) {
  const rt::WithContext bound(rt::Context::background());
  if (is_first) finish_close();
  (void)closed_.wait();
  (void)told_.wait();
}

// Waits for handlers and calls under way, and until the other side has read GO_AWAY.
void Connection::wait_quiet() {
  Lock lock(lock_);
  ++draining_;
  if (!ending_.drain_until) {
    ending_.drain_until = rt::Deadline::after(options_->drain_timeout);
  }
  Status status;
  // The limit may become a shorter one meanwhile.
  const auto wait_while = [&](auto is_busy, rt::Deadline most) {
    for (;;) {
      const rt::Deadline until = std::min(*ending_.drain_until, most);
      if (!is_busy() || until.is_over()) return;
      status = quiet_.wait(lock, until);
      if (!status.is_ok() && status.code() != Code::deadline_exceeded) return;
    }
  };
  // Several fibers of one handler may close at once: it is still one handler.
  wait_while(
      [this] {
        const WorkCount direct = Shortcut::under_way(*this);
        return handlers_ + direct.handlers > closers_.size() || calls_ + direct.calls > 0;
      },
      {});
  wait_while([this] { return ending_.awaits_pong && can_send_; }, ending_.pong_until);
  --draining_;
}

// GO_AWAY: the other side takes no calls any more; those it has may go on, and so may what it
// asked. PONG: it has read ours.
void Connection::take_farewell(const Message& message) {
  const bool is_pong = message.type == MessageType::pong && message.value == farewell_ping;
  if (!is_pong && message.type != MessageType::go_away) return;
  Lock lock(lock_);
  if (is_pong) {
    ending_.awaits_pong = false;
    lock.unlock();
    return quiet_.broadcast();
  }
  reading_.why_going = start_of(as_cause(message.status));
  ending_.has_said_goodbye = true;
  const Code why = message.status.code();
  ending_.is_sent_away = why != Code::ok && why != Code::unavailable && why != Code::not_sent;
  // It would not be run there.
  PendingCall* const unsent = InParts::take_unsent(*this);
  const bool is_news = phase_ == Phase::open;
  if (is_news) {
    reason_ = Status(Code::unavailable, "the other side closed the session")
                  .with_cause(reading_.why_going);
    phase_ = Phase::leaving;
    Shortcut::close_of(*this);
  }
  const Status reason = reason_;
  lock.unlock();
  has_room_.broadcast();
  // The line first: it is to know that this connection goes before its calls look for another one.
  if (is_news && extras_.line() != nullptr) tell_line();
  InParts::end_unsent(unsent, reason);
}

// Under the lock.
WorkCount Connection::count_work() const {
  const std::size_t served = streams_ == nullptr ? 0 : streams_->served_count();
  const std::size_t opened = streams_ == nullptr ? 0 : streams_->opened_count();
  const WorkCount direct = Shortcut::under_way(*this);
  return {.handlers = handlers_ - std::min(handlers_, served) + direct.handlers,
          .calls = calls_ - std::min(calls_, opened) + direct.calls,
          .streams = served + opened};
}

WorkCount Connection::under_way(WorkCount* cut) const {
  const std::lock_guard lock(lock_);
  if (cut != nullptr) *cut = ending_.cut;
  return count_work();
}

}  // namespace parley::impl
