#include "parley/net/impl/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>

#include "parley/net/impl/socket.h"

namespace parley::net::impl {
namespace {

Status out_of_range(const std::string& name, long long value, const std::string& range) {
  return {Code::invalid_argument,
          "option " + name + ": " + std::to_string(value) + " is not from " + range};
}

Status not_for(const std::string& network, const std::string& name) {
  return {Code::invalid_argument, "option " + name + ": not for " + network + " sockets"};
}

// Sets one number, checked against [least, most] first: the kernel caps some silently.
Status set(int fd, int level, int option, const std::string& name, long long value, long long least,
           long long most) {
  if (value < least || value > most) {
    return out_of_range(name, value, std::to_string(least) + " to " + std::to_string(most));
  }
  if (fd == no_socket) return {};
  const int number = static_cast<int>(value);
  return set_option(fd, level, option, &number, sizeof number, "option " + name);
}

Status set_keep_alive(int fd, const KeepAlive& keep_alive) {
  constexpr long long most_seconds = 32767;  // MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL
  constexpr long long most_probes = 127;     // MAX_TCP_KEEPCNT
  if (Status s = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, "keep_alive.idle", keep_alive.idle.count(), 1,
                     most_seconds);
      !s.is_ok()) {
    return s;
  }
  if (Status s = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, "keep_alive.interval",
                     keep_alive.interval.count(), 1, most_seconds);
      !s.is_ok()) {
    return s;
  }
  if (Status s =
          set(fd, IPPROTO_TCP, TCP_KEEPCNT, "keep_alive.count", keep_alive.count, 1, most_probes);
      !s.is_ok()) {
    return s;
  }
  return set(fd, SOL_SOCKET, SO_KEEPALIVE, "keep_alive", 1, 0, 1);
}

Status set_buffers(int fd, const StreamOptions& options) {
  constexpr long long most = INT_MAX / 2;  // the kernel doubles it
  if (options.send_buffer != 0) {
    const auto bytes = static_cast<long long>(options.send_buffer);
    if (Status s = set(fd, SOL_SOCKET, SO_SNDBUF, "send_buffer", bytes, 1, most); !s.is_ok()) {
      return s;
    }
  }
  if (options.receive_buffer == 0) return {};
  const auto bytes = static_cast<long long>(options.receive_buffer);
  return set(fd, SOL_SOCKET, SO_RCVBUF, "receive_buffer", bytes, 1, most);
}

Status set_tcp(int fd, const StreamOptions& options) {
  const int no_delay = options.no_delay ? 1 : 0;
  if (Status s = set(fd, IPPROTO_TCP, TCP_NODELAY, "no_delay", no_delay, 0, 1); !s.is_ok()) {
    return s;
  }
  if (options.keep_alive) {
    if (Status s = set_keep_alive(fd, *options.keep_alive); !s.is_ok()) return s;
  }
  if (options.reset_at_end && fd != no_socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (Status s =
            set_option(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once, "option reset_at_end");
        !s.is_ok()) {
      return s;
    }
  }
  if (!options.user_timeout) return {};
  return set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, "user_timeout", options.user_timeout->count(), 1,
             INT_MAX);
}

}  // namespace

Status apply(const StreamOptions& options, int fd, const std::string& network) {
  if (Status s = set_buffers(fd, options); !s.is_ok()) return s;
  if (network == "tcp") return set_tcp(fd, options);
  if (network == "udp") return {};  // DatagramOptions has buffers only
  if (!options.no_delay) return not_for(network, "no_delay = false");
  if (options.keep_alive) return not_for(network, "keep_alive");
  if (options.user_timeout) return not_for(network, "user_timeout");
  if (options.reset_at_end) return not_for(network, "reset_at_end");
  return {};
}

Status apply(const ListenOptions& options, int fd, const Address& address) {
  if (Status s = apply(options.stream, fd, address.network); !s.is_ok()) return s;
  if (options.backlog < 0) return out_of_range("backlog", options.backlog, "0 up");
  if (address.network != "tcp") {
    if (options.reuse_port) return not_for(address.network, "reuse_port");
    if (options.v6_only) return not_for(address.network, "v6_only");
    if (options.defer_accept.count() != 0) return not_for(address.network, "defer_accept");
    return {};
  }
  if (options.file_mode) return not_for(address.network, "file_mode");
  if (Status s = set(fd, SOL_SOCKET, SO_REUSEADDR, "reuse of addresses", 1, 0, 1); !s.is_ok()) {
    return s;
  }
  if (options.reuse_port) {
    if (Status s = set(fd, SOL_SOCKET, SO_REUSEPORT, "reuse_port", 1, 0, 1); !s.is_ok()) return s;
  }
  if (is_ipv6(address)) {
    const int on = options.v6_only ? 1 : 0;
    if (Status s = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, "v6_only", on, 0, 1); !s.is_ok()) return s;
  } else if (options.v6_only) {
    return not_for("IPv4", "v6_only");
  }
  const auto defer = options.defer_accept.count();
  if (defer == 0) return {};
  constexpr long long most_defer = 3600;
  return set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, "defer_accept", defer, 1, most_defer);
}

Status apply(const DialOptions& options, int fd, const Address& remote) {
  if (Status s = apply(options.stream, fd, remote.network); !s.is_ok()) return s;
  if (!options.bind) return {};
  const Address from = options.bind->as_numbers();
  if (from.network != remote.network) {
    return {Code::invalid_argument,
            "option bind: " + from.to_string() + " cannot dial " + remote.to_string()};
  }
  if (remote.network == "tcp") {
    if (!from.is_numeric() || is_ipv6(from) != is_ipv6(remote)) {
      return {Code::invalid_argument, "option bind: " + from.to_string() +
                                          " is not a numeric address of the same family as " +
                                          remote.to_string()};
    }
    if (Status s = set(fd, SOL_SOCKET, SO_REUSEADDR, "reuse of addresses", 1, 0, 1); !s.is_ok()) {
      return s;
    }
    if (from.port == 0) {
      // The kernel may choose the port when it connects and knows the other side: one port can then
      // serve many connections (ip(7)).
      if (Status s = set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, "bind", 1, 0, 1); !s.is_ok()) {
        return s;
      }
    }
  }
  if (fd == no_socket) return {};
  return bind_to(fd, from).with_context("option bind");
}

}  // namespace parley::net::impl
