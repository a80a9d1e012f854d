#include "parley/rt/fiber_number.h"

#include <atomic>

#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt {

std::uint64_t fiber_number() {
  return impl::Worker::current_fiber("rt::fiber_number was called")
      .id.load(std::memory_order_relaxed);
}

}  // namespace parley::rt
