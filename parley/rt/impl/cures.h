// The cures for the traps of stackful fibers (house of Parley, runtime), each on in every build.
// The library is compiled once more for its own tests with PARLEY_RT_TRAPS_OPEN, where each cure
// can be switched off to prove that the test of its trap would notice.
#pragma once

namespace parley::rt::impl {

#ifdef PARLEY_RT_TRAPS_OPEN
// Set before a Runtime starts, by tests only.
inline bool cure_eh_globals = true;
inline bool cure_errno = true;
inline bool cure_guard = true;
inline bool cure_asan = true;
inline bool cure_tsan = true;
// The kernel has guard regions, if it has.
inline bool use_guard_regions = true;
// Each fiber that is resumed goes to another worker than the one it ran on last.
inline bool force_migration = false;
#else
inline constexpr bool cure_eh_globals = true;    // each fiber has its own caught exceptions
inline constexpr bool cure_errno = true;         // errno survives a park
inline constexpr bool cure_guard = true;         // a stack overflow hits a guard and is named
inline constexpr bool cure_asan = true;          // ASan is told of each switch
inline constexpr bool cure_tsan = true;          // TSan is told of each switch
inline constexpr bool use_guard_regions = true;  // where the kernel has them
inline constexpr bool force_migration = false;   // fibers stay where they are woken
#endif

}  // namespace parley::rt::impl
