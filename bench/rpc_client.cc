// The load of the floor's client, over Parley with default options: C sessions, D fibers on each,
// every one calling "/echo" (with --slice: "/slice", with bytes) again and again and comparing the
// answer.
//
//   rpc_client --address A --server-pid P [--connections C] [--depth D] [--body-bytes B]
//              [--warmup-seconds S] [--seconds S] [--slice] [--no-idle-spin] [--ca-file F]
//              [--rate CALLS_PER_SECOND]
//
// With --rate it is an open loop: each caller has its times to call, random ones (a Poisson
// process), and the latency of a call counts from when it should have begun.
//
// Prints one line when the window is over (Window::to_json).
#include <parley/parley.h>

#include <parley/net/tls_network.h>
#include <parley/rt/random.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "load.h"
#include "window.h"

namespace parley::bench {
namespace {

// One of the D fibers of a session. The counter is read by the fiber that owns the window.
struct alignas(64) Caller {
  Caller(Session in, std::string text) : session(std::move(in)), body(std::move(text)) {}

  Session session;
  std::string body;
  std::atomic<std::uint64_t> answered = 0;
};

class RpcClient {
 public:
  explicit RpcClient(const Load& load) : load_(load) {}

  // Dials, runs the load through warm-up and window, prints the line.
  Status run();

 private:
  Status dial(Peer& peer);
  // How long until the next call of a caller, in an open loop.
  [[nodiscard]] Duration pause() const;
  [[nodiscard]] Status call_once(const Caller& caller) const;
  // Calls until the run is over or a call fails.
  void call_on(Caller& caller);
  void fail(Status status);
  // Ok when `time` has passed, else the status of the call that failed meanwhile.
  Status wait_for(Duration time);
  // Warm-up and window, while the callers run.
  Status measure(Window& window);
  [[nodiscard]] std::uint64_t answered() const;

  Load load_;
  std::deque<Caller> callers_;
  Latency latency_;
  std::atomic<bool> is_measured_ = false;
  std::atomic<bool> is_over_ = false;
  rt::Event failed_;
  Status failure_;
};

Status RpcClient::dial(Peer& peer) {
  for (std::size_t connection = 0; connection < load_.connections; ++connection) {
    const Result<Session> session = peer.dial(load_.address);
    if (!session) return session.error();
    for (std::size_t slot = 0; slot < load_.depth; ++slot) {
      callers_.emplace_back(*session, body_of(connection, slot, load_.body_bytes));
    }
  }
  return {};
}

Status RpcClient::call_once(const Caller& caller) const {
  bool is_right = false;
  if (load_.slice) {
    const auto answer =
        caller.session.call_raw({}, "/slice", wire::BodyCodec::none, Bytes::copy_of(caller.body));
    if (!answer) return answer.error();
    is_right = *answer == caller.body;
  } else {
    const Result<std::string> answer = caller.session.call<std::string>("/echo", caller.body);
    if (!answer) return answer.error();
    is_right = *answer == caller.body;
  }
  if (is_right) return {};
  return {Code::data_loss, "an answer differs from what was asked"};
}

Duration RpcClient::pause() const {
  const double mean = static_cast<double>(callers_.size()) / load_.calls_per_second;
  const double share = static_cast<double>(rt::random_bits() >> 11U) * 0x1p-53;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(-std::log1p(-share) * mean));
}

void RpcClient::call_on(Caller& caller) {
  const bool is_open_loop = load_.calls_per_second > 0;
  const std::uint64_t stride = is_open_loop ? 1 : latency_stride(load_);
  std::uint64_t calls = 0;
  Instant due = now();
  while (!is_over_.load(std::memory_order_relaxed)) {
    if (is_open_loop) {
      due += pause();
      if (Status s = rt::sleep_until(due); !s.is_ok()) return fail(std::move(s));
    }
    const bool is_timed = ++calls % stride == 0;
    const Instant asked = is_open_loop ? due : is_timed ? now() : Instant();
    if (Status s = call_once(caller); !s.is_ok()) return fail(std::move(s));
    if (is_timed && is_measured_.load(std::memory_order_relaxed)) latency_.record(now() - asked);
    caller.body.front() = next_turn(caller.body.front());
    caller.answered.store(calls, std::memory_order_relaxed);
  }
}

void RpcClient::fail(Status status) {
  if (is_over_.exchange(true)) return;
  failure_ = std::move(status);
  failed_.set();
}

Status RpcClient::wait_for(Duration time) {
  const Status status = failed_.wait(rt::Deadline::after(time));
  if (status.is_ok()) return failure_;
  return status.code() == Code::deadline_exceeded ? Status() : status;
}

std::uint64_t RpcClient::answered() const {
  std::uint64_t sum = 0;
  for (const Caller& caller : callers_) sum += caller.answered.load(std::memory_order_relaxed);
  return sum;
}

Status RpcClient::measure(Window& window) {
  if (Status status = wait_for(load_.warmup); !status.is_ok()) return status;
  if (Status status = window.open(answered()); !status.is_ok()) return status;
  is_measured_ = true;
  if (Status status = wait_for(load_.window); !status.is_ok()) return status;
  return window.close(answered());
}

Status RpcClient::run() {
  net::SocketNetwork sockets;
  std::unique_ptr<net::TlsClient> tls;
  std::optional<net::TlsNetwork> secured;
  PeerOptions options;
  if (!load_.ca_file.empty()) {
    auto client = net::TlsClient::create({.ca_file = load_.ca_file});
    if (!client) return client.error();
    tls = *std::move(client);
    options.network = &secured.emplace(
        net::TlsNetworkOptions{.below = &sockets, .client = tls.get(), .server_name = "bench"});
  }
  Peer peer(options);
  if (Status status = dial(peer); !status.is_ok()) return status;
  Window window(load_.server_pid);
  rt::Scope scope;
  for (Caller& caller : callers_) scope.go("caller", [this, &caller] { call_on(caller); });
  const Status status = measure(window);
  is_over_ = true;
  scope.join();
  if (!status.is_ok()) return status;
  std::puts(window.to_json(latency_).c_str());
  return {};
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const Result<bench::Load> load = bench::parse_load(argc, argv);
  if (!load) return bench::usage_error(load.error());
  if (load->spin || load->websocket) {
    return bench::usage_error(
        Status(Code::invalid_argument, "--spin and --websocket are for the floor only"));
  }
  rt::RuntimeOptions options;
  if (!load->idle_spin) options.idle_spin = {};
  return rt::Runtime(options).run([&load] {
    const Status status = bench::RpcClient(*load).run();
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
