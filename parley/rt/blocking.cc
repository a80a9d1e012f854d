#include "parley/rt/blocking.h"

#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/simulation.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker_inline.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

struct Call : impl::BlockingCall {
  impl::Fiber* fiber = nullptr;
};

}  // namespace

void impl::call_on_thread(void (*run)(void* argument), void* argument) {
  Fiber& fiber = Worker::current_fiber("rt::blocking was called");
  Call call;
  call.run = run;
  call.argument = argument;
  call.fiber = &fiber;
  call.done = [](BlockingCall& done) {
    Fiber& waiting = *static_cast<Call&>(done).fiber;
    if (waiting.word.claim()) Worker::make_runnable(waiting, Place::last);
  };
  Parking parking("blocking call", Cancellable::no);
  fiber.wake = Wake::ready;
  if (Simulation* simulation = fiber.scheduler->simulation()) {
    simulation->add(call);
  } else {
    fiber.scheduler->blocking().add(call);
  }
  (void)parking.park(Deadline::never());
}

void checkpoint() {
  impl::interleave();
  const impl::Worker* worker = impl::Worker::current();
  if (worker != nullptr && worker->should_give_way()) yield();
}

}  // namespace parley::rt
