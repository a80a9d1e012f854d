#include "parley/net/resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <utility>

#include "parley/net/address.h"
#include "parley/net/impl/dns_driver.h"

namespace parley::net {

using impl::DnsAnswer;
using impl::DnsQuestion;
using impl::DnsType;

namespace {

constexpr std::chrono::milliseconds least_timeout{1};
constexpr std::chrono::milliseconds longest_timeout{60'000};
constexpr int most_tries = 10;

Status refuse_option(const std::string& what) {
  return {Code::invalid_argument, "resolver option " + what};
}

Status check(const ResolverOptions& options) {
  if (options.timeout && (*options.timeout < least_timeout || *options.timeout > longest_timeout)) {
    return refuse_option("timeout: " + std::to_string(options.timeout->count()) +
                         " ms is not within 1 ms and 1 min");
  }
  if (options.tries && (*options.tries < 1 || *options.tries > most_tries)) {
    return refuse_option("tries: " + std::to_string(*options.tries) + " is not within 1 and 10");
  }
  if (options.max_queries == 0) return refuse_option("max_queries: 0 would answer nothing");
  if (options.min_ttl.count() < 0 || options.negative_ttl.count() < 0) {
    return refuse_option("min_ttl, negative_ttl: a time to live cannot be negative");
  }
  if (options.min_ttl > options.max_ttl) {
    return refuse_option("min_ttl: " + std::to_string(options.min_ttl.count()) +
                         " ms is more than max_ttl, " + std::to_string(options.max_ttl.count()) +
                         " ms");
  }
  return {};
}

Status refuse_name(std::string_view name, const std::string& why) {
  constexpr std::size_t most_shown = 80;
  return {Code::invalid_argument, "look up \"" + std::string(name.substr(0, most_shown)) +
                                      "\": " + why +
                                      "; write a name as shop.example, in ASCII (IDNA: xn--...)"};
}

bool is_name_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '_';
}

// The name in small letters (RFC 4343: they do not count), when DNS can carry it and it cannot be
// mistaken for something else. The underscore is for services (RFC 8552).
Result<std::string> normalize(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  std::string_view rest = text;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  if (rest.empty()) return refuse_name(name, "it is empty");
  if (rest.size() > max_host_name) {
    return refuse_name(name, "it has more than " + std::to_string(max_host_name) + " letters");
  }
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (label.empty()) return refuse_name(name, "a part of it is empty");
    if (label.size() > max_host_label) {
      return refuse_name(
          name, "a part of it has more than " + std::to_string(max_host_label) + " letters");
    }
    if (!std::all_of(label.begin(), label.end(), is_name_letter)) {
      return refuse_name(name, "it has a letter that no host name has");
    }
    if (label.size() == rest.size()) return text;
    rest.remove_prefix(label.size() + 1);
  }
}

// The family of a numeric host; `any` when it is a name.
Family family_of(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return Family::ipv4;
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1) return Family::ipv6;
  return Family::any;
}

std::string_view name_of(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

// RFC 6761, 6.3.
bool is_localhost(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name == "localhost" || name.ends_with(".localhost");
}

std::vector<HostAddress> loopback(Family family) {
  std::vector<HostAddress> found;
  if (family != Family::ipv4) found.push_back({"::1", {}});
  if (family != Family::ipv6) found.push_back({"127.0.0.1", {}});
  return found;
}

// Of two failures the one that says more about what to do: a server that cannot be reached may know
// the name after all.
Status more_telling(const Status& a, const Status& b) {
  if (a.code() == b.code()) return a;
  return a.code() == Code::not_found ? b : a;
}

Result<std::vector<HostAddress>> merge(const std::vector<DnsAnswer>& answers,
                                       const std::string& host) {
  std::vector<HostAddress> found;
  for (const DnsAnswer& answer : answers) {
    for (const std::string& address : answer.hosts) found.push_back({address, answer.ttl});
  }
  if (!found.empty()) return found;
  const Status& first = answers.front().status;
  if (answers.size() == 1) return first;
  const Status& last = answers.back().status;
  // Both say that there is nothing, each for its family: say it once, for both.
  const bool exists = first.code() == Code::not_found && last.code() == Code::not_found &&
                      first.message().find("NXDOMAIN") == std::string::npos;
  if (exists) {
    return Status(Code::not_found,
                  "look up " + host + ": the name exists, but has neither an A nor an AAAA record");
  }
  return more_telling(first, last);
}

}  // namespace

Result<std::unique_ptr<Resolver>> Resolver::open(ResolverOptions options) {
  if (Status s = check(options); !s.is_ok()) return s;
  auto driver = impl::DnsDriver::open(options);
  if (!driver) return driver.error();
  return std::unique_ptr<Resolver>(new Resolver(*std::move(driver)));
}

Resolver::Resolver(std::unique_ptr<impl::DnsDriver> driver) : driver_(std::move(driver)) {}

Resolver::~Resolver() = default;

Result<std::vector<HostAddress>> Resolver::lookup(std::string_view host, Family family,
                                                  rt::Deadline deadline) {
  const std::string text(host);
  if (const Family numeric = family_of(text); numeric != Family::any) {
    if (family != Family::any && family != numeric) {
      return Status(Code::not_found, "look up " + text + ": it is an " +
                                         std::string(name_of(numeric)) + " address, an " +
                                         std::string(name_of(family)) + " address was asked for");
    }
    return std::vector<HostAddress>{{text, {}}};
  }
  auto name = normalize(host);
  if (!name) return name.error();
  if (is_localhost(*name)) return loopback(family);
  std::vector<DnsQuestion> questions;
  if (family != Family::ipv4) questions.push_back({*name, DnsType::aaaa});
  if (family != Family::ipv6) questions.push_back({*name, DnsType::a});
  const auto answers = driver_->ask(questions, deadline);
  if (!answers) return answers.error();
  return merge(*answers, *name);
}

Result<std::vector<SrvRecord>> Resolver::lookup_srv(std::string_view name, rt::Deadline deadline) {
  auto normal = normalize(name);
  if (!normal) return normal.error();
  auto answers = driver_->ask({{*std::move(normal), DnsType::srv}}, deadline);
  if (!answers) return answers.error();
  DnsAnswer& answer = answers->front();
  if (!answer.status.is_ok()) return answer.status;
  return std::move(answer.services);
}

Result<std::vector<TxtRecord>> Resolver::lookup_txt(std::string_view name, rt::Deadline deadline) {
  auto normal = normalize(name);
  if (!normal) return normal.error();
  auto answers = driver_->ask({{*std::move(normal), DnsType::txt}}, deadline);
  if (!answers) return answers.error();
  DnsAnswer& answer = answers->front();
  if (!answer.status.is_ok()) return answer.status;
  return std::move(answer.texts);
}

ResolverCounts Resolver::counts() const { return driver_->counts(); }

}  // namespace parley::net
