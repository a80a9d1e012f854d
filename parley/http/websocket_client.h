// Opens WebSockets by a Client: over a connection of HTTP/1.1 that becomes one, or over a stream of
// HTTP/2 beside other requests.
//
// Fiber-safe, as the Client is; what is opened belongs to whom WebSocket says.
//
//   auto socket = http::connect_websocket(client, {.url = "wss://shop.example/chat"});
//   if (!socket) return socket.error();
//   Status sent = (*socket)->send_text("hello");
#pragma once

#include <memory>

#include "parley/base/result.h"
#include "parley/http/client.h"
#include "parley/http/websocket.h"
#include "parley/http/websocket_handshake.h"

namespace parley::http {

// Asks for it and waits for the answer, within request.deadline and the client's times. The URL is
// of ws, wss, http or https; the request's own headers (Cookie, Authorization) go along, its method
// and body are not looked at. With WebSocketRequestOptions::protocol http_2 over TLS where the
// client and the server speak that, or by a client of Versions::http_2; no redirect is followed.
// Errors: those of websocket_request(), Client::begin() and finish_websocket(). The socket gets
// nothing more when the client is closed.
Result<std::unique_ptr<WebSocket>> connect_websocket(Client& client, const ClientRequest& request,
                                                     const WebSocketRequestOptions& options = {});

}  // namespace parley::http
