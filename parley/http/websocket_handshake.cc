#include "parley/http/websocket_handshake.h"

#include <algorithm>
#include <utility>

#include "parley/base/base64.h"
#include "parley/crypto/random_bytes.h"
#include "parley/http/impl/sha1.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

constexpr std::string_view accept_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::string_view version = "13";
constexpr std::size_t key_bytes = 16;
constexpr std::size_t key_text = 24;

// All fields of that name as one list.
std::string joined(const Headers& headers, std::string_view name) {
  std::string list;
  for (const auto [field, value] : headers) {
    if (!same_name(field, name)) continue;
    if (!list.empty()) list += ", ";
    list += value;
  }
  return list;
}

// What a client asks for is refused with.
struct Refusal {
  StatusCode status = 0;  // 0: it is not
  std::string why{};
};

// The host of "https://shop.example:8443"; empty for "null" and what is no origin.
std::string_view host_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

bool is_allowed(const Request& request, const AcceptWebSocketOptions& options) {
  const auto origin = request.headers.get("Origin");
  if (!origin) return true;
  if (options.allow_origin) return options.allow_origin(*origin, request);
  const std::string_view host = host_of(*origin);
  return !host.empty() && same_name(host, request.authority());
}

// HTTP/2 has no Upgrade header of its own: an exchange over it shows the :protocol of an extended
// CONNECT (RFC 8441 4) as one.
bool asks_by_connect(const Request& request, Protocol protocol) {
  return protocol == Protocol::http_2 && request.method == Method::connect;
}

Refusal check_upgrade(const Request& request, Protocol protocol) {
  const Headers& headers = request.headers;
  if (protocol == Protocol::http_2) {
    if (request.method != Method::connect) {
      return {405, "a WebSocket over HTTP/2 begins with CONNECT and :protocol websocket"};
    }
    if (!headers.has_element("Upgrade", "websocket")) return {400, ":protocol is not websocket"};
    return {};
  }
  if (request.method != Method::get) return {405, "a WebSocket begins with GET"};
  if (protocol != Protocol::http_1_1) return {400, "a WebSocket needs HTTP/1.1"};
  if (!headers.has_element("Upgrade", "websocket")) {
    return {426, "here is a WebSocket: ask for Upgrade: websocket"};
  }
  if (!headers.has_element("Connection", "upgrade")) {
    return {400, "Upgrade is not named in Connection"};
  }
  std::string key;
  const std::string_view text = headers.get("Sec-WebSocket-Key").value_or("");
  if (headers.count("Sec-WebSocket-Key") != 1 || text.size() != key_text ||
      !decode_base64(text, key) || key.size() != key_bytes) {
    return {400, "Sec-WebSocket-Key is no base64 of 16 bytes, or comes twice"};
  }
  return {};
}

// `name` becomes the subprotocol, or stays empty.
Refusal choose_subprotocol(const Request& request, const std::vector<std::string>& spoken,
                           std::string& name) {
  const std::string list = joined(request.headers, "Sec-WebSocket-Protocol");
  std::vector<std::string_view> asked;
  std::string_view rest = list;
  for (std::string_view element; next_element(rest, element);) {
    if (!is_token(element) || std::find(asked.begin(), asked.end(), element) != asked.end()) {
      return {400, "Sec-WebSocket-Protocol has no token, or one twice: " + quoted(element)};
    }
    asked.push_back(element);
  }
  for (const std::string& one : spoken) {
    if (std::find(asked.begin(), asked.end(), one) == asked.end()) continue;
    name = one;
    break;
  }
  return {};
}

Refusal check_request(ServerExchange& exchange, const AcceptWebSocketOptions& options) {
  const Request& request = exchange.request();
  if (Refusal refusal = check_upgrade(request, exchange.protocol()); refusal.status != 0) {
    return refusal;
  }
  if (request.headers.count("Sec-WebSocket-Version") != 1 ||
      request.headers.get("Sec-WebSocket-Version") != version) {
    return {426, "the version of WebSocket that is spoken here is 13"};
  }
  if (exchange.protocol() == Protocol::http_1_1 &&
      (joined(request.headers, "Content-Length").find_first_not_of('0') != std::string::npos ||
       request.headers.count("Transfer-Encoding") != 0)) {
    return {400, "a request for a WebSocket has no body"};
  }
  if (!is_allowed(request, options)) {
    return {403, "pages of " + quoted(request.headers.get("Origin").value_or("")) +
                     " may not open a WebSocket here"};
  }
  return {};
}

Status refuse(ServerExchange& exchange, const Refusal& refusal) {
  Headers& headers = exchange.response().headers;
  Status status;
  if (refusal.status == 426) {
    if (exchange.protocol() != Protocol::http_2) status = headers.set("Upgrade", "websocket");
    if (status.is_ok()) status = headers.set("Sec-WebSocket-Version", version);
    if (status.is_ok() && exchange.protocol() != Protocol::http_2) {
      status = headers.set("Connection", "Upgrade");
    }
  }
  if (refusal.status == 405) {
    status = headers.set("Allow", exchange.protocol() == Protocol::http_2 ? "CONNECT" : "GET");
  }
  if (!status.is_ok()) return status;
  return exchange.answer(refusal.status, refusal.why + "\n");
}

Status fill_answer(ServerExchange& exchange, std::string_view extensions,
                   std::string_view subprotocol) {
  Response& answer = exchange.response();
  Headers& headers = answer.headers;
  if (asks_by_connect(exchange.request(), exchange.protocol())) {
    answer.status = 200;
  } else {
    answer.status = 101;
    const std::string accept =
        websocket_accept(exchange.request().headers.get("Sec-WebSocket-Key").value_or(""));
    if (Status bad = headers.set("Upgrade", "websocket"); !bad.is_ok()) return bad;
    if (Status bad = headers.set("Connection", "Upgrade"); !bad.is_ok()) return bad;
    if (Status bad = headers.set("Sec-WebSocket-Accept", accept); !bad.is_ok()) return bad;
  }
  if (!extensions.empty()) {
    if (Status bad = headers.set("Sec-WebSocket-Extensions", extensions); !bad.is_ok()) return bad;
  }
  return subprotocol.empty() ? Status() : headers.set("Sec-WebSocket-Protocol", subprotocol);
}

Status wrong_answer(std::string why) {
  return {Code::invalid_argument, "the answer to a request for a WebSocket is wrong: " + why};
}

Status check_answer(const Response& answer, const WebSocketOpening& opening) {
  const Headers& headers = answer.headers;
  if (!same_name(headers.get("Upgrade").value_or(""), "websocket") ||
      headers.count("Upgrade") != 1) {
    return wrong_answer("Upgrade is not websocket");
  }
  if (!headers.has_element("Connection", "upgrade")) {
    return wrong_answer("Connection does not name Upgrade");
  }
  if (headers.count("Sec-WebSocket-Accept") != 1 ||
      headers.get("Sec-WebSocket-Accept") != websocket_accept(opening.key)) {
    return wrong_answer("Sec-WebSocket-Accept does not go with the key: no WebSocket server spoke");
  }
  return {};
}

Status check_subprotocol(const Headers& headers, const std::vector<std::string>& asked) {
  const auto chosen = headers.get("Sec-WebSocket-Protocol");
  if (!chosen) return {};
  if (headers.count("Sec-WebSocket-Protocol") != 1 ||
      std::find(asked.begin(), asked.end(), *chosen) == asked.end()) {
    return wrong_answer("nobody asked for the subprotocol " + quoted(*chosen));
  }
  return {};
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string accept;
  append_base64(accept, impl::sha1(std::string(key) + std::string(accept_suffix)));
  return accept;
}

Status accept_websocket(ServerExchange& exchange, const AcceptWebSocketOptions& options,
                        std::function<void(std::unique_ptr<WebSocket>)> then) {
  const Request& request = exchange.request();
  Refusal refusal = check_request(exchange, options);
  std::string subprotocol;
  if (refusal.status == 0) {
    refusal = choose_subprotocol(request, options.subprotocols, subprotocol);
  }
  if (refusal.status != 0) return refuse(exchange, refusal);
  std::string extensions;
  const auto deflate = accept_deflate(joined(request.headers, "Sec-WebSocket-Extensions"),
                                      options.socket.deflate, extensions);
  if (!deflate) return refuse(exchange, {400, deflate.error().message()});
  if (Status bad = fill_answer(exchange, extensions, subprotocol); !bad.is_ok()) return bad;
  return exchange.hand_over([socket = options.socket, agreed = *deflate, subprotocol,
                             draining = exchange.draining(),
                             then = std::move(then)](std::unique_ptr<net::Stream> stream) {
    auto made =
        std::make_unique<WebSocket>(std::move(stream), Side::server, socket, agreed, subprotocol);
    made->leave_with(draining);
    then(std::move(made));
  });
}

Result<WebSocketOpening> websocket_request(std::string_view target, std::string_view host,
                                           const WebSocketRequestOptions& options) {
  WebSocketOpening opening{.request = {}, .key = {}, .options = options};
  const bool is_over_2 = options.protocol == Protocol::http_2;
  if (options.protocol == Protocol::http_1_0) {
    return Status(Code::invalid_argument, "a WebSocket needs HTTP/1.1 or HTTP/2");
  }
  if (!is_over_2) {
    const Result<std::string> random = crypto::random_bytes(key_bytes);
    if (!random) return random.error();
    append_base64(opening.key, *random);
  }
  opening.request.method = is_over_2 ? Method::connect : Method::get;
  opening.request.target = target;
  std::string asked;
  for (const std::string& one : options.subprotocols) {
    if (!is_token(one) ||
        std::count(options.subprotocols.begin(), options.subprotocols.end(), one) != 1) {
      return Status(Code::invalid_argument,
                    "a subprotocol is a token and is asked for once: " + quoted(one));
    }
    asked += (asked.empty() ? "" : ", ") + one;
  }
  const std::pair<std::string_view, std::string> fields[] = {
      {"Host", std::string(host)},
      {"Upgrade", "websocket"},
      {"Connection", is_over_2 ? "" : "Upgrade"},
      {"Sec-WebSocket-Key", opening.key},
      {"Sec-WebSocket-Version", std::string(version)},
      {"Sec-WebSocket-Protocol", asked},
      {"Sec-WebSocket-Extensions", deflate_offer(options.socket.deflate)},
      {"Origin", options.origin},
  };
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    if (Status bad = opening.request.headers.add(name, value); !bad.is_ok()) return bad;
  }
  return opening;
}

Result<std::unique_ptr<WebSocket>> finish_websocket(ClientExchange& exchange,
                                                    const WebSocketOpening& opening,
                                                    rt::Deadline deadline) {
  const Result<Response*> answer = exchange.response(deadline);
  if (!answer) return answer.error();
  const Response& head = **answer;
  const bool is_over_2 = exchange.protocol() == Protocol::http_2;
  if (is_over_2 != (opening.options.protocol == Protocol::http_2)) {
    return Status(Code::failed_precondition, "the WebSocket was not asked for as " +
                                                 std::string(name_of(exchange.protocol())) +
                                                 " has it: see WebSocketRequestOptions::protocol");
  }
  if (head.status != (is_over_2 ? 200 : 101)) {
    return Status(Code::failed_precondition,
                  "no WebSocket was granted: the answer is " + std::to_string(head.status));
  }
  if (!is_over_2) {
    if (Status bad = check_answer(head, opening); !bad.is_ok()) return bad;
  }
  if (Status bad = check_subprotocol(head.headers, opening.options.subprotocols); !bad.is_ok()) {
    return bad;
  }
  const auto deflate = check_deflate_answer(joined(head.headers, "Sec-WebSocket-Extensions"),
                                            opening.options.socket.deflate);
  if (!deflate) return deflate.error();
  Result<std::unique_ptr<net::Stream>> stream = exchange.take_stream();
  if (!stream) return stream.error();
  return std::make_unique<WebSocket>(
      std::move(*stream), Side::client, opening.options.socket, *deflate,
      std::string(head.headers.get("Sec-WebSocket-Protocol").value_or("")));
}

}  // namespace parley::http
