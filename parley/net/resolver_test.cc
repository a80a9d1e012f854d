#include "parley/net/resolver.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

#include "parley/net/testing/dns_server.h"
#include "parley/rt/context.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::a_record;
using testing::aaaa_record;
using testing::cname_record;
using testing::DnsServer;
using testing::DnsType;
using testing::srv_record;
using testing::txt_record;

// A file of this test's own, gone at its end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(::testing::TempDir() + "parley_resolver_" + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Asks only `server`, knows no search list, and gives up soon enough for a test.
ResolverOptions asking(const DnsServer& server) {
  return {.servers = {server.address()}, .resolv_conf = "/dev/null", .timeout = 5s, .tries = 1};
}

std::unique_ptr<Resolver> open(ResolverOptions options) {
  auto resolver = Resolver::open(std::move(options));
  EXPECT_TRUE(resolver) << resolver.error();
  return *std::move(resolver);
}

std::string hosts_of(const Result<std::vector<HostAddress>>& found) {
  if (!found) return found.error().to_string();
  std::string text;
  for (const HostAddress& address : *found) text += (text.empty() ? "" : " ") + address.host;
  return text;
}

// The code of the failure; its message must hold each of `parts`.
Code failure(const Status& status, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no \"" << part << "\" in: " << status;
  }
  return status.code();
}

void serve_shop(DnsServer& server) {
  server.on("shop.example", DnsType::a,
            {.records = {a_record("192.0.2.1"), a_record("192.0.2.2")}});
  server.on("shop.example", DnsType::aaaa, {.records = {aaaa_record("2001:db8::1", 30)}});
}

PARLEY_FIBER_TEST(Resolver, finds_the_addresses_of_both_families_with_their_ttl) {
  DnsServer server;
  serve_shop(server);
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup("shop.example");
  EXPECT_EQ(hosts_of(found), "2001:db8::1 192.0.2.1 192.0.2.2");
  EXPECT_EQ(found->front().ttl, 30s);
  EXPECT_EQ(found->back().ttl, 60s);
}

PARLEY_FIBER_TEST(Resolver, asks_for_one_family_only_when_told) {
  DnsServer server;
  serve_shop(server);
  const auto resolver = open(asking(server));
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1 192.0.2.2");
  EXPECT_EQ(server.asked("shop.example", DnsType::aaaa), 0);
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv6)), "2001:db8::1");
}

PARLEY_FIBER_TEST(Resolver, large_and_small_letters_are_the_same_name) {
  DnsServer server;
  serve_shop(server);
  const auto resolver = open(asking(server));
  EXPECT_EQ(hosts_of(resolver->lookup("Shop.EXAMPLE.", Family::ipv6)), "2001:db8::1");
}

PARLEY_FIBER_TEST(Resolver, follows_a_chain_of_aliases_and_takes_the_least_ttl_on_the_way) {
  DnsServer server;
  server.on(
      "www.example", DnsType::a,
      {.records = {cname_record("shop.example", 50), cname_record("eu.example", 20, "shop.example"),
                   a_record("192.0.2.7", 90, "eu.example")}});
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup("www.example", Family::ipv4);
  EXPECT_EQ(hosts_of(found), "192.0.2.7");
  EXPECT_EQ(found->front().ttl, 20s);
}

PARLEY_FIBER_TEST(Resolver, one_family_is_enough) {
  DnsServer server;
  server.on("old.example", DnsType::a, {.records = {a_record("192.0.2.3")}});
  server.on("odd.example", DnsType::a, {.records = {a_record("192.0.2.4")}});
  server.on("odd.example", DnsType::aaaa, {.code = 2});
  const auto resolver = open(asking(server));
  EXPECT_EQ(hosts_of(resolver->lookup("old.example")), "192.0.2.3");
  EXPECT_EQ(hosts_of(resolver->lookup("odd.example")), "192.0.2.4");
}

PARLEY_FIBER_TEST(Resolver, no_such_name_and_no_such_record_are_told_apart) {
  DnsServer server;
  server.on("mail.example", DnsType::txt, {.records = {txt_record({"hello"})}});
  const auto resolver = open(asking(server));
  EXPECT_EQ(failure(resolver->lookup("nobody.example").error(),
                    {"nobody.example", "NXDOMAIN", server.address(), "check its spelling"}),
            Code::not_found);
  EXPECT_EQ(failure(resolver->lookup("mail.example").error(),
                    {"mail.example", "the name exists, but has neither an A nor an AAAA record"}),
            Code::not_found);
  EXPECT_EQ(failure(resolver->lookup("mail.example", Family::ipv6).error(), {"has no AAAA record"}),
            Code::not_found);
}

PARLEY_FIBER_TEST(Resolver, a_server_that_fails_is_unavailable_and_named_with_its_answer) {
  DnsServer server;
  server.on("broken.example", DnsType::a, {.code = 2});
  server.on("secret.example", DnsType::a, {.code = 5});
  const auto resolver = open(asking(server));
  EXPECT_EQ(failure(resolver->lookup("broken.example", Family::ipv4).error(),
                    {"broken.example", server.address() + " SERVFAIL", "try again later"}),
            Code::unavailable);
  EXPECT_EQ(failure(resolver->lookup("secret.example", Family::ipv4).error(), {"REFUSED"}),
            Code::unavailable);
}

PARLEY_FIBER_TEST(Resolver, the_next_server_is_asked_when_one_fails) {
  DnsServer broken;
  broken.on("shop.example", DnsType::a, {.code = 2});
  DnsServer server;
  serve_shop(server);
  ResolverOptions options = asking(server);
  options.servers = {broken.address(), server.address()};
  const auto resolver = open(options);
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1 192.0.2.2");
  EXPECT_EQ(broken.asked("shop.example", DnsType::a), 1);
}

// Two queries go out together, and the kernel tells only one of them that it came back; without
// help the other would wait for its timeout, and say so.
PARLEY_FIBER_TEST(Resolver, where_no_server_runs_is_unavailable_without_waiting) {
  std::string address;
  { address = DnsServer().address(); }
  for (const int tries : {1, 2}) {
    const auto resolver =
        open({.servers = {address}, .resolv_conf = "/dev/null", .timeout = 1min, .tries = tries});
    EXPECT_EQ(failure(resolver->lookup("shop.example").error(),
                      {"shop.example", "cannot reach " + address, "check that a DNS server runs"}),
              Code::unavailable);
  }
}

PARLEY_FIBER_TEST(Resolver, a_silent_server_is_asked_tries_times_and_then_unavailable) {
  for (const int tries : {1, 3}) {
    DnsServer server;
    server.on("shop.example", DnsType::a, {.is_silent = true});
    ResolverOptions options = asking(server);
    options.timeout = 5ms;
    options.tries = tries;
    const auto resolver = open(options);
    EXPECT_EQ(failure(resolver->lookup("shop.example", Family::ipv4).error(),
                      {"no answer from " + server.address(), "of 5 ms"}),
              Code::unavailable);
    for (int i = 0; i < tries; ++i) EXPECT_EQ(server.next_question().name, "shop.example");
    EXPECT_EQ(server.asked("shop.example", DnsType::a), tries);
  }
}

PARLEY_FIBER_TEST(Resolver, the_callers_deadline_ends_a_lookup) {
  DnsServer server;
  server.on("shop.example", DnsType::a, {.is_silent = true});
  const auto resolver = open(asking(server));
  EXPECT_EQ(
      failure(resolver->lookup("shop.example", Family::ipv4, rt::Deadline::after(2ms)).error(),
              {"look up shop.example (A) at " + server.address()}),
      Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Resolver, cancelling_one_caller_leaves_the_query_to_the_others) {
  DnsServer server;
  rt::Event gate;
  server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.1")}, .gate = &gate});
  const auto resolver = open(asking(server));
  rt::Scope first;
  rt::Scope second;
  first.go("gives up", [&] {
    EXPECT_EQ(resolver->lookup("shop.example", Family::ipv4).error().code(), Code::cancelled);
  });
  (void)server.next_question();
  second.go("stays", [&] {
    EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1");
  });
  while (resolver->counts().shared < 1) rt::yield();
  first.cancel();
  first.join();
  gate.set();
  second.join();
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 1);
}

PARLEY_FIBER_TEST(Resolver, equal_lookups_at_the_same_time_share_one_query) {
  DnsServer server;
  rt::Event gate;
  server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.1")}, .gate = &gate});
  const auto resolver = open(asking(server));
  rt::Scope scope;
  for (int i = 0; i < 100; ++i) {
    scope.go("lookup", [&] {
      EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1");
    });
  }
  while (resolver->counts().shared < 99) rt::yield();
  gate.set();
  scope.join();
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 1);
  EXPECT_EQ(resolver->counts().queries, 1u);
}

PARLEY_FIBER_TEST(Resolver, other_fibers_go_on_while_a_query_has_no_answer) {
  DnsServer server;
  rt::Event gate;
  server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.1")}, .gate = &gate});
  const auto resolver = open(asking(server));
  int steps = 0;
  rt::Scope scope;
  scope.go("worker", [&] {
    (void)server.next_question();
    for (; steps < 1000; ++steps) rt::yield();
    EXPECT_TRUE(rt::sleep(1ms).is_ok());
    gate.set();
  });
  // Without the steps of the other fiber there is no answer: a blocked worker would hang here.
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1");
  scope.join();
  EXPECT_EQ(steps, 1000);
}

PARLEY_FIBER_TEST(Resolver, at_max_queries_lookups_wait_for_their_turn) {
  DnsServer server;
  rt::Event gate;
  for (const std::string name : {"a.example", "b.example", "c.example"}) {
    server.on(name, DnsType::a, {.records = {a_record("192.0.2.1")}, .gate = &gate});
  }
  ResolverOptions options = asking(server);
  options.max_queries = 2;
  const auto resolver = open(options);
  rt::Scope scope;
  for (const std::string name : {"a.example", "b.example", "c.example"}) {
    scope.go("lookup", [&resolver, name] {
      EXPECT_EQ(hosts_of(resolver->lookup(name, Family::ipv4)), "192.0.2.1");
    });
  }
  while (resolver->counts().delayed < 1) rt::yield();
  EXPECT_EQ(resolver->counts().queries, 2u);
  gate.set();
  scope.join();
  EXPECT_EQ(resolver->counts().queries, 3u);
  EXPECT_EQ(resolver->counts().delayed, 1u);
}

// Every second name exists.
void look_up_hundreds() {
  DnsServer server;
  constexpr int names = 500;
  for (int i = 0; i < names; i += 2) {
    server.on("n" + std::to_string(i) + ".example", DnsType::a,
              {.records = {a_record("192.0.2." + std::to_string(i % 250))}});
  }
  const auto resolver = open(asking(server));
  std::atomic<int> found = 0;
  std::atomic<int> not_found = 0;
  rt::Scope scope;
  for (int i = 0; i < names; ++i) {
    scope.go("lookup", [&, i] {
      const auto answer = resolver->lookup("n" + std::to_string(i) + ".example", Family::ipv4);
      if (answer) {
        EXPECT_EQ(hosts_of(answer), "192.0.2." + std::to_string(i % 250));
        ++found;
      } else {
        EXPECT_EQ(answer.error().code(), Code::not_found) << answer.error();
        ++not_found;
      }
    });
  }
  scope.join();
  EXPECT_EQ(found, names / 2);
  EXPECT_EQ(not_found, names / 2);
}

TEST(Resolver, hundreds_of_names_at_once_are_answered_on_one_worker_and_on_many) {
  for (const std::size_t workers : {1U, 4U}) {
    rt::testing::run_fiber_test(look_up_hundreds, {.workers = workers});
  }
}

PARLEY_FIBER_TEST(Resolver, a_waiting_lookup_that_is_given_up_is_never_asked) {
  DnsServer server;
  rt::Event gate;
  server.on("a.example", DnsType::a, {.records = {a_record("192.0.2.1")}, .gate = &gate});
  ResolverOptions options = asking(server);
  options.max_queries = 1;
  const auto resolver = open(options);
  rt::Scope scope;
  scope.go("first",
           [&] { EXPECT_EQ(hosts_of(resolver->lookup("a.example", Family::ipv4)), "192.0.2.1"); });
  (void)server.next_question();
  EXPECT_EQ(resolver->lookup("b.example", Family::ipv4, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  gate.set();
  scope.join();
  EXPECT_EQ(server.asked("b.example", DnsType::a), 0);
}

PARLEY_FIBER_TEST(Resolver, a_truncated_answer_is_asked_for_again_on_tcp) {
  DnsServer server;
  testing::DnsScript script{.is_cut_on_udp = true};
  for (int i = 1; i <= 100; ++i) {
    script.records.push_back(a_record("192.0.2." + std::to_string(i)));
  }
  server.on("big.example", DnsType::a, script);
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup("big.example", Family::ipv4);
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->size(), 100u);
  EXPECT_EQ(server.asked_on_tcp(), 1);
}

PARLEY_FIBER_TEST(Resolver, a_malformed_answer_is_unavailable) {
  DnsServer server;
  // A record whose name is a compression pointer to itself (offset 29), and one cut short.
  server.on("loop.example", DnsType::a, {.bytes_after = std::string("\xc0\x1e\x00\x01", 4)});
  server.on("cut.example", DnsType::a, {.bytes_after = std::string("\xc0\x0c\x00\x01\x00", 5)});
  const auto resolver = open(asking(server));
  for (const char* name : {"loop.example", "cut.example"}) {
    EXPECT_EQ(failure(resolver->lookup(name, Family::ipv4).error(),
                      {name, "a malformed reply from " + server.address()}),
              Code::unavailable);
  }
}

PARLEY_FIBER_TEST(Resolver, what_is_no_reply_is_passed_over) {
  DnsServer server;
  server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.1")}, .is_noisy = true});
  const auto resolver = open(asking(server));
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1");
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 1);
}

PARLEY_FIBER_TEST(Resolver, numeric_hosts_and_localhost_are_answered_without_asking) {
  DnsServer server;
  const auto resolver = open(asking(server));
  EXPECT_EQ(hosts_of(resolver->lookup("192.0.2.9")), "192.0.2.9");
  EXPECT_EQ(hosts_of(resolver->lookup("2001:db8::9", Family::ipv6)), "2001:db8::9");
  EXPECT_EQ(failure(resolver->lookup("192.0.2.9", Family::ipv6).error(), {"it is an IPv4 address"}),
            Code::not_found);
  EXPECT_EQ(hosts_of(resolver->lookup("localhost")), "::1 127.0.0.1");
  EXPECT_EQ(hosts_of(resolver->lookup("LocalHost.", Family::ipv4)), "127.0.0.1");
  EXPECT_EQ(hosts_of(resolver->lookup("db.localhost", Family::ipv6)), "::1");
  EXPECT_EQ(resolver->counts().queries, 0u);
}

PARLEY_FIBER_TEST(Resolver, the_hosts_file_comes_before_dns_and_decides_for_both_families) {
  const TemporaryFile hosts("192.0.2.77 shop.example shop\n192.0.2.78 shop.example\n");
  ::setenv("CARES_HOSTS", hosts.path().c_str(), 1);
  DnsServer server;
  serve_shop(server);
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup("shop.example");
  EXPECT_EQ(hosts_of(found), "192.0.2.77 192.0.2.78");
  EXPECT_EQ(found->front().ttl, 0s);
  EXPECT_EQ(hosts_of(resolver->lookup("SHOP", Family::ipv4)), "192.0.2.77");
  EXPECT_EQ(failure(resolver->lookup("shop.example", Family::ipv6).error(),
                    {"the hosts file has an address of the other family only"}),
            Code::not_found);
  EXPECT_EQ(server.asked("shop.example", DnsType::a) + server.asked("shop.example", DnsType::aaaa),
            0);
  std::ofstream(hosts.path()) << "192.0.2.79 shop.example\n";  // is read at each lookup
  EXPECT_EQ(hosts_of(resolver->lookup("shop.example")), "192.0.2.79");
  ::unsetenv("CARES_HOSTS");
}

PARLEY_FIBER_TEST(Resolver, resolv_conf_gives_the_search_list_and_ndots) {
  DnsServer server;
  serve_shop(server);
  server.on("a.b", DnsType::a, {.records = {a_record("192.0.2.10")}});
  server.on("a.b.example", DnsType::a, {.records = {a_record("192.0.2.11")}});
  for (const bool many_dots : {false, true}) {
    const TemporaryFile conf("search example\n" + std::string(many_dots ? "options ndots:3" : ""));
    ResolverOptions options = asking(server);
    options.resolv_conf = conf.path();
    const auto resolver = open(options);
    EXPECT_EQ(hosts_of(resolver->lookup("shop", Family::ipv6)), "2001:db8::1");
    EXPECT_EQ(hosts_of(resolver->lookup("a.b", Family::ipv4)),
              many_dots ? "192.0.2.11" : "192.0.2.10");
    EXPECT_EQ(hosts_of(resolver->lookup("a.b.", Family::ipv4)), "192.0.2.10");
  }
}

PARLEY_FIBER_TEST(Resolver, resolv_conf_gives_timeout_and_attempts_where_the_options_do_not) {
  DnsServer server;
  server.on("shop.example", DnsType::a, {.is_silent = true});
  const TemporaryFile conf("options timeout:7 attempts:4\n");
  ResolverOptions options = asking(server);
  options.resolv_conf = conf.path();
  options.timeout = 2ms;
  options.tries = std::nullopt;
  EXPECT_EQ(failure(open(options)->lookup("shop.example", Family::ipv4).error(),
                    {"within 4 rounds of 2 ms"}),
            Code::unavailable);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(server.next_question().name, "shop.example");
  options.tries = 2;
  EXPECT_EQ(failure(open(options)->lookup("shop.example", Family::ipv4).error(),
                    {"within 2 rounds of 2 ms"}),
            Code::unavailable);
}

PARLEY_FIBER_TEST(Resolver, resolv_conf_names_the_servers_where_the_options_do_not) {
  const TemporaryFile conf("nameserver 127.9.9.9\nnameserver ::1\n");
  const auto resolver = open({.resolv_conf = conf.path(), .timeout = 1ms, .tries = 1});
  EXPECT_EQ(
      failure(resolver->lookup("shop.example", Family::ipv4).error(), {"127.9.9.9:53, [::1]:53"}),
      Code::unavailable);
}

PARLEY_FIBER_TEST(Resolver, services_come_by_priority_and_weight) {
  DnsServer server;
  server.on(
      "_parley._tcp.shop.example", DnsType::srv,
      {.records = {srv_record(20, 5, 4712, "b.example", 40), srv_record(10, 1, 4711, "c.example"),
                   srv_record(10, 9, 4711, "a.example")}});
  server.on("_gone._tcp.shop.example", DnsType::srv, {.records = {srv_record(0, 0, 0, ".")}});
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup_srv("_parley._tcp.shop.example");
  ASSERT_TRUE(found) << found.error();
  const std::vector<SrvRecord> expected{{10, 9, 4711, "a.example", 40s},
                                        {10, 1, 4711, "c.example", 40s},
                                        {20, 5, 4712, "b.example", 40s}};
  EXPECT_EQ(*found, expected);
  EXPECT_EQ(failure(resolver->lookup_srv("_gone._tcp.shop.example").error(), {"has no SRV record"}),
            Code::not_found);
}

PARLEY_FIBER_TEST(Resolver, texts_of_several_strings_are_joined) {
  DnsServer server;
  server.on("shop.example", DnsType::txt,
            {.records = {txt_record({"v=one ", "two"}), txt_record({std::string("\0x", 2)})}});
  const auto resolver = open(asking(server));
  const auto found = resolver->lookup_txt("shop.example");
  ASSERT_TRUE(found) << found.error();
  const std::vector<TxtRecord> expected{{"v=one two", 60s}, {std::string("\0x", 2), 60s}};
  EXPECT_EQ(*found, expected);
  EXPECT_EQ(resolver->lookup_txt("nobody.example").error().code(), Code::not_found);
}

TEST(Resolver, an_answer_is_kept_until_its_ttl_is_over) {
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        DnsServer server;
        server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.1", 60)}});
        const auto resolver = open(asking(server));
        EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.1");
        clock.advance(59s);
        const auto kept = resolver->lookup("shop.example", Family::ipv4);
        EXPECT_EQ(hosts_of(kept), "192.0.2.1");
        EXPECT_EQ(kept->front().ttl, 1s);
        EXPECT_EQ(resolver->counts().cached, 1u);
        EXPECT_EQ(server.asked("shop.example", DnsType::a), 1);
        server.on("shop.example", DnsType::a, {.records = {a_record("192.0.2.2", 60)}});
        clock.advance(1s);
        EXPECT_EQ(hosts_of(resolver->lookup("shop.example", Family::ipv4)), "192.0.2.2");
      },
      {.clock = &clock});
}

// Seconds of the machine's time after which `name` is asked for again; probes up to `limit`.
struct Keeping {
  std::uint32_t record_ttl;
  ResolverOptions options;
  std::chrono::seconds is_kept_for;
};

TEST(Resolver, min_ttl_max_ttl_and_negative_ttl_bound_how_long_answers_are_kept) {
  const std::vector<Keeping> table{
      {.record_ttl = 0, .options = {}, .is_kept_for = 0s},
      {.record_ttl = 0, .options = {.min_ttl = 10s}, .is_kept_for = 10s},
      {.record_ttl = 20, .options = {.min_ttl = 10s}, .is_kept_for = 20s},
      {.record_ttl = 86'400, .options = {}, .is_kept_for = 300s},
      {.record_ttl = 86'400, .options = {.max_ttl = 30s}, .is_kept_for = 30s},
      {.record_ttl = 0xffffffff, .options = {}, .is_kept_for = 0s},  // RFC 2181, 8
      {.record_ttl = 60, .options = {.max_cached = 0}, .is_kept_for = 0s},
  };
  for (const Keeping& row : table) {
    ManualClock clock;
    rt::testing::run_fiber_test(
        [&] {
          DnsServer server;
          server.on("shop.example", DnsType::a,
                    {.records = {a_record("192.0.2.1", row.record_ttl)}});
          ResolverOptions options = row.options;
          options.servers = {server.address()};
          options.resolv_conf = "/dev/null";
          const auto resolver = open(options);
          const auto found = resolver->lookup("shop.example", Family::ipv4);
          EXPECT_LE(found->front().ttl, options.max_ttl);
          if (row.is_kept_for > 0s) {
            clock.advance(row.is_kept_for - 1ns);
            (void)resolver->lookup("shop.example", Family::ipv4);
            EXPECT_EQ(server.asked("shop.example", DnsType::a), 1) << row.is_kept_for.count();
            clock.advance(1ns);
          }
          (void)resolver->lookup("shop.example", Family::ipv4);
          EXPECT_EQ(server.asked("shop.example", DnsType::a), 2) << row.is_kept_for.count();
        },
        {.clock = &clock});
  }
}

TEST(Resolver, that_a_name_does_not_exist_is_kept_for_negative_ttl_and_failures_are_not_kept) {
  for (const auto ttl : {0s, 5s, 40s}) {
    ManualClock clock;
    rt::testing::run_fiber_test(
        [&] {
          DnsServer server;
          server.on("broken.example", DnsType::a, {.code = 2});
          ResolverOptions options = asking(server);
          options.negative_ttl = ttl;
          const auto resolver = open(options);
          (void)resolver->lookup("nobody.example", Family::ipv4);
          if (ttl > 0s) {
            clock.advance(ttl - 1ns);
            EXPECT_EQ(resolver->lookup("nobody.example", Family::ipv4).error().code(),
                      Code::not_found);
            EXPECT_EQ(server.asked("nobody.example", DnsType::a), 1);
            clock.advance(1ns);
          }
          (void)resolver->lookup("nobody.example", Family::ipv4);
          EXPECT_EQ(server.asked("nobody.example", DnsType::a), 2);
          for (int i = 1; i <= 2; ++i) {
            (void)resolver->lookup("broken.example", Family::ipv4);
            EXPECT_EQ(server.asked("broken.example", DnsType::a), i);
          }
        },
        {.clock = &clock});
  }
}

PARLEY_FIBER_TEST(Resolver, max_cached_bounds_the_answers_kept) {
  DnsServer server;
  for (const std::string name : {"a.example", "b.example", "c.example"}) {
    server.on(name, DnsType::a, {.records = {a_record("192.0.2.1")}});
  }
  ResolverOptions options = asking(server);
  options.max_cached = 2;
  const auto resolver = open(options);
  for (const char* name : {"a.example", "b.example", "a.example", "c.example"}) {
    (void)resolver->lookup(name, Family::ipv4);
  }
  EXPECT_EQ(resolver->counts().evicted, 1u);
  (void)resolver->lookup("a.example", Family::ipv4);  // was used after b
  EXPECT_EQ(server.asked("a.example", DnsType::a), 1);
  (void)resolver->lookup("b.example", Family::ipv4);
  EXPECT_EQ(server.asked("b.example", DnsType::a), 2);
}

PARLEY_FIBER_TEST(Resolver, what_is_not_a_host_name_is_refused_with_the_reason) {
  DnsServer server;
  const auto resolver = open(asking(server));
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "it is empty"},
      {".", "it is empty"},
      {"shop..example", "a part of it is empty"},
      {".shop", "a part of it is empty"},
      {"sh op", "a letter that no host name has"},
      {"sh\xc3\xb6p.example", "a letter that no host name has"},
      {std::string("shop\0x", 6), "a letter that no host name has"},
      {"tcp://shop", "a letter that no host name has"},
      {std::string(64, 'a'), "more than 63 letters"},
      {std::string(50, 'a') + "." + std::string(204, 'b'), "more than 253 letters"},
  };
  for (const auto& [name, why] : table) {
    EXPECT_EQ(failure(resolver->lookup(name).error(), {why, "write a name as shop.example"}),
              Code::invalid_argument);
    EXPECT_EQ(resolver->lookup_srv(name).error().code(), Code::invalid_argument);
    EXPECT_EQ(resolver->lookup_txt(name).error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(resolver->counts().queries, 0u);
}

PARLEY_FIBER_TEST(Resolver, options_that_make_no_sense_are_refused_by_name) {
  const std::vector<std::pair<ResolverOptions, std::string>> table{
      {{.servers = {"dns.example"}}, "DNS server \"dns.example\""},
      {{.servers = {"10.0.0.1:"}}, "DNS server \"10.0.0.1:\""},
      {{.servers = {"10.0.0.1:0"}}, "DNS server"},
      {{.servers = {"10.0.0.1:65536"}}, "DNS server"},
      {{.servers = {"10.0.0.1:5x"}}, "DNS server"},
      {{.servers = {"[fd00::1"}}, "DNS server"},
      {{.servers = {"[fd00::1]53"}}, "DNS server"},
      {{.servers = {""}}, "DNS server"},
      {{.timeout = 0ms}, "timeout: 0 ms"},
      {{.timeout = 2min}, "timeout: 120000 ms"},
      {{.tries = 0}, "tries: 0"},
      {{.tries = 11}, "tries: 11"},
      {{.max_queries = 0}, "max_queries"},
      {{.min_ttl = -1ms}, "negative"},
      {{.min_ttl = 2s, .max_ttl = 1s}, "min_ttl: 2000 ms is more than max_ttl, 1000 ms"},
  };
  for (const auto& [options, part] : table) {
    EXPECT_EQ(failure(Resolver::open(options).error(), {part}), Code::invalid_argument);
  }
  EXPECT_TRUE(Resolver::open({.servers = {"10.0.0.1", "fd00::1", "[fd00::1]:5353"}}));
}

PARLEY_FIBER_TEST(Resolver, it_ends_cleanly_while_a_query_nobody_waits_for_is_on_its_way) {
  DnsServer server;
  server.on("shop.example", DnsType::a, {.is_silent = true});
  const auto resolver = open(asking(server));
  EXPECT_EQ(resolver->lookup("shop.example", Family::ipv4, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
}

}  // namespace
}  // namespace parley::net
