#include "parley/net/impl/dns_cache.h"

#include <algorithm>
#include <utility>

namespace parley::net::impl {
namespace {

void set_ttl(DnsAnswer& answer, Duration ttl) {
  answer.ttl = ttl;
  for (SrvRecord& record : answer.services) record.ttl = ttl;
  for (TxtRecord& record : answer.texts) record.ttl = ttl;
}

}  // namespace

std::optional<DnsAnswer> DnsCache::find(const DnsQuestion& question, Instant now) {
  const auto found = index_.find(question);
  if (found == index_.end()) return std::nullopt;
  if (now >= found->second->expires) {
    entries_.erase(found->second);
    index_.erase(found);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  DnsAnswer answer = found->second->answer;
  set_ttl(answer, found->second->expires - now);
  return answer;
}

std::size_t DnsCache::put(const DnsQuestion& question, DnsAnswer& answer, Instant now) {
  if (!answer.is_kept) return 0;
  const Duration ttl = answer.status.is_ok()
                           ? std::min(std::max(answer.ttl, limits_.min_ttl), limits_.max_ttl)
                           : std::min(limits_.negative_ttl, limits_.max_ttl);
  set_ttl(answer, ttl);
  if (const auto found = index_.find(question); found != index_.end()) {
    entries_.erase(found->second);
    index_.erase(found);
  }
  if (ttl <= Duration::zero() || limits_.max_entries == 0) return 0;
  entries_.push_front({question, answer, now + ttl});
  index_.emplace(question, entries_.begin());
  std::size_t evicted = 0;
  for (; index_.size() > limits_.max_entries; ++evicted) {
    index_.erase(entries_.back().question);
    entries_.pop_back();
  }
  return evicted;
}

}  // namespace parley::net::impl
