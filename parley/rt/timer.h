// Timer and Ticker: a function that runs later, a channel that ticks. Thread-safe among the fibers
// of one runtime. A fiber that only wants to wait uses rt::sleep (time.h) or a Deadline.
//
// Starting and stopping a timer costs O(1), however many there are; one that is stopped frees its
// memory at once.
//
//   rt::Timer retry(scope, std::chrono::seconds(1), "retry", [&] { send_again(); });
//   if (auto answer = receive()) retry.stop();
//
//   rt::Ticker every_second(std::chrono::seconds(1));
//   for (Instant tick : every_second.ticks()) report(tick);
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/base/clock.h"
#include "parley/rt/channel.h"
#include "parley/rt/impl/job.h"
#include "parley/rt/impl/timer_wheel.h"

namespace parley::rt {

namespace impl {

class TimerJob : public Job, public Timer {
 public:
  using Job::Job;
  // Inside a fiber only.
  void arm(Duration delay);
};

struct TickerState;

}  // namespace impl

// Go's time.AfterFunc.
class Timer {
 public:
  Timer() = default;
  // After `delay` (at once if it is not positive) a fiber of `scope` called `name` runs f(). It is
  // started whatever max_fibers says. Inside a fiber only. The scope must outlive the timer, or its
  // stop(); `name` must outlive it as well: use a literal.
  template <class F>
  Timer(Scope& scope, Duration delay, std::string_view name, F&& f)
      : job_(new impl::JobOf<impl::TimerJob, std::decay_t<F>>(std::forward<F>(f), scope, name)) {
    job_->arm(delay);
  }
  Timer(Timer&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  Timer& operator=(Timer&& other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  // Stops it.
  ~Timer() { (void)stop(); }

  // True when this kept the function from running; false when it was started before, which is not
  // waited for (its scope does that), or when there was nothing to stop.
  bool stop();

 private:
  impl::TimerJob* job_ = nullptr;
};

// Go's time.Ticker: a tick each `period`. A receiver that is slow misses ticks; they do not pile
// up.
class Ticker {
 public:
  // Inside a fiber only; `period` must be positive (a bug otherwise).
  explicit Ticker(Duration period);
  // No tick comes afterwards.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // The time each tick was due. Never closed. Use it in a select, or receive from it.
  [[nodiscard]] Channel<Instant>& ticks();
  // From now on a tick each `period`, the first after that time. Inside a fiber only.
  void reset(Duration period);

 private:
  std::shared_ptr<impl::TickerState> state_;
};

}  // namespace parley::rt
