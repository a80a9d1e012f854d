// What a thread does, as the kernel sees it. Private to rt.
#pragma once

#include <optional>
#include <string>

#include "parley/base/clock.h"

namespace parley::rt::impl {

struct SystemCall {
  std::string name;  // "read"; "number 4711" for one that is not known here
  bool is_futex = false;
};

// The system call in which a thread of this process is blocked; nothing when it runs, or waits for
// a processor, and when the kernel does not tell.
std::optional<SystemCall> blocked_in(int thread_id);

// What a thread of this process has computed so far; nothing when it is gone.
std::optional<Duration> processor_time_of(int thread_id);

}  // namespace parley::rt::impl
