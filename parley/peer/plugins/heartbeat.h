// heartbeat and heartbeat_pong: sessions on which nothing comes any more end, though nobody closed
// them: the other machine is off, or the way to it is gone, and TCP would tell only when something
// is sent, after many minutes. Calls under way end with outcome_unknown, and a session that is to
// be dialled again is.
//
// In the parley framing one side with `heartbeat` is enough: any peer answers PING. In Teleport's
// formats it sends a CALL or a PUSH /heartbeat as Teleport's plugin does, which a peer with
// `heartbeat_pong`, or Teleport's, serves. What comes meanwhile, whatever it is, is an answer, and
// puts the next question off. Heartbeats do not pass through plugins. A session that came by
// another protocol (ForeignSession) is left alone: http looks after its connections itself.
//
// Each is a plugin for any number of peers. A session that is silent costs no fiber, and a message
// on a session that is not costs one addition for each read of the socket.
//
//   parley::Peer server({.plugins = {heartbeat({.interval = 10s, .timeout = 5s})}});
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/peer/plugin.h"

namespace parley {

// What asks in formats without PING.
enum class HeartbeatKind : std::uint8_t {
  call,
  // Is not answered. So who sends it does not notice when the other side is gone: it only keeps the
  // other side from thinking so. In a format without PUSH it is a call all the same.
  push,
};

// Fiber-safe, as they are.
struct HeartbeatCounts {
  std::atomic<std::uint64_t> asked = 0;
  std::atomic<std::uint64_t> ended = 0;  // sessions, because nothing came
};

struct HeartbeatOptions {
  // After so long without anything that came the other side is asked. Teleport's side is told it in
  // whole seconds, rounded up.
  Duration interval = std::chrono::seconds(15);
  // When nothing has come so long after that, the session ends. What was to be sent before is
  // waited for as long as it goes on leaving; what the kernel holds then has to arrive in this
  // time, too: over slow ways it must not be short.
  Duration timeout = std::chrono::seconds(10);
  // So much of each interval, by chance, is left out, so that sessions that began together are not
  // asked together. From 0 to 1.
  double jitter = 0.25;
  HeartbeatKind kind = HeartbeatKind::call;
  // Counted here, if it is not null.
  std::shared_ptr<HeartbeatCounts> counts = {};

  static constexpr Duration least_interval = std::chrono::seconds(1);
  static constexpr Duration least_timeout = std::chrono::milliseconds(100);
  // Of the interval and of the timeout; of all intervals that heartbeat_pong waits, together.
  static constexpr Duration longest_time = std::chrono::hours(24 * 366);
  // So often in an interval it is looked whether something has come.
  static constexpr int looks = 4;

  // The first that is wrong, naming it.
  [[nodiscard]] Status check() const;
  // So long after something has come for the last time, at most, a session has ended whose other
  // side is gone.
  [[nodiscard]] Duration limit() const { return interval + interval / looks + timeout; }
};

// Asks. Of who has accepted, a connection whose first bytes do not come ends after the same time.
// Options that check() refuses are refused by listen(), dial() and serve().
Plugin heartbeat(HeartbeatOptions options = {});

struct HeartbeatPongOptions {
  // A session on which nothing came for so many of the intervals that the other side has told ends.
  int intervals = 2;
  // An interval that is told and longer is taken for this one.
  Duration longest_interval = std::chrono::hours(1);
  std::shared_ptr<HeartbeatCounts> counts = {};

  [[nodiscard]] Status check() const;
};

// Serves /heartbeat, CALL and PUSH, which the peer must not do itself. Options that check() does
// not like are refused by listen(), dial() and serve().
Plugin heartbeat_pong(HeartbeatPongOptions options = {});

}  // namespace parley
