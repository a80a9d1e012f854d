// The Parley side of `./dev bench rpc`: two typed methods with default options: "/echo" of
// texts, and "/slice" of bytes, which are not copied.
//
//   rpc_server      prints {"address":"tcp://127.0.0.1:PORT","pid":PID}; ends on SIGTERM
#include <parley/parley.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "load.h"

namespace parley::bench {
namespace {

std::string echo(std::string text) { return text; }
Bytes slice(Bytes bytes) { return bytes; }

Status serve() {
  Peer peer;
  peer.handle("/echo", echo);
  peer.handle("/slice", slice);
  const auto address = peer.listen("tcp://127.0.0.1:0");
  if (!address) return address.error();
  std::printf("{\"address\":\"%s\",\"pid\":%d}\n", address->to_string().c_str(), ::getpid());
  std::fflush(stdout);
  const Result<int> signal = rt::wait_signal({SIGTERM, SIGINT});
  peer.close();
  return signal.error();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char**) {
  using namespace parley;
  if (argc > 1) {
    return bench::usage_error(Status(Code::invalid_argument, "rpc_server takes no options"));
  }
  return run([] {
    const Status status = bench::serve();
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
