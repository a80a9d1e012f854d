#include "parley/net/address.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace parley::net {
namespace {

Status refuse(std::string_view text, const std::string& why) {
  return {Code::invalid_argument,
          "address \"" + std::string(text) + "\": " + why + "; write it as tcp://127.0.0.1:4711"};
}

bool is_numeric(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(family, host.c_str(), bytes.data()) == 1;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  Address address;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return refuse(text, "no network (tcp://) in front");
  address.network = text.substr(0, scheme);
  if (address.network != "tcp") {
    return refuse(text, "network \"" + address.network + "\" is not supported, tcp is");
  }
  const std::string_view rest = text.substr(scheme + 3);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.ends_with(']')) return refuse(text, "no port");

  std::string_view host = rest.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  if (address.host.empty()) {
    return refuse(text, "no host (0.0.0.0 listens on every interface)");
  }
  if (!is_numeric(bracketed ? AF_INET6 : AF_INET, address.host)) {
    return refuse(text, "host \"" + address.host + "\" is not a numeric " +
                            (bracketed ? "IPv6 address"
                                       : "IPv4 address, an IPv6 address in "
                                         "brackets or localhost"));
  }

  const std::string_view port = rest.substr(colon + 1);
  const auto end = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || end.ec != std::errc() || end.ptr != port.data() + port.size()) {
    return refuse(text, "port \"" + std::string(port) + "\" is not a number from 0 to 65535");
  }
  return address;
}

std::string Address::to_string() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return network + "://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace parley::net
