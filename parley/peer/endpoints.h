// Endpoints: what holds for one listener, or for one session that is dialled, beside PeerOptions.
// Plain values.
//
//   peer.listen("tcp://0.0.0.0:4711", {.socket = {.backlog = 128}, .max_sessions = 100});
//   peer.listen("unix:///run/shop.sock", {.socket = {.file_mode = 0600}});
//   peer.dial("tcp://shop:4711", {.timeout = 1s, .socket = {.stream = {.no_delay = false}}});
//   peer.dial("tcp://shop:4711", {.redial = {.count = RedialOptions::unlimited},
//                                 .on_redial = [](const Session& session, const RedialAttempt& a) {
//                                   return a.outcome.is_ok() ? log_in(session) : Status();
//                                 }});
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/net/network.h"
#include "parley/net/options.h"
#include "parley/wire/framing.h"

namespace parley {

class Session;

// Of Peer::listen.
struct ListenOptions {
  // Where connections come from; null: PeerOptions::network. Listeners of several networks may
  // stand side by side in one peer. Must outlive the peer.
  net::Network* network = nullptr;
  // What is spoken here, told apart by the first bytes; a single one is spoken at once. None:
  // PeerOptions::framings.
  std::vector<std::shared_ptr<const wire::Framing>> framings = {};
  // Of the listener's socket, and in `stream` of those of its sessions (net/options.h).
  net::ListenOptions socket = {};
  // Sessions of this listener at once, within PeerOptions::max_sessions; further connections are
  // closed at once, and logged. None: no limit of its own.
  std::optional<std::size_t> max_sessions = {};
};

// What becomes of a session that was dialled when its connection is cut: it may be dialled again,
// the same session on a new connection. Handles, number, id, values and callbacks of on_closed
// stay, and so does its age. Only what the program does not see changes:
//   a call that was under way ends with outcome_unknown, and so does a stream that was open;
//   a call, batch, push or stream that cannot have reached the other side waits for the new
//     connection and goes there by itself, within its own time; not_sent when that is over first;
//   new ones wait as well, at most PeerOptions::max_calls of them (then resource_exhausted);
//   push_to() and the like count the session among those that failed: they wait for none;
//   is_open() stays true; health() is unavailable and tells what was tried last.
// The end of a session of which that fails is told by its handles and on_closed, once, with the
// reason. close() ends it whatever it is doing, and so does another one that takes over its id.
// Plugins are asked about each connection (plugin.h); those around calls run once for each call.
// Between attempts it has no fiber. Needs PeerOptions::max_fibers of at least 2.
struct RedialOptions {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  static constexpr Duration least_interval = std::chrono::milliseconds(1);

  // Attempts in one outage; when all have failed the session ends. 0: it is never dialled again.
  // The first dial of all is not repeated.
  std::size_t count = 0;
  // How long the first attempt of an outage waits, at least least_interval; each further one waits
  // twice as long as the one before, up to max_interval. A connection that is cut again before it
  // has stood for max_interval goes on where it left off.
  Duration interval = std::chrono::milliseconds(100);
  Duration max_interval = std::chrono::seconds(10);
  // By up to this part of itself, at random, each wait is made shorter, so that those whose server
  // went do not all come back at once. 0: by nothing; 1: it may be anything up to itself.
  double jitter = 0.5;

  // Whether it is dialled again when the other side has closed the connection without a word, as a
  // process that is killed does, or has said that it goes (GO_AWAY of the parley framing, with
  // unavailable), as a server does that is restarted. From that word on new calls go on the next
  // connection, which is dialled at once (after a wait as above where this one has stood for less
  // than interval); what is under way is finished on this one, beside it.
  bool after_close = true;
  // The same when this very session was sent away: GO_AWAY with any other code, as when another one
  // has taken over its id there.
  bool after_go_away = false;
};

// One attempt to dial a session again.
struct RedialAttempt {
  std::size_t number = 0;  // from 1 in each outage
  Status outcome = {};     // ok: there is a new connection
  Status cut = {};         // why the one before has ended
};

// Told of each attempt, on a fiber of the peer; it may wait, and call. After one that has succeeded
// (plugins have had their turn then) it comes before all else: its own calls, and those of handlers
// on the new connection, go there at once, all others wait until it has returned. So this is where
// a program logs in again. An error that it returns then refuses the connection: it is closed, and
// the attempt has failed. What it returns otherwise is not looked at. What it throws counts as an
// error. Its context ends with the session. What it refers to must live until close() of the
// session or of the peer has returned.
using OnRedial = std::function<Status(const Session& session, const RedialAttempt& attempt)>;

// Of Peer::dial.
struct DialOptions {
  // Overrides PeerOptions::dial_timeout.
  std::optional<Duration> timeout = {};
  // What dials; null: PeerOptions::network. Must outlive the peer.
  net::Network* network = nullptr;
  // Its first is spoken; none: the first of PeerOptions::framings.
  std::vector<std::shared_ptr<const wire::Framing>> framings = {};
  // Of the session's socket, with the address to dial from (net/options.h).
  net::DialOptions socket = {};
  // What happens when the connection is cut. Dialled with the same options then.
  RedialOptions redial = {};
  OnRedial on_redial = {};
};

}  // namespace parley
