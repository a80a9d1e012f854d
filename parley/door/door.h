// Door: one port for everything that a Peer can be asked by: the framings of its sessions, HTTP/1
// and HTTP/2 with a handler, and within HTTP a WebSocket that carries a session; each also within
// TLS. The first bytes of a connection say what it is (detect.h). A connection that has not said so
// yet, or is at rest, owns no fiber.
//
// serve() once, on one fiber; the rest from any. For a port that anybody reaches see also
// PeerOptions::tells_exceptions and max_sessions.
//
//   Peer peer;
//   peer.handle("/math/add", [](int a, int b) { return a + b; });
//   door::Door door(**listener, peer);
//   scope.go("door", [&] { status = door.serve(); });
//   // curl -d '[1,2]' http://host/math/add;  peer.dial("tcp://host"); connect("ws://host/parley");
//   // any client of gRPC: /math/add
//   ...
//   (void)serve_until_signal(peer);                    // or peer.shutdown(): the door ends with it
//   (void)door.shutdown(rt::Deadline::after(5s));      // no longer than that, for who is left
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/door/detect.h"
#include "parley/door/grpc.h"
#include "parley/door/post.h"
#include "parley/door/websocket_peer.h"
#include "parley/http/exchange.h"
#include "parley/http/service.h"
#include "parley/net/serve.h"
#include "parley/net/tls_server.h"
#include "parley/peer/peer.h"
#include "parley/rt/deadline.h"

namespace parley::door {

struct DoorOptions {
  // What HTTP is for, where the door has no handler of its own: gRPC and gRPC-Web where the
  // Content-Type says so, and plain POST for the rest. Nothing: that is not served.
  std::optional<GrpcOptions> grpc = GrpcOptions();
  std::optional<PostOptions> post = PostOptions();
  // Names for DetectOptions::order: tls, http/1, http/2, and those of the peer's framings.
  DetectOptions detect{};
  bool http1 = true;
  bool http2 = true;
  bool framings = true;  // those of the peer
  // Takes TLS; the same is spoken within it. Null: it is not spoken here. Where its
  // TlsServerOptions::alpn is empty the door chooses h2 or http/1.1, as far as they are spoken;
  // else that has to name h2 for curl, browsers and clients of gRPC to speak HTTP/2.
  std::shared_ptr<net::TlsServer> tls{};
  // False: nothing but TLS is taken.
  bool plain = true;
  // Requests of this path, but POST, open a WebSocket that carries a session. Empty: none do.
  std::string websocket_path = "/parley";
  WebSocketPeerOptions websocket{};
  // Its versions, max_connections, max_handlers, open and on_error have no meaning here.
  http::ServerOptions http{};
  // Of HTTP, of TLS handshakes and of those that have said nothing yet; sessions are the peer's and
  // bounded by PeerOptions::max_sessions. As in net::ServeOptions; each holds twice where TLS is
  // spoken, within it and without.
  std::size_t max_connections = 1'000'000;
  std::size_t max_handlers = 10'000;
  // When the end of the peer begins (serve_until_signal(), shutdown(), close()), that of the door
  // does too, as by shutdown() without a deadline. False: it goes on, which is for who has a
  // handler of its own; the methods of the peer are answered with not_sent then.
  bool ends_with_peer = true;
  // Called once, as the end begins, by shutdown() or the peer, and before it sends anybody away:
  // for what lets those return who would else hold their connections for long, such as
  // GrpcHealth::shutdown().
  std::function<void()> on_shutdown{};
  // Told why a connection ended that nobody wanted to end, or a handler failed. On a fiber of it.
  std::function<void(const net::Address& remote, const Status& why)> on_error{};
};

struct DoorCounts {
  std::uint64_t accepted = 0;     // TLS ones once
  std::size_t connections = 0;    // now, without sessions
  std::size_t undetected = 0;     // now
  std::size_t handlers = 0;       // now: fibers
  std::uint64_t refused = 0;      // of no protocol that is spoken
  std::uint64_t timeouts = 0;     // that did not say in time what they are
  std::uint64_t websockets = 0;   // requests for one
  std::uint64_t cut_at_rest = 0;  // as in http::ServerCounts
  // What connections were, by name, each of these that is spoken; those within TLS twice: as tls,
  // and as what is in it.
  std::vector<std::pair<std::string, std::uint64_t>> by_protocol{};
  [[nodiscard]] std::uint64_t of(std::string_view protocol) const;
};

class Door {
 public:
  // `listener` and `peer` must outlive the door; the peer handles what comes by framings, and
  // `handler` what comes by HTTP: null is gRPC and POST to the methods of the peer, as
  // DoorOptions::grpc and post say. Inside a fiber. Options that cannot be are told by serve().
  Door(net::Listener& listener, Peer& peer, http::Handler handler = {}, DoorOptions options = {});
  // After serve() has returned, or without it. Waits for sessions that shutdown() told to leave:
  // PeerOptions::drain_timeout, flush_timeout and close_timeout at most.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Once. Accepts until shutdown() or until the listener is closed, and returns ok when the last
  // connection has ended that is not the peer's. When the calling fiber's context ends, or accept()
  // fails, ends all of those and returns that status; cancelled when shutdown() cut some. What
  // Detector::make(), opening_of(), http::Service::make() or check(websocket) refuse.
  Status serve();

  // Closes the listener; requests under way are answered, connections of HTTP at rest and those
  // that have said nothing close. Ok when all have ended; at the deadline, or when the caller's
  // context ends, the others are cut, and this returns that status once serve() is over. Sessions
  // by WebSocket are told to leave, as Session::close() does, with a Close frame 1001; those of
  // HTTP/2 are waited for. The other sessions go on: Peer::shutdown() ends them. End the peer
  // first: it waits for the calls that are under way, however they came, and those that come later
  // are told not_sent or unavailable.
  Status shutdown(rt::Deadline deadline = {});

  [[nodiscard]] DoorCounts counts() const;

 private:
  struct State;
  const Result<std::unique_ptr<State>> state_;
};

}  // namespace parley::door
