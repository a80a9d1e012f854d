// What is asked of DNS and what comes back. Sans-I/O; any thread. Private to net.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/net/resolver.h"

namespace parley::net::impl {

// The numbers are those of RFC 1035, 3.2.2, RFC 2782 and RFC 3596.
enum class DnsType : std::uint16_t { a = 1, txt = 16, aaaa = 28, srv = 33 };

// "AAAA".
std::string_view name_of(DnsType type);

struct DnsQuestion {
  std::string name;  // in small letters
  DnsType type = DnsType::a;
  // "shop.example (AAAA)"
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const DnsQuestion&, const DnsQuestion&) = default;
};

struct DnsAnswer {
  Status status;                   // ok, or why there is nothing
  std::vector<std::string> hosts;  // a and aaaa: numeric, each once
  std::vector<SrvRecord> services;
  std::vector<TxtRecord> texts;
  Duration ttl{0};       // the least of all records of the answer
  bool is_kept = false;  // may be kept for others: it came from DNS
};

// Adds the address (an in_addr or in6_addr) as text, unless it is there already.
void add_host(std::vector<std::string>& hosts, int family, const void* address);

// Reads the records of `type` out of a reply (RFC 1035, 4.1). not_found when there is none of that
// type; data_loss when the reply is malformed. `question` serves the message.
DnsAnswer parse_dns_reply(const DnsQuestion& question, std::string_view reply);

}  // namespace parley::net::impl
