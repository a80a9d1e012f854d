// What a listener, a connection or a datagram socket can be told about its socket. Plain values.
//
//   network.listen(address, {.backlog = 128, .stream = {.keep_alive = net::KeepAlive{}}});
//   network.dial(address, rt::Deadline::after(2s), {.stream = {.no_delay = false}});
//
// A value the kernel refuses is invalid_argument and names the option. An option that the address
// cannot have (no_delay on a Unix socket) is passed over where it is at its default and refused
// where it is not.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "parley/net/address.h"

namespace parley::net {

// tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT. The kernel asks a silent other side whether it
// still lives: first after `idle`, then each `interval`; after `count` questions without an answer
// the connection is broken (unavailable).
struct KeepAlive {
  std::chrono::seconds idle{60};      // 1 to 32767
  std::chrono::seconds interval{10};  // 1 to 32767
  int count = 6;                      // 1 to 127
};

// Of one connection. A listener hands its own to each connection it accepts.
struct StreamOptions {
  // TCP_NODELAY: what is written leaves at once. False collects small writes (RFC 896).
  bool no_delay = true;
  // None: a dead other side is noticed only by writing to it.
  std::optional<KeepAlive> keep_alive{};
  // SO_SNDBUF and SO_RCVBUF in bytes of payload. The kernel doubles them for its own needs and caps
  // them at net.core.wmem_max and rmem_max. 0: it chooses, and adapts as it goes.
  std::size_t send_buffer = 0;
  std::size_t receive_buffer = 0;
  // TCP_USER_TIMEOUT (RFC 5482): how long written bytes may stay unacknowledged before the
  // connection is broken. None: about 15 minutes (net.ipv4.tcp_retries2).
  std::optional<std::chrono::milliseconds> user_timeout{};
  // SO_LINGER of 0: the destructor drops what was not sent and resets the connection; the other
  // side reads an error, not the end. Otherwise the kernel goes on sending after the destructor.
  // (Lingering for a time is not offered: it would hold a worker.)
  bool reset_at_end = false;
};

struct ListenOptions {
  // Connections the kernel keeps for accept(); it caps this at net.core.somaxconn.
  int backlog = 4096;
  StreamOptions stream{};
  // SO_REUSEPORT: more listeners of the same user may listen on this address; the kernel spreads
  // connections among them. See listen_shards().
  bool reuse_port = false;
  // IPV6_V6ONLY: [::] does not take IPv4 connections as well.
  bool v6_only = false;
  // TCP_DEFER_ACCEPT: accept() gets a connection when its first bytes have come, or about this
  // long after it was made. 0: at once.
  std::chrono::seconds defer_accept{0};
  // Unix socket file: its permission bits, at most 0777. None: 0777 without the umask. Whoever may
  // write to it may connect (unix(7), Pathname socket ownership and permissions).
  std::optional<std::uint32_t> file_mode{};
};

struct DialOptions {
  StreamOptions stream{};
  // The address to dial from: numeric, of the same family; port 0 lets the kernel choose one.
  std::optional<Address> bind{};
};

}  // namespace parley::net
