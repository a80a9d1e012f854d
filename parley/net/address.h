// Address: where to listen or dial, as people write it: "tcp://127.0.0.1:4711", "tcp://[::1]:4711".
// A plain value.
//
//   auto address = net::Address::parse("tcp://localhost:0");
//   if (!address) return address.error();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::net {

struct Address {
  std::string network = "tcp";
  std::string host;  // a numeric IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;

  // Understands network://host:port. The network must be tcp. The host must be numeric, or
  // "localhost", which is 127.0.0.1 (RFC 6761, 6.3). invalid_argument names the part that is wrong.
  static Result<Address> parse(std::string_view text);

  // What parse() understands.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace parley::net
