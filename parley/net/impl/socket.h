// The system calls of sockets, each behind a function that keeps errno to itself: a fiber may be on
// another thread, with another errno, after any wait. Private to net.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <span>
#include <string>
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

// True when the host is written as IPv6.
bool is_ipv6(const Address& address);
// `address` is numeric, or a Unix address of at most max_unix_path bytes.
SocketAddress socket_address_of(const Address& address);
// `network` names what the numbers belong to: tcp or udp; a Unix address says so itself.
Address address_of(const SocketAddress& socket_address, std::string_view network = "tcp");
Address local_address_of(int fd, std::string_view network = "tcp");

// A non-blocking socket of the address' family that is closed on exec. `type`: SOCK_STREAM,
// SOCK_SEQPACKET or SOCK_DGRAM.
Result<Fd> open_socket(const Address& address, int type);
inline Result<Fd> open_stream_socket(const Address& address) {
  return open_socket(address, SOCK_STREAM);
}

// `what` begins the message of the error.
Status set_option(int fd, int level, int option, const void* value, socklen_t size,
                  std::string_view what);
// The number an option has; -1 when it has none.
int get_option(int fd, int level, int option);
Status bind_to(int fd, const Address& address);
// Why an address cannot be had, and what to do about it.
Status bind_error(int error, const Address& address);
Status start_listening(int fd, int backlog);
// shutdown(2).
Status shut_down(int fd, int how);

// 0, EINPROGRESS, or the errno value of the failure.
int connect(int fd, const SocketAddress& to);
// SO_ERROR: the errno value of what failed behind our back, 0 when nothing did. Asking clears it.
int pending_error(int fd);

// True when the other side has finished or the connection broke, whatever is still to be read.
bool has_ended(int fd);

// What a non-blocking call came to: done, or to be tried again when the descriptor is ready.
inline constexpr long would_block = -1;

// Bytes moved (0: end), would_block, or the error.
Result<long> receive(int fd, std::span<char> into, int flags = 0);
Result<long> send(int fd, std::string_view from);
Result<long> send_message(int fd, const msghdr& message);
// Flags that came with the message are in `message`.
Result<long> receive_message(int fd, msghdr& message, int flags);

// TCP only: drops what has come and was not read.
void discard_received(int fd);

// The new descriptor, would_block, no_descriptor, or the error. Connections that died in the queue
// are skipped.
inline constexpr long no_descriptor = -2;  // the process or the machine has none left, or no memory
Result<long> accept(int fd, SocketAddress& from);

}  // namespace parley::net::impl
