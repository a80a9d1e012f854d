// Loads without an answer for each message, over Parley with default options:
//
//   rpc_flow push --address A --server-pid P ...     C sessions, a fiber on each that pushes
//   "/note" rpc_flow stream --address A --server-pid P ...   C sessions, a stream "/sink" on each
//   rpc_flow idle --address A --server-pid P ...     C sessions that called once and are silent
//
// The options are those of rpc_client. push and stream print a line when the window is over
// (Window::to_json, where a message that arrived counts as a request) and fail if one got lost.
// idle prints {"sessions":C,"bytes_per_idle_session":B}: what the server's resident memory grew by.
#include <parley/parley.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
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

 private:
  Status send_stream(const Session& session, std::uint64_t& sent) const;
  [[nodiscard]] Result<std::uint64_t> noted() const {
    return sessions_.front().call<std::uint64_t>("/noted");
  }
  template <class Send>
  Status measure(Send send);
  Status watch();
  Status all_came(std::uint64_t sent) const;

  Load load_;
  Peer peer_;
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

Status run_flow(std::string_view kind, const Load& load) {
  Flow flow(load);
  if (kind == "idle") return flow.idle();
  if (Status s = flow.dial(); !s.is_ok()) return s;
  return kind == "push" ? flow.push() : flow.stream();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const std::string_view kind = argc > 1 ? argv[1] : "";
  constexpr std::array<std::string_view, 3> kinds = {"push", "stream", "idle"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    return bench::usage_error(
        Status(Code::invalid_argument, "the first word is push, stream or idle"));
  }
  const Result<bench::Load> load = bench::parse_load(argc - 1, argv + 1);
  if (!load) return bench::usage_error(load.error());
  return run([&] {
    const Status status = bench::run_flow(kind, *load);
    return status.is_ok() ? 0 : bench::run_error(status);
  });
}
