#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/net/impl/dns_cache.h"
#include "parley/net/impl/dns_conf.h"
#include "parley/net/impl/dns_reply.h"

namespace parley::net::impl {
namespace {

using namespace std::chrono_literals;

// A reply to "shop.example" that claims `answers` records and carries `records`.
std::string reply(char type, char answers, const std::string& records) {
  std::string text("\0\7\x81\x80\0\1\0", 7);
  text += answers;
  text += std::string(4, '\0') + "\4shop\7example" + std::string("\0\0", 2) + type +
          std::string("\0\1", 2);
  return text + records;
}

// A record of the name asked for.
std::string record(char type, std::uint8_t ttl, const std::string& data) {
  std::string text("\xc0\x0c\0", 3);
  text += type;
  text += std::string("\0\1\0\0\0", 5);
  text += static_cast<char>(ttl);
  text += '\0';
  text += static_cast<char>(data.size());
  return text + data;
}

const DnsQuestion question{"shop.example", DnsType::a};

TEST(DnsReply, each_address_counts_once_and_the_least_ttl_counts) {
  const std::string a = "\xc0\1\2\3";
  const std::string b = "\xc0\1\2\4";
  const DnsAnswer answer = parse_dns_reply(
      question, reply(1, 3, record(1, 60, a) + record(1, 20, b) + record(1, 90, a)));
  EXPECT_TRUE(answer.status.is_ok());
  EXPECT_EQ(answer.hosts, (std::vector<std::string>{"192.1.2.3", "192.1.2.4"}));
  EXPECT_EQ(answer.ttl, 20s);
  EXPECT_TRUE(answer.is_kept);
}

TEST(DnsReply, every_cut_of_a_reply_is_malformed) {
  const std::string whole = reply(1, 1, record(1, 60, "\xc0\1\2\3"));
  ASSERT_TRUE(parse_dns_reply(question, whole).status.is_ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const DnsAnswer answer = parse_dns_reply(question, whole.substr(0, size));
    EXPECT_EQ(answer.status.code(), Code::data_loss) << size;
    EXPECT_FALSE(answer.is_kept);
    EXPECT_TRUE(answer.hosts.empty());
  }
}

TEST(DnsReply, no_record_of_the_type_is_not_found) {
  const DnsAnswer answer = parse_dns_reply(question, reply(1, 0, ""));
  EXPECT_EQ(answer.status.code(), Code::not_found);
  EXPECT_EQ(answer.status.message(),
            "look up shop.example (A): the name exists, but has no A record");
}

TEST(DnsReply, max_dns_records_bounds_what_is_kept) {
  std::string records;
  for (int i = 0; i < 127; ++i) {
    // Ten services each in one TXT record would be one record; ten records are ten.
    records += record(16, 60, "\1x");
  }
  const DnsAnswer few = parse_dns_reply({"shop.example", DnsType::txt}, reply(16, 127, records));
  EXPECT_EQ(few.texts.size(), 127u);
  std::string many = reply(16, 0, records + records + records);
  many[6] = 1;
  many[7] = 125;  // 381 records
  EXPECT_EQ(parse_dns_reply({"shop.example", DnsType::txt}, many).texts.size(), max_dns_records);
}

TEST(DnsConf, reads_timeout_and_attempts_within_their_bounds) {
  const auto check = [](std::string_view text, std::optional<int> timeout,
                        std::optional<int> attempts) {
    const ResolvConf conf = parse_resolv_conf(text);
    EXPECT_EQ(conf.timeout_s, timeout) << text;
    EXPECT_EQ(conf.attempts, attempts) << text;
  };
  check("", {}, {});
  check("nameserver 10.0.0.1\noptions timeout:3 attempts:4\nsearch a b\n", 3, 4);
  check("options ndots:2\toptions timeout:3", 3, {});
  check("options timeout:3\r\noptions timeout:4", 4, {});
  check("options timeout:31 attempts:6", 30, 5);
  check("options timeout:0 attempts:-1", {}, {});
  check("options timeout:3x attempts:", {}, {});
  check("# options timeout:3\n; options attempts:2\noptions rotate # timeout:9", {}, {});
  check("optionstimeout:3", {}, {});
  check("options timeout:99999999999999", {}, {});
}

TEST(DnsConf, a_file_that_is_not_there_is_empty_and_a_large_one_is_cut) {
  EXPECT_EQ(read_resolv_conf("/no/such/file"), "");
  EXPECT_EQ(read_resolv_conf("/dev/zero").size(), max_resolv_conf);
}

DnsAnswer answer_with(Duration ttl) {
  DnsAnswer answer;
  answer.hosts = {"192.0.2.1"};
  answer.ttl = ttl;
  answer.is_kept = true;
  return answer;
}

TEST(DnsCache, an_answer_goes_when_its_time_is_over_whether_asked_for_or_not) {
  DnsCache cache({.max_ttl = 1min, .max_entries = 10});
  const Instant start{1h};
  DnsAnswer answer = answer_with(10s);
  EXPECT_EQ(cache.put(question, answer, start), 0u);
  EXPECT_EQ(cache.find(question, start + 4s)->ttl, 6s);
  EXPECT_FALSE(cache.find({"shop.example", DnsType::aaaa}, start));
  EXPECT_FALSE(cache.find(question, start + 10s));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(DnsCache, a_new_answer_replaces_the_old_one) {
  DnsCache cache({.max_ttl = 1min, .max_entries = 10});
  const Instant start{1h};
  DnsAnswer answer = answer_with(10s);
  (void)cache.put(question, answer, start);
  answer = answer_with(50s);
  (void)cache.put(question, answer, start + 5s);
  EXPECT_EQ(cache.find(question, start + 20s)->ttl, 35s);
  EXPECT_EQ(cache.size(), 1u);
  answer = answer_with(0s);
  (void)cache.put(question, answer, start + 20s);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(DnsCache, what_is_not_to_be_kept_is_not) {
  DnsCache cache({.max_ttl = 1min, .negative_ttl = 5s, .max_entries = 10});
  DnsAnswer answer;
  answer.status = Status(Code::unavailable, "down");
  EXPECT_EQ(cache.put(question, answer, Instant{1h}), 0u);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace parley::net::impl
