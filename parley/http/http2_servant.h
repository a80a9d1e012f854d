// HTTP/2 for servers (RFC 9113): what serves the connections of a net::Server by the handler of a
// Service, each stream on a fiber of its own and none at rest. Mostly chosen by make_servant()
// (server.h).
//
//   auto service = *http::Service::make(handler);      // inside a fiber
//   net::Server server(*listener, [&](net::Stream& stream) {
//     return service->http2().serve(stream);
//   });
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
#include <memory>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/http2_options.h"
#include "parley/net/serve.h"

namespace parley::http {

class Service;

struct Http2Counts {
  std::uint64_t requests = 0;   // handed to the handler
  std::size_t connections = 0;  // now
  std::size_t handlers = 0;     // now: fibers
};

class Http2Service {
 public:
  // Made by Service::http2(), inside a fiber. At most ServerOptions::max_handlers handlers, of all
  // connections, have begun and wait for something; further streams wait for their turn.
  explicit Http2Service(Service& service);
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
  // lost, and the end when the last stream has. Http2Options::goaway_wait bounds the first of them.
  // From any fiber; does not wait.
  void drain();

  [[nodiscard]] Http2Counts counts() const;

 private:
  friend class Http2Servant;
  friend class Http2Serving;
  struct Shared;
  const std::unique_ptr<Shared> shared_;
};

// Whether these first bytes of a connection are the preface of HTTP/2: yes, no, or too few to tell.
enum class Http2Preface : std::uint8_t { yes, no, more };
[[nodiscard]] Http2Preface look_for_http2(std::string_view first_bytes) noexcept;

}  // namespace parley::http
