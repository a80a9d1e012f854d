// Ending: how far a session is with its end, and what bounds it. Private to peer. Plain values.
#pragma once

#include <cstdint>
#include <optional>

#include "parley/base/clock.h"
#include "parley/peer/shutdown.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"

namespace parley::impl {

// In this order.
enum class Phase : std::uint8_t {
  open,
  leaving,  // the other side said that it goes: no new calls to it, what it still asks is served
  closing,  // no new calls either way; those under way may end
  ended,    // nothing can come any more; what is queued may still leave
};

// Guarded by the lock of the session.
struct Ending {
  std::optional<rt::Deadline> drain_until = {};  // nothing: it has not begun
  std::optional<Duration> patience = {};         // with callbacks and hooks; nothing: drain_timeout
  const rt::Cancel* hooks = nullptr;  // ends the hooks that are told of the end, while they are
  // The other side has not answered the ping behind GO_AWAY: calls that it sent without knowing of
  // that may be on their way, and are to be told that they were not run.
  bool awaits_pong = false;
  rt::Deadline pong_until = {};
  bool is_to_be_told = false;  // GO_AWAY waits until it is known what the other side speaks
  // What the other side said about its own end. Sent away: it gave a reason of this session's.
  bool has_said_goodbye = false;
  bool is_sent_away = false;
  WorkCount cut;
};

}  // namespace parley::impl
