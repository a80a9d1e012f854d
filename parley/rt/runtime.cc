#include "parley/rt/runtime.h"

#include "parley/rt/blocking.h"
#include "parley/rt/impl/last_words.h"
#include "parley/rt/impl/os_locks.h"
#include "parley/rt/impl/overflow.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker_inline.h"
#include "parley/rt/time.h"

namespace parley::rt {

using impl::Fiber;
using impl::Scheduler;
using impl::Wake;
using impl::Worker;

Runtime::Runtime(RuntimeOptions options) : options_(options) {
  options_.real_clock = &real_clock_;
  if (options_.clock == nullptr) options_.clock = &real_clock_;
}

void Runtime::run_closure(const impl::Closure& closure) {
  impl::install_last_words();
  const impl::FaultStack fault_stack;
  Scheduler scheduler(options_);
  scheduler.run(closure);
}

std::string dump() {
  Scheduler* scheduler = Scheduler::current();
  return scheduler == nullptr ? "no runtime on this thread\n" : scheduler->dump();
}

Instant now() noexcept {
  const Scheduler* scheduler = Scheduler::current();
  return scheduler == nullptr ? RealClock().now() : scheduler->now();
}

Instant recently() noexcept {
  const Scheduler* scheduler = Scheduler::current();
  return scheduler == nullptr ? RealClock().recently() : scheduler->options().clock->recently();
}

Deadline Deadline::after(Duration delay) noexcept { return after(delay, rt::now()); }

Status sleep_until(Instant instant) {
  impl::require_fiber("rt::sleep was called");
  impl::Parking parking("sleep");
  const Wake wake = parking.park(Deadline::at(instant));
  return wake == Wake::deadline ? Status() : impl::status_of(wake, "sleep");
}

Status sleep(Duration delay) {
  // Who asks for no pause, again and again, parks never.
  if (delay <= Duration::zero()) checkpoint();
  return sleep_until(Deadline::after(delay).instant());
}

void yield() {
  Fiber& fiber = Worker::current_fiber("rt::yield was called");
  if constexpr (impl::counts_os_locks) impl::refuse_os_locks(fiber, "yield");
  if (fiber.on_park != nullptr) impl::tell_before_park(fiber);
  Worker::current()->yield(fiber);
}

}  // namespace parley::rt
