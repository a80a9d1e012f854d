#include "parley/net/address.h"

#include <gtest/gtest.h>

namespace parley::net {
namespace {

TEST(Address, reads_and_writes_what_people_write) {
  for (const char* text : {"tcp://127.0.0.1:80", "tcp://0.0.0.0:0", "tcp://[::1]:65535"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << address.error();
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(Address::parse("tcp://localhost:9")->to_string(), "tcp://127.0.0.1:9");
}

TEST(Address, says_which_part_is_wrong) {
  const auto error = [](std::string_view text) { return Address::parse(text).error().message(); };
  EXPECT_NE(error("127.0.0.1:80").find("no network"), std::string::npos);
  EXPECT_NE(error("udp://127.0.0.1:80").find("\"udp\" is not supported"), std::string::npos);
  EXPECT_NE(error("tcp://127.0.0.1").find("no port"), std::string::npos);
  EXPECT_NE(error("tcp://[::1]").find("no port"), std::string::npos);
  EXPECT_NE(error("tcp://:80").find("no host"), std::string::npos);
  EXPECT_NE(error("tcp://shop.example:80").find("\"shop.example\" is not a numeric"),
            std::string::npos);
  EXPECT_NE(error("tcp://::1:80").find("not a numeric IPv4"), std::string::npos);
  for (const char* port : {"", "65536", "-1", "8a", " 8", "99999999999999999999"}) {
    EXPECT_NE(error("tcp://127.0.0.1:" + std::string(port)).find("is not a number from 0 to 65535"),
              std::string::npos)
        << port;
  }
  EXPECT_NE(error("").find("write it as tcp://127.0.0.1:4711"), std::string::npos);
}

}  // namespace
}  // namespace parley::net
