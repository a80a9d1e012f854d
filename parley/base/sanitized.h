// Whether this is a build under AddressSanitizer or ThreadSanitizer, where all takes longer, frames
// are wider, and system calls have to be those that the sanitizer knows.
#pragma once

namespace parley {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
// clang's way to say it.
inline constexpr bool is_sanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace parley
