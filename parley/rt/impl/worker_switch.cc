// The ends of a fiber, and the worker's own switch to one. See worker_inline.h.
#include <cxxabi.h>

#include <cerrno>

#include "parley/base/assert.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/impl/worker_inline.h"
#include "parley/rt/scope.h"

namespace parley::rt::impl {

// From the loop's own stack.
void Worker::resume(Fiber& fiber) {
  loop_eh_globals_ = *thread_eh_globals_;
  loop_errno_ = *thread_errno_;
  switch_to(&fiber, &loop_stack_pointer_, &loop_fake_stack_, false);
  asan_arrive(loop_fake_stack_);
  arrive();
}

void Worker::bury(Fiber& fiber) {
  const Stack stack = fiber.stack;
  const bool is_main = fiber.scope == nullptr;
  if (is_main) fiber.context->unbind(fiber);
  fiber.~Fiber();
  if (is_main) {
    scheduler_.fiber_ended(*this);
    scheduler_.main_ended();
  }
  stacks_.give_back(stack);
}

}  // namespace parley::rt::impl

using parley::rt::impl::Fiber;
using parley::rt::impl::Worker;

// An exception that leaves a fiber's function ends the program (std::terminate), as it does for a
// thread. Not by noexcept: it would be unwound to here first. As it is, std::terminate is called
// where it was thrown, with the stack still there, since no frame below has a handler.
extern "C" LastOfStack parley_rt_fiber_main(void* argument) {
  auto* fiber = static_cast<Fiber*>(argument);
  parley::rt::impl::asan_arrive(nullptr);
  Worker::current()->arrive();
  fiber->run_and_destroy(fiber->closure_at);
  return &parley_rt_fiber_last;
}

// The scope is told first, while the fiber is still on its stack: who waits for it is then switched
// to at once. What is left is the fiber's own.
extern "C" void parley_rt_fiber_last(void* argument) {
  auto& fiber = *static_cast<Fiber*>(argument);
  Worker& worker = *Worker::current();
  if (fiber.scope != nullptr) parley::rt::Scope::fiber_ended(*fiber.scope, fiber, worker);
  worker.leave(fiber, Worker::Departure::ended);
  __builtin_unreachable();
}
