#include "parley/rt/stack_room.h"

#include <gtest/gtest.h>

#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"

namespace parley::rt {
namespace {

// How deep this goes before half a stack of the usual size is not left.
std::size_t depth() {
  volatile char used[1024];
  used[0] = 1;
  return has_stack_for_another() ? depth() + static_cast<std::size_t>(used[0]) : 0;
}

TEST(StackRoom, half_a_stack_is_left_to_what_would_have_one_of_its_own) {
  std::size_t before = 0;
  for (const std::size_t kilobytes : {256U, 512U}) {
    Runtime({.workers = 1, .stack_size = kilobytes * 1024}).run([&] {
      Scope scope;
      scope.go("usual", [&] {
        const std::size_t levels = depth();
        EXPECT_GT(levels, 20U);
        EXPECT_LT(levels, kilobytes / 2);
        EXPECT_GT(levels, before);
        before = levels;
      });
      scope.go("small", [] { EXPECT_FALSE(has_stack_for_another()); },
               {.stack_size = kilobytes * 1024 / 4});
    });
  }
}

}  // namespace
}  // namespace parley::rt
