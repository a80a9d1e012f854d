#include "floor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>

namespace parley::bench {
namespace {

constexpr int listen_backlog = 1024;

Status send_at_once(const Fd& socket) {
  const int on = 1;
  if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    return errno_status(errno, "setting TCP_NODELAY");
  }
  return {};
}

Result<sockaddr_in> parse_address(std::string_view address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  const std::size_t colon = address.rfind(':');
  const std::string host(address.substr(0, colon));
  std::uint16_t port = 0;
  if (colon == std::string_view::npos || ::inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1 ||
      std::from_chars(address.data() + colon + 1, address.data() + address.size(), port).ec !=
          std::errc()) {
    return Status(Code::invalid_argument,
                  "address \"" + std::string(address) + "\" is not like 127.0.0.1:4711");
  }
  in.sin_port = htons(port);
  return in;
}

}  // namespace

Result<std::string_view> read_once(int fd, std::string& rest, std::span<char> buffer) {
  const std::size_t kept = rest.size();
  const ssize_t got = ::recv(fd, buffer.data() + kept, buffer.size() - kept, 0);
  if (got == 0) return Status(Code::out_of_range, "the other side has closed the connection");
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return std::string_view();
    return errno_status(errno, "recv");
  }
  std::memcpy(buffer.data(), rest.data(), kept);
  rest.clear();
  return std::string_view(buffer.data(), kept + static_cast<std::size_t>(got));
}

Result<Fd> make_epoll() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_status(errno, "epoll_create1");
  return epoll;
}

Status watch(const Fd& epoll, int operation, int fd, std::uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  if (::epoll_ctl(epoll.get(), operation, fd, &event) != 0) return errno_status(errno, "epoll_ctl");
  return {};
}

Result<Listening> listen_on_loopback() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno_status(errno, "socket");
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof in;
  auto* address = reinterpret_cast<sockaddr*>(&in);
  if (::bind(socket.get(), address, size) != 0) return errno_status(errno, "bind 127.0.0.1:0");
  if (::listen(socket.get(), listen_backlog) != 0) return errno_status(errno, "listen");
  if (::getsockname(socket.get(), address, &size) != 0) return errno_status(errno, "getsockname");
  return Listening{std::move(socket), "127.0.0.1:" + std::to_string(ntohs(in.sin_port))};
}

Result<Fd> accept_from(const Fd& listener) {
  Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return socket;
    return errno_status(errno, "accept4");
  }
  if (Status status = send_at_once(socket); !status.is_ok()) return status;
  return socket;
}

Result<Fd> connect_to(std::string_view address) {
  const Result<sockaddr_in> in = parse_address(address);
  if (!in) return in.error();
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno_status(errno, "socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*in), sizeof *in) != 0) {
    return errno_status(errno, "connecting to " + std::string(address));
  }
  if (Status status = send_at_once(socket); !status.is_ok()) return status;
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) return errno_status(errno, "fcntl");
  return socket;
}

}  // namespace parley::bench
