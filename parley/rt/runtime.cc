#include "parley/rt/runtime.h"

#include "parley/rt/impl/overflow.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/time.h"

namespace parley::rt {

using impl::Fiber;
using impl::Scheduler;
using impl::Wake;

Runtime::Runtime(RuntimeOptions options) : options_(options) {
  if (options_.clock == nullptr) options_.clock = &real_clock_;
}

void Runtime::run_closure(const impl::Closure& closure) {
  const impl::OverflowWatch watch;
  Scheduler scheduler(options_);
  scheduler.run(closure);
}

std::string dump() {
  const Scheduler* scheduler = Scheduler::current();
  return scheduler == nullptr ? "no runtime on this thread\n" : scheduler->dump();
}

Instant now() noexcept {
  const Scheduler* scheduler = Scheduler::current();
  return scheduler == nullptr ? RealClock().now() : scheduler->now();
}

Deadline Deadline::after(Duration delay) noexcept {
  const Instant start = rt::now();
  if (delay > Instant::max() - start) return never();
  return at(start + delay);
}

Status sleep_until(Instant instant) {
  Fiber& fiber = Scheduler::current_fiber("rt::sleep was called");
  const Wake wake =
      fiber.scheduler->park("sleep", Deadline::at(instant), Scheduler::Cancellable::yes, nullptr);
  // The same timer serves the sleep and the context's deadline; the context tells which it was.
  if (wake == Wake::deadline && rt::now() >= instant) return {};
  return impl::status_of(wake, "sleep");
}

Status sleep(Duration delay) { return sleep_until(Deadline::after(delay).instant()); }

void yield() { Scheduler::current_fiber("rt::yield was called").scheduler->yield(); }

}  // namespace parley::rt
