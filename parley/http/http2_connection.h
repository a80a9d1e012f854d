// The client's side of one HTTP/2 connection (RFC 9113): many exchanges at once. A fiber of the
// connection reads it, so that GOAWAY, PING and windows are attended to while nobody waits for an
// answer. Fiber-safe; each exchange belongs to one fiber, or to one that reads and one that writes.
//
//   http::Http2Connection connection(std::move(*stream), "https");
//   auto exchange = connection.begin(request, http::BodySize::none());
//   auto answer = (*exchange)->response();
//
// What the other side certainly has not looked at fails with not_sent and may be sent again: a
// stream it refused (REFUSED_STREAM), one above the last that its GOAWAY names, and one whose head
// had not left when the connection broke.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/http2_options.h"
#include "parley/net/stream.h"

namespace parley::http {

namespace impl {
class ClientConnection;
struct Http2Stream;
}  // namespace impl

class Http2Connection {
 public:
  // Inside a fiber. `stream` is connected, and over TLS has chosen "h2" by ALPN. `scheme`: "http"
  // or "https". Http2Limits::max_streams bounds what is asked at once, with what the other side
  // allows.
  Http2Connection(std::unique_ptr<net::Stream> stream, std::string_view scheme,
                  const Http2Options& options = {});
  // close(), and waits for its fibers.
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // Begins a request. Waits while as many as the other side allows are under way. CONNECT with an
  // Upgrade field is an extended CONNECT for that protocol (RFC 8441), whose settings it waits for:
  // failed_precondition when the other side takes none. not_sent when the
  // connection takes no more (dial another); invalid_argument for a head that a reader would
  // refuse. The exchange may outlive this object.
  Result<std::unique_ptr<ClientExchange>> begin(const Request& request, BodySize size,
                                                rt::Deadline deadline = {});

  // Whether begin() may succeed, now or later.
  [[nodiscard]] bool is_usable() const;
  // Exchanges under way.
  [[nodiscard]] std::size_t under_way() const;
  // Ends it and all of its exchanges, with unavailable. Twice is fine.
  void close();

 private:
  friend class Http2PooledConnection;
  struct State;
  Result<std::shared_ptr<impl::Http2Stream>> open(const Request& request, BodySize size,
                                                  bool is_reserved, rt::Deadline deadline);
  std::unique_ptr<ClientExchange> exchange_of(const Request& request, BodySize size,
                                              std::shared_ptr<impl::Http2Stream> stream);

  const std::unique_ptr<State> state_;
};

}  // namespace parley::http
