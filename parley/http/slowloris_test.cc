// Clients that send a byte now and then, to hold what a server has: it has nothing to hold, others
// are served in time, and the slow ones end by their limit.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/http/testing/server_world.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::count;
using testing::get_of;
using testing::read_until;
using testing::ServerWorld;

constexpr std::size_t slow_ones = 5000;

// So many connections, each of which gets the next byte of `bytes` each second until it is closed.
class SlowOnes {
 public:
  SlowOnes(ServerWorld& world, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) streams_.push_back(world.dial());
  }
  void send_at_once(std::string_view bytes) {
    for (const auto& stream : streams_) EXPECT_TRUE(stream->write(bytes).is_ok());
  }
  void send(std::string_view bytes, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      const char byte =
          static_cast<std::size_t>(i) < bytes.size() ? bytes[static_cast<std::size_t>(i)] : 'x';
      for (const auto& stream : streams_) (void)stream->write({&byte, 1});
      if (!rt::sleep(1s).is_ok()) return;
    }
  }
  // How many were told so.
  std::size_t answered(std::string_view status) {
    std::size_t found = 0;
    for (const auto& stream : streams_) found += read_until(*stream).starts_with(status) ? 1 : 0;
    return found;
  }

 private:
  std::vector<std::unique_ptr<net::Stream>> streams_;
};

// The longest that somebody else's request takes meanwhile, on a new connection and on a kept one.
Duration slowest_of_others(ServerWorld& world, Duration meanwhile, std::size_t most_handlers) {
  Duration slowest{};
  const auto kept = world.dial();
  const Instant end = rt::now() + meanwhile;
  while (rt::now() < end) {
    const Instant began = rt::now();
    EXPECT_EQ(count(world.ask(get_of("/a")), "HTTP/1.1 200"), 1U);
    EXPECT_TRUE(kept->write(get_of("/b")).is_ok());
    EXPECT_EQ(count(read_until(*kept, "\r\n\r\n/b"), "HTTP/1.1 200"), 1U);
    slowest = std::max(slowest, rt::now() - began);
    EXPECT_LE(world.server().counts().handlers, most_handlers);
    if (!rt::sleep(500ms).is_ok()) break;
  }
  return slowest;
}

Status answer_target(ServerExchange& exchange) {
  return exchange.answer(200, exchange.request().target);
}

TEST(Slowloris, five_thousand_heads_a_byte_at_a_time_hold_up_nobody_and_end_in_time) {
  rt::testing::in_virtual_time(
      [] {
        ServerWorld world(answer_target, {.head_timeout = 10s});
        SlowOnes slow(world, slow_ones);
        rt::Scope scope;
        scope.go("slow", [&] { slow.send("GET / HTTP/1.1\r\nHost: a\r\nX: ", 14); });
        // A fiber for who is read from, and one for who asks: none for those who are awaited.
        EXPECT_LT(slowest_of_others(world, 9s, 50), 1s);
        EXPECT_EQ(world.server().counts().timeouts, 0U) << "each has its time";
        EXPECT_GE(world.server().counts().connections, slow_ones);
        ASSERT_TRUE(rt::sleep(3s).is_ok());
        EXPECT_EQ(world.server().counts().timeouts, slow_ones);
        scope.join();
        EXPECT_EQ(slow.answered("HTTP/1.1 408"), slow_ones);
        EXPECT_EQ(count(world.ask(get_of("/a")), "HTTP/1.1 200"), 1U);
        ASSERT_TRUE(rt::sleep(6s).is_ok());  // linger_time
        EXPECT_LE(world.server().counts().connections, 1U);
      },
      20ms);
}

TEST(Slowloris, a_thousand_bodies_a_byte_at_a_time_hold_up_nobody_and_end_in_time) {
  rt::testing::in_virtual_time(
      [] {
        constexpr std::size_t bodies = 1000;
        ServerWorld world(
            [](ServerExchange& exchange) {
              const auto body = exchange.read_all();
              return body ? answer_target(exchange) : body.error();
            },
            {.min_body_rate = 10, .body_grace = 10s});
        SlowOnes slow(world, bodies);
        rt::Scope scope;
        slow.send_at_once("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n");
        scope.go("slow", [&] { slow.send("", 14); });
        EXPECT_LT(slowest_of_others(world, 9s, bodies + 50), 1s);
        ASSERT_TRUE(rt::sleep(3s).is_ok());
        EXPECT_EQ(world.server().counts().timeouts, bodies);
        scope.join();
        EXPECT_EQ(slow.answered("HTTP/1.1 408"), bodies);
      },
      20ms);
}

}  // namespace
}  // namespace parley::http
