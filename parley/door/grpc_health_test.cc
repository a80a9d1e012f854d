#include "parley/door/grpc_health.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "parley/codec/reflect.h"
#include "parley/net/in_process_network.h"
#include "parley/peer/session.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {

struct AskedHealth {
  std::string service;
};
struct ToldHealth {
  int status = -1;
};

namespace {

constexpr const char* check = "/grpc.health.v1.Health/Check";
constexpr const char* watch = "/grpc.health.v1.Health/Watch";

struct World {
  World() {
    EXPECT_TRUE(server.listen("inproc:health", {.network = &network}).has_value());
    session.emplace(*client.dial("inproc:health", {.network = &network}));
  }
  int ask(const std::string& service) {
    const auto told = session->call<ToldHealth>(check, AskedHealth{service});
    return told ? told->status : -static_cast<int>(told.error().code());
  }
  net::InProcessNetwork network;
  Peer server;
  GrpcHealth health{server};
  Peer client;
  std::optional<Session> session;
};

PARLEY_FIBER_TEST(GrpcHealth, is_told_of_the_server_and_of_services) {
  World world;
  EXPECT_EQ(world.ask(""), 1);
  EXPECT_EQ(world.ask("shop"), -5) << "not_found";
  EXPECT_TRUE(world.health.set("shop", GrpcServing::not_serving).is_ok());
  EXPECT_EQ(world.ask("shop"), 2);
  EXPECT_TRUE(world.health.set("shop", GrpcServing::serving).is_ok());
  EXPECT_EQ(world.ask("shop"), 1);
  world.health.shutdown();
  EXPECT_EQ(world.ask("shop"), 2);
  EXPECT_EQ(world.ask(""), 2);
  EXPECT_EQ(world.health.set("shop", GrpcServing::serving).code(), Code::failed_precondition);
}

PARLEY_FIBER_TEST(GrpcHealth, is_told_again_when_it_changes) {
  World world;
  auto stream = world.session->open<ToldHealth, AskedHealth>(watch);
  ASSERT_TRUE(stream) << stream.error();
  ASSERT_TRUE(stream->send(AskedHealth{"shop"}).is_ok());
  const auto next = [&] {
    const auto told = stream->receive();
    return told && *told ? (*told)->status : -1;
  };
  EXPECT_EQ(next(), 3) << "unknown so far";
  EXPECT_TRUE(world.health.set("tea", GrpcServing::serving).is_ok());
  EXPECT_TRUE(world.health.set("shop", GrpcServing::serving).is_ok());
  EXPECT_EQ(next(), 1);
  world.health.shutdown();
  EXPECT_EQ(next(), 2);
  const auto end = stream->receive();
  ASSERT_FALSE(end.has_value()) << "nobody is kept from ending by who watches";
  EXPECT_EQ(end.error().code(), Code::unavailable);
}

TEST(GrpcHealth, the_end_of_the_peer_does_not_wait_for_who_watches) {
  rt::testing::in_virtual_time([] {
    World world;
    auto stream = world.session->open<ToldHealth, AskedHealth>(watch);
    ASSERT_TRUE(stream) << stream.error();
    ASSERT_TRUE(stream->send(AskedHealth{""}).is_ok());
    EXPECT_EQ((**stream->receive()).status, 1);
    rt::Scope scope;
    ShutdownReport report;
    scope.go("end", [&] { report = world.server.shutdown(); });
    const Instant start = rt::now();
    EXPECT_EQ((**stream->receive()).status, 2);
    EXPECT_EQ(stream->receive().error().code(), Code::unavailable);
    scope.join();
    EXPECT_TRUE(report.is_over);
    EXPECT_LT(rt::now() - start, world.server.options().drain_timeout);
  });
}

PARLEY_FIBER_TEST(GrpcHealth, takes_so_many_names) {
  Peer peer;
  GrpcHealth health(peer);
  for (std::size_t i = 0; i < GrpcHealth::max_services; ++i) {
    ASSERT_TRUE(health.set(std::to_string(i), GrpcServing::serving).is_ok());
  }
  EXPECT_EQ(health.set("one more", GrpcServing::serving).code(), Code::resource_exhausted);
  EXPECT_TRUE(health.set("7", GrpcServing::not_serving).is_ok());
}

}  // namespace
}  // namespace parley::door
