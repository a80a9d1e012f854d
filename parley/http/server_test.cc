#include "parley/http/server.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/net/network.h"
#include "parley/net/sim_network.h"
#include "parley/observe/registry.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;

const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

Status greet(ServerExchange& exchange) { return exchange.answer(200, "hello"); }

Status echo(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  return body ? exchange.answer(200, *body) : body.error();
}

class World {
 public:
  explicit World(Handler handler, ServerOptions options = {})
      : server_(*listener_, std::move(handler), std::move(options)) {
    scope_.go("server", [this] { status_ = server_.serve(); });
  }
  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener_->address()));
  }
  Server& server() { return server_; }
  // What comes for these bytes until the server closes, or `until` has come.
  std::string ask(std::string_view bytes, std::string_view until = {}) {
    const auto stream = dial();
    EXPECT_TRUE(stream->write(bytes).is_ok());
    return read(*stream, until);
  }
  static std::string read(net::Stream& stream, std::string_view until = {}) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
      if (!until.empty() && all.find(until) != std::string::npos) return all;
      const auto size = stream.read(buffer);
      if (!size || *size == 0) return all;
      all.append(buffer.data(), *size);
    }
  }
  Status finish() {
    Status status = server_.shutdown();
    scope_.join();
    return status;
  }

 private:
  const std::unique_ptr<net::Listener> listener_ =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server_;
  Status status_;
  rt::Scope scope_{rt::OnExit::cancel};
};

std::size_t count(std::string_view all, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = all.find(part, at)) != all.npos; at += part.size()) ++times;
  return times;
}

bool has(std::string_view all, std::string_view part) { return count(all, part) > 0; }

PARLEY_FIBER_TEST(HttpServer, answers_in_order_on_one_connection_and_closes_when_told) {
  World world(
      [](ServerExchange& exchange) { return exchange.answer(200, exchange.request().target); });
  const std::string all = world.ask(get + "HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n" +
                                    "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 3u) << all;
  EXPECT_EQ(count(all, "\r\nDate: "), 3u);
  EXPECT_TRUE(has(all, "\r\n\r\n/aHTTP/1.1")) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\n/c"));
  EXPECT_EQ(count(all, "Connection: close"), 1u);
  // HTTP/1.0 goes on only where it asks for it.
  EXPECT_TRUE(world.ask("GET / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\n/"));
  EXPECT_EQ(world.server().counts().requests, 4u);
}

PARLEY_FIBER_TEST(HttpServer, bodies_stream_both_ways_in_chunks_with_trailers) {
  World world([](ServerExchange& exchange) -> Status {
    if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
    for (;;) {
      const auto piece = exchange.read();
      if (!piece) return piece.error();
      if (piece->empty()) break;
      if (Status s = exchange.write(*piece); !s.is_ok()) return s;
      if (Status s = exchange.flush(); !s.is_ok()) return s;
    }
    Headers trailers = exchange.trailers();
    return exchange.end(trailers);
  });
  const auto stream = world.dial();
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_TRUE(stream->write(head + "5\r\nhello\r\n").is_ok());
  EXPECT_TRUE(has(World::read(*stream, "hello\r\n"), "\r\n5\r\nhello\r\n"));
  ASSERT_TRUE(stream->write("3\r\nyou\r\n0\r\nX-Sum: 8\r\n\r\n" + get).is_ok());
  const std::string rest = World::read(*stream, "0\r\n\r\n");
  EXPECT_TRUE(rest.starts_with("3\r\nyou\r\n0\r\nX-Sum: 8\r\n\r\nHTTP/1.1 200")) << rest;
}

PARLEY_FIBER_TEST(HttpServer, a_client_that_waits_for_100_gets_it_when_the_handler_reads) {
  World world([](ServerExchange& exchange) -> Status {
    return exchange.request().target == "/read" ? echo(exchange) : exchange.answer(403);
  });
  const auto ask = [](std::string_view target) {
    return "POST " + std::string(target) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  };
  const auto stream = world.dial();
  ASSERT_TRUE(stream->write(ask("/read")).is_ok());
  EXPECT_EQ(World::read(*stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(stream->write("hi").is_ok());
  EXPECT_TRUE(has(World::read(*stream, "hi"), "HTTP/1.1 200"));
  // Unread, it need not come at all: the connection cannot go on.
  const std::string refused = world.ask(ask("/no"));
  EXPECT_TRUE(has(refused, "HTTP/1.1 403")) << refused;
  EXPECT_TRUE(has(refused, "Connection: close"));
}

PARLEY_FIBER_TEST(HttpServer, what_is_refused_ends_the_connection_and_nothing_behind_it_is_served) {
  World world(echo, {.limits = {.max_headers = 3, .max_body_bytes = 100}});
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400"},
      {head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {head + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", "431"},
      {head + "Content-Length: 101\r\n\r\n", "413"},
      {head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "400"},
      {head + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') + "\r\n", "413"},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
  };
  for (const auto& [bytes, status] : cases) {
    const std::string all = world.ask(get + bytes + get);
    EXPECT_EQ(count(all, "HTTP/1.1 "), 2u) << bytes << all;
    EXPECT_TRUE(has(all, "HTTP/1.1 " + status)) << bytes << all;
  }
  EXPECT_EQ(world.server().counts().refused, cases.size());
}

PARLEY_FIBER_TEST(HttpServer, a_handler_that_fails_is_500_and_keeps_its_words_to_itself) {
  std::string told;
  World world(
      [](ServerExchange& exchange) -> Status {
        if (exchange.request().target == "/nothing") return {};
        if (exchange.request().target == "/throw") throw std::runtime_error("secret");
        if (exchange.request().target == "/cut") {
          if (Status s = exchange.begin(BodySize::of(10)); !s.is_ok()) return s;
          if (Status s = exchange.write("abc"); !s.is_ok()) return s;
        }
        return Status(Code::internal, "secret");
      },
      {.on_error = [&](const net::Address&, const Status& why) { told += why.message(); }});
  const std::string all = world.ask(
      "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET /throw HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /fail HTTP/1.1\r\nHost: a\r\n\r\nGET /cut HTTP/1.1\r\nHost: a\r\n\r\n" +
      get);
  EXPECT_EQ(count(all, "HTTP/1.1 500"), 3u) << all;
  EXPECT_EQ(count(all, "HTTP/1.1 "), 4u) << all;
  EXPECT_TRUE(all.ends_with("abc"));
  EXPECT_FALSE(has(all, "secret"));
  EXPECT_TRUE(has(told, "secret"));
}

PARLEY_FIBER_TEST(HttpServer, a_body_left_unread_is_passed_over_up_to_a_limit) {
  const std::string post =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + std::string(20'000, 'x');
  for (const std::uint64_t limit : {100'000, 1'000}) {
    World world(greet, {.drain_bytes = limit});
    const std::string all =
        world.ask(post + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(count(all, "HTTP/1.1 200"), limit > 20'000 ? 2u : 1u) << all;
  }
}

PARLEY_FIBER_TEST(HttpServer, hands_the_connection_over_with_what_came_behind_the_request) {
  World world([](ServerExchange& exchange) -> Status {
    if (exchange.hand_over([](auto) {}).code() != Code::failed_precondition) return {};
    exchange.response().status = 101;
    if (Status s = exchange.response().headers.add("Upgrade", "echo"); !s.is_ok()) return s;
    return exchange.hand_over([](std::unique_ptr<net::Stream> stream) {
      std::array<char, 3> buffer{};
      for (;;) {
        const auto size = stream->read(buffer);
        if (!size || *size == 0) return;
        if (!stream->write({buffer.data(), *size}).is_ok()) return;
      }
    });
  });
  const auto stream = world.dial();
  ASSERT_TRUE(stream
                  ->write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                          "Upgrade: echo\r\n\r\nearly")
                  .is_ok());
  const std::string all = World::read(*stream, "early");
  EXPECT_TRUE(has(all, "HTTP/1.1 101")) << all;
  EXPECT_TRUE(has(all, "Connection: Upgrade")) << all;
  ASSERT_TRUE(stream->write("late").is_ok());
  EXPECT_EQ(World::read(*stream, "late"), "late");
  EXPECT_TRUE(stream->close_write().is_ok());
  EXPECT_TRUE(world.finish().is_ok());
}

PARLEY_FIBER_TEST(HttpServer, what_others_have_read_of_a_connection_comes_first) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const auto service = *Service::make(echo);
  const std::string body(20'000, 'x');
  const std::string early = get + "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
                            "Content-Length: 20003\r\n\r\n" + body;
  net::Server server(*listener, net::Server::MakeServant([&](net::Stream& stream) {
    return make_servant(stream, service, early);
  }));
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("server", [&] { (void)server.serve(); });
  const auto stream = std::move(*net::SocketNetwork().dial(listener->address()));
  ASSERT_TRUE(stream->write("end").is_ok());
  const std::string all = World::read(*stream);
  EXPECT_EQ(count(all, "HTTP/1.1 200"), 2u);
  EXPECT_TRUE(all.ends_with(body + "end"));
}

PARLEY_FIBER_TEST(HttpServer, options_of_a_connection_hold) {
  World one(greet, {.max_requests = 1, .send_date = false, .server_name = "tea"});
  const std::string all = one.ask(get + get);
  EXPECT_EQ(count(all, "HTTP/1.1 200"), 1u) << all;
  EXPECT_TRUE(has(all, "Server: tea\r\n"));
  EXPECT_FALSE(has(all, "Date:"));
  observe::Registry registry;
  World counted(greet, {.registry = &registry});
  const std::string two =
      counted.ask(get + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(has(two, "Server:"));
  (void)counted.finish();
  EXPECT_TRUE(has(registry.open_metrics(), "parley_http_requests_total{class=\"2xx\"} 2"))
      << registry.open_metrics();
}

PARLEY_FIBER_TEST(HttpServer, shutdown_closes_who_rests_and_answers_who_does_not) {
  rt::Event inside;
  rt::Event go_on;
  World world([&](ServerExchange& exchange) -> Status {
    if (exchange.request().target == "/a") return exchange.answer(200);
    inside.set();
    if (Status s = go_on.wait(); !s.is_ok()) return s;
    return exchange.answer(200, "last");
  });
  const auto idle = world.dial();
  ASSERT_TRUE(idle->write(get).is_ok());
  (void)World::read(*idle, "\r\n\r\n");
  auto busy = world.dial();
  ASSERT_TRUE(busy->write("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
  ASSERT_TRUE(inside.wait().is_ok());
  rt::Scope scope;
  Status status(Code::internal, "not yet");
  scope.go("shutdown", [&] { status = world.server().shutdown(); });
  EXPECT_EQ(World::read(*idle), "");
  go_on.set();
  const std::string last = World::read(*busy);
  EXPECT_TRUE(has(last, "Connection: close")) << last;
  EXPECT_TRUE(last.ends_with("last"));
  busy.reset();
  scope.join();
  EXPECT_TRUE(status.is_ok());
}

PARLEY_FIBER_TEST(HttpServer, shutdown_of_what_was_never_served_does_not_wait) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  Server server(*listener, greet);
  EXPECT_TRUE(server.shutdown().is_ok());
  EXPECT_TRUE(server.serve().is_ok()) << "and who serves it later serves nobody";
}

PARLEY_FIBER_TEST(HttpServer, shutdown_cuts_at_its_deadline) {
  rt::Event inside;
  World world([&](ServerExchange&) -> Status {
    inside.set();
    return rt::sleep(1h);
  });
  const auto busy = world.dial();
  ASSERT_TRUE(busy->write(get).is_ok());
  ASSERT_TRUE(inside.wait().is_ok());
  EXPECT_EQ(world.server().shutdown(rt::Deadline::after(10ms)).code(), Code::deadline_exceeded);
  EXPECT_EQ(world.server().counts().connections, 0u);
  EXPECT_NE(World::read(*busy).find("HTTP/1.1 503"), std::string::npos)
      << "not the handler's fault";
}

// A server beside slow clients, in time that passes by itself.
std::string slowly(const ServerOptions& options, std::string_view bytes, Handler handler = echo) {
  std::string all;
  in_virtual_time(
      [&] {
        World world(std::move(handler), options);
        all = world.ask(bytes);
      },
      10ms);
  return all;
}

TEST(HttpServerTime, a_head_that_does_not_end_is_408_and_a_silent_connection_just_closes) {
  EXPECT_TRUE(has(slowly({}, "GET / HT"), "HTTP/1.1 408"));
  EXPECT_EQ(slowly({}, ""), "");
  EXPECT_EQ(count(slowly({}, get), "HTTP/1.1 "), 1u);
}

// How long the server lets it be.
Duration closed_after(const ServerOptions& options, std::string_view bytes) {
  Duration took{};
  in_virtual_time(
      [&] {
        World world(greet, options);
        const Instant began = rt::now();
        (void)world.ask(bytes);
        took = rt::now() - began;
      },
      10ms);
  return took;
}

TEST(HttpServerTime, its_timeouts_are_as_long_as_the_options_say) {
  for (const Duration limit : {2s, 20s}) {
    const Duration silent = closed_after({.keep_alive_timeout = limit}, get);
    EXPECT_GE(silent, limit);
    EXPECT_LT(silent, limit + 5s);
    const Duration slow = closed_after({.head_timeout = limit}, "GET");
    EXPECT_GE(slow, limit);
    EXPECT_LT(slow, limit + 5s);
  }
}

TEST(HttpServerTime, a_body_of_which_nothing_comes_is_408_and_so_is_one_too_slow) {
  const std::string part = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
  EXPECT_TRUE(has(slowly({}, part), "HTTP/1.1 408"));
  const auto until_given_up = [&](const ServerOptions& options) {
    Duration took{};
    (void)slowly(options, part, [&](ServerExchange& exchange) {
      const Instant began = rt::now();
      const auto body = exchange.read_all();
      took = rt::now() - began;
      return body.error();
    });
    return took;
  };
  EXPECT_GE(until_given_up({.min_body_rate = 0}), 30s);
  EXPECT_GE(until_given_up({.body_timeout = 2s}), 2s);
  EXPECT_LT(until_given_up({.body_timeout = 2s}), 9s);
  const Duration by_rate = until_given_up({.min_body_rate = 1, .body_grace = 5s});
  EXPECT_GE(by_rate, 5s);
  EXPECT_LT(by_rate, 25s);
}

TEST(HttpServerTime, four_hundred_slow_heads_cost_no_fiber_while_others_are_served) {
  in_virtual_time(
      [] {
        constexpr std::size_t slow_ones = 400;
        World world(greet);
        std::vector<std::unique_ptr<net::Stream>> slow;
        for (std::size_t i = 0; i < slow_ones; ++i) {
          slow.push_back(world.dial());
          ASSERT_TRUE(slow.back()->write("GET / HTTP/1.1\r\nHo").is_ok());
        }
        EXPECT_TRUE(has(world.ask(get, "hello"), "200"));
        EXPECT_LE(world.server().counts().handlers, 2u);
        for (const auto& each : slow) EXPECT_TRUE(has(World::read(*each), "HTTP/1.1 408"));
        EXPECT_EQ(world.server().counts().timeouts, slow_ones);
      },
      1ms);
}

TEST(HttpServer, a_small_request_allocates_nothing_after_the_first_of_its_connection) {
  rt::testing::run_fiber_test(
      [] {
        World world(greet);
        const auto stream = world.dial();
        std::array<char, 1024> buffer{};
        const auto ask = [&] {
          if (!stream->write(get).is_ok()) return false;
          const auto size = stream->read(buffer);
          return size && has({buffer.data(), *size}, "hello");
        };
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(ask());
        const auto before = parley::testing::allocations();
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(ask());
        EXPECT_LE(parley::testing::allocations().count - before.count, 5u);
      },
      rt::testing::without_reports());
}

}  // namespace
}  // namespace parley::http
