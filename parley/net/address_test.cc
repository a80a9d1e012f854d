#include "parley/net/address.h"

#include <gtest/gtest.h>

namespace parley::net {
namespace {

using namespace std::string_literals;

std::string error_of(std::string_view text) { return Address::parse(text).error().message(); }

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Address, reads_and_writes_what_people_write) {
  for (const char* text :
       {"tcp://127.0.0.1:80", "tcp://0.0.0.0:0", "tcp://[::1]:65535", "udp://127.0.0.1:53",
        "udp://[2001:db8::1]:1", "tcp://shop.example:80", "tcp://shop.example.:80", "tcp://a:1",
        "tcp://3com.example:1", "tcp://xn--bcher-kva.example:443", "unix:///run/shop.sock",
        "unix:@shop", "unix:@/odd name", "inproc:shop", "inproc:shop/orders",
        "tcp://localhost:9"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << address.error();
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(Address, one_address_has_one_form) {
  EXPECT_EQ(Address::parse("tcp://Shop.EXAMPLE:80")->host, "shop.example");
  EXPECT_EQ(Address::parse("tcp://LocalHost:80")->host, "localhost");
  EXPECT_EQ(Address::parse("tcp://[0:0:0:0:0:0:0:1]:80")->host, "::1");
  EXPECT_EQ(Address::parse("tcp://[2001:DB8:0::00F]:80")->host, "2001:db8::f");
}

TEST(Address, knows_whether_a_name_has_to_be_resolved) {
  EXPECT_TRUE(Address::parse("tcp://127.0.0.1:80")->is_numeric());
  EXPECT_TRUE(Address::parse("udp://[::1]:80")->is_numeric());
  EXPECT_FALSE(Address::parse("tcp://localhost:80")->is_numeric());
  EXPECT_FALSE(Address::parse("tcp://shop.example:80")->is_numeric());
  EXPECT_FALSE(Address::parse("unix:///run/shop.sock")->is_numeric());
  EXPECT_FALSE((Address{.network = "unix", .host = "127.0.0.1", .port = 0}).is_numeric());
}

TEST(Address, localhost_keeps_its_name_and_has_a_number) {
  const auto as_numbers = [](std::string_view text) {
    return Address::parse(text)->as_numbers().to_string();
  };
  EXPECT_EQ(as_numbers("tcp://localhost:80"), "tcp://127.0.0.1:80");
  EXPECT_EQ(as_numbers("udp://localhost:53"), "udp://127.0.0.1:53");
  EXPECT_TRUE(Address::parse("tcp://localhost:80")->as_numbers().is_numeric());
  for (const char* other : {"tcp://shop.example:80", "tcp://[::1]:80", "inproc:localhost"}) {
    EXPECT_EQ(as_numbers(other), other);
  }
}

TEST(Address, says_which_part_is_wrong) {
  EXPECT_TRUE(has(error_of("127.0.0.1:80"), "no network"));
  EXPECT_TRUE(has(error_of("sctp://127.0.0.1:80"), "network \"sctp\" is not supported"));
  EXPECT_TRUE(has(error_of("tcp://127.0.0.1"), "no port"));
  EXPECT_TRUE(has(error_of("tcp://[::1]"), "no port"));
  EXPECT_TRUE(has(error_of("tcp://:80"), "no host"));
  EXPECT_TRUE(has(error_of("tcp://::1:80"), "an IPv6 address needs brackets"));
  EXPECT_TRUE(has(error_of("tcp://[127.0.0.1]:80"), "not a numeric IPv6"));
  EXPECT_TRUE(has(error_of("tcp://[]:80"), "not a numeric IPv6"));
  EXPECT_TRUE(has(error_of("tcp://[:80"), "not a numeric IPv6"));
  EXPECT_TRUE(has(error_of("tcp://[fe80::1%eth0]:80"), "zones (%) are not supported"));
  for (const char* port : {"", "65536", "-1", "8a", " 8", "99999999999999999999"}) {
    EXPECT_TRUE(has(error_of("tcp://127.0.0.1:"s + port), "is not a number from 0 to 65535"))
        << port;
  }
  EXPECT_TRUE(has(error_of(""), "write it as tcp://127.0.0.1:4711"));
}

TEST(Address, a_name_within_a_process_is_short_and_can_be_shown) {
  EXPECT_TRUE(has(error_of("inproc:"), "no name behind inproc:"));
  EXPECT_TRUE(has(error_of("inproc://shop"), "stands right behind inproc:; write it as inproc:"));
  EXPECT_TRUE(has(error_of("inproc:tea shop"), "has \" \" in it"));
  EXPECT_TRUE(has(error_of("inproc:b\xc3\xbc"), "in it"));
  EXPECT_TRUE(has(error_of("inproc:" + std::string(256, 'a')), "has 256 bytes, at most 255"));
  EXPECT_TRUE(Address::parse("inproc:" + std::string(255, 'a')));
  EXPECT_FALSE(Address::parse("inproc:127.0.0.1")->is_numeric());
}

TEST(Address, refuses_what_is_no_name) {
  const auto error = [](const std::string& host) { return error_of("tcp://" + host + ":1"); };
  EXPECT_TRUE(has(error("shop..example"), "has an empty part"));
  EXPECT_TRUE(has(error(".example"), "has an empty part"));
  EXPECT_TRUE(has(error("shop.example.."), "has an empty part"));
  EXPECT_TRUE(has(error("."), "has an empty part"));
  EXPECT_TRUE(has(error("-shop.example"), "begins or ends in '-'"));
  EXPECT_TRUE(has(error("shop-.example"), "begins or ends in '-'"));
  EXPECT_TRUE(has(error("big_shop.example"), "has \"_\" in it"));
  EXPECT_TRUE(has(error("shop example"), "has \" \" in it"));
  EXPECT_TRUE(has(error("user@shop.example"), "has \"@\" in it"));
  EXPECT_TRUE(has(error("b\xc3\xbc"
                        "cher.example"),
                  "xn--"));
  EXPECT_TRUE(has(error("256.0.0.1"), "neither a numeric IPv4"));
  EXPECT_TRUE(has(error("127.1"), "neither a numeric IPv4"));
  EXPECT_TRUE(has(error("0x7f.0x1"), "neither a numeric IPv4"));
  EXPECT_TRUE(has(error("127.0.0.1\0.example"s), "\\x00"));
  EXPECT_TRUE(has(error("127.0.0.1\0"s), "\\x00"));
}

TEST(Address, a_name_has_at_most_253_letters_and_63_in_a_part) {
  const auto error = [](const std::string& host) { return error_of("tcp://" + host + ":1"); };
  EXPECT_EQ(error(std::string(63, 'a')), "");
  EXPECT_TRUE(has(error(std::string(64, 'a')), "part of 64 letters, at most 63"));
  std::string name;
  while (name.size() < 252) name += "a.";
  EXPECT_EQ(error(name + "a"), "");
  EXPECT_EQ(error(name + "a."), "");
  EXPECT_TRUE(has(error(name + "ab"), "has 254 letters, at most 253"));
}

TEST(Address, refuses_what_is_no_unix_path) {
  EXPECT_TRUE(has(error_of("unix:"), "neither a path nor '@'"));
  EXPECT_TRUE(has(error_of("unix:shop.sock"), "neither a path nor '@'"));
  EXPECT_TRUE(has(error_of("unix://shop.sock"), "does not begin with '/'"));
  EXPECT_TRUE(has(error_of("unix://"), "does not begin with '/'"));
  EXPECT_TRUE(has(error_of("unix:///"), "names a folder"));
  EXPECT_TRUE(has(error_of("unix:///run/"), "names a folder"));
  EXPECT_TRUE(has(error_of("unix:@"), "no name"));
  EXPECT_TRUE(has(error_of("unix:///run/a\0b"s), "zero byte"));
  EXPECT_EQ(error_of("unix:///" + std::string(106, 'p')), "");
  EXPECT_TRUE(has(error_of("unix:///" + std::string(107, 'p')), "has 108 bytes, the kernel takes"));
  EXPECT_EQ(error_of("unix:@" + std::string(106, 'p')), "");
  EXPECT_TRUE(has(error_of("unix:@" + std::string(107, 'p')), "has 108 bytes, the kernel takes"));
}

TEST(Address, an_error_repeats_a_refused_text_in_printable_and_short_form) {
  EXPECT_TRUE(has(error_of("tcp\n\x1b[31m"), "\"tcp\\x0a\\x1b[31m\""));
  EXPECT_LT(error_of(std::string(100'000, 'x')).size(), 1000u);
  EXPECT_LT(error_of("tcp://" + std::string(100'000, 'x') + ":1").size(), 1000u);
}

}  // namespace
}  // namespace parley::net
