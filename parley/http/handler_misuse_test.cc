// What handlers do wrong, and clients that leave: no answer may be taken for another one, and the
// next connection is served.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/server.h"
#include "parley/net/network.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

class World {
 public:
  explicit World(Handler handler, ServerOptions options = {})
      : server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { (void)server_.serve(); });
  }
  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener_->address()));
  }
  // All that comes for these bytes until the server closes.
  std::string ask(std::string_view bytes) {
    const auto stream = dial();
    EXPECT_TRUE(stream->write(bytes).is_ok());
    (void)stream->close_write();
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto size = stream->read(buffer);
      if (!size || *size == 0) return all;
      all.append(buffer.data(), *size);
    }
  }

 private:
  const std::unique_ptr<net::Listener> listener_ =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server_;
  rt::Scope scope_{rt::OnExit::cancel};
};

std::size_t count(std::string_view all, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = all.find(part, at)) != all.npos; at += part.size()) ++times;
  return times;
}

const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::string get(std::string_view target, std::string_view more = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(more) + "\r\n";
}

Status answer_next(ServerExchange& exchange) { return exchange.answer(200, "next one"); }

PARLEY_FIBER_TEST(HandlerMisuse, a_response_1xx_as_an_answer_leaves_no_byte) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/next") return answer_next(exchange);
    const int status = std::stoi(exchange.request().target.substr(1));
    const Status refused = exchange.answer(static_cast<StatusCode>(status));
    EXPECT_EQ(refused.code(), Code::invalid_argument);
    return refused;
  });
  for (const auto* target : {"/101", "/100", "/103"}) {
    const std::string said =
        world.ask(get(target, "Connection: Upgrade\r\nUpgrade: tea\r\n") + next);
    EXPECT_TRUE(said.starts_with("HTTP/1.1 500 ")) << said;
    EXPECT_EQ(count(said, "HTTP/1.1 "), 2U) << said;
    EXPECT_TRUE(said.ends_with("next one")) << said;
  }
}

PARLEY_FIBER_TEST(HandlerMisuse, a_body_of_another_size_than_told_is_cut_and_nothing_follows) {
  World world([](ServerExchange& exchange) -> Status {
    const std::string target = exchange.request().target;
    if (target == "/next") return answer_next(exchange);
    if (Status s = exchange.begin(target == "/chunks" ? BodySize::unknown() : BodySize::of(5));
        !s.is_ok()) {
      return s;
    }
    if (target == "/long") (void)exchange.write("abcdef");
    (void)exchange.write("abc");
    if (target == "/throw") throw std::runtime_error("secret");
    if (target == "/end") (void)exchange.end();
    return target == "/chunks" ? Status(Code::internal, "secret") : Status();
  });
  for (const auto* target : {"/short", "/long", "/throw", "/end", "/chunks"}) {
    const std::string said = world.ask(get(target) + next);
    EXPECT_EQ(count(said, "HTTP/1.1 "), 1U) << target << said;
    EXPECT_EQ(count(said, "0\r\n\r\n"), 0U) << target << said;
    EXPECT_EQ(count(said, "abc"), 1U) << target << said;
  }
}

PARLEY_FIBER_TEST(HandlerMisuse, calls_in_the_wrong_order_are_refused_and_the_answer_is_whole) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/next") return answer_next(exchange);
    EXPECT_EQ(exchange.write("x").code(), Code::failed_precondition);
    EXPECT_EQ(exchange.end().code(), Code::failed_precondition);
    EXPECT_EQ(exchange.hand_over([](auto) {}).code(), Code::failed_precondition);
    EXPECT_TRUE(exchange.flush().is_ok());
    EXPECT_EQ(exchange.inform({.status = 200}).code(), Code::invalid_argument);
    EXPECT_EQ(exchange.inform({.status = 101}).code(), Code::invalid_argument);
    EXPECT_TRUE(exchange.begin(BodySize::of(4)).is_ok());
    EXPECT_EQ(exchange.begin(BodySize::none()).code(), Code::failed_precondition);
    EXPECT_EQ(exchange.inform({.status = 103}).code(), Code::failed_precondition);
    EXPECT_TRUE(exchange.write("fine").is_ok());
    EXPECT_TRUE(exchange.end().is_ok());
    EXPECT_EQ(exchange.write("x").code(), Code::failed_precondition);
    EXPECT_EQ(exchange.hand_over([](auto) {}).code(), Code::failed_precondition);
    return exchange.end();
  });
  const std::string said = world.ask(get("/a") + next);
  EXPECT_EQ(count(said, "HTTP/1.1 200 OK"), 2U) << said;
  EXPECT_EQ(count(said, "\r\n\r\nfineHTTP/1.1"), 1U) << said;
}

PARLEY_FIBER_TEST(HandlerMisuse, head_with_a_body_sends_none_of_it) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/next") return answer_next(exchange);
    const bool is_told = exchange.request().target == "/told";
    if (Status s = exchange.begin(is_told ? BodySize::of(40'000) : BodySize::unknown());
        !s.is_ok()) {
      return s;
    }
    for (const std::size_t size : {3U, 39'997U}) {
      if (Status s = exchange.write(std::string(size, '#')); !s.is_ok()) return s;
    }
    return {};
  });
  for (const auto* target : {"/told", "/untold"}) {
    const std::string said =
        world.ask("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n" + next);
    EXPECT_EQ(count(said, "#"), 0U);
    EXPECT_EQ(count(said, "HTTP/1.1 200 OK"), 2U) << said;
  }
}

PARLEY_FIBER_TEST(HandlerMisuse, an_answer_before_the_body_is_read_lets_no_body_be_a_request) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/next") return answer_next(exchange);
    return exchange.answer(exchange.request().target == "/throw" ? 400 : 403);
  });
  const std::string smuggled = get("/next");
  for (const std::string& framing :
       {"Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled,
        "Transfer-Encoding: chunked\r\n\r\n23\r\n" + smuggled + "\r\n0\r\n\r\n"}) {
    const std::string said = world.ask("POST /a HTTP/1.1\r\nHost: a\r\n" + framing);
    EXPECT_EQ(count(said, "HTTP/1.1 "), 1U) << said;
    EXPECT_EQ(count(said, "next one"), 0U) << said;
  }
}

PARLEY_FIBER_TEST(HandlerMisuse, who_hands_over_and_fails_keeps_the_stream_from_then) {
  bool called = false;
  World world([&](ServerExchange& exchange) -> Status {
    exchange.response().status = 101;
    (void)exchange.response().headers.set("Upgrade", "tea");
    EXPECT_EQ(exchange.hand_over(nullptr).code(), Code::failed_precondition);
    EXPECT_TRUE(exchange.hand_over([&](auto) { called = true; }).is_ok());
    EXPECT_EQ(exchange.hand_over([&](auto) { called = true; }).code(), Code::failed_precondition);
    throw std::runtime_error("secret");
  });
  const std::string said = world.ask(get("/a", "Connection: Upgrade\r\nUpgrade: tea\r\n") + next);
  EXPECT_EQ(count(said, "next one"), 0U);
  EXPECT_FALSE(called);
}

PARLEY_FIBER_TEST(HandlerMisuse, a_handler_that_writes_on_after_its_client_left_is_told) {
  rt::Event told;
  World world([&](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/next") return answer_next(exchange);
    Status status = exchange.begin(BodySize::unknown());
    while (status.is_ok()) status = exchange.write(std::string(20'000, 'x'));
    EXPECT_EQ(exchange.write("more").code(), Code::unavailable);
    EXPECT_EQ(exchange.flush().code(), Code::unavailable);
    told.set();
    return {};
  });
  {
    const auto stream = world.dial();
    ASSERT_TRUE(stream->write(get("/a")).is_ok());
    std::array<char, 100> some{};
    ASSERT_TRUE(stream->read(some));
  }
  ASSERT_TRUE(told.wait().is_ok());
  EXPECT_EQ(count(world.ask(next), "next one"), 1U);
}

// Requests one after the other until the server ends the connection; how many were answered.
int ask_on_and_on(net::Stream& stream, rt::Event& first) {
  for (int answered = 0;; ++answered) {
    if (!stream.write(next).is_ok()) return answered;
    std::string got;
    std::array<char, 512> buffer{};
    while (!got.ends_with("next one")) {
      const auto read = stream.read(buffer);
      if (!read || *read == 0) {
        EXPECT_EQ(got, "") << "an answer was cut";
        return answered;
      }
      got.append(buffer.data(), *read);
    }
    EXPECT_EQ(count(got, "HTTP/1.1 200 OK"), 1U) << got;
    first.set();
    if (count(got, "Connection: close") > 0) return answered + 1;
  }
}

TEST(HandlerMisuse, no_answer_is_cut_by_a_shutdown_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        for (int round = 0; round < 10; ++round) {
          const auto listener =
              std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
          Server server(*listener, answer_next);
          rt::Scope scope;
          scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
          std::array<rt::Event, 8> first;
          for (rt::Event& each : first) {
            scope.go("client", [&] {
              const auto stream = std::move(*net::SocketNetwork().dial(listener->address()));
              EXPECT_GT(ask_on_and_on(*stream, each), 0);
            });
          }
          for (rt::Event& each : first) ASSERT_TRUE(each.wait().is_ok());
          EXPECT_TRUE(server.shutdown().is_ok());
          scope.join();
        }
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http
