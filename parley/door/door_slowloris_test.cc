// Clients that send a request a byte at a time, to a port on which everything is spoken.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/door/testing/house.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about

using Streams = std::vector<std::unique_ptr<net::Stream>>;

// To each of them the next byte each second.
void drip(const Streams& streams, std::string_view bytes) {
  for (const char byte : bytes) {
    for (const auto& stream : streams) (void)stream->write({&byte, 1});
    if (!rt::sleep(1s).is_ok()) return;
  }
}

TEST(DoorSlowloris, five_thousand_requests_a_byte_at_a_time_hold_up_nobody_and_end_in_time) {
  rt::testing::in_virtual_time(
      [] {
        constexpr std::size_t slow_ones = 5000;
        House house({}, {}, {}, "inproc:house");
        Streams slow;
        while (slow.size() < slow_ones) slow.push_back(house.dial());
        rt::Scope scope;
        scope.go("slow", [&] { drip(slow, "POST /math/add HTTP/1.1\r\nHost: a\r\n"); });
        for (int i = 0; i < 12; ++i) {
          const Instant began = rt::now();
          const auto stream = house.dial();
          ASSERT_TRUE(stream->write(add).is_ok());
          ASSERT_NE(read_until(*stream, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
          EXPECT_LT(rt::now() - began, 1s);
          EXPECT_LT(house.door.counts().handlers, 50U) << "who is awaited has no fiber";
          ASSERT_TRUE(rt::sleep(500ms).is_ok());
        }
        EXPECT_GE(house.door.counts().connections, slow_ones);
        scope.join();
        // They had 33 seconds; each has its answer, or nothing, and the end.
        for (const auto& each : slow) {
          const std::string said = read_until(*each, "");
          ASSERT_TRUE(said.empty() || said.starts_with("HTTP/1.1 408")) << said;
        }
        EXPECT_LT(house.door.counts().connections, 5U);
        EXPECT_EQ(house.door.counts().undetected, 0U);
      },
      20ms);
}

}  // namespace
}  // namespace parley::door
