// A WebSocket as a connection of a Peer: its binary messages carry the bytes of a framing, so a
// browser is a peer like any other, which can be called and pushed to.
//
//   http::Handler post = door::make_post(peer);
//   http::Handler socket = door::make_websocket_peer(peer);
//   http::Handler handler = [post, socket](http::ServerExchange& exchange) {
//     return exchange.request().path() == "/parley" ? socket(exchange) : post(exchange);
//   };
//   // connect("ws://host/parley") in JavaScript (clients/js)
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/http/exchange.h"
#include "parley/http/websocket_handshake.h"
#include "parley/peer/peer.h"

namespace parley::door {

struct WebSocketPeerOptions {
  // What a client may ask for. With "parley", and whatever is not one of these two, its binary
  // messages are bytes, and what it speaks is what the first of them say, as on every connection of
  // the peer. With "ws-json" and "ws-pb" each message is one of erpc's (docs/protocols/erpc-ws.md).
  // A session at rest is pinged after socket.ping_interval, and ends when nothing comes within
  // socket.pong_timeout (up to a second later), as long as the server is there: so clients that are
  // gone without a word are found.
  http::AcceptWebSocketOptions accept{.subprotocols = {"parley", "ws-json", "ws-pb"}};
  // What is spoken with one that asks for none, one of these three: erpc's own clients do not;
  // theirs is "ws-json".
  std::string unnamed = "parley";
  // With "parley", texts are bytes as well; else one ends the connection with 1003.
  bool accept_text = false;
  // Told of a connection that the peer did not take (max_sessions, or it ends). Null: nobody is.
  std::function<void(const Status& why)> on_refused{};
};

// invalid_argument when `unnamed` is nothing that is spoken.
[[nodiscard]] Status check(const WebSocketPeerOptions& options);

// Accepts what asks for a WebSocket and answers everything else as http::accept_websocket() does.
// The session outlives the handler and is the peer's: it ends as all of its sessions do, with a
// Close frame 1001, and when the server drains that the request came to: by Session::close(), so
// that calls under way are answered.
// Fiber-safe. `peer` must outlive it and the connections that it was asked by. Options that check()
// refuses are a bug.
http::Handler make_websocket_peer(Peer& peer, WebSocketPeerOptions options = {});

}  // namespace parley::door
