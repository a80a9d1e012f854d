#include "parley/peer/impl/errands.h"

#include <algorithm>
#include <mutex>

#include "parley/rt/done_call.h"
#include "parley/rt/on_park.h"
#include "parley/rt/scope.h"

namespace parley::impl {
namespace {

// Then others of the peer have their turn.
constexpr std::size_t most_in_a_row = 64;
// At max_fibers: until it is looked again for a fiber to stand by. Errands that return are not
// waited for so long; handlers and other sessions do not tell when they need one no more.
constexpr Duration until_next_try = std::chrono::milliseconds(10);

Status session_has_ended() { return {Code::cancelled, "the session has ended"}; }

}  // namespace

// What a fiber has at hand while an errand runs.
struct Errands::Turn {
  Errands& of;
  std::optional<rt::StandIn>& stand_in;
};

std::shared_ptr<Errands> Errands::make(rt::ReadyQueue& queue, const rt::Context& parent) {
  auto errands = std::make_shared<Errands>(queue, parent.with_cancel());
  errands->kept_ = errands;
  return errands;
}

Errands::Errands(rt::ReadyQueue& queue, std::pair<rt::Context, rt::Cancel> context)
    : queue_(queue), context_(std::move(context.first)), cancel_(std::move(context.second)) {
  join(queue);
}

bool Errands::add(std::shared_ptr<Errand> errand) {
  {
    const std::lock_guard lock(lock_);
    if (is_finishing_ && is_idle()) return false;
    put_last(std::move(errand));
  }
  ready();
  return true;
}

bool Errands::add_first(std::shared_ptr<Errand> errand) {
  {
    const std::lock_guard lock(lock_);
    if (is_finishing_ && is_idle()) return false;
    if (last_ == nullptr) last_ = errand.get();
    errand->next_ = std::move(first_);
    first_ = std::move(errand);
    ++waiting_;
  }
  ready();
  return true;
}

void Errands::add_at(Instant instant, const std::shared_ptr<Errand>& errand) {
  {
    const std::lock_guard lock(lock_);
    if (errand->is_taken_back_) return;
    errand->timed_ = timed_.emplace(instant, errand);
    errand->is_timed_ = true;
    if (instant >= alarm_) return;
  }
  ready();  // only a run sets alarms
}

void Errands::take_back(Errand& errand) {
  std::shared_ptr<Errand> taken;  // ends outside the lock
  const std::lock_guard lock(lock_);
  errand.is_taken_back_ = true;
  if (!errand.is_timed_) return;
  errand.is_timed_ = false;
  taken = std::move(errand.timed_->second);
  timed_.erase(errand.timed_);
}

std::size_t Errands::unfinished() const {
  const std::lock_guard lock(lock_);
  return waiting_ + running_;
}

void Errands::finish(Duration patience) {
  std::unique_lock lock(lock_);
  is_finishing_ = true;
  patient_until_ = rt::Deadline::after(patience);
  if (!is_idle()) {
    lock.unlock();
    // Sessions that end must not wait for a fiber when it is they who hold them all.
    rt::StandIn stand_in(queue_);
    if (stand_in) {
      ready(stand_in);
    } else {
      run_here(rt::Deadline::after(patience));
    }
    lock.lock();
  }
  while (!is_idle()) {
    if (is_held_up_ && first_ != nullptr) {
      const rt::Deadline until = patient_until_;
      lock.unlock();
      run_here(until);
      lock.lock();
    } else if (const Status s = idle_.wait(lock, patient_until_); !s.is_ok()) {
      patient_until_ = rt::Deadline::never();
      lock.unlock();
      cancel_(session_has_ended());
      lock.lock();
    }
  }
  lock.unlock();
  ready();  // for the last time
}

void Errands::hurry(Duration patience) {
  std::unique_lock lock(lock_);
  if (!is_finishing_ || patient_until_.is_never()) return;
  patient_until_ = std::min(patient_until_, rt::Deadline::after(patience));
  lock.unlock();
  if (patience <= Duration::zero()) cancel_(session_has_ended());
  idle_.broadcast();
}

// This fiber may wait: its session has nothing else to do. But what it waits for may be held by one
// of those that run elsewhere, and nobody else ends their context then.
void Errands::run_here(rt::Deadline until) {
  const auto [context, cancel] = context_.with_deadline(until, session_has_ended());
  rt::Scope watching;
  const rt::DoneCall end_all(context, watching, "end of a session",
                             [this] { cancel_(session_has_ended()); });
  const rt::WithContext bound(context);
  for (;;) {
    std::unique_lock lock(lock_);
    std::shared_ptr<Errand> errand = is_busy_ ? nullptr : take_first();
    lock.unlock();
    if (errand == nullptr) return;
    errand->run();
    errand.reset();
    is_busy_ = false;
    count_out();
  }
}

// One errand waits: those behind it are run by another fiber.
void Errands::hand_on(void* argument) {
  Turn& turn = *static_cast<Turn*>(argument);
  turn.of.is_busy_ = false;
  if (turn.stand_in) {
    turn.of.return_early(*turn.stand_in);
  } else {
    turn.of.return_early(After::again);
  }
}

rt::ReadyItem::After Errands::run() {
  const rt::WithContext bound(context_);
  std::size_t done = 0;
  for (; done < most_in_a_row; ++done) {
    std::shared_ptr<Errand> due = next_due();
    if (due == nullptr) break;
    due->time_is_over();
    due.reset();
    count_out();
  }
  std::optional<rt::StandIn> stand_in;
  for (; done < most_in_a_row; ++done) {
    std::shared_ptr<Errand> errand = next(stand_in);
    if (errand == nullptr) break;
    const std::shared_ptr<Errands> self = kept_;  // this run may be outlasted by the last one
    bool is_handed_on = false;
    {
      Turn turn{*this, stand_in};
      const rt::OnPark waits(&hand_on, &turn);
      errand->run();
      errand.reset();
      is_handed_on = waits.was_called();
    }
    if (!is_handed_on) is_busy_ = false;
    count_out();
    if (is_handed_on) return After::gone;
  }
  if (done == most_in_a_row) return After::again;
  std::unique_lock lock(lock_);
  if (is_finishing_ && is_idle()) {
    lock.unlock();
    const std::shared_ptr<Errands> self = std::move(kept_);
    return After::gone;
  }
  set_alarm();
  return After::rest;
}

// Under the lock.
void Errands::put_last(std::shared_ptr<Errand> errand) {
  Errand* const added = errand.get();
  (last_ == nullptr ? first_ : last_->next_) = std::move(errand);
  last_ = added;
  ++waiting_;
}

// Under the lock. It counts as running from here on; null when there is none.
std::shared_ptr<Errand> Errands::take_first() {
  if (first_ == nullptr) return nullptr;
  std::shared_ptr<Errand> errand = std::move(first_);
  first_ = std::move(errand->next_);
  if (first_ == nullptr) last_ = nullptr;
  --waiting_;
  ++running_;
  is_busy_ = true;
  return errand;
}

// It counts as running: what it leads to must not be missed at the end. Null when the time of none
// has come.
std::shared_ptr<Errand> Errands::next_due() {
  const std::lock_guard lock(lock_);
  if (timed_.empty() && alarm_ == Instant::max()) return nullptr;
  const Instant now = rt::now();
  if (alarm_ <= now) alarm_ = Instant::max();
  if (timed_.empty() || timed_.begin()->first > now) return nullptr;
  std::shared_ptr<Errand> errand = std::move(timed_.begin()->second);
  errand->is_timed_ = false;
  timed_.erase(timed_.begin());
  ++running_;
  return errand;
}

// Null when there is none, or another one runs, or the first one may wait and no fiber is there
// that could stand by.
std::shared_ptr<Errand> Errands::next(std::optional<rt::StandIn>& stand_in) {
  const std::lock_guard lock(lock_);
  is_held_up_ = false;
  if (first_ == nullptr || is_busy_) return nullptr;
  if (first_->may_wait()) {
    if (!stand_in) stand_in.emplace(queue_);
    is_held_up_ = !*stand_in;
  }
  if (!is_held_up_) return take_first();
  if (is_finishing_) idle_.broadcast();
  return nullptr;
}

void Errands::count_out() {
  const std::lock_guard lock(lock_);
  --running_;
  // The fiber it held is free for others.
  if (is_held_up_ && first_ != nullptr) ready();
  if (is_finishing_ && is_idle()) idle_.broadcast();
}

// Under the lock. An alarm that rings too early, for what was taken back, is set again by the run
// it causes.
void Errands::set_alarm() {
  Instant due = timed_.empty() ? Instant::max() : timed_.begin()->first;
  if (is_held_up_ && first_ != nullptr) due = std::min(due, rt::now() + until_next_try);
  if (alarm_ <= due) return;
  alarm_ = due;
  ready_at(alarm_);
}

}  // namespace parley::impl
