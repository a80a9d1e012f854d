// How a peer ends: what to ask of Peer::shutdown(), and what it tells. Plain values.
//
//   const ShutdownReport report = peer.shutdown({.limit = 20s, .reason = "SIGTERM"});
//   if (!report.is_clean()) say(report.to_string());
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "parley/base/clock.h"

namespace parley {

struct ShutdownOptions {
  // How long handlers, streams and calls under way may go on; what is left then is cut. Nothing:
  // PeerOptions::drain_timeout. Zero: everything is cut at once, and nothing more is said to
  // anybody.
  std::optional<Duration> limit = {};
  // Told to the other sides (GO_AWAY, in framings that have it) and to the log.
  std::string reason = "the peer is shutting down";
};

// What goes on in sessions.
struct WorkCount {
  std::size_t handlers = 0;  // that run, those of streams not among them
  std::size_t calls = 0;     // of ours, that wait for their answers
  std::size_t streams = 0;   // opened here, and served here

  [[nodiscard]] std::size_t all() const { return handlers + calls + streams; }
  [[nodiscard]] std::string to_string() const;  // "2 handlers, 1 call, 0 streams"
  WorkCount& operator+=(const WorkCount& other);
  friend bool operator==(const WorkCount&, const WorkCount&) = default;
};

struct ShutdownReport {
  std::size_t sessions = 0;      // that were there when it began
  std::size_t sessions_cut = 0;  // of these: some of their work was cut
  WorkCount finished = {};       // of what was under way when it began
  WorkCount cut = {};            // by the limit, or because the connection broke before
  Duration took{};
  // False when a handler or a callback of the peer asked: it cannot wait for its own end. The
  // counts are not known then.
  bool is_over = true;

  // Over, and nothing was cut.
  [[nodiscard]] bool is_clean() const { return is_over && cut.all() == 0; }
  // In one line.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace parley
