// What a Connection does beside its conversation.
#include <memory>
#include <mutex>
#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/enclosing.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/reason.h"
#include "parley/peer/impl/shortcut.h"

namespace parley::impl {
namespace {

// Tells a callback of the end of a session.
class TellClosed final : public Errand {
 public:
  TellClosed(const Connection& connection, OnClosed callback, Status reason)
      : connection_(connection), callback_(std::move(callback)), reason_(std::move(reason)) {}

  void run() override {
    if (Status s = guarded([&] { callback_(reason_); }); !s.is_ok()) {
      connection_.log("an on_closed callback failed: " + s.to_string());
    }
  }

 private:
  const Connection& connection_;  // which waits for its errands
  const OnClosed callback_;
  const Status reason_;
};

// Ends a session that somebody has begun to close who does not wait for that: in order if there is
// a fiber for it before `deadline`.
class Closing final : public Errand {
 public:
  Closing(rt::Deadline deadline, std::function<void()> finish, std::function<void()> cut)
      : deadline_(deadline), finish_(std::move(finish)), cut_(std::move(cut)) {}
  [[nodiscard]] bool may_wait() const override { return !deadline_.is_over(); }
  void run() override { may_wait() ? finish_() : cut_(); }

 private:
  const rt::Deadline deadline_;
  const std::function<void()> finish_;
  const std::function<void()> cut_;
};

}  // namespace

void Connection::close_aside() {
  const std::shared_ptr<Errands> errands = this->errands();
  if (errands == nullptr) return;  // it has ended
  // Before callbacks: they may wait for long, and this must not.
  errands->add_first(std::make_shared<Closing>(
      rt::Deadline::after(options_->drain_timeout), [this] { finish_close(); },
      [this] {
        Lock lock(lock_);
        cut(lock, reason_);
      }));
}

Status Connection::on_closed(OnClosed callback) {
  if (errands() == nullptr) return {Code::failed_precondition, "the session has ended"};
  return extras_.add_on_closed(std::move(callback));
}

void Connection::tell_closed() {
  std::vector<OnClosed> callbacks = extras_.take_on_closed();
  if (callbacks.empty()) return;
  const std::shared_ptr<Errands> errands = this->errands();
  for (OnClosed& each : callbacks) {
    errands->add(std::make_shared<TellClosed>(*this, std::move(each), reason_));
  }
}

// The other side goes, or nothing can come any more: the session may go on elsewhere. By the
// reader.
void Connection::tell_line() {
  Lock lock(lock_);
  const bool is_cut = !ending_.has_said_goodbye && !reading_.why_over.is_ok();
  const Line::Parting after_all =
      ending_.is_sent_away ? Line::Parting::go_away : Line::Parting::close;
  const bool has_ended = phase_ == Phase::ended;
  const Status why = reason_;
  lock.unlock();
  const Line::Parting how = is_cut ? Line::Parting::cut : after_all;
  has_ended ? extras_.line()->lost(*this, why, how) : extras_.line()->leaves(*this, why, how);
}

// For a push that would have to wait.
Tried Connection::no_room(Lock& lock, const wire::Message& message, WhenFull when_full) {
  if (when_full != WhenFull::close || encoder_ == nullptr || !is_full_for(message)) {
    return Tried::no_room;
  }
  cut(lock, Status(Code::resource_exhausted,
                   "max_outgoing_bytes: the other side does not keep up with what is pushed"));
  return Tried::cut;
}

Tried Connection::try_push(Outgoing& push, FilteredBody& once, WhenFull when_full) {
  push.message.seq = next_seq();
  Lock lock(lock_);
  if (phase_ != Phase::open || !can_send_) return Tried::failed;
  if (has_to_wait(push.message)) return no_room(lock, push.message, when_full);
  const bool is_enclosed = extras_.envelope() != nullptr;
  if (!push.message.filters.empty() || is_enclosed) [[unlikely]] {
    lock.unlock();
    const Status status =
        is_enclosed ? Enclosing::close_question(*this, push) : go_through_filters(push, &once);
    if (!status.is_ok()) return Tried::failed;
    lock.lock();
    if (phase_ != Phase::open || !can_send_) return Tried::failed;
    if (has_to_wait(push.message)) return no_room(lock, push.message, when_full);
  }
  if (!encode(push).is_ok()) return Tried::failed;
  if (extras_.shortcut() != nullptr) extras_.shortcut()->push_sent();
  ask_to_send(lock);
  return Tried::sent;
}

Status Connection::health() const {
  const std::lock_guard lock(lock_);
  if (phase_ != Phase::open || !can_send_) {
    return Status(Code::unavailable, "the session takes no calls any more")
        .with_cause(as_cause(reason_));
  }
  if (is_full()) {
    return {Code::resource_exhausted,
            "max_outgoing_bytes are waiting to be sent: a call would wait for room"};
  }
  if (calls_ >= options_->max_calls) return too_many_calls();
  if (encoder_ != nullptr) return {};
  return {Code::failed_precondition,
          "the other side has not said yet what it speaks: a call would wait for that"};
}

std::shared_ptr<Errands> Connection::errands() {
  const std::lock_guard lock(lock_);
  if (errands_ == nullptr && phase_ != Phase::ended) {
    errands_ = Errands::make(queue_, peers_context_);
  }
  return errands_;
}

// Callbacks know of the end, and may wait a little, as handlers may.
void Connection::finish_errands() {
  Lock lock(lock_);
  const std::shared_ptr<Errands> errands = errands_;
  const Duration patience = ending_.patience.value_or(options_->drain_timeout);
  lock.unlock();
  if (errands != nullptr) errands->finish(patience);
}

}  // namespace parley::impl
