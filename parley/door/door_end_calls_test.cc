// What becomes of calls that are under way, by POST, gRPC and WebSocket, while a door and its peer
// end.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "parley/door/testing/grpc_caller.h"
#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about
using rt::testing::in_virtual_time;

const std::string post_slow =
    "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    "Content-Length: 1\r\n\r\n7";

// What was told to the three who had asked before `end` began.
struct Told {
  std::string post;
  std::string grpc_answer;
  Status grpc;
  Result<int> websocket = 0;
  Status door;
};

// Each calls /slow, which takes a second.
Told told_at_the_end(const std::function<void(House&)>& end) {
  Told told;
  in_virtual_time(
      [&] {
        House house({}, {}, {}, "inproc:house");
        std::atomic<int> running = 0;
        house.peer.handle("/slow", [&](int n) -> Result<int> {
          ++running;
          if (Status s = rt::sleep(1s); !s.is_ok()) return s;
          return n;
        });
        http::Http2Connection http2(house.dial(), "http");
        Peer page;
        auto socket = open_websocket(house.dial());
        ASSERT_NE(socket, nullptr);
        const auto session =
            page.serve(http::websocket_byte_stream(std::move(socket)), Side::dialled);
        ASSERT_TRUE(session) << session.error();
        rt::Scope scope;
        scope.go("post", [&] { told.post = house.ask(post_slow); });
        scope.go("grpc", [&] {
          GrpcCaller call(http2, "/slow");
          EXPECT_TRUE(call.send("7").is_ok());
          EXPECT_TRUE(call.exchange->end().is_ok());
          told.grpc_answer = call.receive().value_or("");
          told.grpc = call.status();
        });
        scope.go("websocket", [&] { told.websocket = session->call<int>("/slow", 7); });
        while (running < 3) ASSERT_TRUE(rt::sleep(1ms).is_ok());
        end(house);
        scope.join();
        page.close();
        told.door = house.end();
      },
      1ms);
  return told;
}

void expect_all_answered(const Told& told) {
  EXPECT_NE(told.post.find("HTTP/1.1 200"), std::string::npos) << told.post;
  EXPECT_NE(told.post.find("\r\n\r\n7"), std::string::npos) << told.post;
  EXPECT_EQ(told.grpc_answer, "7");
  EXPECT_TRUE(told.grpc.is_ok()) << told.grpc;
  EXPECT_EQ(told.websocket.value_or(0), 7) << told.websocket.error();
  EXPECT_TRUE(told.door.is_ok()) << told.door;
}

TEST(DoorEndCalls, all_are_answered_where_the_peer_ends_and_the_door_with_it) {
  expect_all_answered(told_at_the_end([](House& house) {
    const ShutdownReport report = house.peer.shutdown({.limit = 10s});
    EXPECT_TRUE(report.is_clean());
    EXPECT_TRUE(house.door.shutdown(rt::Deadline::after(5s)).is_ok());
  }));
}

TEST(DoorEndCalls, all_are_answered_where_the_door_ends_first) {
  expect_all_answered(told_at_the_end([](House& house) {
    EXPECT_TRUE(house.door.shutdown(rt::Deadline::after(5s)).is_ok());
    EXPECT_TRUE(house.peer.shutdown({.limit = 10s}).is_clean());
  }));
}

TEST(DoorEndCalls, what_the_peer_cuts_is_unavailable_and_not_the_doing_of_the_caller) {
  const Told told =
      told_at_the_end([](House& house) { (void)house.peer.shutdown({.limit = 100ms}); });
  EXPECT_NE(told.post.find("HTTP/1.1 503"), std::string::npos) << told.post;
  EXPECT_NE(told.post.find(R"({"code":"unavailable")"), std::string::npos) << told.post;
  EXPECT_EQ(told.grpc.code(), Code::unavailable) << told.grpc;
  EXPECT_FALSE(told.websocket);
  EXPECT_TRUE(told.door.is_ok()) << told.door;
}

TEST(DoorEndCalls, what_the_door_cuts_is_unavailable_as_well) {
  in_virtual_time(
      [] {
        House house({}, {}, {}, "inproc:house");
        std::atomic<bool> runs = false;
        house.peer.handle("/slow", [&](int n) -> Result<int> {
          runs = true;
          if (Status s = rt::sleep(1s); !s.is_ok()) return s;
          return n;
        });
        std::string told;
        rt::Scope scope;
        scope.go("post", [&] { told = house.ask(post_slow); });
        while (!runs) ASSERT_TRUE(rt::sleep(1ms).is_ok());
        EXPECT_EQ(house.door.shutdown(rt::Deadline::after(100ms)).code(), Code::deadline_exceeded);
        scope.join();
        EXPECT_NE(told.find("HTTP/1.1 503"), std::string::npos) << told;
        EXPECT_EQ(house.end().code(), Code::cancelled);
      },
      1ms);
}

// What a call that comes behind the end of the peer is told, and whether the door has ended.
std::string told_afterwards(bool ends_with_peer) {
  std::string told;
  in_virtual_time(
      [&] {
        House house({.ends_with_peer = ends_with_peer}, {}, {}, "inproc:house");
        const auto before = house.dial();
        ASSERT_TRUE(before->write(add).is_ok());
        EXPECT_NE(read_until(*before, "\r\n\r\n3"), "");
        (void)house.peer.shutdown();
        if (ends_with_peer) {
          EXPECT_EQ(read_until(*before, ""), "") << "it was at rest";
          EXPECT_TRUE(house.end().is_ok());
          told = "ended";
          return;
        }
        ASSERT_TRUE(before->write(add).is_ok());
        told = read_until(*before, "}");
        EXPECT_TRUE(house.door.shutdown().is_ok());
      },
      1ms);
  return told;
}

TEST(DoorEndCalls, a_door_ends_with_its_peer_unless_it_is_to_go_on) {
  EXPECT_EQ(told_afterwards(true), "ended");
  const std::string told = told_afterwards(false);
  EXPECT_NE(told.find("HTTP/1.1 503"), std::string::npos) << told;
  EXPECT_NE(told.find("not_sent"), std::string::npos) << told;
}

}  // namespace
}  // namespace parley::door
