// HTTP/2 for servers (RFC 9113): what serves the connections of a net::Server by a Handler, each
// stream on a fiber of its own and none at rest.
//
//   http::Http2Service service(handler);               // inside a fiber
//   net::Server server(*listener, [&](net::Stream& stream) { return service.serve(stream); });
//   Status status = server.serve();
//
// The other side begins with the preface of HTTP/2, as it does after ALPN chose "h2" and where it
// knows beforehand. Whoever had to read some bytes to find that out hands them over.
//
// How it behaves: a stream whose handler does not read has its window closed, and does not stall
// others; one whose reader is slow keeps Http2Limits::max_unsent bytes, and then write() waits. The
// frames of streams leave in turns, those made ready together in one write. A stream that the
// client takes back ends the context of its handler. Extended CONNECT (RFC 8441) is a request with
// method connect and an Upgrade field; hand_over() gives the stream as a net::Stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/http2_options.h"
#include "parley/net/serve.h"

namespace parley::http {

struct Http2ServiceOptions {
  Http2Options connection{};
  // Handlers at once, of all connections, that have begun and wait for something. Further streams
  // wait for their turn.
  std::size_t max_handlers = 10'000;
  // Told what a handler returned, on its fiber. Null: nobody is told.
  std::function<void(const Request& request, const Status& why)> on_error{};
};

struct Http2Counts {
  std::uint64_t requests = 0;   // handed to the handler
  std::size_t connections = 0;  // now
};

class Http2Service {
 public:
  // Inside a fiber, whose context the handlers have.
  explicit Http2Service(Handler handler, Http2ServiceOptions options = {});
  // When no servant of it is left: after Server::serve() has returned.
  ~Http2Service();
  Http2Service(const Http2Service&) = delete;
  Http2Service& operator=(const Http2Service&) = delete;

  // The servant of a new connection. `already_read` was read from it before and comes first.
  [[nodiscard]] std::unique_ptr<net::Servant> serve(net::Stream& stream,
                                                    std::string_view already_read = {},
                                                    bool is_secure = false);
  // The servant of a connection that was upgraded from HTTP/1 (RFC 7540 3.2): the 101 has been
  // sent, `settings` is the value of HTTP2-Settings, and `request`, without a body, is stream 1.
  // invalid_argument when the settings are malformed.
  [[nodiscard]] Result<std::unique_ptr<net::Servant>> upgrade(net::Stream& stream,
                                                              std::string_view settings,
                                                              Request request,
                                                              std::string_view already_read = {});

  // Ends every connection in order: GOAWAY in two steps, so that no request that is on its way is
  // lost, and the end when the last stream has. From any fiber; does not wait.
  void drain();

  [[nodiscard]] Http2Counts counts() const;

 private:
  friend class Http2Servant;
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

// Whether these first bytes of a connection are the preface of HTTP/2: yes, no, or too few to tell.
enum class Http2Preface : std::uint8_t { yes, no, more };
[[nodiscard]] Http2Preface look_for_http2(std::string_view first_bytes) noexcept;

}  // namespace parley::http
