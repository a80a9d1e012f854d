#include "parley/net/impl/dns_reply.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "parley/net/impl/dns_ares.h"

namespace parley::net::impl {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t question_tail = 4;  // type and class
constexpr std::size_t record_tail = 10;   // type, class, TTL and length of the data
// RFC 2181, 8: a TTL with its highest bit set is zero.
constexpr std::uint32_t max_wire_ttl = 0x7fffffff;

struct FreeData {
  void operator()(void* data) const { ares_free_data(data); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::uint32_t number_at(std::string_view reply, std::size_t at, std::size_t bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    number = number << 8U | static_cast<unsigned char>(reply[at + i]);
  }
  return number;
}

// Moves `at` behind the name there; false when there is none.
bool skip_name(std::string_view reply, std::size_t& at) {
  if (at >= reply.size()) return false;
  char* text = nullptr;
  long size = 0;
  if (ares_expand_name(bytes_of(reply) + at, bytes_of(reply), static_cast<int>(reply.size()), &text,
                       &size) != ARES_SUCCESS) {
    return false;
  }
  ares_free_string(text);
  at += static_cast<std::size_t>(size);
  return true;
}

// The least TTL of the answer section, in which every record counts: a CNAME on the way to the
// address ages like the address. False when the section is malformed.
bool read_ttl(std::string_view reply, Duration& ttl) {
  if (reply.size() < header_size) return false;
  const std::uint32_t questions = number_at(reply, 4, 2);
  const std::uint32_t answers = number_at(reply, 6, 2);
  std::size_t at = header_size;
  for (std::uint32_t i = 0; i < questions; ++i) {
    if (!skip_name(reply, at)) return false;
    at += question_tail;
  }
  std::uint32_t least = max_wire_ttl;
  for (std::uint32_t i = 0; i < answers; ++i) {
    if (!skip_name(reply, at) || at + record_tail > reply.size()) return false;
    const std::uint32_t seconds = number_at(reply, at + 4, 4);
    least = std::min(least, seconds > max_wire_ttl ? 0 : seconds);
    at += record_tail + number_at(reply, at + 8, 2);
    if (at > reply.size()) return false;
  }
  ttl = std::chrono::seconds(answers == 0 ? 0 : least);
  return true;
}

int read_a(std::string_view reply, DnsAnswer& answer) {
  std::vector<ares_addrttl> found(max_dns_records);
  int count = static_cast<int>(found.size());
  const int status = ares_parse_a_reply(bytes_of(reply), static_cast<int>(reply.size()), nullptr,
                                        found.data(), &count);
  if (status != ARES_SUCCESS) return status;
  for (int i = 0; i < count; ++i) {
    add_host(answer.hosts, AF_INET, &found[static_cast<std::size_t>(i)].ipaddr);
  }
  return answer.hosts.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

int read_aaaa(std::string_view reply, DnsAnswer& answer) {
  std::vector<ares_addr6ttl> found(max_dns_records);
  int count = static_cast<int>(found.size());
  const int status = ares_parse_aaaa_reply(bytes_of(reply), static_cast<int>(reply.size()), nullptr,
                                           found.data(), &count);
  if (status != ARES_SUCCESS) return status;
  for (int i = 0; i < count; ++i) {
    add_host(answer.hosts, AF_INET6, &found[static_cast<std::size_t>(i)].ip6addr);
  }
  return answer.hosts.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

int read_srv(std::string_view reply, DnsAnswer& answer) {
  ares_srv_reply* list = nullptr;
  const int status = ares_parse_srv_reply(bytes_of(reply), static_cast<int>(reply.size()), &list);
  const std::unique_ptr<ares_srv_reply, FreeData> owner(list);
  if (status != ARES_SUCCESS) return status;
  for (; list != nullptr && answer.services.size() < max_dns_records; list = list->next) {
    // RFC 2782, "Target": the root name says that the service is decidedly not available.
    if (list->host == nullptr || *list->host == '\0') continue;
    answer.services.push_back({list->priority, list->weight, list->port, list->host, answer.ttl});
  }
  std::sort(answer.services.begin(), answer.services.end(),
            [](const SrvRecord& a, const SrvRecord& b) {
              return std::tie(a.priority, b.weight, a.target, a.port) <
                     std::tie(b.priority, a.weight, b.target, b.port);
            });
  return answer.services.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

int read_txt(std::string_view reply, DnsAnswer& answer) {
  ares_txt_ext* list = nullptr;
  const int status =
      ares_parse_txt_reply_ext(bytes_of(reply), static_cast<int>(reply.size()), &list);
  const std::unique_ptr<ares_txt_ext, FreeData> owner(list);
  if (status != ARES_SUCCESS) return status;
  for (; list != nullptr; list = list->next) {
    if (list->record_start != 0 || answer.texts.empty()) {
      if (answer.texts.size() == max_dns_records) break;
      answer.texts.push_back({{}, answer.ttl});
    }
    answer.texts.back().text.append(reinterpret_cast<const char*>(list->txt), list->length);
  }
  return answer.texts.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

int read_records(DnsType type, std::string_view reply, DnsAnswer& answer) {
  switch (type) {
    case DnsType::a:
      return read_a(reply, answer);
    case DnsType::aaaa:
      return read_aaaa(reply, answer);
    case DnsType::srv:
      return read_srv(reply, answer);
    case DnsType::txt:
      return read_txt(reply, answer);
  }
  return ARES_ENODATA;
}

}  // namespace

void add_host(std::vector<std::string>& hosts, int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(family, address, text.data(), text.size()) == nullptr) return;
  if (std::find(hosts.begin(), hosts.end(), text.data()) == hosts.end()) {
    hosts.emplace_back(text.data());
  }
}

std::string_view name_of(DnsType type) {
  switch (type) {
    case DnsType::a:
      return "A";
    case DnsType::aaaa:
      return "AAAA";
    case DnsType::srv:
      return "SRV";
    case DnsType::txt:
      return "TXT";
  }
  return "?";
}

std::string DnsQuestion::to_string() const {
  return name + " (" + std::string(name_of(type)) + ")";
}

DnsAnswer parse_dns_reply(const DnsQuestion& question, std::string_view reply) {
  DnsAnswer answer;
  const bool fits = reply.size() <= std::size_t{std::numeric_limits<std::uint16_t>::max()};
  const bool is_whole = fits && read_ttl(reply, answer.ttl);
  const int status = is_whole ? read_records(question.type, reply, answer) : ARES_EBADRESP;
  if (status == ARES_SUCCESS) {
    answer.is_kept = true;
    return answer;
  }
  DnsAnswer nothing;
  if (status == ARES_ENODATA) {
    nothing.status = Status(Code::not_found, "look up " + question.to_string() +
                                                 ": the name exists, but has no " +
                                                 std::string(name_of(question.type)) + " record");
    nothing.is_kept = true;
  } else {
    nothing.status =
        Status(Code::data_loss, "look up " + question.to_string() + ": the reply is malformed");
  }
  return nothing;
}

}  // namespace parley::net::impl
