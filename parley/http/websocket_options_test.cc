// What options of a WebSocket change, where no other test is about them.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/http/websocket.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;

// How long a silent side is waited for, up to ten minutes, and with what end.
std::pair<Duration, Code> patience(const WebSocketOptions& options) {
  std::pair<Duration, Code> seen;
  in_virtual_time(
      [&] {
        auto [ours, theirs] = net::testing::memory_streams();
        WebSocket socket(std::move(ours), Side::server, options);
        const Instant begun = rt::now();
        seen.second = socket.receive(rt::Deadline::after(10min)).error().code();
        seen.first = rt::now() - begun;
      },
      500ms);
  return seen;
}

TEST(WebSocketOptions, pong_timeout_says_how_long_an_answer_to_a_ping_may_take_and_zero_for_ever) {
  const auto about = [](const std::pair<Duration, Code>& seen, Duration time) {
    EXPECT_EQ(seen.second, Code::unavailable);
    EXPECT_GE(seen.first, time);
    EXPECT_LT(seen.first, time + 1s);
  };
  about(patience({.ping_interval = 10s, .pong_timeout = 5s}), 15s);
  about(patience({.ping_interval = 10s, .pong_timeout = 50s}), 60s);
  EXPECT_EQ(patience({.ping_interval = 10s, .pong_timeout = 0s}).second, Code::deadline_exceeded);
}

// Bytes of a message as a server sends it that was asked for permessage-deflate.
std::size_t size_of(const DeflateOptions& options) {
  std::string text;
  for (int i = 0; text.size() < 100'000; ++i) {
    text += "line " + std::to_string(i * i % 7919) + " of " + std::to_string(i * 31) + "\n";
  }
  std::string answer;
  const auto agreed = accept_deflate("permessage-deflate", options, answer);
  EXPECT_TRUE(agreed && agreed->has_value());
  WebSocketWriter writer(Side::server, *agreed);
  const std::string_view piece = text;
  std::string out;
  EXPECT_TRUE(writer.message(WebSocketType::text, {&piece, 1}, out).is_ok());
  return out.size();
}

TEST(WebSocketOptions, level_and_memory_buy_smaller_messages) {
  EXPECT_LT(size_of({.level = 9}), size_of({.level = 1}));
  EXPECT_LT(size_of({.memory = 8}), size_of({.memory = 1}));
  EXPECT_LT(size_of({}), 60'000U);
}

PARLEY_FIBER_TEST(WebSocketOptions, code_is_what_a_stream_of_bytes_closes_with) {
  for (const std::uint16_t code : {close_code::normal, close_code::going_away}) {
    auto [a, b] = net::testing::memory_streams();
    const auto bytes = websocket_byte_stream(
        std::make_unique<WebSocket>(std::move(a), Side::server), {.code = code});
    WebSocket client(std::move(b), Side::client);
    EXPECT_TRUE(bytes->close_write().is_ok());
    EXPECT_EQ(client.receive().error().code(), Code::out_of_range);
    EXPECT_EQ(client.close_code(), code);
  }
}

}  // namespace
}  // namespace parley::http
