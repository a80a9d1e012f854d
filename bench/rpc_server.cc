// The Parley side of `./dev bench rpc`, with default options: "/echo" of texts, "/slice" of bytes,
// which are not copied, and what counts messages that nobody answers: the PUSH "/note" and the
// stream "/sink" of texts, which ends with how many came; "/noted" tells how many there were of
// both.
//
//   rpc_server [--no-idle-spin] [--tls FOLDER] [--overload]
//
// With --overload there is an overloader around it, and "/work", which computes for a millisecond.
// Prints {"address":"tcp://127.0.0.1:PORT","pid":PID}; ends on SIGTERM.
#include <parley/net/tls_network.h>
#include <parley/parley.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "load.h"
#include "window.h"

namespace parley::bench {
namespace {

// More than any load has connections.
constexpr std::size_t max_sessions = 2 * max_connections;
// A few times what "/work" takes.
constexpr Duration queue_target = std::chrono::milliseconds(3);

std::string echo(std::string text) { return text; }
Bytes slice(Bytes bytes) { return bytes; }

class Notes {
 public:
  void handle_in(Peer& peer) {
    peer.handle("/note", [this](const std::string& text) { note(text); });
    peer.handle("/noted", [this] { return noted_.load(); });
    // Reads nothing, and stays until it is given up.
    peer.handle_stream("/hold", [this](Stream<std::string, std::string>& /*stream*/) {
      ++held_;
      const Status why = rt::Context::current().wait_done();
      last_end_ = RealClock().now().time_since_epoch().count();
      --held_;
      return why;
    });
    peer.handle("/held", [this] { return std::vector<std::int64_t>{held_, last_end_}; });
    peer.handle_stream("/sink", [this](Stream<std::string, std::uint64_t>& stream) {
      std::uint64_t came = 0;
      for (;;) {
        const auto text = stream.receive();
        if (!text) return text.error();
        if (!*text) return stream.send(came);
        note(**text);
        ++came;
      }
    });
  }

 private:
  void note(const std::string& text) {
    if (text.size() >= min_body_bytes) noted_.fetch_add(1, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> noted_ = 0;
  std::atomic<std::int64_t> held_ = 0;
  std::atomic<std::int64_t> last_end_ = 0;
};

// Of CPU time: on a processor that others have as well it takes longer.
int work(int n) {
  constexpr Duration long_enough = std::chrono::milliseconds(1);
  const auto spent = [] { return cpu_time_of_thread(); };
  const Duration begin = spent();
  while (spent() - begin < long_enough) {}
  return n;
}

Status serve(const Serving& serving) {
  net::SocketNetwork sockets;
  std::unique_ptr<net::TlsServer> tls;
  std::optional<net::TlsNetwork> secured;
  PeerOptions options{.max_sessions = max_sessions};
  if (!serving.tls_folder.empty()) {
    auto server =
        net::TlsServer::create({.identities = {{.chain_file = serving.tls_folder + "/chain.pem",
                                                .key_file = serving.tls_folder + "/key.pem"}}});
    if (!server) return server.error();
    tls = *std::move(server);
    options.network =
        &secured.emplace(net::TlsNetworkOptions{.below = &sockets, .server = tls.get()});
  }
  if (serving.has_overloader) {
    options.plugins.push_back(overloader(std::make_shared<Overloader>(OverloaderOptions{
        .adaptive = {{}}, .queue = {{.target = queue_target, .interval = 2 * queue_target}}})));
  }
  Notes notes;
  Peer peer(options);
  if (serving.has_overloader) peer.handle("/work", work);
  peer.handle("/echo", echo);
  peer.handle("/slice", slice);
  notes.handle_in(peer);
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

int main(int argc, char** argv) {
  using namespace parley;
  const Result<bench::Serving> serving = bench::parse_serving(argc, argv);
  if (!serving) return bench::usage_error(serving.error());
  rt::RuntimeOptions options;
  if (!serving->idle_spin) options.idle_spin = {};
  return rt::Runtime(options).run([&serving] {
    const Status status = bench::serve(*serving);
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
