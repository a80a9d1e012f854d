// What time does to HTTP/2: streams that their client stalls, clients that are gone, connections
// that are to end, and times that never come.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/http2_connection.h"
#include "parley/http/testing/http2_by_hand.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about
using namespace std::chrono_literals;

void in_virtual_time(const std::function<void()>& body, Duration step = 50ms) {
  rt::testing::in_virtual_time(body, step);
}

// SETTINGS with this INITIAL_WINDOW_SIZE.
std::string windows_of(std::uint32_t bytes) {
  return frame(settings_frame, 0, 0, number(4, 2) + number(bytes));
}

Status write_all(ServerExchange& exchange, std::size_t bytes) {
  if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
  return exchange.write(std::string(bytes, 'x'));
}

// How long write() waits for a client that says this and then takes nothing.
Duration stalled_for(Duration limit, const std::string& says, Code code) {
  Duration took{};
  in_virtual_time([&] {
    rt::Event over;
    ServerWorld world(
        [&](ServerExchange& exchange) -> Status {
          const Instant began = rt::now();
          const Status status = write_all(exchange, 300'000);
          EXPECT_EQ(status.code(), code) << status;
          took = rt::now() - began;
          EXPECT_EQ(rt::Context::current().is_done(), !status.is_ok());
          over.set();
          return status;
        },
        {.write_timeout = limit});
    ByHand client(world.dial(), 1h);
    client.send(says + head(1, get_fields()));
    ASSERT_TRUE(over.wait(rt::Deadline::after(300s)).is_ok());
    ASSERT_TRUE(client.wait_for(reset_frame, 1));
    EXPECT_EQ(number_in(client.last().payload, 0), 8U) << "CANCEL";
    // The others of the connection have lost nothing.
    client.send(frame(ping_frame, 0, 0, "12345678"));
    EXPECT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
  });
  return took;
}

TEST(Http2Stalls, a_stream_whose_window_stays_closed_ends_after_write_timeout) {
  for (const Duration limit : {5s, 50s}) {
    const Duration took = stalled_for(limit, windows_of(0), Code::deadline_exceeded);
    EXPECT_GE(took, limit - 1s);
    EXPECT_LT(took, limit + 2s);
  }
}

TEST(Http2Stalls, a_stream_ends_as_well_when_it_is_the_window_of_the_connection) {
  for (const Duration limit : {5s, 50s}) {
    const Duration took = stalled_for(limit, windows_of(0x7fffffff), Code::deadline_exceeded);
    EXPECT_GE(took, limit - 1s);
    EXPECT_LT(took, limit + 2s);
  }
}

TEST(Http2Stalls, many_streams_that_are_stalled_end_together_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        constexpr int streams = 50;
        std::atomic<int> ended = 0;
        ServerWorld world(
            [&](ServerExchange& exchange) -> Status {
              const Status status = write_all(exchange, 300'000);
              EXPECT_EQ(status.code(), Code::deadline_exceeded) << status;
              ++ended;
              return status;
            },
            {.write_timeout = 50ms});
        ByHand client(world.dial());
        std::string all = windows_of(0);
        for (std::uint32_t n = 0; n < streams; ++n) all += head(2 * n + 1, get_fields());
        client.send(all);
        const auto resets = [&] {
          return std::ranges::count_if(client.frames,
                                       [](const Frame& one) { return one.type == reset_frame; });
        };
        while (resets() < streams) ASSERT_TRUE(client.read());
        client.send(frame(ping_frame, 0, 0, "12345678"));
        EXPECT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
        while (ended < streams) rt::yield();
      },
      {.workers = 4});
}

TEST(Http2Stalls, what_a_handler_that_returned_has_left_ends_too) {
  in_virtual_time([] {
    ServerWorld world(
        [](ServerExchange& exchange) {
          if (exchange.request().path() == "/tea") return exchange.answer(200, "ten bytes.");
          if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
          return exchange.flush();  // and an end that needs a window as well
        },
        {.write_timeout = 5s});
    ByHand client(world.dial(), 1h);
    Fields other = get_fields();
    other[2].second = "/empty";
    client.send(windows_of(0) + head(1, get_fields()) + head(3, other));
    ASSERT_TRUE(client.wait_for(headers_frame, 1));
    ASSERT_TRUE(client.wait_for(reset_frame, 1));
    rt::Event done;
    rt::Scope scope;
    scope.go("shutdown", [&] {
      EXPECT_TRUE(world.server().shutdown(rt::Deadline::after(60s)).is_ok())
          << "no stream is left that would keep it";
      done.set();
    });
    while (client.read()) continue;
    ASSERT_TRUE(done.wait().is_ok());
  });
}

TEST(Http2Stalls, a_client_that_takes_a_little_now_and_then_keeps_its_stream) {
  in_virtual_time([] {
    rt::Event over;
    Instant ended{};
    ServerWorld world(
        [&](ServerExchange& exchange) -> Status {
          Status status = write_all(exchange, 300'000);
          ended = rt::now();
          over.set();
          return status;
        },
        {.write_timeout = 5s, .ping_after = 0s});
    ByHand client(world.dial(), 1h);
    client.send(windows_of(0) + head(1, get_fields()));
    Instant last{};
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(rt::sleep(3s).is_ok());
      client.send(frame(window_frame, 0, 1, number(1)));
      last = rt::now();
    }
    EXPECT_FALSE(over.is_set());
    ASSERT_TRUE(over.wait(rt::Deadline::after(300s)).is_ok());
    EXPECT_GE(ended - last, 4s);
    EXPECT_LT(ended - last, 7s);
  });
}

TEST(Http2Stalls, streams_that_wait_for_their_turn_on_a_slow_way_are_not_stalled) {
  in_virtual_time([] {
    std::atomic<int> failed = 0;
    ServerWorld world(
        [&](ServerExchange& exchange) -> Status {
          Status status = write_all(exchange, 150'000);
          if (!status.is_ok()) ++failed;
          return status;
        },
        {.http2 = {.limits = {.max_write = 16'384}}, .write_timeout = 5s, .ping_after = 0s});
    ByHand client(world.dial(), 1h);
    std::string all = windows_of(0x7fffffffU) + frame(window_frame, 0, 0, number(0x7fff0000U));
    for (std::uint32_t id = 1; id < 17; id += 2) all += head(id, get_fields());
    client.send(all);
    // 16 KiB in 2 s, and 8 streams: each has its turn after 16 s.
    const auto ends = [&] {
      return std::ranges::count_if(client.frames, [](const Frame& one) {
        return one.type == data_frame && (one.flags & ends_stream) != 0;
      });
    };
    const Instant began = rt::now();
    while (ends() < 8) {
      ASSERT_TRUE(rt::sleep(2s).is_ok());
      ASSERT_TRUE(client.read());
    }
    EXPECT_EQ(failed, 0);
    EXPECT_GT(rt::now() - began, 60s) << "it was a slow way";
  });
}

TEST(Http2Stalls, a_stream_that_was_handed_over_has_the_time_of_its_owner) {
  in_virtual_time([] {
    rt::Event over;
    ServerWorld world(
        [&](ServerExchange& exchange) {
          return exchange.hand_over([&](const std::unique_ptr<net::Stream>& stream) {
            EXPECT_TRUE(stream->write(std::string(100'000, 'x')).is_ok());
            (void)stream->close_write();
            over.set();
          });
        },
        {.write_timeout = 5s, .ping_after = 0s});
    ByHand client(world.dial(), 1h);
    client.send(windows_of(0) + head(1, {{":method", "CONNECT"}, {":authority", "a:1"}}, 0));
    ASSERT_TRUE(client.wait_for(headers_frame, 1));
    EXPECT_FALSE(over.wait(rt::Deadline::after(60s)).is_ok());
    client.send(frame(window_frame, 0, 1, number(1'000'000)) +
                frame(window_frame, 0, 0, number(1'000'000)));
    ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
    EXPECT_EQ(client.body_of(1).size(), 100'000U);
  });
}

TEST(Http2Stalls, a_client_waits_for_its_server_as_long_as_its_caller_does) {
  in_virtual_time([] {
    ServerWorld world([](ServerExchange& exchange) -> Status {
      if (Status s = rt::sleep(50s); !s.is_ok()) return s;
      const auto body = exchange.read_all();
      return body ? exchange.answer(200) : body.error();
    });
    Http2Connection connection(world.dial(), "http", {.write_timeout = 5s});
    Request request{.method = Method::post, .target = "/"};
    ASSERT_TRUE(request.headers.add("Host", "shop.example").is_ok());
    const auto exchange = connection.begin(request, BodySize::of(1'000'000));
    ASSERT_TRUE(exchange);
    EXPECT_TRUE((*exchange)->write(std::string(1'000'000, 'x')).is_ok());
    EXPECT_TRUE((*exchange)->end().is_ok());
    const auto response = (*exchange)->response();
    ASSERT_TRUE(response) << response.error();
    EXPECT_EQ((*response)->status, 200);
  });
}

// How long a handler that waits for nothing in particular is let, when its client says no word, or
// answers PINGs. A quarter of an hour at most.
Duration watched_for(const ServerOptions& options, bool answers) {
  Duration took{};
  in_virtual_time(
      [&] {
        rt::Event over;
        ServerWorld world(
            [&](ServerExchange& exchange) {
              const Instant began = rt::now();
              exchange.lift_body_limits();
              Status status = exchange.begin(BodySize::unknown());
              if (status.is_ok()) status = exchange.flush();
              (void)rt::sleep(900s);
              took = rt::now() - began;
              over.set();
              return status;
            },
            options);
        ByHand client(world.dial(), 2h);
        client.send(head(1, get_fields()));
        rt::Scope scope;
        scope.go("client", [&] {
          while (answers && client.read()) {
            const Frame last = client.frames.back();
            if (last.type != ping_frame) continue;
            client.send(frame(ping_frame, acknowledges, 0, last.payload));
          }
        });
        ASSERT_TRUE(over.wait().is_ok());
        client.stream().close();
      },
      500ms);
  return took;
}

TEST(Http2KeepAlive, streams_of_a_client_that_is_gone_end_by_themselves) {
  const Duration by_default = watched_for({}, false);
  EXPECT_GE(by_default, 79s) << "ping_after and ping_timeout";
  EXPECT_LT(by_default, 85s);
  const Duration soon = watched_for({.http2 = {.ping_timeout = 4s}, .ping_after = 3s}, false);
  EXPECT_GE(soon, 6s);
  EXPECT_LT(soon, 10s);
}

TEST(Http2KeepAlive, those_of_one_that_answers_stay_and_so_do_all_without_a_ping) {
  EXPECT_GE(watched_for({}, true), 900s);
  EXPECT_GE(watched_for({.ping_after = 0s}, false), 900s);
  EXPECT_GE(watched_for({.ping_after = Duration::max()}, false), 900s);
  EXPECT_GE(watched_for({.http2 = {.ping_timeout = 0s}}, false), 900s);
}

// How long a connection takes new streams after the first GOAWAY, from a client that answers no
// PING and always has a stream open.
Duration taken_for(Duration goaway_wait) {
  Duration took{};
  in_virtual_time([&] {
    std::atomic<std::uint32_t> served = 0;
    rt::Event go_on;
    ServerWorld world(
        [&](ServerExchange& exchange) -> Status {
          ++served;
          if (served == 1) (void)go_on.wait();
          return exchange.answer(204);
        },
        {.http2 = {.goaway_wait = goaway_wait}});
    ByHand client(world.dial(), 1h);
    client.send(head(1, get_fields()));
    while (served == 0) rt::yield();
    rt::Scope scope;
    scope.go("shutdown", [&] { EXPECT_TRUE(world.server().shutdown().is_ok()); });
    ASSERT_TRUE(client.wait_for(goaway_frame, 0));
    const Instant told = rt::now();
    client.send(head(3, get_fields()));
    ASSERT_TRUE(client.wait_for(headers_frame, 3)) << "it was on its way";
    ASSERT_TRUE(client.wait_for(goaway_frame, 0));
    took = rt::now() - told;
    EXPECT_EQ(number_in(client.last().payload, 0), 3U);
    client.send(head(5, get_fields()) + frame(ping_frame, 0, 0, "12345678"));
    ASSERT_TRUE(client.wait_for(ping_frame, 0, acknowledges));
    EXPECT_EQ(served, 2U) << "above the last that was told";
    go_on.set();
    ASSERT_TRUE(client.wait_for(headers_frame, 1));
    EXPECT_FALSE(client.wait_for(goaway_frame, 9)) << "the end";
  });
  return took;
}

TEST(Http2Drain, a_client_that_answers_no_ping_keeps_its_connection_for_goaway_wait) {
  const Duration two = taken_for(2s);
  EXPECT_GE(two, 1900ms);
  EXPECT_LT(two, 4s);
  EXPECT_GE(taken_for(20s), 19s);
}

TEST(Http2Drain, max_requests_holds_for_a_client_that_answers_no_ping) {
  in_virtual_time([] {
    ServerWorld world([](ServerExchange& exchange) { return exchange.answer(204); },
                      {.max_requests = 3});
    ByHand client(world.dial(), 1h);
    const Instant began = rt::now();
    std::uint32_t id = 1;
    rt::Scope scope;
    scope.go("asks", [&] {  // again and again
      for (; client.stream().write(head(id, get_fields())).is_ok(); id += 2) {
        if (!rt::sleep(500ms).is_ok() || rt::now() - began > 60s) break;
      }
    });
    while (client.read()) continue;
    EXPECT_LT(rt::now() - began, 10s);
    client.stream().close();
  });
}

// A client that breaks the rules and then says nothing, while a handler waits for it.
TEST(Http2Drain, a_connection_that_broke_the_rules_ends_with_its_streams) {
  in_virtual_time([] {
    rt::Event begun;
    rt::Event over;
    ServerWorld world(
        [&](ServerExchange& exchange) -> Status {
          begun.set();
          exchange.lift_body_limits();
          const auto body = exchange.read_all();
          over.set();
          return body.error();
        },
        {.ping_after = 0s});
    ByHand client(world.dial(), 1h);
    client.send(head(1, post_fields(), 0));
    ASSERT_TRUE(begun.wait().is_ok());
    client.send(frame(headers_frame, 5, 3, "\xff\xff\xff\xff\xff\xff"));
    ASSERT_TRUE(client.wait_for(goaway_frame, 0));
    EXPECT_EQ(number_in(client.last().payload, 4), 9U) << "COMPRESSION_ERROR";
    ASSERT_TRUE(over.wait(rt::Deadline::after(10s)).is_ok());
    EXPECT_FALSE(client.wait_for(goaway_frame, 9)) << "the end";
  });
}

// What is read of a connection that asks, rests for 10 minutes and asks again: answers of both.
template <class Ask>
int answers_around_a_rest(Duration keep_alive, Ask ask) {
  int answers = 0;
  in_virtual_time(
      [&] {
        ServerWorld world([](ServerExchange& exchange) { return exchange.answer(200, "tea"); },
                          {.keep_alive_timeout = keep_alive, .ping_after = 0s});
        const auto stream = world.dial();
        for (std::uint32_t turn = 0; turn < 2; ++turn) {
          if (turn == 1) {
            ASSERT_TRUE(rt::sleep(600s).is_ok());
          }
          if (!stream->write(ask(turn)).is_ok()) return;
          std::array<char, 4096> buffer{};
          for (std::string all; !all.ends_with("tea");) {
            const auto size = stream->read(buffer, rt::Deadline::after(5s));
            if (!size || *size == 0) return;
            all.append(buffer.data(), *size);
            if (const std::size_t at = all.find("tea"); at != all.npos) all.resize(at + 3);
          }
          ++answers;
        }
      },
      500ms);
  return answers;
}

std::string ask_over_1(std::uint32_t /*turn*/) { return "GET / HTTP/1.1\r\nHost: a\r\n\r\n"; }
std::string ask_over_2(std::uint32_t turn) {
  const std::string get = head(2 * turn + 1, get_fields());
  return turn == 0 ? hello() + frame(settings_frame, acknowledges, 0) + get : get;
}

TEST(HttpTimes, zero_and_the_longest_are_never_over_both_versions) {
  for (const Duration never : {Duration(0s), Duration::max(), Duration::max() - Duration(1s)}) {
    EXPECT_EQ(answers_around_a_rest(never, ask_over_1), 2);
    EXPECT_EQ(answers_around_a_rest(never, ask_over_2), 2);
  }
  EXPECT_EQ(answers_around_a_rest(75s, ask_over_1), 1);
  EXPECT_EQ(answers_around_a_rest(75s, ask_over_2), 1);
}

// Whether a client that reads nothing for 10 minutes still gets the whole answer.
bool waits_for_reader(Duration write_timeout, bool is_2) {
  bool is_whole = false;
  in_virtual_time(
      [&] {
        constexpr std::size_t bytes = 1'000'000;
        ServerWorld world([](ServerExchange& exchange) { return write_all(exchange, bytes); },
                          {.write_timeout = write_timeout, .ping_after = 0s});
        const auto stream = world.dial();
        ASSERT_TRUE(stream->write(is_2 ? ask_over_2(0) : ask_over_1(0)).is_ok());
        ASSERT_TRUE(rt::sleep(600s).is_ok());
        (void)stream->write(is_2 ? frame(window_frame, 0, 1, number(bytes)) +
                                       frame(window_frame, 0, 0, number(bytes))
                                 : "");
        std::array<char, 16384> buffer{};
        for (std::int64_t left = bytes; !is_whole;) {
          const auto size = stream->read(buffer, rt::Deadline::after(5s));
          if (!size || *size == 0) return;
          left -=
              std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size), 'x');
          is_whole = left <= 0;
        }
      },
      500ms);
  return is_whole;
}

TEST(HttpTimes, a_write_timeout_of_zero_waits_for_its_reader) {
  for (const bool is_2 : {false, true}) {
    EXPECT_TRUE(waits_for_reader(0s, is_2)) << is_2;
    EXPECT_TRUE(waits_for_reader(Duration::max(), is_2)) << is_2;
    EXPECT_FALSE(waits_for_reader(30s, is_2)) << is_2;
  }
}

}  // namespace
}  // namespace parley::http
