// Resolver: names to addresses without blocking a worker, by DNS (RFC 1035), /etc/hosts and the
// settings of /etc/resolv.conf.
//
// Call it inside a fiber, from any number of fibers at the same time. It owns one fiber, which its
// destructor ends; destroying it while a lookup waits is a bug. Equal lookups that run at the same
// time share one query, and a caller that gives up leaves the query to the others. Timeouts of
// single queries follow the machine's clock; deadlines and the age of answers that of the runtime.
//
//   auto resolver = net::Resolver::open();
//   if (!resolver) return resolver.error();
//   auto found = (*resolver)->lookup("shop.example", net::Family::any, rt::Deadline::after(2s));
//   for (const net::HostAddress& address : *found) try_to_reach(address.host);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/rt/deadline.h"

namespace parley::net {

namespace impl {
class DnsDriver;
}

enum class Family : std::uint8_t { any, ipv4, ipv6 };

// Records of one answer that are kept; more are dropped.
inline constexpr std::size_t max_dns_records = 256;

struct HostAddress {
  std::string host;  // numeric, without brackets: fits Address::host
  // How long the answer may be used from now on. 0 for what is not from DNS: ask again next time.
  Duration ttl{0};
  friend bool operator==(const HostAddress&, const HostAddress&) = default;
};

// A place where a service is offered (RFC 2782).
struct SrvRecord {
  std::uint16_t priority = 0;  // the least is to be tried first
  std::uint16_t weight = 0;    // share among those of equal priority
  std::uint16_t port = 0;
  std::string target;  // a name, without the dot at its end
  Duration ttl{0};
  friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

struct TxtRecord {
  std::string text;  // the strings of one record, joined (RFC 7208, 3.3)
  Duration ttl{0};
  friend bool operator==(const TxtRecord&, const TxtRecord&) = default;
};

struct ResolverOptions {
  // DNS servers, numeric: "10.0.0.2", "10.0.0.2:5353", "[fd00::2]:53". Empty: those of resolv_conf,
  // or 127.0.0.1 where it names none.
  std::vector<std::string> servers = {};
  // resolv.conf(5): nameserver, search, and the options ndots, timeout, attempts and rotate. Read
  // once, when the resolver opens. A file that is not there is an empty one.
  std::string resolv_conf = "/etc/resolv.conf";
  // How long one server has for its first answer, 1 ms to 1 min; each further round over all of
  // them doubles it. None: what resolv_conf says, or 5 s.
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;
  // Rounds over all servers, 1 to 10. None: what resolv_conf says (attempts), or 2.
  std::optional<int> tries = std::nullopt;
  // Queries on their way at once; lookups beyond wait for their turn.
  std::size_t max_queries = 64;

  // Answers kept for as long as their TTL says, but at least min_ttl (0: an answer with TTL 0 is
  // not kept) and never longer than max_ttl.
  std::chrono::milliseconds min_ttl{0};
  std::chrono::milliseconds max_ttl = std::chrono::minutes(5);
  // How long "no such name" and "no such record" are kept. 0: not at all. Other failures never are.
  std::chrono::milliseconds negative_ttl = std::chrono::seconds(5);
  // Answers kept; beyond, the one not used for longest goes. 0: none is kept.
  std::size_t max_cached = 1024;
};

// What a resolver did so far.
struct ResolverCounts {
  std::uint64_t queries = 0;  // handed to DNS (or to the hosts file)
  std::uint64_t shared = 0;   // joined a query of another caller
  std::uint64_t cached = 0;   // answered from what is kept
  std::uint64_t evicted = 0;  // answers that went because of max_cached
  std::uint64_t delayed = 0;  // had to wait because of max_queries
};

class Resolver {
 public:
  // Reads the configuration and starts the fiber. invalid_argument for an option that makes no
  // sense; resource_exhausted when no descriptor is left.
  static Result<std::unique_ptr<Resolver>> open(ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The addresses of `host`, IPv6 before IPv4, otherwise in the order of the answer; never empty.
  // A numeric host is its own answer; localhost and what ends in .localhost is the loopback
  // (RFC 6761, 6.3); then /etc/hosts (or the file that the environment variable CARES_HOSTS names),
  // then DNS with the search list. With `any`, one family that is found is enough.
  //
  // not_found: the name does not exist, or has no address of that family (the message says which).
  // unavailable: no server gave a usable answer. invalid_argument: not a host name.
  // deadline_exceeded, or the context's status, when that came first; others that wait for the same
  // name go on.
  Result<std::vector<HostAddress>> lookup(std::string_view host, Family family = Family::any,
                                          rt::Deadline deadline = {});

  // The places of a service, e.g. "_parley._tcp.shop.example", by priority, then by falling weight;
  // choosing by weight is left to the caller. A service that is said not to exist (target ".") is
  // not_found. Errors as for lookup.
  Result<std::vector<SrvRecord>> lookup_srv(std::string_view name, rt::Deadline deadline = {});

  // The texts of `name`, in the order of the answer: any bytes. Errors as for lookup.
  Result<std::vector<TxtRecord>> lookup_txt(std::string_view name, rt::Deadline deadline = {});

  [[nodiscard]] ResolverCounts counts() const;

 private:
  explicit Resolver(std::unique_ptr<impl::DnsDriver> driver);

  std::unique_ptr<impl::DnsDriver> driver_;
};

}  // namespace parley::net
