// Address: where to listen or dial, as people write it. A plain value; any thread.
//
//   tcp://127.0.0.1:4711   tcp://[::1]:4711   tcp://shop.example:4711   udp://127.0.0.1:53
//   unix:///run/shop.sock  (a socket file)    unix:@shop  (Linux: a name without a file)
//   inproc:shop            (a name within one process, see in_process_network.h)
//
//   auto address = net::Address::parse("tcp://localhost:0");
//   if (!address) return address.error();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::net {

// Letters of a DNS name, dots included, without the dot at its end (RFC 1035, 2.3.4).
inline constexpr std::size_t max_host_name = 253;
// Letters of one part of a DNS name.
inline constexpr std::size_t max_host_label = 63;
// Bytes of the path of a Unix socket, or of an abstract name with its '@' (unix(7): sun_path holds
// 108, the last of which ends a path).
inline constexpr std::size_t max_unix_path = 107;
// Bytes of a name within a process.
inline constexpr std::size_t max_in_process_name = 255;

struct Address {
  std::string network = "tcp";  // tcp, udp, unix or inproc
  // tcp and udp: a numeric IPv4 or IPv6 address without brackets, or a DNS name in small letters.
  // unix: the path, or '@' and a name; empty for a socket that has none (most dialling sides).
  // inproc: the name; empty for a dialling side.
  std::string host;
  std::uint16_t port = 0;  // 0 for unix and inproc

  // Understands what stands at the top of this file. A host is numeric, or a DNS name as RFC 1123,
  // 2.1 has it (a dot at the end, "this is the whole name", is kept). Numeric addresses come out in
  // their shortest form. Nothing is looked up. invalid_argument names the part that is wrong.
  static Result<Address> parse(std::string_view text);

  // True for a tcp or udp address whose host is an IPv4 or IPv6 address: no name has to be
  // resolved.
  [[nodiscard]] bool is_numeric() const;

  // The same, where the host is "localhost" with 127.0.0.1 in its place (RFC 6761, 6.3): the one
  // name that every network knows without a resolver. It is kept until then, because it is what a
  // TLS server has to prove.
  [[nodiscard]] Address as_numbers() const;

  // What parse() understands ("unix:" or "inproc:" alone for an end without a name).
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace parley::net
