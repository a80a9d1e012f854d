// The Parley side of rt.echo_*, rt.idle_10k and rt.idle: sends back what it reads, served by
// net::Server with default options and a worker for each cpu it may use.
//
//   rt_echo_server      prints {"address":"127.0.0.1:PORT","pid":PID}; ends on SIGTERM
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "../load.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/signal.h"

namespace parley::bench {
namespace {

Result<net::Next> echo(net::Stream& stream) {
  std::array<char, 4096> buffer;  // not cleared
  const auto size = stream.try_read(buffer);
  if (!size) return size.error();
  if (!*size) return net::Next::rest;
  if (**size == 0) return net::Next::end;
  if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
  return net::Next::rest;
}

Status serve() {
  net::TcpNetwork network;
  const Result<net::Address> any = net::Address::parse("tcp://127.0.0.1:0");
  if (!any) return any.error();
  Result<std::unique_ptr<net::Listener>> listener = network.listen(*any);
  if (!listener) return listener.error();
  net::Server server(**listener, echo);
  rt::Scope serving(rt::OnExit::cancel);
  serving.go("serve", [&] { (void)server.serve(); });  // until it is cancelled
  std::printf("{\"address\":\"127.0.0.1:%d\",\"pid\":%d}\n", (*listener)->address().port,
              ::getpid());
  std::fflush(stdout);
  const Result<int> signal = rt::wait_signal({SIGTERM, SIGINT});
  return signal.error();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char**) {
  using namespace parley;
  if (argc > 1) {
    return bench::usage_error(Status(Code::invalid_argument, "rt_echo_server takes no options"));
  }
  return parley::run([] {
    const Status status = bench::serve();
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
