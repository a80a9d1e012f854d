// How a WebSocket begins (RFC 6455 4): a request of HTTP/1.1 that asks for it, an answer 101, and
// what follows on the connection is frames. Over HTTP/2 it is an extended CONNECT (RFC 8441) and an
// answer 200, by the same functions; what follows on the stream is frames. Who has a Client needs
// connect_websocket() only (websocket_client.h).
//
//   Status chat(http::ServerExchange& exchange) {                       // a Handler
//     return http::accept_websocket(exchange, {}, [](std::unique_ptr<http::WebSocket> socket) {
//       while (auto message = socket->receive_message()) { ... }
//     });
//   }
//
//   auto opening = http::websocket_request("/chat", "shop.example");    // the client
//   if (!opening) return opening.error();
//   auto exchange = connection.begin(opening->request, http::BodySize::none());
//   auto socket = http::finish_websocket(**exchange, *opening);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/websocket.h"

namespace parley::http {

struct AcceptWebSocketOptions {
  WebSocketOptions socket{};
  // The first of these that the client speaks, too. None: the connection has no subprotocol.
  std::vector<std::string> subprotocols{};
  // Whether a page of `origin` may connect, since browsers ask nobody: who does not look lets any
  // page use the cookies of its visitor. Null: pages of the host they connect to, only. Not asked
  // where there is no Origin, which is to say no browser.
  std::function<bool(std::string_view origin, const Request& request)> allow_origin{};
};

// Opens what the request asks for, and when the handler has returned calls `then`; who moves the
// socket out keeps it longer than that (ServerExchange::hand_over). When the server drains it is
// sent a Close frame 1001, so that who receives comes to an end (WebSocket::on_drain). A request
// that is none for a WebSocket is answered here, and that is ok, too: 426 for another version or
// none, 403 for an origin that may not, 405 for another method, else 400 with what is wrong.
Status accept_websocket(ServerExchange& exchange, const AcceptWebSocketOptions& options,
                        std::function<void(std::unique_ptr<WebSocket>)> then);

struct WebSocketRequestOptions {
  WebSocketOptions socket{};
  // Asked for, the best one first.
  std::vector<std::string> subprotocols{};
  // For the Origin header; empty: none, as it is for who is no browser.
  std::string origin{};
  // What the connection speaks. http_2: an extended CONNECT, which has no key.
  Protocol protocol = Protocol::http_1_1;
};

struct WebSocketOpening {
  // To be sent, with no body. More headers may be added.
  Request request{};
  // What the answer has to say; empty over HTTP/2.
  std::string key{};
  WebSocketRequestOptions options{};
};

// The request that asks for a WebSocket. invalid_argument for subprotocols that are no tokens or
// come twice, for an origin or host that no header may have, and for HTTP/1.0; unavailable without
// random numbers.
Result<WebSocketOpening> websocket_request(std::string_view target, std::string_view host,
                                           const WebSocketRequestOptions& options = {});

// Once that was sent: waits for the answer. failed_precondition for an answer that grants nothing,
// with its status, and for an exchange of another version than was asked for; invalid_argument for
// one that breaks the rules, or has an extension or subprotocol that nobody asked for; else the
// errors of ClientExchange::response().
Result<std::unique_ptr<WebSocket>> finish_websocket(ClientExchange& exchange,
                                                    const WebSocketOpening& opening,
                                                    rt::Deadline deadline = {});

// What a server answers to a key: Sec-WebSocket-Accept.
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace parley::http
