#include "parley/net/impl/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace parley::net::impl {

SocketAddress socket_address_of(const Address& address) {
  SocketAddress out;
  if (address.host.find(':') != std::string::npos) {
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

Address address_of(const SocketAddress& socket_address) {
  Address address;
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

Result<Fd> open_tcp_socket(const Address& address) {
  const int family = address.host.find(':') != std::string::npos ? AF_INET6 : AF_INET;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno_status(errno, "open a socket for " + address.to_string());
  return fd;
}

Address local_address_of(int fd) {
  SocketAddress socket_address;
  ::getsockname(fd, socket_address.get(), &socket_address.size);
  return address_of(socket_address);
}

Result<long> receive(int fd, std::span<char> into) {
  for (;;) {
    const auto size = ::recv(fd, into.data(), into.size(), 0);
    if (size >= 0) return static_cast<long>(size);
    if (errno == EAGAIN) return would_block;
    if (errno != EINTR) return errno_status(errno, "receive");
  }
}

Result<long> send(int fd, std::string_view from) {
  for (;;) {
    const auto size = ::send(fd, from.data(), from.size(), MSG_NOSIGNAL);
    if (size >= 0) return static_cast<long>(size);
    if (errno == EAGAIN) return would_block;
    if (errno != EINTR) return errno_status(errno, "send");
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

}  // namespace

Result<long> accept(int fd, SocketAddress& from) {
  for (;;) {
    from.size = sizeof from.storage;
    const int accepted = ::accept4(fd, from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) return static_cast<long>(accepted);
    if (errno == EAGAIN) return would_block;
    if (!belongs_to_connection(errno)) return errno_status(errno, "accept");
  }
}

}  // namespace parley::net::impl
