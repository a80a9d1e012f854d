// Loads without an answer for each message, over Parley with default options:
//
//   rpc_flow push --address A --server-pid P ...     C sessions, a fiber on each that pushes
//   "/note" rpc_flow stream --address A --server-pid P ...   C sessions, a stream "/sink" on each
//   rpc_flow overload --address A --server-pid P --rate R   "/work" of rpc_server --overload, in an
//                                                    open loop; --rate 0: as fast as it is done
//   rpc_flow idle --address A --server-pid P ...     C sessions that called once and are silent
//
//   rpc_flow give_up --address A --server-pid P ...  a thousand streams "/hold" that are given up
//   rpc_flow in_memory ...                           C sessions of two peers of this very program,
//                                                    over net::SimWorld; no server is called
//
// The options are those of rpc_client. push and stream print a line when the window is over
// (Window::to_json, where a message that arrived counts as a request) and fail if one got lost.
// overload prints {"good":N,"refused":N,"seconds":S,"p50_us":T,"p99_us":T}: how many calls that
// should have begun in the window were served, and how long these took from when they should have.
// idle prints {"sessions":C,"bytes_per_idle_session":B}: what the server's resident memory grew by.
// in_memory prints the same, of both ends together, with the fiber that each of them has there.
// give_up prints {"streams":N,"ended_ms":T}: until the last context over there had ended.
#include <parley/net/sim_network.h>
#include <parley/parley.h>
#include <parley/rt/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "load.h"
#include "parley/base/fd.h"
#include "window.h"

namespace parley::bench {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// How long what was sent may take to arrive.
constexpr Duration arrival_time = 20s;
// A server is at rest when its memory has not changed for so long.
constexpr Duration settled_after = 500ms;

Result<double> resident_bytes(pid_t pid) {
  std::FILE* file = std::fopen(("/proc/" + std::to_string(pid) + "/statm").c_str(), "r");
  if (file == nullptr) return errno_status(errno, "reading the memory of the server");
  unsigned long all = 0;
  unsigned long resident = 0;
  const int found = std::fscanf(file, "%lu %lu", &all, &resident);
  std::fclose(file);
  if (found != 2) return Status(Code::internal, "/proc/PID/statm is not two numbers");
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

Result<double> resident_at_rest(pid_t pid) {
  Result<double> before = resident_bytes(pid);
  while (before) {
    if (Status s = rt::sleep(settled_after); !s.is_ok()) return s;
    Result<double> after = resident_bytes(pid);
    if (!after || *after == *before) return after;
    before = std::move(after);
  }
  return before;
}

class Flow {
 public:
  explicit Flow(const Load& load) : load_(load), window_(load.server_pid) {}

  Status dial();
  Status push() {
    return measure([this](const Session& session, std::uint64_t& sent) {
      const std::string body = body_of(0, 0, load_.body_bytes);
      while (!is_over_.load(std::memory_order_relaxed)) {
        if (Status s = session.push("/note", body); !s.is_ok()) return s;
        ++sent;
      }
      return Status();
    });
  }
  Status stream() {
    return measure(
        [this](const Session& session, std::uint64_t& sent) { return send_stream(session, sent); });
  }
  Status idle();
  Status overload();
  Status give_up();

 private:
  struct Tally {
    std::atomic<std::uint64_t> good = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<std::uint64_t> failed = 0;
    Latency latency;
    rt::Mutex lock;
    Status failure;  // the last, guarded by the lock
  };
  void offer(Tally& tally, Instant from, Instant until);
  void work_off(Tally& tally, Instant from, Instant until);
  static void count(Tally& tally, const Status& status, Instant due, bool is_counted);

  Status send_stream(const Session& session, std::uint64_t& sent) const;
  [[nodiscard]] Result<std::uint64_t> noted() const {
    return sessions_.front().call<std::uint64_t>("/noted");
  }
  template <class Send>
  Status measure(Send send);
  Status watch();
  Status all_came(std::uint64_t sent) const;

  Load load_;
  Peer peer_{PeerOptions{.max_sessions = max_connections}};
  std::vector<Session> sessions_;
  Window window_;
  std::atomic<bool> is_over_ = false;
};

Status Flow::dial() {
  for (std::size_t i = 0; i < load_.connections; ++i) {
    const auto session = peer_.dial(load_.address);
    if (!session) return session.error();
    sessions_.push_back(*session);
    // So that it has been used, and each session's memory is that of one which was.
    const auto answer = session->call<std::string>("/echo", "tea");
    if (!answer) return answer.error();
    if (*answer != "tea") return {Code::data_loss, "an answer differs from what was asked"};
  }
  return {};
}

Status Flow::send_stream(const Session& session, std::uint64_t& sent) const {
  auto stream = session.open<std::uint64_t, std::string>("/sink");
  if (!stream) return stream.error();
  const std::string body = body_of(0, 0, load_.body_bytes);
  while (!is_over_.load(std::memory_order_relaxed)) {
    if (Status s = stream->send(body); !s.is_ok()) return s;
    ++sent;
  }
  if (Status s = stream->finish(); !s.is_ok()) return s;
  const auto came = stream->receive();
  if (!came) return came.error();
  if (*came && **came == sent) return {};
  return {Code::data_loss, "the stream was told of another number of messages than were sent"};
}

// The window, by what the server has counted.
Status Flow::watch() {
  if (Status s = rt::sleep(load_.warmup); !s.is_ok()) return s;
  const auto at_first = noted();
  if (!at_first) return at_first.error();
  if (Status s = window_.open(*at_first); !s.is_ok()) return s;
  if (Status s = rt::sleep(load_.window); !s.is_ok()) return s;
  const auto at_last = noted();
  if (!at_last) return at_last.error();
  return window_.close(*at_last);
}

Status Flow::all_came(std::uint64_t sent) const {
  const rt::Deadline deadline = rt::Deadline::after(arrival_time);
  for (;;) {
    const auto came = noted();
    if (!came) return came.error();
    if (*came == sent) return {};
    if (*came > sent || deadline.is_over()) {
      return {Code::data_loss,
              std::to_string(sent) + " messages were sent and " + std::to_string(*came) + " came"};
    }
    if (Status s = rt::sleep(5ms); !s.is_ok()) return s;
  }
}

template <class Send>
Status Flow::measure(Send send) {
  struct alignas(64) Sender {
    std::uint64_t sent = 0;
    Status status;
  };
  std::vector<Sender> senders(sessions_.size());
  rt::Scope scope;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    scope.go("sender", [this, &send, &sender = senders[i], i] {
      sender.status = send(sessions_[i], sender.sent);
    });
  }
  const Status status = watch();
  is_over_ = true;
  scope.join();
  if (!status.is_ok()) return status;
  std::uint64_t sent = 0;
  for (const Sender& sender : senders) {
    if (!sender.status.is_ok()) return sender.status;
    sent += sender.sent;
  }
  if (Status s = all_came(sent); !s.is_ok()) return s;
  std::puts(window_.to_json(Latency()).c_str());
  return {};
}

Status Flow::idle() {
  const auto before = resident_at_rest(load_.server_pid);
  if (!before) return before.error();
  if (Status s = dial(); !s.is_ok()) return s;
  const auto after = resident_at_rest(load_.server_pid);
  if (!after) return after.error();
  const auto open = std::count_if(sessions_.begin(), sessions_.end(),
                                  [](const Session& each) { return each.is_open(); });
  if (static_cast<std::size_t>(open) != sessions_.size()) {
    return {Code::unavailable, "only " + std::to_string(open) + " sessions are still there"};
  }
  std::printf("{\"sessions\":%zu,\"bytes_per_idle_session\":%.1f}\n", sessions_.size(),
              (*after - *before) / static_cast<double>(sessions_.size()));
  return {};
}

void Flow::count(Tally& tally, const Status& status, Instant due, bool is_counted) {
  const bool is_refused = status.code() == Code::resource_exhausted;
  if (!status.is_ok() && !is_refused) {
    const std::lock_guard lock(tally.lock);
    tally.failure = status;
    ++tally.failed;
    return;
  }
  if (!is_counted) return;
  if (is_refused) {
    ++tally.refused;
    return;
  }
  ++tally.good;
  tally.latency.record(now() - due);
}

// An open loop: nobody waits for an answer before the next call.
void Flow::offer(Tally& tally, Instant from, Instant until) {
  const double mean = 1 / load_.calls_per_second;
  std::size_t turn = 0;
  Instant due = now();
  while (due < until) {
    const double share = static_cast<double>(rt::random_bits() >> 11U) * 0x1p-53;
    due += std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(-std::log1p(-share) * mean));
    if (!rt::sleep_until(due).is_ok()) return;
    const bool is_counted = due >= from && due < until;
    const Status sent = sessions_[turn++ % sessions_.size()].call_then<int>(
        [&tally, due, is_counted](const Result<int>& answer) {
          count(tally, answer.error(), due, is_counted);
        },
        {.timeout = arrival_time}, "/work", 1);
    if (!sent.is_ok()) count(tally, sent, due, is_counted);
  }
}

void Flow::work_off(Tally& tally, Instant from, Instant until) {
  rt::Scope scope;
  for (const Session& session : sessions_) {
    scope.go("caller", [&] {
      while (now() < until) {
        const Instant due = now();
        count(tally, session.call<int>("/work", 1).error(), due, due >= from);
      }
    });
  }
}

Status Flow::overload() {
  Tally tally;
  const Instant from = now() + load_.warmup;
  const Instant until = from + load_.window;
  if (load_.calls_per_second > 0) {
    offer(tally, from, until);
  } else {
    work_off(tally, from, until);
  }
  // Callbacks have returned then.
  peer_.close();
  if (tally.failed > 0) return tally.failure;
  std::printf(R"({"good":%llu,"refused":%llu,"seconds":%.6f,"p50_us":%.3f,"p99_us":%.3f})"
              "\n",
              static_cast<unsigned long long>(tally.good.load()),
              static_cast<unsigned long long>(tally.refused.load()),
              std::chrono::duration<double>(load_.window).count(),
              std::chrono::duration<double, std::micro>(tally.latency.percentile(0.5)).count(),
              std::chrono::duration<double, std::micro>(tally.latency.percentile(0.99)).count());
  return {};
}

Status Flow::give_up() {
  constexpr std::size_t many = 1'000;  // as many as PeerOptions::max_streams
  using Held = Stream<std::string, std::string>;
  const Session& session = sessions_.front();
  std::vector<Held> streams;
  for (std::size_t i = 0; i < many; ++i) {
    auto stream = session.open<std::string, std::string>("/hold");
    if (!stream) return stream.error();
    if (Status s = stream->send(body_of(0, 0, load_.body_bytes)); !s.is_ok()) return s;
    streams.push_back(*std::move(stream));
  }
  const auto held = [&] { return session.call<std::vector<std::int64_t>>("/held"); };
  const rt::Deadline deadline = rt::Deadline::after(arrival_time);
  const auto wait_for = [&](std::int64_t count) -> Result<Instant> {
    for (;;) {
      const auto found = held();
      if (!found) return found.error();
      if (found->at(0) == count) return Instant(Duration(found->at(1)));
      if (deadline.is_over()) return Status(Code::internal, "the streams neither began nor ended");
      if (Status s = rt::sleep(1ms); !s.is_ok()) return s;
    }
  };
  if (const auto began = wait_for(many); !began) return began.error();
  const Instant start = now();
  streams.clear();
  const auto ended = wait_for(0);
  if (!ended) return ended.error();
  std::printf("{\"streams\":%zu,\"ended_ms\":%.3f}\n", many,
              std::chrono::duration<double, std::milli>(*ended - start).count());
  return {};
}

// Neither side has a descriptor: the number of sessions is bounded by memory only.
Status in_memory(const Load& load) {
  constexpr std::size_t sessions_of_node = 20'000;
  net::SimWorld world({.link = {.latency = Duration(0), .jitter = Duration(0)},
                       .max_connections = load.connections});
  const auto options = [&](const char* node) {
    return PeerOptions{.max_sessions = load.connections,
                       .max_fibers = 2 * load.connections + 1'000,
                       .network = &world.node(node)};
  };
  Peer server(options("server"));
  server.handle("/echo", [](std::string text) { return text; });
  if (auto at = server.listen("tcp://0.0.0.0:80"); !at) return at.error();
  Peer client(options("client"));
  const auto before = resident_bytes(::getpid());
  if (!before) return before.error();
  std::vector<Session> sessions;
  for (std::size_t i = 0; i < load.connections; ++i) {
    // A node has no more ports than a machine.
    net::Network& from = world.node("client" + std::to_string(i / sessions_of_node));
    auto session = client.dial("tcp://server:80", {.network = &from});
    if (!session) return session.error();
    sessions.push_back(*std::move(session));
  }
  for (const Session& session : sessions) {
    if (const auto answer = session.call<std::string>("/echo", "tea"); !answer) {
      return answer.error();
    }
  }
  const auto after = resident_bytes(::getpid());
  if (!after) return after.error();
  std::size_t open = 0;
  for (const Session& session : sessions) open += session.health().is_ok() ? 1 : 0;
  if (open != load.connections || server.session_count() != load.connections) {
    return {Code::unavailable, "only " + std::to_string(open) + " sessions are still there"};
  }
  std::printf("{\"sessions\":%zu,\"bytes_per_idle_session\":%.1f}\n", sessions.size(),
              (*after - *before) / static_cast<double>(sessions.size()));
  return {};
}

Status run_flow(std::string_view kind, const Load& load) {
  if (kind == "in_memory") return in_memory(load);
  Flow flow(load);
  if (kind == "idle") return flow.idle();
  if (Status s = flow.dial(); !s.is_ok()) return s;
  if (kind == "overload") return flow.overload();
  if (kind == "give_up") return flow.give_up();
  return kind == "push" ? flow.push() : flow.stream();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const std::string_view kind = argc > 1 ? argv[1] : "";
  constexpr std::array<std::string_view, 6> kinds = {"push",     "stream",  "idle",
                                                     "overload", "give_up", "in_memory"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    return bench::usage_error(
        Status(Code::invalid_argument,
               "the first word is push, stream, idle, overload, give_up or in_memory"));
  }
  const Result<bench::Load> load = bench::parse_load(argc - 1, argv + 1);
  if (!load) return bench::usage_error(load.error());
  if (load->spin || load->websocket) {
    return bench::usage_error(
        Status(Code::invalid_argument, "--spin and --websocket are for the floor only"));
  }
  return run([&] {
    const Status status = bench::run_flow(kind, *load);
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
