// Streams of gRPC over HTTP/2, by hand: messages in JSON, so that they can be read here.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/grpc.h"
#include "parley/door/testing/grpc_caller.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using Caller = testing::GrpcCaller;
using World = testing::GrpcWorld;

Status double_all(Stream<int, int>& stream) {
  for (;;) {
    auto number = stream.receive();
    if (!number) return number.error();
    if (!*number) return {};
    if (Status s = stream.send(**number * 2); !s.is_ok()) return s;
  }
}

PARLEY_PEER_TEST(GrpcStreams, each_kind_of_stream_is_a_method_of_handle_stream) {
  Peer peer;
  peer.handle_stream("/math.Math/Double", double_all);
  peer.handle_stream("/math/sum", [](Stream<int, int>& stream) -> Status {  // many, then one
    int sum = 0;
    for (;;) {
      auto number = stream.receive();
      if (!number) return number.error();
      if (!*number) return stream.send(sum);
      sum += **number;
    }
  });
  peer.handle_stream("/math/count", [](Context& context, Stream<int, int>& stream) -> Status {
    const auto most = stream.receive();  // one, then many
    if (!most) return most.error();
    for (int i = 0; i < most->value_or(0); ++i) {
      if (Status s = stream.send(i); !s.is_ok()) return s;
    }
    context.reply_metadata().set("till", std::string(*context.metadata().get("till")));
    return {};
  });
  const World world(peer);
  const auto connection = world.dial();
  Caller both(*connection, "/math.Math/Double");
  for (int i = 1; i < 4; ++i) {
    ASSERT_TRUE(both.send(std::to_string(i)).is_ok());
    EXPECT_EQ(both.receive(), std::to_string(2 * i));
  }
  ASSERT_TRUE(both.exchange->end().is_ok());
  EXPECT_EQ(both.receive(), std::nullopt);
  EXPECT_TRUE(both.status().is_ok()) << both.status();

  Caller sum(*connection, "/some.package.Math/Sum");
  for (const char* each : {"1", "20", "300"}) ASSERT_TRUE(sum.send(each).is_ok());
  ASSERT_TRUE(sum.exchange->end().is_ok());
  EXPECT_EQ(sum.receive_all(), std::vector<std::string>{"321"});
  EXPECT_TRUE(sum.status().is_ok()) << sum.status();

  Caller count(*connection, "/math/count");
  ASSERT_TRUE(count.send("3").is_ok());
  ASSERT_TRUE(count.exchange->end().is_ok());
  EXPECT_EQ(count.receive_all(), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_TRUE(count.status().is_ok()) << count.status();
  EXPECT_EQ(count.exchange->trailers().get("till"), "seven");

  Caller empty(*connection, "/math.Math/Double");
  ASSERT_TRUE(empty.exchange->end().is_ok());
  EXPECT_TRUE(empty.receive_all().empty());
  EXPECT_TRUE(empty.status().is_ok()) << empty.status();
}

PARLEY_PEER_TEST(GrpcStreams, a_handler_that_fails_says_so_behind_what_it_sent) {
  Peer peer;
  peer.handle_stream("/tea", [](Stream<int, int>& stream) -> Status {
    if (Status s = stream.send(1); !s.is_ok()) return s;
    return Status::business(1001, "out of tea");  // what the client still says is not read
  });
  peer.handle_stream("/double", double_all);
  const World world(peer, {.max_message = 1000});
  const auto connection = world.dial();
  Caller tea(*connection, "/tea");
  EXPECT_EQ(tea.receive_all(), std::vector<std::string>{"1"});
  EXPECT_EQ(tea.status().business_code(), 1001) << tea.status();

  Caller wrong(*connection, "/double");
  ASSERT_TRUE(wrong.send("\"two\"").is_ok());
  EXPECT_TRUE(wrong.receive_all().empty());
  EXPECT_EQ(wrong.status().code(), Code::invalid_argument) << wrong.status();

  Caller large(*connection, "/double");
  ASSERT_TRUE(large.send(std::string(1001, '1')).is_ok());
  EXPECT_TRUE(large.receive_all().empty());
  EXPECT_EQ(large.status().code(), Code::resource_exhausted) << large.status();

  Caller cut(*connection, "/double");
  ASSERT_TRUE(cut.exchange->write(std::string("\0\0\0\0\7[", 6)).is_ok());
  ASSERT_TRUE(cut.exchange->end().is_ok());
  EXPECT_TRUE(cut.receive_all().empty());
  EXPECT_EQ(cut.status().code(), Code::internal) << cut.status();
}

PARLEY_PEER_TEST(GrpcStreams, who_goes_away_or_is_out_of_time_ends_the_handler) {
  Peer peer;
  rt::Event ended;
  Status how;
  peer.handle_stream("/wait", [&](Stream<int, int>& stream) -> Status {
    (void)stream.send(1);
    how = rt::Context::current().wait_done();
    ended.set();
    return how;
  });
  const World world(peer);
  const auto connection = world.dial();
  {
    Caller caller(*connection, "/wait");
    EXPECT_EQ(caller.receive(), "1");
    caller.exchange->cancel();
  }
  (void)ended.wait();
  EXPECT_FALSE(how.is_ok());
  ended.reset();
  Caller late(*connection, "/wait", "1m");
  EXPECT_LE(late.receive_all().size(), 1U);
  EXPECT_EQ(late.status().code(), Code::deadline_exceeded) << late.status();
}

// Each direction is held up by its own reader, and by nothing else.
PARLEY_PEER_TEST(GrpcStreams, a_slow_side_holds_up_the_other_one_and_nobody_else) {
  Peer peer;
  constexpr int count = 300;
  const std::string large = "\"" + std::string(10'000, 'x') + "\"";
  std::atomic<int> sent = 0;
  peer.handle_stream("/pour", [&](Stream<int, std::string>& stream) -> Status {
    for (; sent < count; ++sent) {
      if (Status s = stream.send(std::string(10'000, 'x')); !s.is_ok()) return s;
    }
    return {};
  });
  rt::Event go_on;
  std::atomic<int> read = 0;
  peer.handle_stream("/drink", [&](Stream<std::string, int>& stream) -> Status {
    (void)go_on.wait();
    for (;; ++read) {
      const auto message = stream.receive();
      if (!message) return message.error();
      if (!*message) return stream.send(read);
    }
  });
  peer.handle_stream("/double", double_all);
  const World world(peer);
  const auto connection = world.dial();
  Caller pour(*connection, "/pour");
  Caller drink(*connection, "/drink");
  rt::Scope scope;
  std::atomic<int> given = 0;
  scope.go("giver", [&] {
    for (; given < count; ++given) EXPECT_TRUE(drink.send(large).is_ok());
    EXPECT_TRUE(drink.exchange->end().is_ok());
  });
  while (sent == 0 || given == 0) rt::yield();
  Caller other(*connection, "/double");
  ASSERT_TRUE(other.send("4").is_ok());
  EXPECT_EQ(other.receive(), "8");
  other.exchange->cancel();
  EXPECT_LT(sent, count);
  EXPECT_LT(given, count);
  EXPECT_EQ(read, 0);
  EXPECT_EQ(pour.receive_all(), std::vector<std::string>(count, large));
  go_on.set();
  EXPECT_EQ(drink.receive_all(), std::vector<std::string>{std::to_string(count)});
  scope.join();
}

}  // namespace
}  // namespace parley::door
