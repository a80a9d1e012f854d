#include "parley/door/websocket_peer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "parley/base/assert.h"
#include "parley/door/impl/erpc_socket.h"
#include "parley/http/syntax.h"

namespace parley::door {
namespace {

using impl::ErpcSocket;

Result<Session> serve(Peer& peer, const WebSocketPeerOptions& options,
                      std::unique_ptr<http::WebSocket> socket) {
  const std::string spoken =
      socket->subprotocol().empty() ? options.unnamed : socket->subprotocol();
  if (spoken != "ws-json" && spoken != "ws-pb") {
    return peer.serve(
        http::websocket_byte_stream(std::move(socket), {.accept_text = options.accept_text}));
  }
  const ErpcSocket kind = spoken == "ws-pb" ? ErpcSocket::pb : ErpcSocket::json;
  const wire::ErpcLimits limits{.max_frame_bytes = peer.options().max_frame_bytes,
                                .filters = peer.options().filters};
  return peer.serve(impl::erpc_socket_stream(std::move(socket), kind, limits), Side::accepted,
                    {impl::erpc_socket_framing(kind, limits)});
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
                                    const auto session = serve(peer, *shared, std::move(socket));
                                    if (!session && shared->on_refused)
                                      shared->on_refused(session.error());
                                  });
  };
}

}  // namespace parley::door
