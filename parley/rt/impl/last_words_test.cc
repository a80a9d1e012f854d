#include "parley/rt/impl/last_words.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <thread>

#include "parley/base/assert.h"
#include "parley/rt/blocking.h"
#include "parley/rt/impl/say.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::rt::impl {
namespace {

std::atomic<bool> listens = false;
std::atomic<bool> may_speak = false;
std::atomic<bool> has_spoken = false;

// Another thread has its say when the program has told why it ends; the program ends after it.
void end_while_another_thread_speaks(void (*end)()) {
  std::signal(SIGABRT, [](int) {
    may_speak = true;
    while (!has_spoken) {}
    ::_exit(3);
  });
  Runtime({.workers = 1}).run([end] {
    Scope scope;
    scope.go("other", [] {
      blocking([] {
        listens = true;
        while (!may_speak) std::this_thread::yield();
        say("% not now %\n");
        has_spoken = true;
      });
    });
    while (!listens) yield();
    end();
  });
}

TEST(LastWords, of_an_assertion_are_not_talked_over_by_other_threads) {
  EXPECT_EXIT(end_while_another_thread_speaks([] { PARLEY_ASSERT(false, "the tea is gone"); }),
              ::testing::ExitedWithCode(3), "^[^%]*the tea is gone[^%]*in fiber #[^%]*$");
}

TEST(LastWords, of_an_exception_nobody_catches_are_not_talked_over) {
  EXPECT_EXIT(end_while_another_thread_speaks([] { throw std::runtime_error("the tea is gone"); }),
              ::testing::ExitedWithCode(3), "^[^%]*in fiber #[^%]*the tea is gone[^%]*$");
}

}  // namespace
}  // namespace parley::rt::impl
