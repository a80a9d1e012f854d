// How handlers end that answer nothing, or in a way that cannot be, over each version of HTTP.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/http2_connection.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::read_until;
using testing::ServerWorld;

struct Told {
  ServerOptions options() {
    return {.on_error = [this](const net::Address&, const Status& why) { all += why.to_string(); }};
  }
  std::string all{};
};

Result<std::unique_ptr<ClientExchange>> begin_by_http2(Http2Connection& connection, Method method,
                                                       std::string_view target) {
  Request request{.method = method, .target = std::string(target)};
  EXPECT_TRUE(request.headers.add("Host", "a:80").is_ok());
  return connection.begin(request, BodySize::none());
}

// "200 text"
std::string seen_by(ClientExchange& exchange) {
  const auto response = exchange.response();
  if (!response) return response.error().to_string();
  return std::to_string((*response)->status) + " " + exchange.read_all().value_or("(cut)");
}

PARLEY_FIBER_TEST(HandlerEnds, an_answer_2xx_to_connect_is_refused_as_it_would_open_a_tunnel) {
  StatusCode with = 0;
  Told told;
  ServerWorld world(
      [&](ServerExchange& exchange) -> Status {
        const Status status = exchange.answer(with, "ok");
        EXPECT_EQ(status.code(), with == 403 ? Code::ok : Code::invalid_argument) << status;
        return status;
      },
      told.options());
  for (const StatusCode status : {StatusCode{200}, StatusCode{204}, StatusCode{403}}) {
    with = status;
    told.all.clear();
    const std::string seen = status == 403 ? "403 ok" : "500 Internal Server Error\n";
    const std::string said = world.ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
    EXPECT_TRUE(said.starts_with("HTTP/1.1 " + seen.substr(0, 4))) << said;
    EXPECT_EQ(said.substr(said.find("\r\n\r\n") + 4), seen.substr(4));
    Http2Connection connection(world.dial(), "http");
    const auto exchange = begin_by_http2(connection, Method::connect, "a:80");
    ASSERT_TRUE(exchange) << exchange.error();
    EXPECT_EQ(seen_by(**exchange), seen);
    EXPECT_EQ(testing::count(told.all, "9.3.6"), status == 403 ? 0U : 2U) << told.all;
  }
}

PARLEY_FIBER_TEST(HandlerEnds, who_answers_nothing_is_told_to_on_error) {
  Told told;
  ServerWorld world([](ServerExchange&) { return Status(); }, told.options());
  EXPECT_TRUE(world.ask(testing::get_of("/tea")).starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(testing::count(told.all, "GET /tea"), 1U) << told.all;
  Http2Connection connection(world.dial(), "http");
  const auto exchange = begin_by_http2(connection, Method::post, "/tea");
  ASSERT_TRUE(exchange) << exchange.error();
  EXPECT_EQ(seen_by(**exchange), "500 Internal Server Error\n");
  EXPECT_EQ(testing::count(told.all, "POST /tea"), 1U) << told.all;
  EXPECT_EQ(world.server().counts().errors, 2U);
}

PARLEY_FIBER_TEST(HandlerEnds, who_is_cut_by_a_shutdown_answers_503_and_shutdown_says_how_many) {
  rt::Event inside;
  ServerWorld world([&](ServerExchange&) -> Status {
    inside.set();
    return rt::sleep(1h);
  });
  const auto client = world.dial();
  ASSERT_TRUE(client->write(testing::get_of("/")).is_ok());
  ASSERT_TRUE(inside.wait().is_ok());
  const Status cut = world.server().shutdown(rt::Deadline::after(0s));
  EXPECT_EQ(cut.code(), Code::deadline_exceeded);
  EXPECT_NE(cut.message().find("1 connections had not ended and were cut"), std::string::npos)
      << cut;
  const std::string said = read_until(*client);
  EXPECT_TRUE(said.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << said;
  EXPECT_EQ(testing::count(said, "Connection: close\r\n"), 1U) << said;
}

PARLEY_FIBER_TEST(HandlerEnds, serve_says_that_a_shutdown_cut_what_was_left) {
  for (const bool is_cut : {true, false}) {
    net::InProcessNetwork network;
    const auto address = *net::Address::parse("inproc:shop");
    const auto listener = std::move(*network.listen(address));
    rt::Event inside;
    rt::Event goes_on;
    const Handler handler = [&](ServerExchange& exchange) -> Status {
      inside.set();
      if (Status s = goes_on.wait(); !s.is_ok()) return s;
      return exchange.answer(200);
    };
    Server server(*listener, handler, {.linger_time = 0s});
    Status served;
    rt::Scope scope;
    scope.go("server", [&] { served = server.serve(); });
    const auto client = std::move(*network.dial(address));
    ASSERT_TRUE(client->write(testing::get_of("/")).is_ok());
    ASSERT_TRUE(inside.wait().is_ok());
    if (!is_cut) goes_on.set();
    const rt::Deadline limit = is_cut ? rt::Deadline::after(0s) : rt::Deadline();
    EXPECT_EQ(server.shutdown(limit).is_ok(), !is_cut);
    scope.join();
    EXPECT_EQ(served.code(), is_cut ? Code::cancelled : Code::ok) << served;
    EXPECT_EQ(served.message().find("shutdown() cut") != std::string::npos, is_cut) << served;
  }
}

PARLEY_FIBER_TEST(HandlerEnds, an_error_of_its_own_is_500_also_at_a_shutdown) {
  rt::Event inside;
  ServerWorld world([&](ServerExchange&) -> Status {
    inside.set();
    (void)rt::sleep(1h);
    return {Code::internal, "of its own"};
  });
  const auto client = world.dial();
  ASSERT_TRUE(client->write(testing::get_of("/")).is_ok());
  ASSERT_TRUE(inside.wait().is_ok());
  EXPECT_FALSE(world.server().shutdown(rt::Deadline::after(0s)).is_ok());
  EXPECT_TRUE(read_until(*client).starts_with("HTTP/1.1 500 "));
}

}  // namespace
}  // namespace parley::http
