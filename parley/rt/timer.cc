#include "parley/rt/timer.h"

#include <mutex>

#include "parley/base/assert.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/scope.h"

namespace parley::rt {

namespace impl {

Job::Job(Scope& scope, std::string_view name) : scope_(scope), name_(name) {
  scope.jobs_.fetch_add(1, std::memory_order_relaxed);
}

void Job::start() {
  Worker* worker = Worker::current();
  PARLEY_ASSERT(worker != nullptr,
                "a context with a rt::DoneCall was cancelled outside its runtime");
  auto body = [this] {
    // From here on the fiber keeps the scope.
    scope_.jobs_.fetch_sub(1, std::memory_order_release);
    run();
    let_go();
  };
  worker->scheduler().spawn_over_limit({scope_, *scope_.context().node(), name_, closure_of(body)});
  // The handle keeps the job until it has seen this, and the fiber keeps the scope.
  is_started_.store(true, std::memory_order_release);
}

void Job::wait_started() const noexcept {
  constexpr int rounds_before_giving_way = 64;
  for (int round = 0; !is_started_.load(std::memory_order_acquire); ++round) {
    if (round < rounds_before_giving_way) {
      RealAtomics::relax();
    } else {
      RealAtomics::give_way();
    }
  }
}

void Job::take_back() {
  scope_.jobs_.fetch_sub(1, std::memory_order_release);
  let_go();
}

void TimerJob::arm(Duration delay) {
  (void)Worker::current_fiber("rt::Timer was made");
  keep();
  at = Deadline::after(std::max(delay, Duration::zero())).instant();
  fire = [](impl::Timer& timer) { static_cast<TimerJob&>(timer).start(); };
  abandon = [](impl::Timer& timer) { static_cast<TimerJob&>(timer).take_back(); };
  Worker::current()->timers().add(*this);
}

struct TickerState : impl::Timer, std::enable_shared_from_this<TickerState> {
  Channel<Instant> ticks{1};
  SpinLock lock;  // of what follows
  Duration period{};
  std::shared_ptr<TickerState> armed;  // itself, while a wheel holds it

  void arm_locked(Instant due) {
    at = due;
    armed = shared_from_this();
    Worker::current()->timers().add(*this);
  }

  void tick() {
    std::shared_ptr<TickerState> self;  // outlives the lock: it may be the last that keeps it
    std::unique_lock guard(lock);
    self = std::move(armed);
    if (period == Duration::zero()) return;
    Instant due = at;
    (void)ticks.try_send(due);
    // Those that were missed are left out.
    const Duration late = std::max(now() - at, Duration::zero());
    arm_locked(at + period * (late / period + 1));
    guard.unlock();
  }

  void set_period(Duration to) {
    const std::lock_guard guard(lock);
    period = to;
    if (TimerWheel::remove(*this)) armed = nullptr;
    if (to == Duration::zero() || armed != nullptr) return;
    arm_locked(Deadline::after(to).instant());
  }
};

}  // namespace impl

bool Timer::stop() {
  impl::TimerJob* job = std::exchange(job_, nullptr);
  if (job == nullptr) return false;
  const bool stopped = impl::TimerWheel::remove(*job);
  stopped ? job->take_back() : job->wait_started();
  job->let_go();
  return stopped;
}

Ticker::Ticker(Duration period) : state_(std::make_shared<impl::TickerState>()) {
  PARLEY_ASSERT(period > Duration::zero(), "the period of a Ticker must be positive");
  (void)impl::Worker::current_fiber("rt::Ticker was made");
  state_->fire = [](impl::Timer& timer) { static_cast<impl::TickerState&>(timer).tick(); };
  state_->abandon = [](impl::Timer& timer) {
    static_cast<impl::TickerState&>(timer).armed = nullptr;
  };
  state_->set_period(period);
}

Ticker::~Ticker() { state_->set_period(Duration::zero()); }

Channel<Instant>& Ticker::ticks() { return state_->ticks; }

void Ticker::reset(Duration period) {
  PARLEY_ASSERT(period > Duration::zero(), "the period of a Ticker must be positive");
  (void)impl::Worker::current_fiber("Ticker::reset was called");
  state_->set_period(period);
}

}  // namespace parley::rt
