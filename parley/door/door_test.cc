#include "parley/door/door.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about
using rt::testing::in_virtual_time;
using rt::testing::wait_until;

using Framings = std::vector<std::shared_ptr<const wire::Framing>>;

void post_by_http1(House& house) {
  const auto stream = house.dial();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stream->write(add).is_ok());
    ASSERT_NE(read_until(*stream, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  }
}

void post_by_http2(House& house) {
  http::Http2Connection connection(house.dial(), "http");
  for (int i = 0; i < 10; ++i) {
    http::Request request = asking(http::Method::post, "/math/add");
    ASSERT_TRUE(request.headers.add("Content-Type", "application/json").is_ok());
    auto exchange = connection.begin(request, http::BodySize::of(5));
    ASSERT_TRUE(exchange) << exchange.error();
    ASSERT_TRUE((*exchange)->write("[1,2]").is_ok());
    ASSERT_TRUE((*exchange)->end().is_ok());
    ASSERT_EQ((*exchange)->read_all().value(), "3");
  }
}

void call_both_ways(const Result<Session>& session) {
  ASSERT_TRUE(session) << session.error();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(session->call<int>("/math/add", i, 1).value(), i + 1);
    ASSERT_EQ(session->call<int>("/twice", i).value(), 2 * i);
  }
}

void call_by_framing(House& house, Framings framings) {
  Peer client({.framings = std::move(framings)});
  client.handle("/once", [](int n) { return n; });
  call_both_ways(client.dial(house.address()));
}

void call_by_websocket(House& house) {
  auto socket = open_websocket(house.dial());
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(socket->subprotocol(), "parley");
  Peer client;
  client.handle("/once", [](int n) { return n; });
  call_both_ways(client.serve(http::websocket_byte_stream(std::move(socket)), Side::dialled));
}

Framings raw() { return {std::make_shared<wire::RawFraming>()}; }

void come_in_every_way(House& house, int times) {
  rt::Scope scope;
  for (int i = 0; i < times; ++i) {
    scope.go("http1", [&] { post_by_http1(house); });
    scope.go("http2", [&] { post_by_http2(house); });
    scope.go("parley", [&] { call_by_framing(house, {}); });
    scope.go("raw", [&] { call_by_framing(house, raw()); });
    scope.go("websocket", [&] { call_by_websocket(house); });
  }
  scope.join();
  const auto count = static_cast<std::uint64_t>(times);
  const DoorCounts counts = house.door.counts();
  EXPECT_EQ(counts.accepted, 5 * count);
  EXPECT_EQ(counts.of("http/1"), 2 * count) << "with WebSockets";
  EXPECT_EQ(counts.of("http/2"), count);
  EXPECT_EQ(counts.of("parley"), count);
  EXPECT_EQ(counts.of("raw"), count);
  EXPECT_EQ(counts.websockets, count);
  EXPECT_EQ(counts.undetected, 0U);
  EXPECT_EQ(house.told(), "");
}

PARLEY_FIBER_TEST(Door, one_port_serves_curl_peers_a_websocket_and_http2_at_once) {
  House house;
  come_in_every_way(house, 4);
}

TEST(Door, one_port_serves_all_of_them_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        House house;
        come_in_every_way(house, 8);
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(Door, tells_erpcs_framings_apart_in_the_order_that_was_said) {
  const Framings all = {std::make_shared<wire::ParleyFraming>(),
                        std::make_shared<wire::RawFraming>(), std::make_shared<wire::JsonFraming>(),
                        std::make_shared<wire::PbFraming>()};
  DoorOptions options;
  options.detect.order = {"http/2", "http/1", "raw", "json", "pb"};
  House house(options, {.framings = all});
  for (const auto& framing : all) {
    call_by_framing(house, {framing});
    EXPECT_EQ(house.door.counts().of(framing->name()), 1U) << framing->name();
  }
  post_by_http1(house);
}

PARLEY_FIBER_TEST(Door, what_cannot_be_told_apart_is_refused_before_anybody_comes) {
  House house({}, {.framings = {std::make_shared<wire::RawFraming>(),
                                std::make_shared<wire::PbFraming>()}});
  const Status status = house.end();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_NE(status.message().find("raw and pb can begin alike"), std::string::npos) << status;
  EXPECT_TRUE(house.door.shutdown().is_ok());
  EXPECT_EQ(house.door.counts().accepted, 0U);
}

PARLEY_FIBER_TEST(Door, what_comes_byte_by_byte_is_the_same) {
  House house;
  const auto stream = house.dial();
  for (const char byte : add) {
    ASSERT_TRUE(stream->write({&byte, 1}).is_ok());
    for (int i = 0; i < 3; ++i) rt::yield();
  }
  EXPECT_NE(read_until(*stream, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
}

PARLEY_FIBER_TEST(Door, what_is_no_protocol_of_its_is_closed_and_told) {
  House house;
  EXPECT_EQ(house.ask("\x7F"
                      "ELF"),
            "");
  wait_until([&] { return !house.told().empty(); });
  EXPECT_NE(house.told().find("\"\\x7fELF\""), std::string::npos) << house.told();
  EXPECT_EQ(house.door.counts().refused, 1U);
  wait_until([&] { return house.door.counts().connections == 0; });
}

PARLEY_FIBER_TEST(Door, what_is_switched_off_is_not_spoken) {
  {
    DoorOptions options;
    options.http1 = false;
    House house(options);
    EXPECT_EQ(house.ask(add), "");
    post_by_http2(house);
    call_by_framing(house, {});
  }
  {
    DoorOptions options;
    options.http2 = false;
    options.framings = false;
    House house(options);
    EXPECT_NE(house.ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").find("HTTP/1.1 505"), std::string::npos)
        << "is a request then, and a wrong one";
    EXPECT_EQ(house.ask("\xF0PRL"), "");
    post_by_http1(house);
    call_by_websocket(house);
  }
}

PARLEY_FIBER_TEST(Door, a_websocket_opens_where_it_was_said_and_posts_pass) {
  DoorOptions options;
  options.websocket_path = "/socket";
  House house(options);
  EXPECT_EQ(open_websocket(house.dial()), nullptr) << "this is a method, which wants a POST";
  EXPECT_NE(open_websocket(house.dial(), "/socket"), nullptr);
  house.peer.handle("/socket", [] { return 7; });
  const std::string post = "POST /socket HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
  EXPECT_NE(house.ask(post, "\r\n\r\n7").find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(house.ask("GET /socket HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n").find(" 426 "),
            std::string::npos);
  DoorOptions none;
  none.websocket_path = "";
  House without(none);
  EXPECT_EQ(open_websocket(without.dial()), nullptr);
  EXPECT_EQ(without.door.counts().websockets, 0U);
}

PARLEY_FIBER_TEST(Door, a_websocket_whose_session_is_refused_ends_and_is_told) {
  std::atomic<int> refused = 0;
  DoorOptions options;
  options.websocket.on_refused = [&](const Status& why) {
    EXPECT_EQ(why.code(), Code::resource_exhausted) << why;
    ++refused;
  };
  House house(options, {.max_sessions = 1});
  Peer client;
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session);
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value(), 3);
  const auto socket = open_websocket(house.dial());
  ASSERT_NE(socket, nullptr);
  EXPECT_FALSE(socket->receive_message());
  wait_until([&] { return refused == 1; });
}

PARLEY_FIBER_TEST(Door, one_empty_line_before_the_first_request_is_passed_over) {
  House house;
  EXPECT_NE(house.ask("\r\n" + add, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
  EXPECT_EQ(house.ask("\r\n\r\n" + add), "") << "two are no HTTP";
  EXPECT_EQ(house.door.counts().refused, 1U);
}

PARLEY_FIBER_TEST(Door, a_body_that_is_too_large_is_refused_in_the_words_of_who_would_read_it) {
  const auto head = [](std::string_view type, std::size_t bytes) {
    return "POST /math/add HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  };
  const std::string_view json = "application/json";
  constexpr std::string_view refused = "{\"code\":\"resource_exhausted\"";
  House usual;
  const std::string told = usual.ask(head(json, 20'000'000), "}");
  EXPECT_NE(told.find(" 413 "), std::string::npos) << told;
  EXPECT_NE(told.find(refused), std::string::npos) << told;
  EXPECT_NE(usual.ask(head("application/grpc-web", 20'000'000), "\r\n\r\n").find(" 413 "),
            std::string::npos);
  const std::string body = "[1,2" + std::string(200, ' ') + "]";
  EXPECT_NE(usual.ask(head(json, body.size()) + body, "\r\n\r\n3"), "");
  DoorOptions options;
  options.http.limits.max_body_bytes = 100;
  House small(options);
  const std::string small_told = small.ask(head(json, body.size()) + body, "}");
  EXPECT_NE(small_told.find(" 413 "), std::string::npos) << small_told;
  EXPECT_NE(small_told.find(refused), std::string::npos) << small_told;
}

PARLEY_FIBER_TEST(Door, pages_may_call_only_their_own_host_unless_it_was_said) {
  const std::string open =
      "GET /parley HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Origin: http://b\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\n\r\n";
  House house;
  EXPECT_NE(house.ask(open, "\r\n\r\n").find(" 403 "), std::string::npos);
  DoorOptions options;
  options.websocket.accept.allow_origin = [](std::string_view origin, const http::Request&) {
    return origin == "http://b";
  };
  House open_house(options);
  EXPECT_NE(open_house.ask(open, "\r\n\r\n").find(" 101 "), std::string::npos);
}

// Until when a client is heard that says nothing, or too little.
Duration heard_for(Duration limit, std::string_view first) {
  Duration took{};
  in_virtual_time(
      [&] {
        DoorOptions options;
        options.detect.detect_timeout = limit;
        House house(options, {}, {}, "inproc:house");
        const Instant began = rt::now();
        EXPECT_EQ(house.ask(first), "");
        took = rt::now() - began;
        EXPECT_EQ(house.door.counts().timeouts, 1U);
        EXPECT_NE(house.told().find("detect_timeout"), std::string::npos);
      },
      10ms);
  return took;
}

TEST(Door, a_client_that_does_not_say_what_it_speaks_is_closed_in_its_time) {
  for (const std::string_view first : {"", "PRI * HTTP/2.0\r\n\r\n"}) {
    for (const Duration limit : {Duration(2s), Duration(10s)}) {
      const Duration took = heard_for(limit, first);
      EXPECT_GE(took, limit);
      EXPECT_LT(took, limit + 1s);
    }
  }
}

TEST(Door, a_thousand_slow_ones_hold_no_fiber_while_others_are_served) {
  in_virtual_time(
      [] {
        House house({}, {}, {}, "inproc:house");
        std::vector<std::unique_ptr<net::Stream>> slow;
        for (int i = 0; i < 1000; ++i) {
          slow.push_back(house.dial());
          if (i % 2 == 0) {
            ASSERT_TRUE(slow.back()->write("P").is_ok());
          }
        }
        wait_until([&] {
          const DoorCounts counts = house.door.counts();
          return counts.undetected == 1000 && counts.handlers == 0;
        });
        EXPECT_NE(house.ask(add, "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
        EXPECT_EQ(house.door.counts().undetected, 1000U);
        ASSERT_TRUE(slow.front()->write(add.substr(1)).is_ok());
        EXPECT_NE(read_until(*slow.front(), "\r\n\r\n3").find("HTTP/1.1 200"), std::string::npos);
        slow.erase(slow.begin());
        for (const auto& each : slow) EXPECT_EQ(read_until(*each, ""), "");
        EXPECT_EQ(house.door.counts().timeouts, 999U);
      },
      10ms);
}

// How long a request takes while somebody else says nothing.
Duration behind_a_silent_one(std::size_t max_connections) {
  Duration took{};
  in_virtual_time(
      [&] {
        DoorOptions options;
        options.max_connections = max_connections;
        House house(options, {}, {}, "inproc:house");
        const auto silent = house.dial();
        wait_until([&] { return house.door.counts().undetected == 1; });
        const Instant began = rt::now();
        EXPECT_NE(house.ask(add, "\r\n\r\n3"), "");
        took = rt::now() - began;
      },
      10ms);
  return took;
}

TEST(Door, connections_beyond_their_limit_wait_for_one_to_end) {
  EXPECT_GE(behind_a_silent_one(1), 9s);
  EXPECT_LT(behind_a_silent_one(2), 5s);
}

PARLEY_FIBER_TEST(Door, options_of_http_hold_behind_it) {
  DoorOptions options;
  options.http.server_name = "teashop";
  House named(options);
  EXPECT_NE(named.ask(add, "\r\n\r\n3").find("Server: teashop"), std::string::npos);
  House unnamed;
  EXPECT_EQ(unnamed.ask(add, "\r\n\r\n3").find("Server:"), std::string::npos);
  House own({}, {}, [](http::ServerExchange& exchange) { return exchange.answer(200, "own"); });
  EXPECT_NE(own.ask(add, "own").find("HTTP/1.1 200"), std::string::npos);
}

PARLEY_FIBER_TEST(Door, ends_in_order_and_leaves_sessions_to_the_peer) {
  House house;
  rt::Event began;
  rt::Event go_on;
  house.peer.handle("/wait", [&]() -> Result<int> {
    began.set();
    if (Status s = go_on.wait(); !s.is_ok()) return s;
    return 7;
  });
  Peer client;
  const auto session = client.dial(house.address());
  ASSERT_TRUE(session);
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value(), 3);
  const auto silent = house.dial();
  const auto resting = house.dial();
  ASSERT_TRUE(resting->write(add).is_ok());
  (void)read_until(*resting, "\r\n\r\n3");
  std::string answer;
  rt::Scope scope;
  scope.go("asks", [&] {
    answer = house.ask("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_TRUE(began.wait().is_ok());
  Status ended(Code::unknown, "not yet");
  scope.go("ends", [&] { ended = house.door.shutdown(); });
  EXPECT_EQ(read_until(*silent, ""), "");
  EXPECT_EQ(read_until(*resting, ""), "");
  go_on.set();
  scope.join();
  EXPECT_NE(answer.find("\r\n\r\n7"), std::string::npos) << answer;
  EXPECT_TRUE(ended.is_ok()) << ended;
  EXPECT_TRUE(house.end().is_ok());
  EXPECT_EQ(session->call<int>("/math/add", 1, 2).value(), 3) << "the session goes on";
  EXPECT_TRUE(house.peer.shutdown().is_clean());
}

TEST(Door, what_does_not_end_in_time_is_cut) {
  in_virtual_time([] {
    House house({}, {}, {}, "inproc:house");
    rt::Event began;
    house.peer.handle("/wait", [&]() -> Status {
      began.set();
      return rt::Context::current().wait_done();
    });
    const auto stream = house.dial();
    ASSERT_TRUE(
        stream->write("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").is_ok());
    EXPECT_TRUE(began.wait().is_ok());
    EXPECT_EQ(house.door.shutdown(rt::Deadline::after(1s)).code(), Code::deadline_exceeded);
    EXPECT_EQ(house.end().code(), Code::cancelled);
    EXPECT_EQ(house.door.counts().connections, 0U);
  });
}

}  // namespace
}  // namespace parley::door
