#include "parley/rt/testing/interleaved_waits.h"

#include "parley/base/assert.h"

namespace parley::rt::testing {
namespace {

// Of each thread of the run.
std::array<InterleavedFiber*, most_interleaved> fibers;

}  // namespace

InterleavedFiber& go_fiber(Interleaving& run, std::string_view name, std::function<void()> body) {
  auto& fiber = run.make<InterleavedFiber>();
  run.go(name, [&fiber, body = std::move(body)] {
    fibers[interleaved::thread()] = &fiber;
    body();
    fibers[interleaved::thread()] = nullptr;
  });
  return fiber;
}

InterleavedFiber& current_interleaved_fiber() {
  InterleavedFiber* fiber = fibers[interleaved::thread()];
  PARLEY_ASSERT(fiber != nullptr, "this thread would wait, and was not started by go_fiber()");
  return *fiber;
}

}  // namespace parley::rt::testing
