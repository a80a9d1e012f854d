// Dialling by name; by number: tcp_test.cc.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "parley/net/network.h"
#include "parley/net/resolver.h"
#include "parley/net/testing/dns_server.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::a_record;
using testing::aaaa_record;
using testing::DnsServer;
using testing::DnsType;

// A DNS server, a resolver that asks it, a network that uses that, and a listener on 127.0.0.1.
struct Town {
  DnsServer dns;
  std::unique_ptr<Resolver> resolver = *Resolver::open(
      {.servers = {dns.address()}, .resolv_conf = "/dev/null", .timeout = 5s, .tries = 1});
  SocketNetwork network{{.resolver = resolver.get()}};
  std::unique_ptr<Listener> listener = *network.listen(*Address::parse("tcp://127.0.0.1:0"));

  // The listener's port at `host`.
  [[nodiscard]] Address at(const std::string& host) const {
    return *Address::parse("tcp://" + host + ":" + std::to_string(listener->address().port));
  }
};

PARLEY_FIBER_TEST(Dial, a_name_is_dialled_by_its_address) {
  Town town;
  town.dns.on("shop.example", DnsType::a, {.records = {a_record("127.0.0.1")}});
  const auto stream = town.network.dial(town.at("shop.example"));
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_EQ((*stream)->remote_address(), town.listener->address());
  const auto accepted = town.listener->accept();
  ASSERT_TRUE(accepted) << accepted.error();
  EXPECT_EQ((*accepted)->remote_address(), (*stream)->local_address());
}

PARLEY_FIBER_TEST(Dial, an_address_where_nobody_listens_is_passed_over) {
  Town town;
  town.dns.on("shop.example", DnsType::aaaa, {.records = {aaaa_record("::1")}});
  town.dns.on("shop.example", DnsType::a,
              {.records = {a_record("127.0.0.9"), a_record("127.0.0.1")}});
  const auto stream = town.network.dial(town.at("shop.example"));
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_EQ((*stream)->remote_address(), town.listener->address());
}

PARLEY_FIBER_TEST(Dial, when_no_address_answers_each_is_named) {
  Town town;
  town.dns.on("shop.example", DnsType::a,
              {.records = {a_record("127.0.0.8"), a_record("127.0.0.9")}});
  const Status status = town.network.dial(town.at("shop.example")).error();
  EXPECT_EQ(status.code(), Code::unavailable);
  for (const char* part : {"dial tcp://shop.example:", "127.0.0.8:", "127.0.0.9:", "refused"}) {
    EXPECT_NE(status.message().find(part), std::string::npos) << part << " in " << status;
  }
}

PARLEY_FIBER_TEST(Dial, a_name_that_does_not_exist_is_not_found) {
  Town town;
  const Status status = town.network.dial(town.at("nobody.example")).error();
  EXPECT_EQ(status.code(), Code::not_found);
  EXPECT_NE(status.message().find("NXDOMAIN"), std::string::npos) << status;
}

PARLEY_FIBER_TEST(Dial, the_deadline_includes_the_lookup) {
  Town town;
  town.dns.on("shop.example", DnsType::a, {.is_silent = true});
  town.dns.on("shop.example", DnsType::aaaa, {.is_silent = true});
  const auto stream = town.network.dial(town.at("shop.example"), rt::Deadline::after(5ms));
  EXPECT_EQ(stream.error().code(), Code::deadline_exceeded) << stream.error();
}

PARLEY_FIBER_TEST(Dial, the_callers_context_ends_it) {
  Town town;
  rt::Event gate;
  town.dns.on("shop.example", DnsType::a, {.is_silent = true});
  town.dns.on("shop.example", DnsType::aaaa, {.is_silent = true});
  rt::Scope scope;
  scope.go("dial", [&] {
    EXPECT_EQ(town.network.dial(town.at("shop.example")).error().code(), Code::cancelled);
  });
  (void)town.dns.next_question();
  scope.cancel();
}

PARLEY_FIBER_TEST(Dial, from_an_address_of_one_family_only_that_family_is_dialled) {
  Town town;
  town.dns.on("shop.example", DnsType::aaaa, {.records = {aaaa_record("::1")}});
  town.dns.on("shop.example", DnsType::a, {.records = {a_record("127.0.0.1")}});
  const auto stream = town.network.dial(town.at("shop.example"), {},
                                        {.bind = *Address::parse("tcp://127.0.0.5:0")});
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_EQ((*stream)->local_address().host, "127.0.0.5");
  EXPECT_EQ(town.dns.asked("shop.example", DnsType::aaaa), 0);
}

PARLEY_FIBER_TEST(Dial, race_options_are_those_of_the_network) {
  Town town;
  town.dns.on("shop.example", DnsType::a,
              {.records = {a_record("127.0.0.9"), a_record("127.0.0.1")}});
  const SocketNetworkOptions one{.resolver = town.resolver.get(), .race = {.max_attempts = 1}};
  const Status status = SocketNetwork(one).dial(town.at("shop.example")).error();
  EXPECT_NE(status.message().find("1 more were not tried (max_attempts: 1)"), std::string::npos)
      << status;
  const SocketNetworkOptions hasty{.resolver = town.resolver.get(),
                                   .race = {.attempt_delay = 50ms}};
  EXPECT_EQ(SocketNetwork(hasty).dial(town.at("shop.example")).error().code(),
            Code::invalid_argument);
}

// What run_fiber_test checks at the end: the resolver of the dial left nothing behind.
PARLEY_FIBER_TEST(Dial, without_a_resolver_the_dial_has_one_of_its_own) {
  const std::string hosts =
      ::testing::TempDir() + "parley_dial_hosts_" + std::to_string(::getpid());
  std::ofstream(hosts) << "127.0.0.1 shop.example\n";
  ::setenv("CARES_HOSTS", hosts.c_str(), 1);
  const Town town;
  SocketNetwork network;
  const auto stream = network.dial(town.at("shop.example"));
  EXPECT_TRUE(stream) << stream.error();
  ::unsetenv("CARES_HOSTS");
  ::unlink(hosts.c_str());
}

}  // namespace
}  // namespace parley::net
