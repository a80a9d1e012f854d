#include "parley/net/impl/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "parley/base/sanitized.h"

namespace parley::net::impl {
namespace {

SocketAddress unix_address_of(const std::string& path) {
  SocketAddress out;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::min(path.size(), max_unix_path);
  std::memcpy(address.sun_path, path.data(), size);
  std::size_t shown = size;
  if (path.starts_with('@')) {
    address.sun_path[0] = '\0';  // unix(7): an abstract name begins with a zero byte, ends by size
  } else {
    ++shown;  // the zero byte behind a path
  }
  std::memcpy(&out.storage, &address, sizeof address);
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + shown);
  return out;
}

Address from_unix(const SocketAddress& socket_address) {
  Address out{.network = "unix", .host = {}, .port = 0};
  sockaddr_un address{};
  std::memcpy(&address, &socket_address.storage, sizeof address);
  constexpr std::size_t before = offsetof(sockaddr_un, sun_path);
  if (socket_address.size <= before) return out;  // unnamed
  const std::size_t size =
      std::min<std::size_t>(socket_address.size - before, sizeof address.sun_path);
  if (address.sun_path[0] == '\0') {
    out.host = "@" + std::string(address.sun_path + 1, size - 1);
  } else {
    out.host = std::string(address.sun_path, ::strnlen(address.sun_path, size));
  }
  return out;
}

}  // namespace

bool is_ipv6(const Address& address) {
  return address.network != "unix" && address.host.find(':') != std::string::npos;
}

SocketAddress socket_address_of(const Address& address) {
  if (address.network == "unix") return unix_address_of(address.host);
  SocketAddress out;
  if (is_ipv6(address)) {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &ipv6.sin6_addr);
    std::memcpy(&out.storage, &ipv6, sizeof ipv6);
    out.size = sizeof ipv6;
  } else {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &ipv4.sin_addr);
    std::memcpy(&out.storage, &ipv4, sizeof ipv4);
    out.size = sizeof ipv4;
  }
  return out;
}

Address address_of(const SocketAddress& socket_address, std::string_view network) {
  if (socket_address.storage.ss_family == AF_UNIX) return from_unix(socket_address);
  Address address{.network = std::string(network), .host = {}, .port = 0};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (socket_address.storage.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &socket_address.storage, sizeof ipv6);
    ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
    address.port = ntohs(ipv6.sin6_port);
  } else {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &socket_address.storage, sizeof ipv4);
    ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
    address.port = ntohs(ipv4.sin_port);
  }
  address.host = text.data();
  return address;
}

Address local_address_of(int fd, std::string_view network) {
  SocketAddress socket_address;
  ::getsockname(fd, socket_address.get(), &socket_address.size);
  return address_of(socket_address, network);
}

[[gnu::noinline]] Result<Fd> open_socket(const Address& address, int type) {
  const int ip_family = is_ipv6(address) ? AF_INET6 : AF_INET;
  const int family = address.network == "unix" ? AF_UNIX : ip_family;
  Fd fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno_status(errno, "open a socket for " + address.to_string());
  return fd;
}

[[gnu::noinline]] Status set_option(int fd, int level, int option, const void* value,
                                    socklen_t size, std::string_view what) {
  if (::setsockopt(fd, level, option, value, size) == 0) return {};
  return errno_status(errno, what);
}

[[gnu::noinline]] int get_option(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

Status bind_error(int error, const Address& address) {
  const Status status = errno_status(error, "bind " + address.to_string());
  std::string_view advice;
  if (error == EADDRNOTAVAIL) advice = "; no interface of this machine has it";
  if (error == EADDRINUSE) {
    advice = address.network == "unix"
                 ? "; another socket has it, of this process or another"
                 : "; another socket has it, of this process or another: port 0 takes a free one";
  }
  return {status.code(), std::string(status.message()) + std::string(advice)};
}

[[gnu::noinline]] Status bind_to(int fd, const Address& address) {
  const SocketAddress where = socket_address_of(address);
  if (::bind(fd, where.get(), where.size) == 0) return {};
  return bind_error(errno, address);
}

[[gnu::noinline]] Status start_listening(int fd, int backlog) {
  if (::listen(fd, backlog) == 0) return {};
  return errno_status(errno, "listen");
}

[[gnu::noinline]] Status shut_down(int fd, int how) {
  if (::shutdown(fd, how) == 0) return {};
  return errno_status(errno, "shut down");
}

[[gnu::noinline]] int connect(int fd, const SocketAddress& to) {
  return ::connect(fd, to.get(), to.size) == 0 ? 0 : errno;
}

[[gnu::noinline]] int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool has_ended(int fd) {
  pollfd ask{.fd = fd, .events = POLLRDHUP, .revents = 0};
  return ::poll(&ask, 1, 0) == 1;
}

namespace {

// recv(), send() and sendmsg() are cancellation points of threads, which in a program with several
// threads costs four atomic operations a request. The sanitizers have to see the real ones.
ssize_t plain_recv(int fd, std::span<char> into, int flags) {
  if (is_sanitized) return ::recv(fd, into.data(), into.size(), flags);
  return ::syscall(SYS_recvfrom, fd, into.data(), into.size(), flags, nullptr, nullptr);
}

ssize_t plain_send(int fd, std::string_view from) {
  if (is_sanitized) return ::send(fd, from.data(), from.size(), MSG_NOSIGNAL);
  return ::syscall(SYS_sendto, fd, from.data(), from.size(), MSG_NOSIGNAL, nullptr, 0);
}

ssize_t plain_sendmsg(int fd, const msghdr& message) {
  if (is_sanitized) return ::sendmsg(fd, &message, MSG_NOSIGNAL);
  return ::syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}

}  // namespace

[[gnu::noinline]] Result<long> receive(int fd, std::span<char> into, int flags) {
  for (;;) {
    const auto size = plain_recv(fd, into, flags);
    if (size >= 0) return static_cast<long>(size);
    if (errno == EAGAIN) return would_block;
    if (errno != EINTR) return errno_status(errno, "receive");
  }
}

namespace {

// What a call that sent `size` bytes, or failed, comes to; nothing: try again.
std::optional<Result<long>> sent(ssize_t size) {
  if (size >= 0) return static_cast<long>(size);
  if (errno == EAGAIN) return would_block;
  if (errno == EMSGSIZE) {
    return Status(Code::invalid_argument, "send: the message is longer than the socket takes");
  }
  if (errno != EINTR) return errno_status(errno, "send");
  return std::nullopt;
}

}  // namespace

// Costs less than sendmsg().
[[gnu::noinline]] Result<long> send(int fd, std::string_view from) {
  for (;;) {
    if (auto size = sent(plain_send(fd, from))) return *size;
  }
}

[[gnu::noinline]] Result<long> send_message(int fd, const msghdr& message) {
  for (;;) {
    if (auto size = sent(plain_sendmsg(fd, message))) return *size;
  }
}

[[gnu::noinline]] Result<long> receive_message(int fd, msghdr& message, int flags) {
  for (;;) {
    const auto size = ::recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (size >= 0) return static_cast<long>(size);
    if (errno == EAGAIN) return would_block;
    if (errno != EINTR) return errno_status(errno, "receive");
  }
}

void discard_received(int fd) {
  // tcp(7): with MSG_TRUNC bytes are thrown away instead of copied; one call takes all there is.
  // Not for ever: the other side may be writing as fast as this drops.
  constexpr std::size_t all = std::size_t{1} << 30;
  constexpr int most_calls = 16;
  for (int i = 0; i < most_calls; ++i) {
    // Not recv(): ThreadSanitizer would take it for a write of so many bytes to nowhere.
    if (::syscall(SYS_recvfrom, fd, nullptr, all, MSG_TRUNC | MSG_DONTWAIT, nullptr, nullptr) <=
        0) {
      return;
    }
  }
}

namespace {

// accept(2), Error handling: these belong to the connection that was waiting, not to the listener.
bool belongs_to_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:  // a firewall's word
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

[[gnu::noinline]] Result<long> accept(int fd, SocketAddress& from) {
  for (;;) {
    from.size = sizeof from.storage;
    const int accepted = ::accept4(fd, from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) return static_cast<long>(accepted);
    if (errno == EAGAIN) return would_block;
    if (is_out_of_descriptors(errno)) return no_descriptor;
    if (!belongs_to_connection(errno)) return errno_status(errno, "accept");
  }
}

}  // namespace parley::net::impl
