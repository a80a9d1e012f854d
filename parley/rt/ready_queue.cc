#include "parley/rt/ready_queue.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/time.h"

namespace parley::rt {

using impl::Worker;

namespace {

// So many items in a row, then other fibers have their turn.
constexpr std::size_t items_in_a_row = 16;

// Or as soon as they have taken long. Where time is a test's, real time does not decide that.
bool has_held_worker() {
  Worker* const worker = Worker::current();
  return worker->should_give_way() && worker->scheduler().has_real_clock();
}

}  // namespace

ReadyItem::ReadyItem() {
  place_.item = alarm_.item = this;
  // Under the lock of the wheel, so that the item cannot go away meanwhile; and always "too late",
  // since nothing of it may be touched afterwards.
  alarm_.claim = [](impl::Timer& timer) {
    static_cast<Alarm&>(timer).item->make_ready(true);
    return false;
  };
}

ReadyItem::~ReadyItem() { (void)impl::TimerWheel::remove(alarm_); }

bool ReadyItem::mark_ready() {
  State state = state_.load(std::memory_order_relaxed);
  for (;;) {
    if (state == State::queued || state == State::ready_again) {
      // Written over with itself, so that the run to come sees all that led here.
      if (state_.compare_exchange_weak(state, state, std::memory_order_acq_rel)) return false;
      continue;
    }
    const State to = state == State::resting ? State::queued : State::ready_again;
    if (state_.compare_exchange_weak(state, to, std::memory_order_acq_rel)) {
      return to == State::queued;
    }
  }
}

void ReadyItem::ready() { make_ready(false); }

void ReadyItem::ready(StandIn& stand_in) {
  ReadyQueue* queue = queue_;
  if (!mark_ready()) {
    // Whoever is to run it may be waiting for a fiber.
    stand_in.let_go();
  } else if (stand_in) {
    queue->push(*this, stand_in);
  } else {
    queue->push(*this, false);
  }
}

void ReadyItem::make_ready(bool by_alarm) {
  ReadyQueue* queue = queue_;  // once it is marked it may run, and end
  if (mark_ready()) queue->push(*this, by_alarm);
}

void ReadyItem::ready_at(Instant instant) {
  (void)impl::TimerWheel::remove(alarm_);
  alarm_.at = instant;
  Worker::current()->timers().add(alarm_);
}

ReadyQueue::ReadyQueue(std::string_view name, const ReadyQueueOptions& options)
    : ReadyQueue(name, Context::current(), options) {}

ReadyQueue::ReadyQueue(std::string_view name, const Context& parent,
                       const ReadyQueueOptions& options)
    : name_(name),
      max_fibers_(options.max_fibers),
      min_fibers_(std::min(options.min_fibers, options.max_fibers)),
      most_idle_(min_fibers_ +
                 Worker::current_fiber("a ReadyQueue was made").scheduler->worker_count()),
      scope_(parent),
      gives_way_on_(Worker::current()->scheduler().worker_count()) {
  PARLEY_ASSERT(max_fibers_ > 0, "a ReadyQueue without fibers would never run anything");
  scope_.go(name, [this] { start_when_there_is_room(); });
  fibers_ = stand_ins_ = min_fibers_;
  for (std::size_t i = 0; i < min_fibers_; ++i) scope_.go(name, [this] { stand_by(); });
}

ReadyQueue::~ReadyQueue() {
  std::unique_lock lock(lock_);
  ending_ = true;
  impl::WaitList stand_ins;
  impl::claim_all(standing_by_, stand_ins);
  lock.unlock();
  impl::wake_claimed(stand_ins);
  lock.lock();
  while (fibers_ > 0) {
    impl::WaitNode node;
    impl::wait_in_for_ever(lock, ender_, node, "ready queue end");
    lock = std::unique_lock(lock_);
  }
  impl::WaitNode* starter = impl::claim_front(starter_);
  lock.unlock();
  if (starter != nullptr) impl::wake(*starter);
  scope_.join();
}

std::size_t ReadyQueue::fibers() const {
  const std::lock_guard lock(lock_);
  return fibers_;
}

std::uint64_t ReadyQueue::waits_for_fiber() const {
  const std::lock_guard lock(lock_);
  return waits_;
}

// A fiber that is to be started is counted already, and with it the queue is sure to be there.
ReadyQueue::Need ReadyQueue::need_fiber_locked() {
  if (ready_.empty() || starting_) return {};
  if (stand_ins_ > reserved_) {
    starting_ = true;
    --stand_ins_;
    ++called_;
    return {.start = false, .stand_in = impl::claim_front(standing_by_)};
  }
  // One that is left to the starter may be long in coming, but two would be no sooner there.
  if (late_ > 0) return {};
  if (fibers_ == max_fibers_) {
    ++waits_;
    return {};
  }
  starting_ = true;
  ++fibers_;
  return {.start = true, .stand_in = nullptr};
}

void ReadyQueue::meet(const Need& need) {
  if (need.stand_in != nullptr) impl::wake(*need.stand_in);
  if (need.start) start_fiber();
}

// An alarm comes under the lock of its wheel, where no fiber is started: that takes the locks of
// stacks and contexts, and who holds one of those may be about to remove a timer.
void ReadyQueue::push(ReadyItem& item, bool by_alarm) {
  std::unique_lock lock(lock_);
  ready_.push_back(item.place_);
  const Need need = need_fiber_locked();
  if (by_alarm && need.start) {
    leave_to_starter(std::move(lock));
    return;
  }
  lock.unlock();
  meet(need);
}

void ReadyQueue::leave_to_starter(std::unique_lock<impl::SpinLock> lock) {
  starting_ = false;
  ++owed_;
  ++late_;
  impl::WaitNode* starter = impl::claim_front(starter_);
  // A fiber that stands by may have become free while this one was thought to be on its way.
  const Need need = need_fiber_locked();
  lock.unlock();
  if (starter != nullptr) impl::wake(*starter);
  meet(need);
}

// On a worker, in a fiber or not. Must not wait. A fiber that is about to wait (OnPark) starts
// none: that takes the lock of a context, whose cancellation may be waiting for this very fiber to
// be off its stack.
void ReadyQueue::start_fiber() {
  Worker* worker = Worker::current();
  PARLEY_ASSERT(worker != nullptr, "a ReadyItem was made ready outside its runtime");
  const impl::Fiber* fiber = worker->running();
  if (fiber != nullptr && fiber->word.is_open()) {
    leave_to_starter(std::unique_lock(lock_));
    return;
  }
  auto body = [this] { work(); };
  const impl::Closure closure = impl::closure_of(body);
  // Behind those that can run now: what they make ready goes with it.
  if (worker->scheduler().try_spawn(*worker, {scope_, *scope_.context().node(), name_, closure},
                                    impl::Place::last)) {
    return;
  }
  std::unique_lock lock(lock_);
  ++waits_;
  leave_to_starter(std::move(lock));
}

void ReadyQueue::start_when_there_is_room() {
  std::unique_lock lock(lock_);
  for (;;) {
    if (owed_ > 0) {
      --owed_;
      lock.unlock();
      scope_.go(name_, [this] { come_late(); });
      lock.lock();
      continue;
    }
    if (ending_) return;
    impl::WaitNode node;
    impl::wait_in_for_ever(lock, starter_, node, "ready queue");
    lock = std::unique_lock(lock_);
  }
}

void ReadyQueue::work() {
  std::unique_lock lock(lock_);
  starting_ = false;
  work_off(lock);
  leave(lock);
}

void ReadyQueue::come_late() {
  std::unique_lock lock(lock_);
  --late_;
  work_off(lock);
  leave(lock);
}

void ReadyQueue::work_off(std::unique_lock<impl::SpinLock>& lock) {
  for (std::size_t done = 0; !ready_.empty();) {
    ReadyItem& item = *ready_.pop_front().item;
    // Should this item wait, the others are not to wait with it.
    const Need need = need_fiber_locked();
    lock.unlock();
    meet(need);
    // Sees what those who made it ready did before.
    (void)item.state_.exchange(ReadyItem::State::running, std::memory_order_acq_rel);
    const ReadyItem::After after = item.run();
    if (after != ReadyItem::After::gone) end_run(item, after);
    const bool gives_way = ++done % items_in_a_row == 0 || has_held_worker();
    lock.lock();
    if (!gives_way) continue;
    // One of a worker comes back and does what is left. With each that came back as well, all
    // others would wait longer and longer for their turn.
    const std::size_t here = Worker::current()->index();
    const bool is_first = !gives_way_on_[here];
    gives_way_on_[here] = true;
    lock.unlock();
    yield();
    lock.lock();
    if (is_first) {
      gives_way_on_[here] = false;
    } else if (gives_way_on_[here]) {
      return;
    }
  }
}

void ReadyQueue::leave(std::unique_lock<impl::SpinLock>& lock) {
  impl::WaitList woken;
  if (--fibers_ == 0) impl::claim_all(ender_, woken);
  lock.unlock();
  impl::wake_claimed(woken);
}

bool ReadyQueue::reserve() {
  std::unique_lock lock(lock_);
  if (stand_ins_ > reserved_) {
    ++reserved_;
    return true;
  }
  if (fibers_ == max_fibers_ || ending_) {
    ++waits_;
    return false;
  }
  ++fibers_;
  ++stand_ins_;
  ++reserved_;
  lock.unlock();
  if (scope_.try_go(name_, [this] { stand_by(); })) return true;
  lock.lock();
  --stand_ins_;
  --reserved_;
  ++waits_;
  leave(lock);
  return false;
}

void ReadyQueue::unreserve() {
  impl::WaitList woken;
  std::unique_lock lock(lock_);
  --reserved_;
  const Need need = need_fiber_locked();
  dismiss_locked(woken);
  lock.unlock();
  meet(need);
  impl::wake_claimed(woken);
}

// Sends one away when more stand by than are of use.
void ReadyQueue::dismiss_locked(impl::WaitList& woken) {
  if (stand_ins_ - reserved_ <= most_idle_) return;
  --stand_ins_;
  ++dismissed_;
  if (impl::WaitNode* node = impl::claim_front(standing_by_)) woken.push_back(*node);
}

// Works off what is ready each time it is called, until it is one too many or the queue ends.
void ReadyQueue::stand_by() {
  std::unique_lock lock(lock_);
  for (;;) {
    while (called_ == 0 && dismissed_ == 0 && !ending_) {
      impl::WaitNode node;
      impl::wait_in_for_ever(lock, standing_by_, node, "ready queue stand-in");
      lock = std::unique_lock(lock_);
    }
    if (called_ > 0) {
      --called_;
      starting_ = false;
      work_off(lock);
      if (stand_ins_ - reserved_ >= most_idle_) return leave(lock);
      ++stand_ins_;
    } else if (dismissed_ > 0) {
      --dismissed_;
      return leave(lock);
    } else {
      --stand_ins_;
      return leave(lock);
    }
  }
}

void ReadyQueue::push(ReadyItem& item, StandIn& stand_in) {
  std::unique_lock lock(lock_);
  ready_.push_back(item.place_);
  stand_in.queue_ = nullptr;
  --reserved_;
  --stand_ins_;
  ++called_;
  impl::WaitNode* waiting = impl::claim_front(standing_by_);
  lock.unlock();
  if (waiting != nullptr) impl::wake(*waiting);
}

void ReadyQueue::end_run(ReadyItem& item, ReadyItem::After after) {
  using State = ReadyItem::State;
  State running = State::running;
  if (after == ReadyItem::After::rest &&
      item.state_.compare_exchange_strong(running, State::resting, std::memory_order_acq_rel)) {
    return;
  }
  (void)item.state_.exchange(State::queued, std::memory_order_acq_rel);
  push(item, false);
}

void ReadyItem::return_early(After after) { queue_->end_run(*this, after); }

void ReadyItem::return_early(StandIn& stand_in) {
  if (!stand_in) return return_early(After::again);
  (void)state_.exchange(State::queued, std::memory_order_acq_rel);
  queue_->push(*this, stand_in);
}

}  // namespace parley::rt
