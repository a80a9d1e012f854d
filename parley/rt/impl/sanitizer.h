// What the sanitizers must be told about fibers; nothing at all in other builds.
//
// AddressSanitizer, before a switch: where the next stack lies, and where to keep this one's fake
// stack (nowhere, when this fiber is ending, so that ASan frees it); after a switch: which fake
// stack to take up again. ThreadSanitizer: each fiber is a thread of its own to it, and it wants to
// know right before each switch which one comes.
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

#if defined(__SANITIZE_THREAD__)
#define PARLEY_RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PARLEY_RT_TSAN 1
#endif
#endif

#ifdef PARLEY_RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef PARLEY_RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace parley::rt::impl {

#ifdef PARLEY_RT_ASAN
inline constexpr bool has_asan = true;

inline void asan_leave(void** fake_stack, const void* next_bottom, std::size_t next_size) {
  if (cure_asan) __sanitizer_start_switch_fiber(fake_stack, next_bottom, next_size);
}
inline void asan_arrive(void* fake_stack, const void** left_bottom = nullptr,
                        std::size_t* left_size = nullptr) {
  if (cure_asan) __sanitizer_finish_switch_fiber(fake_stack, left_bottom, left_size);
}
// Frames of the last fiber that ran on this stack left their red zones poisoned.
inline void asan_clean_stack(const void* bottom, std::size_t size) {
  if (cure_asan) __asan_unpoison_memory_region(bottom, size);
}
#else
inline constexpr bool has_asan = false;

inline void asan_leave(void**, const void*, std::size_t) {}
inline void asan_arrive(void*, const void** = nullptr, std::size_t* = nullptr) {}
inline void asan_clean_stack(const void*, std::size_t) {}
#endif

#ifdef PARLEY_RT_TSAN
inline constexpr bool has_tsan = true;

inline void* tsan_current() { return cure_tsan ? __tsan_get_current_fiber() : nullptr; }
inline void* tsan_create() { return cure_tsan ? __tsan_create_fiber(0) : nullptr; }
inline void tsan_destroy(void* fiber) {
  if (cure_tsan) __tsan_destroy_fiber(fiber);
}
// Always inlined: it would end on another fiber than it began on, and ThreadSanitizer keeps an
// account of the functions that each fiber has entered and left.
[[gnu::always_inline]] inline void tsan_switch(void* to) {
  if (cure_tsan) __tsan_switch_to_fiber(to, 0);
}
#else
inline constexpr bool has_tsan = false;

inline void* tsan_current() { return nullptr; }
inline void* tsan_create() { return nullptr; }
inline void tsan_destroy(void*) {}
inline void tsan_switch(void*) {}
#endif

}  // namespace parley::rt::impl
