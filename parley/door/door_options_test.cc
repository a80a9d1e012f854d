// Options of a Door, each with two values that behave differently.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/door/door.h"
#include "parley/door/testing/house.h"
#include "parley/http/http2_connection.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about
using rt::testing::in_virtual_time;

// How long a request takes beside one whose handler takes a minute.
Duration beside_a_long_one(std::size_t max_handlers) {
  Duration took{};
  in_virtual_time(
      [&] {
        DoorOptions options;
        options.max_handlers = max_handlers;
        rt::Event began;
        const auto handler = [&](http::ServerExchange& exchange) -> Status {
          if (exchange.request().path() == "/long") {
            began.set();
            if (Status s = rt::sleep(60s); !s.is_ok()) return s;
          }
          return exchange.answer(200, "done");
        };
        House house(options, {}, handler, "inproc:house");
        const auto first = house.dial();
        ASSERT_TRUE(first->write("GET /long HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
        ASSERT_TRUE(began.wait().is_ok());
        const Instant start = rt::now();
        EXPECT_NE(house.ask(add, "done"), "");
        took = rt::now() - start;
        EXPECT_NE(read_until(*first, "done"), "");
      },
      10ms);
  return took;
}

TEST(DoorOptions, no_more_than_max_handlers_run_at_once) {
  EXPECT_GE(beside_a_long_one(1), 50s);
  EXPECT_LT(beside_a_long_one(8), 10s);
}

PARLEY_FIBER_TEST(DoorOptions, max_detect_bytes_is_enough_for_each_beginning_or_refused) {
  DoorOptions options;
  options.detect.max_detect_bytes = 23;  // the preface of HTTP/2 has 24
  House narrow(options);
  const Status told = narrow.end();
  EXPECT_EQ(told.code(), Code::invalid_argument);
  EXPECT_NE(told.message().find("max_detect_bytes"), std::string::npos) << told;
  options.detect.max_detect_bytes = 24;
  House wide(options);
  EXPECT_NE(wide.ask(add, "\r\n\r\n3"), "");
}

// What is said to who begins a request and does not go on, and after how long.
std::pair<std::string, Duration> said_to_a_slow_one(Duration head_timeout) {
  std::pair<std::string, Duration> said;
  in_virtual_time(
      [&] {
        DoorOptions options;
        options.http.head_timeout = head_timeout;
        House house(options, {}, {}, "inproc:house");
        const Instant start = rt::now();
        const std::string answer = house.ask("POST /math/add HTTP/1.1\r\nHost: a\r\n", "\r\n\r\n");
        said = {answer, rt::now() - start};
      },
      10ms);
  return said;
}

TEST(DoorOptions, times_of_http_hold_behind_it) {
  for (const Duration limit : {Duration(2s), Duration(40s)}) {
    const auto [said, took] = said_to_a_slow_one(limit);
    EXPECT_NE(said.find(" 408 "), std::string::npos) << said;
    EXPECT_GE(took, limit);
    EXPECT_LT(took, limit + 2s);
  }
}

PARLEY_FIBER_TEST(DoorOptions, limits_of_http_hold_behind_it) {
  const std::string long_head = "GET /?" + std::string(3000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  DoorOptions options;
  options.http.limits.max_start_line = 1000;
  House strict(options);
  EXPECT_NE(strict.ask(long_head, "\r\n\r\n").find(" 414 "), std::string::npos);
  House usual;
  EXPECT_NE(usual.ask(long_head, "\r\n\r\n").find(" 405 "), std::string::npos) << "a GET";
}

PARLEY_FIBER_TEST(DoorOptions, what_a_door_has_itself_has_no_meaning_in_http) {
  std::atomic<int> asked = 0;
  DoorOptions options;
  options.http.versions = http::Versions::http_1;
  options.http.max_connections = 1;
  options.http.max_handlers = 1;
  options.http.open = [&](std::unique_ptr<net::Stream> stream) {
    ++asked;
    return Result<std::unique_ptr<net::Stream>>(std::move(stream));
  };
  options.http.on_error = [&](const net::Address&, const Status&) { ++asked; };
  House house(options);
  const auto at_rest = house.dial();
  ASSERT_TRUE(at_rest->write(add).is_ok());
  EXPECT_NE(read_until(*at_rest, "\r\n\r\n3"), "");
  EXPECT_NE(house.ask(add, "\r\n\r\n3"), "") << "a second connection";
  http::Http2Connection http2(house.dial(), "http");
  auto exchange = http2.begin(asking(http::Method::get, "/math/add"), http::BodySize::none());
  ASSERT_TRUE(exchange) << exchange.error();
  EXPECT_EQ((*(*exchange)->response())->status, 405);
  EXPECT_NE(house.ask("GET / HTTP/9.9\r\n\r\n"), "");
  EXPECT_EQ(asked, 0);
}

PARLEY_FIBER_TEST(DoorOptions, sub_protocols_of_websockets_are_those_that_were_said) {
  for (const bool takes : {false, true}) {
    DoorOptions options;
    if (!takes) options.websocket.accept.subprotocols = {"parley"};
    House house(options);
    const auto socket = open_websocket(house.dial(), "/parley", "ws-json");
    ASSERT_NE(socket, nullptr);
    EXPECT_EQ(socket->subprotocol(), takes ? "ws-json" : "");
  }
}

PARLEY_FIBER_TEST(DoorOptions, limits_of_websockets_hold_behind_it) {
  for (const std::size_t most : {std::size_t{100}, std::size_t{100'000}}) {
    DoorOptions options;
    options.websocket.accept.socket.limits.max_message = most;
    House house(options);
    const auto socket = open_websocket(house.dial(), "/parley", "ws-json");
    ASSERT_NE(socket, nullptr);
    ASSERT_TRUE(socket->send_text(std::string(1000, ' ') + "{").is_ok());
    EXPECT_FALSE(socket->receive_message()) << "it is no message of erpc either way";
    EXPECT_EQ(socket->close_code() == http::close_code::too_large, most == 100);
  }
}

}  // namespace
}  // namespace parley::door
