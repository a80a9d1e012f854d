#include "parley/rt/testing/sentences.h"

#include <gtest/gtest.h>

#include <atomic>

#include "parley/rt/impl/scheduler.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::rt::testing {
namespace {

// Of an atomic in a fiber that may be in the middle of being made on another worker, over one that
// has ended: harmless, but ThreadSanitizer cannot know.
template <class T>
[[gnu::no_sanitize("thread"), gnu::noinline]] T peek(const std::atomic<T>& value) {
  static_assert(sizeof(T) == sizeof(value));
  return *reinterpret_cast<const volatile T*>(&value);
}

std::size_t count_waiting(std::string_view reason) {
  std::size_t count = 0;
  impl::Scheduler::current()->stacks().for_each([&](const impl::Stack& stack) {
    const impl::Fiber* fiber = impl::Fiber::of(stack);
    if (peek(fiber->state) == impl::FiberState::parked && peek(fiber->wait_reason) == reason) {
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
  }
}

void wait_until_waiting(std::string_view reason, std::size_t count) {
  wait_until([&] { return count_waiting(reason) == count; });
}

void wait_until(const std::function<bool()>& condition) {
  while (!condition()) yield();
}

}  // namespace parley::rt::testing
