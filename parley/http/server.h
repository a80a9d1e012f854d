// Server: serves HTTP/1 and HTTP/2 with one handler on what a listener accepts. A connection at
// rest owns no fiber; in the handler everything may wait as usual.
//
// Over TLS a client gets HTTP/2 when ALPN chose it (TlsServerOptions::alpn {"h2", "http/1.1"}),
// else when it begins with the preface of HTTP/2 or asks for h2c: ServerOptions::versions.
//
// serve() once, on one fiber; the rest from any.
//
//   http::Server server(**listener, [](http::ServerExchange& exchange) {
//     return exchange.answer(200, "hello\n");
//   });
//   scope.go("http", [&] { status = server.serve(); });
//   ...
//   (void)server.shutdown(rt::Deadline::after(10s));      // in order, for so long
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

#include "parley/http/exchange.h"
#include "parley/http/service.h"
#include "parley/net/serve.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"

namespace parley::http {

// What serves this connection in a net::Server: for who has read the first bytes of it to find out
// that it is HTTP (`read_before`). Never null.
std::unique_ptr<net::Servant> make_servant(net::Stream& stream,
                                           const std::shared_ptr<Service>& service,
                                           std::string_view read_before = {});

class Server {
 public:
  // `listener` must outlive the server. Inside a fiber. Options that cannot be are told by serve().
  Server(net::Listener& listener, Handler handler, ServerOptions options = {});
  // After serve() has returned, or without it.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Once. Accepts until shutdown() or until the listener is closed, and returns ok when the last
  // connection has ended. When the calling fiber's context ends, or accept() fails, ends all and
  // returns that status; cancelled when shutdown() cut connections. What Service::make() refuses.
  Status serve();

  // Closes the listener; requests under way are answered with Connection: close, connections at
  // rest close, and WebSockets, with 1001, within their close_timeout; what else was handed over
  // has handed_over_timeout, and other handlers all the time they want (draining.h). Ok when all
  // have ended; at the deadline, or when the caller's context ends, the others are cut (handlers
  // that had not begun to answer get 503 out), and this returns that status once serve() is over,
  // and how many they were.
  Status shutdown(rt::Deadline deadline = {});

  [[nodiscard]] ServerCounts counts() const;

 private:
  void set_cut(const rt::Cancel* cut);

  net::Listener& listener_;
  const Result<std::shared_ptr<Service>> service_;
  std::optional<net::Server> server_;
  rt::Mutex lock_;
  const rt::Cancel* cut_ = nullptr;  // ends serve(); under lock_
  std::atomic<bool> has_begun_ = false;
  std::atomic<bool> has_cut_ = false;
  rt::Event done_;
};

}  // namespace parley::http
