// Terms: how long a call waits and may take, what became of a try. Private to peer. Plain values.
#pragma once

#include <chrono>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"

namespace parley::impl {

struct CallTerms {
  Duration timeout{};  // as it was asked for
  rt::Deadline deadline;
  Duration left{};          // until then, from when it began: what the other side is told
  bool is_callers = false;  // the deadline is that of the caller's context
};

// About what it costs to have another fiber, on another worker, go on with what waits.
inline constexpr Duration longest_quick_call = std::chrono::microseconds(20);

// What a handler's context ends with when its caller waits no longer.
inline const Status& deadline_passed() {
  static const Status status(Code::deadline_exceeded, "the caller's deadline has passed");
  return status;
}

enum class Tried : std::uint8_t { sent, no_room, cut, failed };

}  // namespace parley::impl
