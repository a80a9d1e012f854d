#include "parley/door/websocket_peer.h"

#include <memory>
#include <utility>

namespace parley::door {

http::Handler make_websocket_peer(Peer& peer, WebSocketPeerOptions options) {
  const auto shared = std::make_shared<const WebSocketPeerOptions>(std::move(options));
  return [&peer, shared](http::ServerExchange& exchange) {
    return http::accept_websocket(
        exchange, shared->accept, [&peer, shared](std::unique_ptr<http::WebSocket> socket) {
          const auto session = peer.serve(
              http::websocket_byte_stream(std::move(socket), {.accept_text = shared->accept_text}));
          if (!session && shared->on_refused) shared->on_refused(session.error());
        });
  };
}

}  // namespace parley::door
