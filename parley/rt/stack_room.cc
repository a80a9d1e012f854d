#include "parley/rt/stack_room.h"

#include <cstddef>

#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt {

bool has_stack_for_another() {
  const impl::Fiber& fiber = impl::Worker::current_fiber("rt::has_stack_for_another was called");
  const char* const here = static_cast<const char*>(__builtin_frame_address(0));
  const auto left = static_cast<std::size_t>(here - fiber.stack.bottom);
  return left >= fiber.scheduler->options().stack_size / 2;
}

}  // namespace parley::rt
