#include "parley/door/websocket_peer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/base/assert.h"
#include "parley/door/impl/erpc_socket.h"
#include "parley/http/draining.h"
#include "parley/http/syntax.h"
#include "parley/rt/mutex.h"

namespace parley::door {
namespace {

using impl::ErpcSocket;

// A session that is to leave when the server of its WebSocket drains.
class Leaving {
 public:
  void set(const Session& session) {
    const std::lock_guard lock(lock_);
    session_ = session;
  }
  // False: not now.
  bool leave(http::Draining& draining) {
    const std::lock_guard lock(lock_);
    if (!session_) return false;
    return draining.start("session leaves", [session = *session_] { session.close(); });
  }

 private:
  rt::Mutex lock_;
  std::optional<Session> session_;
};

Result<Session> serve(Peer& peer, const WebSocketPeerOptions& options,
                      std::unique_ptr<http::WebSocket> socket) {
  const std::string spoken =
      socket->subprotocol().empty() ? options.unnamed : socket->subprotocol();
  if (spoken != "ws-json" && spoken != "ws-pb") {
    return peer.serve(http::websocket_byte_stream(
        std::move(socket),
        {.accept_text = options.accept_text, .code = http::close_code::going_away}));
  }
  const ErpcSocket kind = spoken == "ws-pb" ? ErpcSocket::pb : ErpcSocket::json;
  const wire::ErpcLimits limits{.max_frame_bytes = peer.options().max_frame_bytes,
                                .filters = peer.options().filters};
  return peer.serve(impl::erpc_socket_stream(std::move(socket), kind, limits), Side::accepted,
                    {impl::erpc_socket_framing(kind, limits)});
}

void open_session(Peer& peer, const WebSocketPeerOptions& options,
                  std::unique_ptr<http::WebSocket> socket) {
  const auto leaving = std::make_shared<Leaving>();
  socket->on_drain([leaving](http::Draining& draining) { return leaving->leave(draining); });
  const auto session = serve(peer, options, std::move(socket));
  if (session) {
    leaving->set(*session);
  } else if (options.on_refused) {
    options.on_refused(session.error());
  }
}

}  // namespace

Status check(const WebSocketPeerOptions& options) {
  constexpr std::array<std::string_view, 3> spoken = {"parley", "ws-json", "ws-pb"};
  if (std::ranges::find(spoken, options.unnamed) != spoken.end()) return {};
  return {Code::invalid_argument, "WebSocketPeerOptions: unnamed is " +
                                      http::quoted(options.unnamed) +
                                      ", which is not spoken; say parley, ws-json or ws-pb"};
}

http::Handler make_websocket_peer(Peer& peer, WebSocketPeerOptions options) {
  PARLEY_ASSERT(check(options).is_ok(), "ask check() about options that are not your own");
  const auto shared = std::make_shared<const WebSocketPeerOptions>(std::move(options));
  return [&peer, shared](http::ServerExchange& exchange) {
    return http::accept_websocket(exchange, shared->accept,
                                  [&peer, shared](std::unique_ptr<http::WebSocket> socket) {
                                    open_session(peer, *shared, std::move(socket));
                                  });
  };
}

}  // namespace parley::door
