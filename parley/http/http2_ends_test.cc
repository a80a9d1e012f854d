// How connections and streams of an HTTP/2 server end: what is a breach and what is not, what
// leaves before an end, and how long is waited after it.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/testing/http2_by_hand.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about

void in_virtual_time(const std::function<void()>& body) {
  rt::testing::in_virtual_time(body, 20ms);
}

Status tea(ServerExchange& exchange) { return exchange.answer(200, "tea"); }

// A client cannot know for how much there is room: it is not to blame for what was refused.
TEST(Http2Ends, streams_that_are_refused_for_want_of_room_are_no_flood) {
  for (const bool takes : {false, true}) {
    Heard heard({.max_resets = 10});
    heard.takes = takes;
    ASSERT_TRUE(heard.take(hello() + frame(settings_frame, acknowledges, 0)).is_ok());
    Status status;
    std::uint32_t n = 0;
    for (; n < 50 && status.is_ok(); ++n) {
      // Where there is room, a breach of each.
      const Fields fields = takes ? Fields{{":method", "GET"}} : get_fields();
      status = heard.take(head(2 * n + 1, fields));
    }
    EXPECT_EQ(status.is_ok(), !takes) << status;
    EXPECT_EQ(heard.verdict(), takes ? "goaway 11" : "reset 7");
    if (takes) {
      EXPECT_EQ(n, 12U);
    }
  }
}

// What the server counts as refused after a client said this and then read to the end.
std::uint64_t refused_after(const std::string& frames, std::uint32_t* error = nullptr) {
  ServerWorld world(tea);
  ByHand client(world.dial());
  client.send(frames);
  while (client.read()) continue;
  for (const Frame& one : client.frames) {
    if (one.type == goaway_frame && error != nullptr) *error = number_in(one.payload, 4);
  }
  client.stream().close();
  while (world.server().counts().connections > 0) rt::yield();
  return world.server().counts().refused;
}

PARLEY_FIBER_TEST(Http2Ends, a_client_that_says_goodbye_with_a_ping_broke_no_rule) {
  const std::string goodbye = frame(goaway_frame, 0, 0, number(0) + number(0));
  const std::string ping = frame(ping_frame, 0, 0, "12345678");
  EXPECT_EQ(refused_after(goodbye + ping), 0U);
  EXPECT_EQ(refused_after(ping + goodbye), 0U);
  EXPECT_EQ(refused_after(head(1, get_fields()) + goodbye + ping), 0U);
}

PARLEY_FIBER_TEST(Http2Ends, a_client_that_broke_a_rule_is_counted_once) {
  std::uint32_t error = 0;
  EXPECT_EQ(refused_after(frame(data_frame, 0, 1, "x"), &error), 1U);
  EXPECT_EQ(error, 1U) << "PROTOCOL_ERROR";
  EXPECT_EQ(refused_after(frame(headers_frame, 5, 1, "\xff\xff\xff\xff\xff"), &error), 1U);
  EXPECT_EQ(error, 9U) << "COMPRESSION_ERROR";
}

PARLEY_FIBER_TEST(Http2Ends, a_request_that_was_upgraded_and_finds_no_room_is_refused) {
  for (const std::size_t most : {std::size_t{0}, std::size_t{1}}) {
    ServerWorld world(tea, {.http2 = {.limits = {.max_running = most}}});
    auto stream = world.dial();
    ASSERT_TRUE(stream
                    ->write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
                    .is_ok());
    std::string said;
    for (std::array<char, 1> one{}; !said.ends_with("\r\n\r\n"); said += one[0]) {
      ASSERT_TRUE(stream->read(one, rt::Deadline::after(15s)).value_or(0) == 1) << said;
    }
    ASSERT_TRUE(said.starts_with("HTTP/1.1 101 ")) << said;
    ByHand client(std::move(stream));
    if (most == 0) {
      ASSERT_TRUE(client.wait_for(reset_frame, 1));
      EXPECT_EQ(number_in(client.last().payload, 0), 7U) << "REFUSED_STREAM";
    } else {
      ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
      EXPECT_EQ(client.body_of(1), "tea");
    }
  }
}

PARLEY_FIBER_TEST(Http2Ends, what_was_flushed_leaves_before_the_reset_of_a_handler_that_failed) {
  ServerWorld world([](ServerExchange& exchange) -> Status {
    const bool is_known = exchange.request().method == Method::post;
    const BodySize size = is_known ? BodySize::of(1000) : BodySize::unknown();
    if (Status s = exchange.begin(size); !s.is_ok()) return s;
    if (Status s = exchange.write("half"); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    return is_known ? Status() : Status(Code::internal, "in the end not");
  });
  ByHand client(world.dial());
  client.send(head(1, get_fields()) + head(3, post_fields()));
  for (const std::uint32_t id : {1U, 3U}) {
    ASSERT_TRUE(client.wait_for(reset_frame, id));
    EXPECT_EQ(number_in(client.last().payload, 0), 2U) << "INTERNAL_ERROR";
    EXPECT_EQ(client.body_of(id), "half");
    for (const Frame& one : client.frames) {
      if (one.id == id && one.type < 2) {
        EXPECT_EQ(one.flags & ends_stream, 0U);
      }
    }
  }
  client.send(head(5, get_fields()));
  ASSERT_TRUE(client.wait_for(reset_frame, 5)) << "the connection goes on";
}

// More than the client's window lets out: the reset is not waited for without an end.
TEST(Http2Ends, an_answer_that_is_cut_and_cannot_leave_ends_after_write_timeout) {
  for (const Duration limit : {5s, 20s}) {
    in_virtual_time([&] {
      ServerWorld world(
          [](ServerExchange& exchange) -> Status {
            if (Status s = exchange.begin(BodySize::unknown()); !s.is_ok()) return s;
            if (Status s = exchange.write("half"); !s.is_ok()) return s;
            return {Code::internal, "in the end not"};
          },
          {.write_timeout = limit});
      ByHand client(world.dial(), 1h);
      client.send(frame(settings_frame, 0, 0, number(4, 2) + number(0)));
      const Instant began = rt::now();
      client.send(head(1, get_fields()));
      ASSERT_TRUE(client.wait_for(headers_frame, 1));
      ASSERT_TRUE(client.wait_for(reset_frame, 1));
      EXPECT_GE(rt::now() - began, limit - 1s);
      EXPECT_LT(rt::now() - began, limit + 2s);
    });
  }
}

// After the last stream: until the client closes, for `linger` at most.
TEST(Http2Ends, a_connection_that_ended_lingers_for_a_client_that_does_not_close) {
  for (const Duration limit : {1s, 9s}) {
    in_virtual_time([&] {
      ServerWorld world(tea, {.http2 = {.linger = limit}, .keep_alive_timeout = 3s});
      ByHand client(world.dial(), 1h);
      client.send(head(1, get_fields()));
      ASSERT_TRUE(client.wait_for(goaway_frame, 0));
      const Instant told = rt::now();
      EXPECT_EQ(world.server().counts().connections, 1U);
      while (world.server().counts().connections > 0) ASSERT_TRUE(rt::sleep(100ms).is_ok());
      EXPECT_GE(rt::now() - told, limit - 100ms);
      EXPECT_LT(rt::now() - told, limit + 1s);
    });
  }
}

// Of a request that goes on behind its answer.
TEST(Http2Ends, the_rest_of_a_request_that_was_answered_is_waited_for_so_long_as_linger) {
  for (const Duration limit : {1s, 9s}) {
    in_virtual_time([&] {
      ServerWorld world(tea, {.http2 = {.linger = limit}});
      ByHand client(world.dial(), 1h);
      client.send(head(1, post_fields(), 0));
      ASSERT_TRUE(client.wait_for(data_frame, 1, ends_stream));
      const Instant told = rt::now();
      ASSERT_TRUE(client.wait_for(reset_frame, 1));
      EXPECT_EQ(number_in(client.last().payload, 0), 0U) << "NO_ERROR";
      EXPECT_GE(rt::now() - told, limit - 100ms);
      EXPECT_LT(rt::now() - told, limit + 1s);
    });
  }
}

}  // namespace
}  // namespace parley::http
