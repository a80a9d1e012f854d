// How much stack something takes: codecs run on fibers, whose stacks are small. For tests only.
//
//   if (frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
//   EXPECT_LT(stack_used_by(&decode_the_deepest_input), 32U << 10);
#pragma once

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parley/base/sanitized.h"

namespace parley::codec::testing {

inline constexpr bool frames_are_widened = is_sanitized;

// Bytes of stack below the caller of `run`, which gets a thread and a stack of its own. Counted by
// what is still as it was painted before.
inline std::size_t stack_used_by(void (*run)()) {
  constexpr std::size_t size = std::size_t{512} << 10;
  constexpr std::size_t alignment = 4'096;
  constexpr unsigned char paint = 0xA5;
  std::vector<unsigned char> memory(size + alignment, paint);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  unsigned char* const stack = memory.data() + (alignment - address % alignment);
  struct Start {
    void (*run)();
    const unsigned char* top;
  } start{run, nullptr};
  const auto begin = [](void* argument) -> void* {
    auto& self = *static_cast<Start*>(argument);
    self.top = static_cast<const unsigned char*>(__builtin_frame_address(0));
    self.run();
    return nullptr;
  };
  pthread_attr_t attributes;
  EXPECT_EQ(pthread_attr_init(&attributes), 0);
  EXPECT_EQ(pthread_attr_setstack(&attributes, stack, size), 0);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attributes, begin, &start);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(error, 0);
  if (error != 0 || pthread_join(thread, nullptr) != 0) return size;
  const unsigned char* const lowest =
      std::find_if(stack, stack + size, [](unsigned char byte) { return byte != paint; });
  return static_cast<std::size_t>(start.top - lowest);
}

}  // namespace parley::codec::testing
