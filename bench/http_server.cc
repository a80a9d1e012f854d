// The Parley side of `./dev bench http`, with default options.
//
//   http_server              answers every request as nginx's `return 200 "ok"` does
//   http_server --grpc       the echo of grpc/echo.proto, as a method of a Peer
//   http_server --websocket  an echo of WebSocket messages
//
// Prints {"address":"127.0.0.1:PORT","pid":PID}; ends on SIGTERM. One worker, as nginx has.
#include <parley/door/grpc.h>
#include <parley/http/server.h>
#include <parley/http/websocket_handshake.h>
#include <parley/net/network.h>
#include <parley/peer/peer.h>
#include <parley/rt/runtime.h>
#include <parley/rt/scope.h>
#include <parley/rt/signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "load.h"

namespace parley::bench {

// The message of grpc/echo.proto.
struct Text {
  std::string text;
};

namespace {

void allow_many_descriptors() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

// Also says what nginx says of the connection, which HTTP/1.1 does not ask for.
Status answer_ok(http::ServerExchange& exchange) {
  if (exchange.protocol() == http::Protocol::http_1_1) {
    const Status added = exchange.response().headers.add("Connection", "keep-alive");
    if (!added.is_ok()) return added;
  }
  return exchange.answer(200, "ok", "text/plain");
}

Status echo_messages(http::ServerExchange& exchange) {
  return http::accept_websocket(exchange, {}, [](const std::unique_ptr<http::WebSocket>& socket) {
    while (const auto message = socket->receive_message()) {
      if (!socket->send_binary(message->payload).is_ok()) return;
    }
  });
}

Result<http::Handler> handler_of(std::string_view mode, Peer& peer) {
  if (mode.empty()) return http::Handler(answer_ok);
  if (mode == "--websocket") return http::Handler(echo_messages);
  if (mode != "--grpc") {
    return Status(Code::invalid_argument,
                  "http_server knows the options --grpc and --websocket, and not \"" +
                      std::string(mode) + "\"");
  }
  peer.handle("/parley.bench.grpc_peer.Echo/Echo", [](const Text& asked) { return asked; });
  return door::make_grpc(peer);
}

int serve(std::string_view mode) {
  Peer peer;
  Result<http::Handler> handler = handler_of(mode, peer);
  if (!handler) return usage_error(handler.error());
  const auto listener = net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0"));
  if (!listener) return run_error(listener.error());
  http::Server server(**listener, std::move(*handler), {.server_name = "parley/1.22.1"});
  (void)std::printf("{\"address\":\"127.0.0.1:%u\",\"pid\":%d}\n", (*listener)->address().port,
                    ::getpid());
  (void)std::fflush(stdout);
  Status status;
  rt::Scope scope;
  scope.go("serve", [&] { status = server.serve(); });
  const Result<int> signal = rt::wait_signal({SIGTERM, SIGINT});
  (void)server.shutdown(rt::Deadline::after(std::chrono::milliseconds(100)));
  scope.join();
  if (!signal) return run_error(signal.error());
  return status.is_ok() || status.code() == Code::cancelled ? 0 : run_error(status);
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  parley::bench::allow_many_descriptors();
  const std::string_view mode = argc > 1 ? argv[1] : "";
  return parley::rt::Runtime({.workers = 1}).run([mode] { return parley::bench::serve(mode); });
}
