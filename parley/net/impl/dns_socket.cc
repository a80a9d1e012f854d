#include "parley/net/impl/dns_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace parley::net::impl {
namespace {

// RFC 1035, 4.1.1: a header is 12 bytes, the last four bits of the fourth are the response code.
constexpr ares_ssize_t header_size = 12;

std::string_view refusal_named(int code) {
  switch (code) {
    case 2:
      return "SERVFAIL";
    case 4:
      return "NOTIMP";
    case 5:
      return "REFUSED";
    default:
      return {};  // not one that c-ares drops
  }
}

std::string text_of(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, from, sizeof ipv4);
    return dns_server_text(AF_INET, &ipv4.sin_addr, ntohs(ipv4.sin_port));
  }
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, from, sizeof ipv6);
  return dns_server_text(AF_INET6, &ipv6.sin6_addr, ntohs(ipv6.sin6_port));
}

ares_socket_t open_socket(int family, int type, int protocol, void* /*witness*/) {
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int close_socket(ares_socket_t fd, void* witness) {
  static_cast<DnsWitness*>(witness)->closed(fd);
  return ::close(fd);
}

int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* /*witness*/) {
  return ::connect(fd, to, size);
}

// A datagram that c-ares would misunderstand: an empty one is not the end of a connection, and a
// query (QR is 0), our own thrown back at us, is not a reply that has no records.
bool is_noise(const void* datagram, ares_ssize_t size) {
  return size == 0 ||
         (size >= header_size && (static_cast<const unsigned char*>(datagram)[2] & 0x80U) == 0);
}

ares_ssize_t receive(ares_socket_t fd, void* into, std::size_t size, int flags, sockaddr* from,
                     ares_socklen_t* from_size, void* witness) {
  if (static_cast<DnsWitness*>(witness)->is_to_tell(fd)) {
    errno = ECONNREFUSED;
    return -1;
  }
  ares_ssize_t count = 0;
  do {
    count = ::recvfrom(fd, into, size, flags, from, from_size);
  } while ((from != nullptr && is_noise(into, count)) || (count < 0 && errno == EINTR));
  if (count >= header_size && from != nullptr) {
    const std::string_view why = refusal_named(static_cast<const unsigned char*>(into)[3] & 0x0fU);
    if (!why.empty()) static_cast<DnsWitness*>(witness)->refused(text_of(from), why);
  }
  return count;
}

// On UDP, ECONNREFUSED is the fate of an earlier query, told to this one (udp(7), Error handling).
// c-ares would fail this one and let the earlier one wait for its timeout. A read that fails is
// what makes it try again with all queries of a socket, so that is how it is told.
ares_ssize_t send(ares_socket_t fd, const iovec* pieces, int count, void* witness) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);  // sendmsg(2) only reads them
  message.msg_iovlen = static_cast<std::size_t>(count);
  const ares_ssize_t size = ::sendmsg(fd, &message, MSG_NOSIGNAL);
  if (size >= 0 || errno != ECONNREFUSED) return size;
  static_cast<DnsWitness*>(witness)->came_back(fd);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

const ares_socket_functions dns_socket_functions{.asocket = open_socket,
                                                 .aclose = close_socket,
                                                 .aconnect = connect_socket,
                                                 .arecvfrom = receive,
                                                 .asendv = send};

std::string dns_server_text(int family, const void* address, int port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, address, text.data(), text.size()) == nullptr) return {};
  const std::string host = text.data();
  return (family == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace parley::net::impl
