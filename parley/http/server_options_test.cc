// Options of a server of HTTP/1, each by two of its values. Others: server_test.cc (timeouts of
// heads, bodies and rest, rates, drain_bytes, max_requests), versions_test.cc (HTTP/2).
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using testing::count;
using testing::get_of;
using testing::read_until;
using testing::ServerWorld;

constexpr Duration step = 20ms;

Status greet(ServerExchange& exchange) { return exchange.answer(200, "hello"); }

Status echo(ServerExchange& exchange) {
  const auto body = exchange.read_all();
  return body ? exchange.answer(200, *body) : body.error();
}

void wait_while(const std::function<bool()>& condition) {
  while (condition() && rt::sleep(step).is_ok()) {}
}

TEST(ServerOptions, write_timeout_is_how_long_a_client_may_take_nothing) {
  for (const Duration limit : {Duration(2s), Duration(9s)}) {
    Status status;
    Duration took{};
    in_virtual_time(
        [&] {
          ServerWorld world(
              [&](ServerExchange& exchange) {
                const Instant began = rt::now();
                status = exchange.answer(200, std::string(50'000, 'x'));
                took = rt::now() - began;
                return status;
              },
              {.write_timeout = limit}, {.buffer_bytes = 1000});
          const auto stream = world.dial();
          ASSERT_TRUE(stream->write(get_of("/")).is_ok());
          // Each byte that it takes gives it more time.
          ASSERT_TRUE(rt::sleep(limit - 500ms).is_ok());
          std::array<char, 1000> some{};
          ASSERT_TRUE(stream->read(some));
          wait_while([&] { return took == Duration(); });
          wait_while([&] { return world.server().counts().connections > 0; });
        },
        step);
    EXPECT_EQ(status.code(), Code::deadline_exceeded);
    EXPECT_GE(took, 2 * limit - 600ms);
    EXPECT_LT(took, 2 * limit + 1s);
  }
}

// How long a connection stays whose client goes on after a refusal, with `more` bytes at once.
Duration lingers(const ServerOptions& options, std::size_t more) {
  Duration took{};
  in_virtual_time(
      [&] {
        ServerWorld world(greet, options);
        const auto stream = world.dial();
        ASSERT_TRUE(stream->write("G(T / HTTP/1.1\r\n\r\n").is_ok());
        EXPECT_EQ(count(read_until(*stream), "HTTP/1.1 400"), 1U);
        const Instant began = rt::now();
        (void)stream->write(std::string(more, 'x'));
        wait_while([&] { return world.server().counts().connections > 0; });
        took = rt::now() - began;
      },
      step);
  return took;
}

TEST(ServerOptions, linger_time_and_linger_bytes_are_what_comes_behind_a_refusal) {
  EXPECT_LT(lingers({.linger_time = 0s}, 0), 500ms);
  for (const Duration limit : {Duration(1s), Duration(7s)}) {
    const Duration took = lingers({.linger_time = limit}, 10);
    EXPECT_GE(took, limit - 100ms);
    EXPECT_LT(took, limit + 1s);
  }
  EXPECT_LT(lingers({.linger_time = 7s, .linger_bytes = 1000}, 5000), 500ms);
  EXPECT_GE(lingers({.linger_time = 7s, .linger_bytes = 100'000}, 5000), 6900ms);
}

TEST(ServerOptions, out_buffer_bytes_are_gathered_before_they_leave) {
  for (const std::size_t limit : {std::size_t{300}, std::size_t{64} * 1024}) {
    in_virtual_time(
        [&] {
          ServerWorld world(
              [](ServerExchange& exchange) -> Status {
                if (Status s = exchange.begin(BodySize::of(1000)); !s.is_ok()) return s;
                for (int i = 0; i < 10; ++i) {
                  if (Status s = exchange.write(std::string(100, 'x')); !s.is_ok()) return s;
                }
                return rt::sleep(10s);
              },
              {.out_buffer_bytes = limit});
          const auto stream = world.dial();
          ASSERT_TRUE(stream->write(get_of("/")).is_ok());
          std::array<char, 4096> buffer{};
          const auto early = stream->read(buffer, rt::Deadline::after(5s));
          EXPECT_EQ(early.has_value(), limit == 300);
          std::string all(buffer.data(), early.value_or(0));
          ASSERT_TRUE(stream->close_write().is_ok());
          all += read_until(*stream);
          EXPECT_TRUE(all.ends_with("\r\n\r\n" + std::string(1000, 'x'))) << all;
        },
        step);
  }
}

// How long the second of two clients waits for its answer while the first one rests for 6 seconds.
Duration second_answered(const ServerOptions& options, bool first_is_in_a_handler) {
  Duration took{};
  in_virtual_time(
      [&] {
        ServerWorld world(
            [](ServerExchange& exchange) {
              if (exchange.request().target == "/slow") (void)rt::sleep(6s);
              return greet(exchange);
            },
            options);
        rt::Scope scope;
        scope.go("first", [&] {
          const auto stream = world.dial();
          if (first_is_in_a_handler) {
            EXPECT_TRUE(stream->write(get_of("/slow")).is_ok());
            (void)read_until(*stream, "hello");
          } else {
            (void)rt::sleep(6s);
          }
        });
        ASSERT_TRUE(rt::sleep(100ms).is_ok());
        const Instant began = rt::now();
        const auto stream = world.dial();
        ASSERT_TRUE(stream->write(get_of("/")).is_ok());
        EXPECT_EQ(count(read_until(*stream, "hello"), "HTTP/1.1 200"), 1U);
        took = rt::now() - began;
        scope.join();
      },
      step);
  return took;
}

TEST(ServerOptions, max_connections_and_max_handlers_make_others_wait) {
  EXPECT_GE(second_answered({.max_connections = 1}, false), 5s);
  EXPECT_LT(second_answered({.max_connections = 2}, false), 1s);
  EXPECT_GE(second_answered({.max_handlers = 1}, true), 5s);
  EXPECT_LT(second_answered({.max_handlers = 2}, true), 1s);
  EXPECT_LT(second_answered({.max_handlers = 1}, false), 1s) << "who rests is in no handler";
}

// What the next request of a connection allocates that was at rest for `rest`.
std::size_t allocated_after(Duration rest, Duration let_go_after) {
  std::size_t allocated = 0;
  in_virtual_time(
      [&] {
        ServerWorld world(greet, {.let_go_after = let_go_after});
        const auto stream = world.dial();
        std::array<char, 1024> buffer{};
        const auto ask = [&] {
          const std::size_t before = parley::testing::allocations().count;
          ASSERT_TRUE(stream->write("GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok());
          ASSERT_TRUE(stream->read(buffer));
          allocated = parley::testing::allocations().count - before;
        };
        for (int i = 0; i < 10; ++i) ask();
        ASSERT_TRUE(rt::sleep(rest).is_ok());
        ask();
      },
      step);
  return allocated;
}

TEST(ServerOptions, let_go_after_is_when_a_connection_at_rest_gives_its_memory_back) {
  const std::size_t kept = allocated_after(3s, 20s);
  EXPECT_GT(allocated_after(3s, 1s), kept);
  EXPECT_GT(allocated_after(30s, 20s), kept);
}

// An answer's status, by a limit that is met or not.
struct Limited {
  std::string_view name;
  void (*set)(Http1Limits& limits, std::size_t to);
  std::size_t fits;
  std::string bytes;
  std::string_view refusal;
};

PARLEY_FIBER_TEST(ServerOptions, limits_of_heads_and_bodies_are_those_of_its_parsers) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<Limited> limited = {
      {"a method", [](Http1Limits& l, std::size_t to) { l.max_method = to; }, 4,
       "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
      {"a first line", [](Http1Limits& l, std::size_t to) { l.max_start_line = to; }, 8,
       "GET /123 HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
      {"headers", [](Http1Limits& l, std::size_t to) { l.max_headers = to; }, 2,
       "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", "431"},
      {"their bytes", [](Http1Limits& l, std::size_t to) { l.max_header_bytes = to; }, 13,
       "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", "431"},
      {"a body", [](Http1Limits& l, std::size_t to) { l.max_body_bytes = to; }, 5,
       post + "Content-Length: 5\r\n\r\nhello", "413"},
      {"a body in chunks", [](Http1Limits& l, std::size_t to) { l.max_body_bytes = to; }, 5,
       post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "413"},
      {"trailers", [](Http1Limits& l, std::size_t to) { l.max_trailers = to; }, 1,
       post + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", "431"},
  };
  for (const Limited& what : limited) {
    for (const bool fits : {true, false}) {
      ServerOptions options;
      what.set(options.limits, fits ? what.fits : what.fits - 1);
      ServerWorld world(echo, options);
      const std::string said = world.ask(what.bytes);
      const bool is_served = said.starts_with("HTTP/1.1 200");
      const bool is_refused = said.starts_with("HTTP/1.1 " + std::string(what.refusal));
      EXPECT_EQ(is_served, fits) << what.name << ": " << said;
      EXPECT_EQ(is_refused, !fits) << what.name << ": " << said;
      EXPECT_EQ(world.server().counts().refused, fits ? 0U : 1U) << what.name;
    }
  }
}

PARLEY_FIBER_TEST(ServerOptions, clock_is_where_the_date_is_from) {
  ManualClock later;
  later.advance(48h);
  const ManualClock early;
  for (const Clock* clock :
       {static_cast<const Clock*>(&early), static_cast<const Clock*>(&later)}) {
    ServerWorld world(greet, {.clock = clock});
    const std::string said = world.ask(get_of("/"));
    const std::string_view day = clock == &early ? "Thu, 01 Jan 1970" : "Sat, 03 Jan 1970";
    EXPECT_EQ(count(said, day), 1U) << said;
  }
}

}  // namespace
}  // namespace parley::http
