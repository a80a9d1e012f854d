// A mutex of the operating system held over a wait: other fibers of the worker that want it block
// the thread that would have to wake the holder, and the holder may wake on another thread, which
// may not unlock it. Debug builds count the locks each fiber holds (pthread mutexes and rwlocks,
// and so std::mutex and its like) and refuse to wait with one. Private to rt.
//
// Counted by functions of our own in front of the C library's. Not under sanitizers, which stand in
// that place themselves, nor in release builds, where locking must cost what it costs.
#pragma once

namespace parley::rt::impl {

class Fiber;

#ifdef PARLEY_RT_COUNT_OS_LOCKS
inline constexpr bool counts_os_locks = true;
#else
inline constexpr bool counts_os_locks = false;
#endif

// Ends the program with a message when `fiber`, about to wait for `what`, holds one.
void refuse_os_locks(const Fiber& fiber, const char* what);

}  // namespace parley::rt::impl
