// Terms: how long a call waits, what became of a try. Private to peer. Plain values.
#pragma once

#include <cstdint>

#include "parley/base/clock.h"
#include "parley/rt/deadline.h"

namespace parley::impl {

struct CallTerms {
  Duration timeout{};  // as it was asked for
  rt::Deadline deadline;
  Duration left{};          // until then, from when it began: what the other side is told
  bool is_callers = false;  // the deadline is that of the caller's context
};

enum class Tried : std::uint8_t { sent, no_room, cut, failed };

}  // namespace parley::impl
