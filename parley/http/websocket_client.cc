#include "parley/http/websocket_client.h"

#include <string>
#include <string_view>
#include <utility>

#include "parley/http/syntax.h"

namespace parley::http {
namespace {

// The URL of the request that asks: "wss://a" is "https://a".
std::string as_http(const std::string& url) {
  const std::size_t scheme = url.find(':');
  if (scheme == std::string::npos) return url;
  const std::string_view name = std::string_view(url).substr(0, scheme);
  if (same_name(name, "ws")) return "http" + url.substr(scheme);
  if (same_name(name, "wss")) return "https" + url.substr(scheme);
  return url;
}

}  // namespace

Result<std::unique_ptr<WebSocket>> connect_websocket(Client& client, const ClientRequest& request,
                                                     const WebSocketRequestOptions& options) {
  const Result<Url> url = Url::parse(as_http(request.url));
  if (!url) return url.error();
  const std::string host(request.headers.get("Host").value_or(url->authority()));
  Result<WebSocketOpening> opening = websocket_request(url->target(), host, options);
  if (!opening) return opening.error();
  ClientRequest asked{.method = opening->request.method,
                      .url = url->to_string(),
                      .headers = std::move(opening->request.headers),
                      .deadline = request.deadline};
  for (const auto [name, value] : request.headers) {
    if (same_name(name, "Host")) continue;
    if (Status bad = asked.headers.add(name, value); !bad.is_ok()) return bad;
  }
  const auto exchange = client.begin(asked, BodySize::none());
  if (!exchange) return exchange.error();
  return finish_websocket(**exchange, *opening, request.deadline);
}

}  // namespace parley::http
