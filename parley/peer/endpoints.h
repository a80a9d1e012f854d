// Endpoints: what holds for one listener, or for one session that is dialled, beside PeerOptions.
// Plain values.
//
//   peer.listen("tcp://0.0.0.0:4711", {.socket = {.backlog = 128}, .max_sessions = 100});
//   peer.listen("unix:///run/shop.sock", {.socket = {.file_mode = 0600}});
//   peer.dial("tcp://shop:4711", {.timeout = 1s, .socket = {.stream = {.no_delay = false}}});
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "parley/base/clock.h"
#include "parley/net/network.h"
#include "parley/net/options.h"
#include "parley/wire/framing.h"

namespace parley {

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
};

}  // namespace parley
