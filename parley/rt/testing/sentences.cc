#include "parley/rt/testing/sentences.h"

#include <gtest/gtest.h>

#include "parley/rt/impl/scheduler.h"
#include "parley/rt/simulation.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt::testing {
namespace {

// Few for each: there are many sentences, and their tests run often.
constexpr std::uint64_t simulated_seeds = 8;

std::size_t count_waiting(std::string_view reason) {
  std::size_t count = 0;
  impl::Scheduler::current()->stacks().for_each([&](const impl::Stack& stack) {
    const impl::Fiber* fiber = impl::Fiber::of(stack);
    if (fiber->state.load(std::memory_order_acquire) == impl::FiberState::parked &&
        fiber->wait_reason.load(std::memory_order_acquire) == reason) {
      ++count;
    }
  });
  return count;
}

}  // namespace

void check(std::span<const Sentence> sentences) {
  for (const Sentence& sentence : sentences) {
    for (const std::size_t workers : {1U, 2U, 4U}) {
      SCOPED_TRACE(std::string(sentence.says) + " (workers: " + std::to_string(workers) + ")");
      run_fiber_test(sentence.holds, {.workers = workers});
    }
    for (std::uint64_t seed = 1; !sentence.has_threads && seed <= simulated_seeds; ++seed) {
      SCOPED_TRACE(std::string(sentence.says) + " (simulation of seed " + std::to_string(seed) +
                   ")");
      simulate({.seed = seed}, sentence.holds);
    }
  }
}

void wait_until_waiting(std::string_view reason, std::size_t count) {
  wait_until([&] { return count_waiting(reason) == count; });
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) yield();
}

}  // namespace parley::rt::testing
