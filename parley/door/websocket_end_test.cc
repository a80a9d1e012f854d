// How sessions by WebSocket end with their Door and their Peer: told 1001, with calls under way
// answered; and that clients which are gone without a word are found.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/http/websocket.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using http::Protocol;
using testing::House;

const Protocol protocols[] = {Protocol::http_1_1, Protocol::http_2};

// A house and one WebSocket of erpc's JSON through its door, by a message of which shows what it
// is closed with.
struct Visit {
  explicit Visit(Protocol protocol, DoorOptions options = {}, PeerOptions of_peer = {},
                 std::string_view address = "tcp://127.0.0.1:0")
      : house(std::move(options), std::move(of_peer), {}, address) {
    house.peer.handle("/slow", [this](int n) -> Result<int> {
      under_way.set();
      if (Status s = go_on.wait(); !s.is_ok()) return s;
      return n + 1;
    });
    if (protocol == Protocol::http_1_1) {
      socket = testing::open_websocket(house.dial(), "/parley", "ws-json");
      return;
    }
    connection = std::make_unique<http::Http2Connection>(house.dial(), "http");
    const auto opening = http::websocket_request(
        "/parley", "a", {.subprotocols = {"ws-json"}, .protocol = Protocol::http_2});
    auto exchange = connection->begin(opening->request, http::BodySize::none());
    EXPECT_TRUE(exchange) << exchange.error();
    auto opened = http::finish_websocket(**exchange, *opening);
    EXPECT_TRUE(opened) << opened.error();
    socket = *std::move(opened);
  }
  ~Visit() {
    go_on.set();
    socket.reset();
    connection.reset();
  }

  void call() const {
    const std::string text =
        R"({"seq":7,"mtype":1,"serviceMethod":"/slow","bodyCodec":106,"body":"1"})";
    EXPECT_TRUE(socket->send_text(text).is_ok());
  }
  [[nodiscard]] std::string receive() const {
    const auto message = socket->receive(rt::Deadline::after(10min));
    return message ? message->to_string() : message.error().to_string();
  }

  rt::Event under_way;
  rt::Event go_on;
  House house;
  std::unique_ptr<http::Http2Connection> connection;
  std::unique_ptr<http::WebSocket> socket;
};

void leaves(Protocol protocol, bool by_door) {
  Visit visit(protocol);
  visit.call();
  EXPECT_TRUE(visit.under_way.wait().is_ok());
  const Session session = visit.house.peer.sessions().front();
  rt::Scope scope;
  scope.go("end", [&] {
    if (by_door) {
      EXPECT_TRUE(visit.house.door.shutdown().is_ok());
    } else {
      (void)visit.house.peer.shutdown();
    }
  });
  scope.go("answer", [&] {
    while (session.is_open()) rt::yield();
    visit.go_on.set();
  });
  const std::string answer = visit.receive();
  EXPECT_NE(answer.find(R"("body":"2")"), std::string::npos) << answer;
  (void)visit.receive();
  EXPECT_EQ(visit.socket->close_code(), http::close_code::going_away) << by_door;
  visit.socket.reset();
  scope.join();
}

PARLEY_PEER_TEST(WebSocketEnd, a_session_answers_what_is_under_way_and_leaves_with_1001) {
  for (const Protocol protocol : protocols) {
    for (const bool by_door : {true, false}) leaves(protocol, by_door);
  }
}

TEST(WebSocketEnd, a_session_answers_and_leaves_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        for (int i = 0; i < 20; ++i) {
          for (const Protocol protocol : protocols) leaves(protocol, i % 2 == 0);
        }
      },
      {.workers = 4});
}

// Of Parley's own frames, of which not one has come.
TEST(WebSocketEnd, many_that_said_nothing_leave_with_1001) {
  rt::testing::in_virtual_time(
      [] {
        for (const bool by_door : {true, false}) {
          House house({}, {}, {}, "inproc:house");
          rt::Scope scope;
          rt::WaitGroup open;
          open.add(20);
          for (int i = 0; i < 20; ++i) {
            scope.go("client", [&] {
              const auto socket = testing::open_websocket(house.dial());
              open.done();
              Result<Bytes> message = socket->receive();
              while (message) message = socket->receive();  // GO_AWAY
              EXPECT_EQ(message.error().code(), Code::out_of_range) << message.error();
              EXPECT_EQ(socket->close_code(), http::close_code::going_away);
            });
          }
          EXPECT_TRUE(open.wait().is_ok());
          if (by_door) {
            EXPECT_TRUE(house.door.shutdown().is_ok());
          } else {
            (void)house.peer.shutdown();
          }
          scope.join();
        }
      },
      20ms);
}

// A call that goes on for ever is given drain_timeout, and a client that does not answer the Close
// frame close_timeout: a door that ends without a limit does end.
TEST(WebSocketEnd, a_door_ends_without_a_limit_whatever_its_sessions_do) {
  rt::testing::in_virtual_time(
      [] {
        for (const Protocol protocol : protocols) {
          for (const Duration drain : {Duration(5s), Duration(20s)}) {
            Visit visit(protocol, {}, {.drain_timeout = drain}, "inproc:house");
            visit.call();
            EXPECT_TRUE(visit.under_way.wait().is_ok());
            const Instant begun = rt::now();
            EXPECT_TRUE(visit.house.door.shutdown().is_ok());
            const bool is_waited_for = protocol == Protocol::http_2;
            EXPECT_EQ(rt::now() - begun >= drain, is_waited_for);
            EXPECT_LT(rt::now() - begun, drain + 10s);
          }
        }
      },
      50ms);
}

// When a session at rest ends whose client says nothing, up to ten minutes.
Duration patience(Protocol protocol, const http::WebSocketOptions& options, bool answers) {
  Duration took{};
  rt::testing::in_virtual_time(
      [&] {
        DoorOptions of_door;
        of_door.websocket.accept.socket = options;
        of_door.http.ping_after = 0s;  // which is of the connection
        Visit visit(protocol, of_door, {}, "inproc:house");
        const Instant begun = rt::now();
        rt::Scope scope(rt::OnExit::cancel);
        if (answers) scope.go("client", [&] { (void)visit.receive(); });
        while (visit.house.peer.session_count() > 0 && rt::now() - begun < 10min) {
          (void)rt::sleep(1s);
        }
        took = rt::now() - begun;
      },
      500ms);
  return took;
}

TEST(WebSocketEnd, who_is_gone_without_a_word_is_found_by_a_ping_though_the_session_rests) {
  for (const Protocol protocol : protocols) {
    const Duration soon = patience(protocol, {.ping_interval = 10s, .pong_timeout = 5s}, false);
    EXPECT_GE(soon, 15s);
    EXPECT_LE(soon, 20s);
    const Duration late = patience(protocol, {.ping_interval = 60s, .pong_timeout = 30s}, false);
    EXPECT_GE(late, 90s);
    EXPECT_LE(late, 96s);
    EXPECT_GE(patience(protocol, {.ping_interval = 0s}, false), 10min);
    EXPECT_GE(patience(protocol, {.ping_interval = 10s, .pong_timeout = 5s}, true), 10min);
  }
}

PARLEY_PEER_TEST(WebSocketEnd, sub_protocols_and_limits_are_those_that_were_said) {
  for (const bool has_json : {true, false}) {
    DoorOptions options;
    if (!has_json) options.websocket.accept.subprotocols = {"parley"};
    House house(options);
    const auto socket = testing::open_websocket(house.dial(), "/parley", "ws-json");
    ASSERT_NE(socket, nullptr);
    EXPECT_EQ(socket->subprotocol(), has_json ? "ws-json" : "");
  }
  for (const std::size_t most : {std::size_t{100}, std::size_t{10'000}}) {
    DoorOptions options;
    options.websocket.accept.socket.limits.max_message = most;
    House house(options);
    const auto socket = testing::open_websocket(house.dial(), "/parley", "ws-json");
    ASSERT_NE(socket, nullptr);
    const std::string call =
        R"({"seq":7,"mtype":1,"serviceMethod":"/math/add","bodyCodec":106,"body":"[1,2]"})" +
        std::string(200, ' ');
    ASSERT_TRUE(socket->send_text(call).is_ok());
    (void)socket->receive();
    EXPECT_EQ(socket->close_code(), most < 200 ? http::close_code::too_large : 1006);
  }
}

}  // namespace
}  // namespace parley::door
