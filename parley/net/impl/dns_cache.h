// DnsCache: answers kept for their time to live. Not fiber-safe: DnsDriver guards it. Private to
// net.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>

#include "parley/base/clock.h"
#include "parley/net/impl/dns_reply.h"

namespace parley::net::impl {

struct DnsCacheLimits {
  Duration min_ttl{0};
  Duration max_ttl{0};
  Duration negative_ttl{0};
  std::size_t max_entries = 0;
};

class DnsCache {
 public:
  explicit DnsCache(const DnsCacheLimits& limits) : limits_(limits) {}

  // The answer, its TTLs reduced to what is left; nothing when there is none or its time is over.
  std::optional<DnsAnswer> find(const DnsQuestion& question, Instant now);
  // Brings the TTLs of the answer within the limits and keeps it, if they allow that. Returns how
  // many others had to go.
  std::size_t put(const DnsQuestion& question, DnsAnswer& answer, Instant now);
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    DnsQuestion question;
    DnsAnswer answer;
    Instant expires;
  };
  using Entries = std::list<Entry>;

  const DnsCacheLimits limits_;
  Entries entries_;  // the one used last in front
  std::map<DnsQuestion, Entries::iterator> index_;
};

}  // namespace parley::net::impl
