// The system calls of sockets, each behind a function that returns a Status and keeps errno to
// itself. Private to net.
#pragma once

#include <sys/socket.h>

#include <span>
#include <string_view>

#include "parley/base/fd.h"
#include "parley/base/result.h"
#include "parley/net/address.h"

namespace parley::net::impl {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// `address` came through Address::parse, so its host is numeric.
SocketAddress socket_address_of(const Address& address);
Address address_of(const SocketAddress& socket_address);

Result<Fd> open_tcp_socket(const Address& address);
Address local_address_of(int fd);

// What a non-blocking call came to: done, or to be tried again when the descriptor is ready.
inline constexpr long would_block = -1;

// Bytes moved (0: end), would_block, or the error.
Result<long> receive(int fd, std::span<char> into);
Result<long> send(int fd, std::string_view from);
// The new descriptor, would_block, or the error. Connections that died in the queue are skipped.
Result<long> accept(int fd, SocketAddress& from);

}  // namespace parley::net::impl
