// How a door ends while calls of gRPC are under way.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parley/door/door.h"
#include "parley/door/grpc.h"
#include "parley/door/grpc_health.h"
#include "parley/door/testing/grpc_caller.h"
#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using Caller = testing::GrpcCaller;

// A door with gRPC; `tells` its health before it ends.
struct Place {
  explicit Place(bool tells, std::string_view address = "tcp://127.0.0.1:0")
      : house(
            {.on_shutdown =
                 [this, tells] {
                   ++told;
                   if (tells) health->shutdown();
                 }},
            {}, [this](http::ServerExchange& exchange) { return grpc(exchange); }, address) {
    house.peer.handle_stream("/double", [](Stream<int, int>& stream) -> Status {
      for (;;) {
        const auto number = stream.receive();
        if (!number) return number.error();
        if (!*number) return {};
        if (Status s = stream.send(**number * 2); !s.is_ok()) return s;
      }
    });
    health.emplace(house.peer);
    grpc = make_grpc(house.peer);
    connection = std::make_unique<http::Http2Connection>(house.dial(), "http");
    watch = std::make_unique<Caller>(*connection, "/grpc.health.v1.Health/Watch");
    EXPECT_TRUE(watch->send(R"({"service":""})").is_ok());
    EXPECT_TRUE(watch->exchange->end().is_ok());
    EXPECT_EQ(watch->receive(), R"({"status":1})");
  }
  ~Place() {
    watch.reset();
    connection.reset();
  }
  int told = 0;
  http::Handler grpc;
  std::optional<GrpcHealth> health;
  testing::House house;
  std::unique_ptr<http::Http2Connection> connection;
  std::unique_ptr<Caller> watch;
};

PARLEY_PEER_TEST(DoorEnd, tells_who_watches_and_waits_for_who_talks) {
  Place place(true);
  Caller chat(*place.connection, "/double");
  ASSERT_TRUE(chat.send("4").is_ok());
  EXPECT_EQ(chat.receive(), "8");
  rt::Scope scope;
  Status ended(Code::unknown, "not yet");
  scope.go("end", [&] { ended = place.house.door.shutdown(); });
  EXPECT_EQ(place.watch->receive(), R"({"status":2})");
  EXPECT_EQ(place.watch->receive(), std::nullopt);
  EXPECT_EQ(place.watch->status().code(), Code::unavailable) << place.watch->status();
  ASSERT_TRUE(chat.send("5").is_ok());
  EXPECT_EQ(chat.receive(), "10") << "a stream goes on until its handler returns";
  EXPECT_EQ(ended.code(), Code::unknown);
  ASSERT_TRUE(chat.exchange->end().is_ok());
  EXPECT_EQ(chat.receive(), std::nullopt);
  EXPECT_TRUE(chat.status().is_ok()) << chat.status();
  scope.join();
  EXPECT_TRUE(ended.is_ok()) << ended;
  EXPECT_TRUE(place.house.door.shutdown().is_ok());
  EXPECT_EQ(place.told, 1);
  EXPECT_TRUE(place.house.end().is_ok());
}

TEST(DoorEnd, waits_for_who_watches_where_nobody_lets_them_go) {
  const auto ends_with = [](bool tells) {
    Status status;
    rt::testing::in_virtual_time([&] {
      Place place(tells, "inproc:place");
      const Instant start = rt::now();
      status = place.house.door.shutdown(rt::Deadline::after(1s));
      EXPECT_EQ(rt::now() - start >= Duration(1s), !tells);
    });
    return status.code();
  };
  EXPECT_EQ(ends_with(true), Code::ok);
  EXPECT_EQ(ends_with(false), Code::deadline_exceeded);
}

PARLEY_PEER_TEST(DoorEnd, the_end_of_the_peer_lets_go_who_watches_through_the_door) {
  Place place(false);
  EXPECT_TRUE(place.house.peer.shutdown().is_over);
  EXPECT_EQ(place.watch->receive(), R"({"status":2})");
  EXPECT_EQ(place.watch->receive(), std::nullopt);
  EXPECT_EQ(place.watch->status().code(), Code::unavailable) << place.watch->status();
  EXPECT_TRUE(place.house.door.shutdown().is_ok());
}

}  // namespace
}  // namespace parley::door
