// The floor, client side: C connections with D requests in flight on each, one thread, one epoll.
// Every answer is compared byte for byte; the requests caused by one read leave in one write.
//
//   floor_client --address A --server-pid P [--connections C] [--depth D] [--body-bytes B]
//                [--warmup-seconds S] [--seconds S] [--spin] [--websocket]
//
// --websocket: the same as messages of a WebSocket, masked as a client must, with any server of it.
// Prints one line when the window is over (Window::to_json).
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "floor.h"
#include "load.h"
#include "window.h"

namespace parley::bench {
namespace {

// How long a body may be for one WebSocket frame with a length of 7 bits (RFC 6455 5.2).
constexpr std::size_t most_websocket_bytes = 125;
constexpr std::array<char, 4> mask{'\x37', '\x5a', '\x11', '\x6e'};
// The two bytes in front of a message: binary and whole; its length.
constexpr char whole_binary = '\x82';
constexpr std::size_t websocket_head_bytes = 2;

// One connection. Its D frames stand in a ring: the request of a slot is made again in place once
// it is answered, so what waits to be sent is always one or two stretches of the ring. Answers are
// the same frames; of a WebSocket without the mask.
class Connection {
 public:
  Connection(Fd fd, const Load& load, std::size_t index);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Makes every slot's first request and sends them.
  Status start(Instant at);
  // Reads once and checks what came; each answered slot asks again. Returns how many answers there
  // were. `measured` is where latencies go, null outside of the window.
  Result<std::uint64_t> read_answers(std::span<char> buffer, Latency* measured);
  // Sends what waits, as far as the socket takes it.
  Status flush();
  [[nodiscard]] bool is_flushed() const { return sent_ == queued_; }

 private:
  void put_frame(const std::string& body);
  [[nodiscard]] bool is_answer(std::string_view frame, const char* asked) const;
  void take_turn(char* frame) const;

  Fd fd_;
  bool is_websocket_;
  std::size_t frame_bytes_;   // of a request
  std::size_t answer_bytes_;  // of its answer
  std::string ring_;
  std::vector<Instant> asked_at_;  // of each slot
  std::string unread_;
  std::size_t next_slot_ = 0;  // whose answer comes next
  std::uint64_t queued_ = 0;   // bytes of requests made
  std::uint64_t sent_ = 0;     // bytes of them handed to the socket
};

Connection::Connection(Fd fd, const Load& load, std::size_t index)
    : fd_(std::move(fd)),
      is_websocket_(load.websocket),
      frame_bytes_(load.body_bytes +
                   (load.websocket ? websocket_head_bytes + mask.size() : prefix_bytes)),
      answer_bytes_(load.body_bytes + (load.websocket ? websocket_head_bytes : prefix_bytes)),
      asked_at_(load.depth) {
  for (std::size_t slot = 0; slot < load.depth; ++slot) {
    put_frame(body_of(index, slot, load.body_bytes));
  }
}

void Connection::put_frame(const std::string& body) {
  if (is_websocket_) {
    ring_ += {whole_binary, static_cast<char>('\x80' | static_cast<char>(body.size()))};
    ring_.append(mask.data(), mask.size());
    for (std::size_t i = 0; i < body.size(); ++i) {
      ring_ += static_cast<char>(body[i] ^ mask[i % mask.size()]);
    }
    return;
  }
  const auto prefix = static_cast<std::uint32_t>(body.size());
  ring_.append(reinterpret_cast<const char*>(&prefix), prefix_bytes);
  ring_ += body;
}

bool Connection::is_answer(std::string_view frame, const char* asked) const {
  if (!is_websocket_) return std::memcmp(frame.data(), asked, frame_bytes_) == 0;
  const std::string_view body = frame.substr(websocket_head_bytes);
  if (frame[0] != whole_binary || frame[1] != static_cast<char>(body.size())) return false;
  const char* masked = asked + websocket_head_bytes + mask.size();
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != static_cast<char>(masked[i] ^ mask[i % mask.size()])) return false;
  }
  return true;
}

void Connection::take_turn(char* frame) const {
  if (!is_websocket_) {
    frame[prefix_bytes] = next_turn(frame[prefix_bytes]);
    return;
  }
  char& first = frame[websocket_head_bytes + mask.size()];
  first = static_cast<char>(next_turn(static_cast<char>(first ^ mask[0])) ^ mask[0]);
}

Status Connection::start(Instant at) {
  for (Instant& asked : asked_at_) asked = at;
  queued_ = ring_.size();
  return flush();
}

Result<std::uint64_t> Connection::read_answers(std::span<char> buffer, Latency* measured) {
  const Result<std::string_view> read = read_once(fd(), unread_, buffer);
  if (!read) return read.error();
  const Instant at = now();
  std::string_view bytes = *read;
  std::uint64_t answers = 0;
  while (bytes.size() >= answer_bytes_) {
    char* frame = ring_.data() + next_slot_ * frame_bytes_;
    if (!is_answer(bytes.substr(0, answer_bytes_), frame)) {
      return Status(Code::data_loss, "an answer differs from what was asked");
    }
    if (measured != nullptr) measured->record(at - asked_at_[next_slot_]);
    take_turn(frame);
    asked_at_[next_slot_] = at;
    if (++next_slot_ == asked_at_.size()) next_slot_ = 0;
    bytes.remove_prefix(answer_bytes_);
    ++answers;
  }
  if (!bytes.empty()) unread_.assign(bytes);
  queued_ += answers * frame_bytes_;
  return answers;
}

Status Connection::flush() {
  while (sent_ < queued_) {
    const std::size_t begin = sent_ % ring_.size();
    const std::size_t waiting = queued_ - sent_;
    const std::size_t first = std::min(waiting, ring_.size() - begin);
    std::array<iovec, 2> parts{iovec{ring_.data() + begin, first},
                               iovec{ring_.data(), waiting - first}};
    const ssize_t sent = ::writev(fd(), parts.data(), waiting > first ? 2 : 1);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {};
      return errno_status(errno, "writev");
    }
    sent_ += static_cast<std::uint64_t>(sent);
  }
  return {};
}

// The handshake on a new connection (RFC 6455 4.1). What the answer says beside 101 is not looked
// at: the messages are, one by one.
Status open_websocket(const Fd& fd, const std::string& address) {
  const std::string ask = "GET / HTTP/1.1\r\nHost: " + address +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  if (::send(fd.get(), ask.data(), ask.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(ask.size())) {
    return errno_status(errno, "sending the handshake");
  }
  constexpr std::size_t most_head_bytes = 4096;
  constexpr int patience_ms = 5000;
  std::string head;
  while (!head.ends_with("\r\n\r\n") && head.size() < most_head_bytes) {
    pollfd readable{.fd = fd.get(), .events = POLLIN, .revents = 0};
    char byte = 0;  // one at a time: what comes behind the head is a message
    if (::poll(&readable, 1, patience_ms) != 1 || ::recv(fd.get(), &byte, 1, 0) != 1) break;
    head += byte;
  }
  if (head.starts_with("HTTP/1.1 101 ") && head.ends_with("\r\n\r\n")) return {};
  return {Code::unavailable, "the server opened no WebSocket; it answered: " + head};
}

class FloorClient {
 public:
  FloorClient(Fd epoll, const Load& load)
      : load_(load), epoll_(std::move(epoll)), buffer_(receive_buffer_bytes) {}

  // Connects, runs the load through warm-up and window, prints the line.
  Status run();

 private:
  Status connect();
  Status take_events(Connection& connection, std::uint32_t events);
  // Opens and closes the window when its time has come; true once it is closed.
  Result<bool> is_over(Window& window);

  Load load_;
  Fd epoll_;
  std::vector<char> buffer_;
  std::vector<Connection> connections_;
  Latency latency_;
  Instant begin_;  // of the window: planned, then as it was
  std::uint64_t answered_ = 0;
  bool is_open_ = false;
};

Status FloorClient::connect() {
  connections_.reserve(load_.connections);  // epoll keeps their addresses
  for (std::size_t i = 0; i < load_.connections; ++i) {
    Result<Fd> fd = connect_to(load_.address);
    if (!fd) return fd.error();
    if (load_.websocket) {
      if (Status status = open_websocket(*fd, load_.address); !status.is_ok()) return status;
    }
    Connection& connection = connections_.emplace_back(std::move(*fd), load_, i);
    Status status = watch(epoll_, EPOLL_CTL_ADD, connection.fd(), EPOLLIN, &connection);
    if (!status.is_ok()) return status;
  }
  return {};
}

Status FloorClient::take_events(Connection& connection, std::uint32_t events) {
  const bool was_flushed = connection.is_flushed();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0U) {
    const Result<std::uint64_t> answers =
        connection.read_answers(buffer_, is_open_ ? &latency_ : nullptr);
    if (!answers) return answers.error();
    answered_ += *answers;
  }
  if (Status status = connection.flush(); !status.is_ok()) return status;
  if (connection.is_flushed() == was_flushed) return {};
  const std::uint32_t wanted = connection.is_flushed() ? EPOLLIN : EPOLLIN | EPOLLOUT;
  return watch(epoll_, EPOLL_CTL_MOD, connection.fd(), wanted, &connection);
}

Result<bool> FloorClient::is_over(Window& window) {
  const Instant at = now();
  if (!is_open_) {
    if (at < begin_) return false;
    is_open_ = true;
    begin_ = at;
    if (Status status = window.open(answered_); !status.is_ok()) return status;
    return false;
  }
  if (at < begin_ + load_.window) return false;
  if (Status status = window.close(answered_); !status.is_ok()) return status;
  return true;
}

Status FloorClient::run() {
  if (Status status = connect(); !status.is_ok()) return status;
  Window window(load_.server_pid);
  begin_ = now() + load_.warmup;
  for (Connection& connection : connections_) {
    if (Status status = connection.start(now()); !status.is_ok()) return status;
    if (connection.is_flushed()) continue;
    Status status = watch(epoll_, EPOLL_CTL_MOD, connection.fd(), EPOLLIN | EPOLLOUT, &connection);
    if (!status.is_ok()) return status;
  }
  std::array<epoll_event, max_events> events{};
  const int timeout_ms = load_.spin ? 0 : 1000;  // a stuck server must not hide the window's end
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), max_events, timeout_ms);
    if (count < 0 && errno != EINTR) return errno_status(errno, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Status status = take_events(*static_cast<Connection*>(event.data.ptr), event.events);
      if (!status.is_ok()) return status;
    }
    const Result<bool> over = is_over(window);
    if (!over) return over.error();
    if (*over) break;
  }
  std::puts(window.to_json(latency_).c_str());
  return {};
}

Status run(const Load& load) {
  Result<Fd> epoll = make_epoll();
  if (!epoll) return epoll.error();
  return FloorClient(std::move(*epoll), load).run();
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const Result<bench::Load> load = bench::parse_load(argc, argv);
  if (!load) return bench::usage_error(load.error());
  if (load->slice || !load->idle_spin || !load->ca_file.empty() || load->calls_per_second > 0) {
    return bench::usage_error(Status(Code::invalid_argument,
                                     "--slice, --no-idle-spin, --ca-file and --rate are for "
                                     "Parley only"));
  }
  if (load->websocket && load->body_bytes > bench::most_websocket_bytes) {
    return bench::usage_error(
        Status(Code::invalid_argument, "--body-bytes with --websocket is at most 125"));
  }
  std::signal(SIGPIPE, SIG_IGN);  // a server that went away is an error with a text
  const Status status = bench::run(*load);
  return status.is_ok() ? 0 : bench::run_error(status);
}
