// The Parley side of `./dev bench http`, with default options: answers every request as nginx's
// `return 200 "ok"` does, with the same fields.
//
//   http_server
//
// Prints {"address":"tcp://127.0.0.1:PORT","pid":PID}; ends on SIGTERM. One worker, as nginx has.
#include <parley/http/server.h>
#include <parley/net/network.h>
#include <parley/rt/runtime.h>
#include <parley/rt/scope.h>
#include <parley/rt/signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace parley::bench {
namespace {

void allow_many_descriptors() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

int fail(const Status& status) {
  (void)std::fprintf(stderr, "http_server: %s\n", status.message().c_str());
  return 1;
}

int serve() {
  const auto listener = net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0"));
  if (!listener) return fail(listener.error());
  http::Server server(
      **listener,
      [](http::ServerExchange& exchange) { return exchange.answer(200, "ok", "text/plain"); },
      {.server_name = "parley/1.22.1"});
  (void)std::printf("{\"address\":\"%s\",\"pid\":%d}\n", (*listener)->address().to_string().c_str(),
                    ::getpid());
  (void)std::fflush(stdout);
  Status status;
  rt::Scope scope;
  scope.go("serve", [&] { status = server.serve(); });
  const Result<int> signal = rt::wait_signal({SIGTERM, SIGINT});
  (void)server.shutdown(rt::Deadline::after(std::chrono::milliseconds(100)));
  scope.join();
  if (!signal) return fail(signal.error());
  return status.is_ok() || status.code() == Code::cancelled ? 0 : fail(status);
}

}  // namespace
}  // namespace parley::bench

int main() {
  parley::bench::allow_many_descriptors();
  return parley::rt::Runtime({.workers = 1}).run([] { return parley::bench::serve(); });
}
