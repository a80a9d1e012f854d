// What AddressSanitizer must be told about fibers; nothing at all in other builds.
//
// Before a switch: where the next stack lies, and where to keep this one's fake stack (nowhere,
// when this fiber is ending, so that ASan frees it). After a switch: which fake stack to take up
// again.
#pragma once

#include <cstddef>

#include "parley/rt/impl/cures.h"

#if defined(__SANITIZE_ADDRESS__)
#define PARLEY_RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PARLEY_RT_ASAN 1
#endif
#endif

#ifdef PARLEY_RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace parley::rt::impl {

#ifdef PARLEY_RT_ASAN
inline constexpr bool has_asan = true;

inline void asan_leave(void** fake_stack, const void* next_bottom, std::size_t next_size) {
  if (cure_asan) __sanitizer_start_switch_fiber(fake_stack, next_bottom, next_size);
}
inline void asan_arrive(void* fake_stack, const void** old_bottom, std::size_t* old_size) {
  if (cure_asan) __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_size);
}
// Frames of the last fiber that ran on this stack left their red zones poisoned.
inline void asan_clean_stack(const void* bottom, std::size_t size) {
  if (cure_asan) __asan_unpoison_memory_region(bottom, size);
}
#else
inline constexpr bool has_asan = false;

inline void asan_leave(void**, const void*, std::size_t) {}
inline void asan_arrive(void*, const void**, std::size_t*) {}
inline void asan_clean_stack(const void*, std::size_t) {}
#endif

}  // namespace parley::rt::impl
