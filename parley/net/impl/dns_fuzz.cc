// Fuzzes what reads bytes of others on the way from a name to an address: replies of DNS servers,
// and resolv.conf. The first byte chooses the reader. What a reader calls a success must keep its
// promises.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/net/impl/dns_conf.h"
#include "parley/net/impl/dns_reply.h"

namespace {

using parley::Code;
using parley::net::max_dns_records;
using parley::net::impl::DnsAnswer;
using parley::net::impl::DnsType;

void read_reply(DnsType type, std::string_view reply) {
  const DnsAnswer answer = parley::net::impl::parse_dns_reply({"shop.example", type}, reply);
  const std::size_t records = answer.hosts.size() + answer.services.size() + answer.texts.size();
  PARLEY_ASSERT(answer.status.is_ok() == (records > 0), "an answer has records, a failure none");
  PARLEY_ASSERT(records <= max_dns_records, "more records than the limit");
  PARLEY_ASSERT(answer.ttl >= parley::Duration::zero() && answer.ttl < std::chrono::hours(1 << 20),
                "a time to live out of range");
  PARLEY_ASSERT(answer.status.is_ok() || answer.status.code() == Code::not_found ||
                    answer.status.code() == Code::data_loss,
                "an unknown kind of failure");
  PARLEY_ASSERT(answer.is_kept == (answer.status.code() != Code::data_loss),
                "what is malformed is not kept, everything else is");
}

void read_conf(std::string_view text) {
  const auto conf = parley::net::impl::parse_resolv_conf(text);
  PARLEY_ASSERT(!conf.timeout_s || (*conf.timeout_s >= 1 && *conf.timeout_s <= 30),
                "a timeout out of range");
  PARLEY_ASSERT(!conf.attempts || (*conf.attempts >= 1 && *conf.attempts <= 5),
                "attempts out of range");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      read_reply(DnsType::a, text);
      break;
    case 1:
      read_reply(DnsType::aaaa, text);
      break;
    case 2:
      read_reply(DnsType::srv, text);
      break;
    case 3:
      read_reply(DnsType::txt, text);
      break;
    default:
      read_conf(text);
      break;
  }
  return 0;
}
