#include "parley/rt/impl/fiber.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "parley/base/assert.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt::impl {
namespace {

char* align_down(char* at, std::size_t alignment) {
  const auto value = reinterpret_cast<std::uintptr_t>(at);
  return at - (value % alignment);
}

char* place_of(const Stack& stack) {
  return align_down(stack.top() - sizeof(Fiber) - shift_of(stack), alignof(Fiber));
}

}  // namespace

Fiber::Fiber(const Stack& own, std::string_view own_name) : tsan_fiber(tsan_create()), stack(own) {
  context_node.fiber = this;
  timer.fiber = this;
  timer.is_patient = true;
  timer.claim = [](Timer& own_timer) {
    Fiber& fiber = *static_cast<FiberTimer&>(own_timer).fiber;
    if (!fiber.word.claim()) return false;
    fiber.wake = Wake::deadline;
    return true;
  };
  timer.fire = [](Timer& own_timer) {
    Worker::make_runnable(*static_cast<FiberTimer&>(own_timer).fiber, Place::last);
  };
  name.set(own_name);
}

Fiber::~Fiber() {
  (void)TimerWheel::remove(timer);
  tsan_destroy(tsan_fiber);
  id.store(0, std::memory_order_release);
  state.store(FiberState::none, std::memory_order_release);
}

Fiber* Fiber::of(const Stack& stack) {
  return std::launder(reinterpret_cast<Fiber*>(place_of(stack)));
}

Fiber* Fiber::create(const Stack& stack, std::string_view name, const Closure& closure) {
  char* at = place_of(stack);
  auto* fiber = new (at) Fiber(stack, name);

  at = align_down(at - closure.size, std::max<std::size_t>(closure.alignment, 16));
  PARLEY_ASSERT(at > stack.bottom + stack.size / 2,
                "what a new fiber captures fills half its stack: capture a pointer instead");
  closure.move_to(at, closure.from);
  fiber->closure_at = at;
  fiber->run_and_destroy = closure.run_and_destroy;
  fiber->stack_pointer = first_frame(at, &parley_rt_fiber_main, fiber);
  return fiber;
}

}  // namespace parley::rt::impl
