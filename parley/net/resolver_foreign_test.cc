// The resolver against a DNS server that is not ours: dnsmasq.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "parley/net/resolver.h"
#include "parley/net/testing/dns_server.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

std::string find_dnsmasq() {
  for (const char* path : {"/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq", "/usr/bin/dnsmasq"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

// Runs dnsmasq on `port` until it is destroyed.
class Dnsmasq {
 public:
  Dnsmasq(const std::string& program, const std::string& port) {
    std::vector<std::string> words{program,
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--pid-file=",
                                   "--user=",
                                   "--group=",
                                   "--log-facility=/dev/null",
                                   "--bind-interfaces",
                                   "--listen-address=127.0.0.1",
                                   "--port=" + port,
                                   "--local=/example/",
                                   "--local-ttl=77",
                                   "--host-record=shop.example,192.0.2.6,2001:db8::6",
                                   "--host-record=old.example,192.0.2.7",
                                   "--cname=www.example,shop.example",
                                   "--srv-host=_parley._tcp.shop.example,a.example,4711,10,5",
                                   "--srv-host=_parley._tcp.shop.example,b.example,4712,5,5",
                                   "--txt-record=shop.example,hello,world"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments.data(), environ),
              0);
  }
  ~Dnsmasq() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  [[nodiscard]] bool is_running() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = -1;
};

// Waits until the server has its UDP port. Not by asking: hundreds of sockets that ask in vain may
// take that very port for themselves.
void wait_until_up(std::uint16_t port, const Dnsmasq& server) {
  std::array<char, 16> local{};
  std::snprintf(local.data(), local.size(), "0100007F:%04X ", port);  // proc(5), /proc/net/udp
  for (;;) {
    std::ifstream file("/proc/net/udp");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find(local.data()) != std::string::npos) return;
    ASSERT_TRUE(server.is_running()) << "dnsmasq ended";
    rt::yield();
  }
}

void ask_everything(Resolver& resolver) {
  const auto both = resolver.lookup("www.example");
  ASSERT_TRUE(both) << both.error();
  ASSERT_EQ(both->size(), 2u);
  EXPECT_EQ((*both)[0], (HostAddress{"2001:db8::6", 77s}));
  EXPECT_EQ((*both)[1], (HostAddress{"192.0.2.6", 77s}));

  const auto old = resolver.lookup("old.example");
  ASSERT_TRUE(old) << old.error();
  EXPECT_EQ(old->size(), 1u);
  const Status no_record = resolver.lookup("old.example", Family::ipv6).error();
  EXPECT_NE(no_record.message().find("has no AAAA record"), std::string::npos) << no_record;
  const Status no_name = resolver.lookup("nobody.example").error();
  EXPECT_NE(no_name.message().find("NXDOMAIN"), std::string::npos) << no_name;

  const auto services = resolver.lookup_srv("_parley._tcp.shop.example");
  ASSERT_TRUE(services) << services.error();
  ASSERT_EQ(services->size(), 2u);
  EXPECT_EQ(services->front().target, "b.example");
  EXPECT_EQ(services->front().port, 4712);
  const auto texts = resolver.lookup_txt("shop.example");
  ASSERT_TRUE(texts) << texts.error();
  EXPECT_EQ(texts->front().text, "helloworld");
}

TEST(ResolverForeign, dnsmasq_is_understood) {
  const std::string program = find_dnsmasq();
  if (program.empty()) GTEST_SKIP() << "needs dnsmasq (Debian: dnsmasq-base)";
  rt::testing::run_fiber_test([&] {
    std::string address;
    { address = testing::DnsServer().address(); }  // a port that is free on UDP and TCP
    const std::string port = address.substr(address.rfind(':') + 1);
    const Dnsmasq server(program, port);
    wait_until_up(static_cast<std::uint16_t>(std::stoi(port)), server);
    const auto resolver =
        Resolver::open({.servers = {address}, .resolv_conf = "/dev/null", .timeout = 5s});
    ASSERT_TRUE(resolver) << resolver.error();
    ask_everything(**resolver);
  });
}

}  // namespace
}  // namespace parley::net
