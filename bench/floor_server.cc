// The floor, server side: the least an echo of framed messages can cost. One thread, one epoll;
// each read takes what is there, and every whole frame it brought is answered in one write.
//
//   floor_server [--spin]      prints {"address":"127.0.0.1:PORT","pid":PID}; ends on SIGTERM
//
// --spin polls with timeout 0: no sleep, no wake-up, a core burnt.
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "floor.h"
#include "load.h"

namespace parley::bench {
namespace {

class FloorServer {
 public:
  FloorServer(Fd epoll, Listening listening, Fd signals)
      : epoll_(std::move(epoll)),
        listening_(std::move(listening)),
        signals_(std::move(signals)),
        buffer_(receive_buffer_bytes) {}

  // Serves until SIGTERM or SIGINT.
  Status serve(bool spin);
  [[nodiscard]] const std::string& address() const { return listening_.address; }

 private:
  struct Connection {
    Fd fd;
    std::string unread;  // the front of a frame whose end has not come yet
    std::string unsent;  // answers the socket had no room for; nothing is read until they left
  };

  Status take_connections();
  // False when the connection is over.
  bool take_events(Connection& connection, std::uint32_t events);
  bool answer(Connection& connection);
  bool send_rest(Connection& connection);
  void drop(Connection& connection);

  Fd epoll_;
  Listening listening_;
  Fd signals_;
  std::vector<char> buffer_;  // one for all connections: it stays in the cache
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

Status FloorServer::serve(bool spin) {
  Status status = watch(epoll_, EPOLL_CTL_ADD, listening_.socket.get(), EPOLLIN, &listening_);
  if (status.is_ok()) status = watch(epoll_, EPOLL_CTL_ADD, signals_.get(), EPOLLIN, &signals_);
  if (!status.is_ok()) return status;
  std::array<epoll_event, max_events> events{};
  while (true) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), spin ? 0 : -1);
    if (count < 0 && errno != EINTR) return errno_status(errno, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &signals_) return {};
      if (event.data.ptr == &listening_) {
        if (status = take_connections(); !status.is_ok()) return status;
        continue;
      }
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if (!take_events(connection, event.events)) drop(connection);
    }
  }
}

Status FloorServer::take_connections() {
  while (true) {
    Result<Fd> fd = accept_from(listening_.socket);
    if (!fd) return fd.error();
    if (!*fd) return {};
    auto connection = std::make_unique<Connection>();
    connection->fd = std::move(*fd);
    Status status = watch(epoll_, EPOLL_CTL_ADD, connection->fd.get(), EPOLLIN, connection.get());
    if (!status.is_ok()) return status;
    connections_.emplace(connection.get(), std::move(connection));
  }
}

bool FloorServer::take_events(Connection& connection, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0U) return send_rest(connection);
  return answer(connection);
}

bool FloorServer::answer(Connection& connection) {
  const Result<std::string_view> read = read_once(connection.fd.get(), connection.unread, buffer_);
  if (!read) return false;
  std::size_t whole = 0;
  while (true) {
    const std::size_t frame = frame_bytes_at(read->substr(whole));
    if (frame > receive_buffer_bytes) {
      std::fprintf(stderr, "a frame of %zu bytes is over the limit of %zu; connection closed\n",
                   frame, receive_buffer_bytes);
      return false;
    }
    if (frame == 0 || whole + frame > read->size()) break;
    whole += frame;
  }
  if (whole < read->size()) connection.unread.assign(read->substr(whole));
  if (whole == 0) return true;
  const ssize_t sent = ::send(connection.fd.get(), read->data(), whole, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  const std::size_t left = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (left == whole) return true;
  connection.unsent.assign(read->substr(left, whole - left));
  return watch(epoll_, EPOLL_CTL_MOD, connection.fd.get(), EPOLLOUT, &connection).is_ok();
}

bool FloorServer::send_rest(Connection& connection) {
  std::string& unsent = connection.unsent;
  const ssize_t sent = ::send(connection.fd.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  unsent.erase(0, static_cast<std::size_t>(sent));
  if (!unsent.empty()) return true;
  return watch(epoll_, EPOLL_CTL_MOD, connection.fd.get(), EPOLLIN, &connection).is_ok();
}

void FloorServer::drop(Connection& connection) { connections_.erase(&connection); }

// SIGTERM and SIGINT as a descriptor, so that they end the loop and nothing else.
Result<Fd> end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return errno_status(errno, "sigprocmask");
  Fd signals(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals) return errno_status(errno, "signalfd");
  return signals;
}

Status serve(bool spin) {
  Result<Fd> signals = end_signals();
  if (!signals) return signals.error();
  Result<Fd> epoll = make_epoll();
  if (!epoll) return epoll.error();
  Result<Listening> listening = listen_on_loopback();
  if (!listening) return listening.error();
  FloorServer server(std::move(*epoll), std::move(*listening), std::move(*signals));
  std::printf("{\"address\":\"%s\",\"pid\":%d}\n", server.address().c_str(), ::getpid());
  std::fflush(stdout);
  return server.serve(spin);
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  bool spin = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--spin") {
      return bench::usage_error(
          Status(Code::invalid_argument, "floor_server knows the option --spin only"));
    }
    spin = true;
  }
  const Status status = bench::serve(spin);
  return status.is_ok() ? 0 : bench::run_error(status);
}
