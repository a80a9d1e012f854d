// The keys API on a free port of this machine: prints "http://127.0.0.1:PORT" and serves until its
// standard input ends. What it stores is in memory.
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "parley/cluster/keys_api.h"
#include "parley/http/server.h"
#include "parley/kv/store.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"

namespace {

using namespace parley;

Status serve() {
  kv::Store store;
  net::SocketNetwork network;
  const auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
  if (!listener) return listener.error();
  http::Server server(**listener, cluster::keys_api(store));
  Status served;
  rt::Scope scope;
  scope.go("http", [&] { served = server.serve(); });
  std::printf("http://%s\n", (*listener)->address().to_string().substr(6).c_str());
  std::fflush(stdout);
  std::array<char, 16> nothing{};
  (void)rt::blocking([&] { return ::read(STDIN_FILENO, nothing.data(), nothing.size()); });
  (void)server.shutdown(rt::Deadline::after(std::chrono::milliseconds(100)));
  scope.join();
  return served.code() == Code::cancelled ? Status() : served;
}

}  // namespace

int main() {
  return parley::run([] {
    const Status status = serve();
    if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
    return status.is_ok() ? 0 : 1;
  });
}
