#include "parley/http/websocket.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "parley/base/testing/hex.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using parley::testing::from_hex;
using parley::testing::to_hex;
using rt::testing::in_virtual_time;

struct Pair {
  explicit Pair(const WebSocketOptions& options = {},
                const std::optional<DeflateAgreement>& agreed = {},
                const net::testing::MemoryStreamOptions& memory = {}) {
    auto [a, b] = net::testing::memory_streams(memory);
    client = std::make_unique<WebSocket>(std::move(a), Side::client, options, agreed);
    server = std::make_unique<WebSocket>(std::move(b), Side::server, options, agreed);
  }
  std::unique_ptr<WebSocket> client;
  std::unique_ptr<WebSocket> server;
};

// A WebSocket at one end and the bytes themselves at the other.
struct Raw {
  explicit Raw(Side side = Side::client, const WebSocketOptions& options = {},
               const net::testing::MemoryStreamOptions& memory = {}) {
    auto [a, b] = net::testing::memory_streams(memory);
    socket = std::make_unique<WebSocket>(std::move(a), side, options);
    bytes = std::move(b);
  }
  void put(std::string_view hex) const { EXPECT_TRUE(bytes->write(from_hex(hex)).is_ok()); }
  [[nodiscard]] std::string get() const {
    std::array<char, 4096> buffer{};
    const auto size = bytes->read(buffer, rt::Deadline::after(10s));
    return size ? to_hex({buffer.data(), *size}) : size.error().to_string();
  }
  std::unique_ptr<WebSocket> socket;
  std::unique_ptr<net::Stream> bytes;
};

// A mask of zeros changes nothing, so that one reads what a client sends.
const WebSocketOptions unmasked{.writer = {.mask_key = [] { return 0U; }}};

PARLEY_FIBER_TEST(WebSocket, keeps_messages_apart_and_knows_text_from_binary) {
  for (const bool compressed : {false, true}) {
    for (const std::size_t piece : {1U, 4096U}) {
      Pair pair({}, compressed ? std::optional(DeflateAgreement{.min_bytes = 0}) : std::nullopt,
                {.piece_bytes = piece});
      const std::string large(piece == 1 ? 300 : 50'000, 'x');
      rt::Scope scope;
      scope.go("client", [&] {
        EXPECT_TRUE(pair.client->send_text("one").is_ok());
        EXPECT_TRUE(pair.client->send_binary("").is_ok());
        EXPECT_TRUE(pair.client->send_binary(large).is_ok());
        EXPECT_EQ(*pair.client->receive(), large);
        EXPECT_EQ(*pair.client->receive(), "three");
      });
      const auto one = pair.server->receive_message();
      ASSERT_TRUE(one) << one.error();
      EXPECT_EQ(one->type, WebSocketType::text);
      EXPECT_EQ(one->payload, "one");
      const auto two = pair.server->receive_message();
      EXPECT_EQ(two->type, WebSocketType::binary);
      EXPECT_TRUE(two->payload.empty());
      Bytes three = *pair.server->receive();
      EXPECT_EQ(three, large);
      three.append(Bytes());
      EXPECT_TRUE(pair.server->send_binary(three).is_ok());
      EXPECT_TRUE(pair.server->send_text("three").is_ok());
      scope.join();
      EXPECT_EQ(pair.server->is_compressed(), compressed);
    }
  }
}

TEST(WebSocket, messages_and_pings_cross_each_other_on_four_workers) {
  rt::testing::run_fiber_test(
      [] {
        Pair pair({.limits = {.max_controls_per_second = 1000}}, DeflateAgreement{.min_bytes = 10});
        constexpr int count = 300;
        rt::Scope scope;
        for (WebSocket* socket : {pair.client.get(), pair.server.get()}) {
          scope.go("sends", [socket] {
            for (int i = 0; i < count; ++i) {
              EXPECT_TRUE(socket->send_text("message " + std::to_string(i)).is_ok());
              if (i % 3 == 0) EXPECT_TRUE(socket->ping(std::to_string(i)).is_ok());
            }
          });
          scope.go("receives", [socket] {
            for (int i = 0; i < count; ++i) {
              const auto message = socket->receive();
              ASSERT_TRUE(message) << message.error();
              EXPECT_EQ(*message, "message " + std::to_string(i));
            }
          });
        }
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(WebSocket, answers_pings_while_it_receives) {
  Raw raw;
  raw.put("8903 616263 8104 74657874");
  EXPECT_EQ(*raw.socket->receive(), "text");
  EXPECT_TRUE(raw.get().starts_with("8a83"));
  Pair pair;
  ASSERT_TRUE(pair.client->ping("are you there").is_ok());
  ASSERT_TRUE(pair.client->send_text("x").is_ok());
  EXPECT_TRUE(pair.server->receive().has_value());
  ASSERT_TRUE(pair.server->send_text("y").is_ok());
  EXPECT_TRUE(pair.client->receive().has_value());
  EXPECT_EQ(pair.client->last_pong(), "are you there");
}

TEST(WebSocket, a_silent_side_is_sent_a_ping_and_given_up_when_it_stays_silent) {
  in_virtual_time(
      [] {
        WebSocketOptions options = unmasked;
        options.ping_interval = 30s;
        options.pong_timeout = 20s;
        Raw raw(Side::client, options);
        const Instant begun = rt::now();
        const auto message = raw.socket->receive();
        EXPECT_EQ(message.error().code(), Code::unavailable) << message.error();
        EXPECT_NE(message.error().message().find("pong_timeout"), std::string::npos);
        EXPECT_GE(rt::now() - begun, 50s);
        EXPECT_LT(rt::now() - begun, 51s);
        EXPECT_EQ(raw.get(), "898000000000");
      },
      50ms);
}

TEST(WebSocket, a_side_that_answers_pings_stays_for_as_long_as_it_likes) {
  in_virtual_time(
      [] {
        for (const Duration interval : {Duration(30s), Duration(0)}) {
          Pair pair({.ping_interval = interval, .pong_timeout = 20s});
          rt::Scope scope(rt::OnExit::cancel);
          scope.go("server", [&] { (void)pair.server->receive(); });
          const auto message = pair.client->receive(rt::Deadline::after(10min));
          EXPECT_EQ(message.error().code(), Code::deadline_exceeded) << message.error();
          ASSERT_TRUE(pair.server->send_text("still here").is_ok());
          EXPECT_EQ(*pair.client->receive(), "still here");
        }
      },
      250ms);
}

// A read takes what is there before it looks at the context: that may be a goodbye, or the end.
PARLEY_FIBER_TEST(WebSocket, an_end_that_comes_when_the_context_is_over_is_an_end) {
  for (const bool says_goodbye : {true, false}) {
    const Raw raw(Side::client, unmasked);
    if (says_goodbye) raw.put("8802 03e8");
    EXPECT_TRUE(raw.bytes->close_write().is_ok());
    auto [context, cancel] = rt::Context::current().with_cancel();
    const Code expected = says_goodbye ? Code::out_of_range : Code::data_loss;
    {
      const rt::WithContext bound(context);
      cancel();
      EXPECT_EQ(raw.socket->receive().error().code(), expected);
      EXPECT_EQ(raw.socket->try_receive_message().error().code(), expected);
    }
    EXPECT_EQ(raw.socket->receive().error().code(), expected);
  }
}

PARLEY_FIBER_TEST(WebSocket, closes_with_a_code_and_a_reason_that_the_other_side_sees) {
  for (const Side side : {Side::client, Side::server}) {
    Pair pair;
    WebSocket& first = side == Side::client ? *pair.client : *pair.server;
    WebSocket& second = side == Side::client ? *pair.server : *pair.client;
    rt::Scope scope;
    scope.go("first", [&] {
      const Status status = first.shut(close_code::going_away, "bye");
      EXPECT_TRUE(status.is_ok()) << status;
    });
    const auto end = second.receive();
    EXPECT_EQ(end.error().code(), Code::out_of_range);
    EXPECT_EQ(end.error().message(), "receive: the other side closed with 1001: \"bye\"");
    EXPECT_EQ(second.close_code(), 1001);
    EXPECT_EQ(second.close_reason(), "bye");
    EXPECT_EQ(second.send_text("late").code(), Code::failed_precondition);
    EXPECT_TRUE(second.shut().is_ok());
    scope.join();
    EXPECT_EQ(first.close_code(), 1001);
    EXPECT_EQ(first.send_text("late").code(), Code::unavailable);
  }
}

PARLEY_FIBER_TEST(WebSocket, an_end_for_a_reason_is_an_error_and_one_without_a_frame_a_loss) {
  Raw complaining;
  complaining.put("880203f1");
  EXPECT_EQ(complaining.socket->receive().error().code(), Code::unavailable);
  EXPECT_EQ(complaining.socket->close_code(), 1009);
  Raw without_code;
  without_code.put("8800");
  EXPECT_EQ(without_code.socket->receive().error().code(), Code::out_of_range);
  EXPECT_EQ(without_code.socket->close_code(), 1005);
  for (const char* before : {"", "0101 61"}) {
    Raw cut;
    cut.put(before);
    ASSERT_TRUE(cut.bytes->close_write().is_ok());
    EXPECT_EQ(cut.socket->receive().error().code(), Code::data_loss);
    EXPECT_EQ(cut.socket->close_code(), 1006);
  }
}

TEST(WebSocket, shut_waits_no_longer_than_close_timeout) {
  in_virtual_time(
      [] {
        for (const Duration timeout : {Duration(1s), Duration(7s)}) {
          Raw raw(Side::client, {.close_timeout = timeout});
          const Instant begun = rt::now();
          EXPECT_EQ(raw.socket->shut().code(), Code::deadline_exceeded);
          EXPECT_GE(rt::now() - begun, timeout);
          EXPECT_LT(rt::now() - begun, timeout + 500ms);
        }
      },
      50ms);
}

PARLEY_FIBER_TEST(WebSocket, tells_the_other_side_what_it_refuses) {
  const std::pair<const char*, const char*> cases[] = {
      {"8301 61",
       "888200000000"
       "03ea"},
      {"8101 ff",
       "888200000000"
       "03ef"},
      {"827f00000000ffffffff",
       "888200000000"
       "03f1"},
  };
  for (const auto& [sent, told] : cases) {
    Raw raw(Side::client, unmasked);
    raw.put(sent);
    const Status status = raw.socket->receive().error();
    EXPECT_FALSE(status.is_ok());
    EXPECT_EQ(raw.get(), told);
    EXPECT_EQ(raw.get(), "");
    EXPECT_EQ(raw.socket->receive().error(), status);
    EXPECT_EQ(raw.socket->send_text("x").code(), Code::failed_precondition);
  }
}

PARLEY_FIBER_TEST(WebSocket, refuses_to_send_what_nobody_may_receive) {
  Pair pair({.limits = {.max_message = 10}});
  EXPECT_EQ(pair.client->max_message(), 10U);
  EXPECT_EQ(pair.client->send_text("12345678901").code(), Code::invalid_argument);
  EXPECT_EQ(pair.client->send_text("\xff").code(), Code::data_loss);
  EXPECT_EQ(pair.client->ping(std::string(126, 'x')).code(), Code::invalid_argument);
  EXPECT_EQ(pair.client->shut(1005, "x").code(), Code::invalid_argument);
  EXPECT_TRUE(pair.client->send_text("1234567890").is_ok());
  EXPECT_EQ(*pair.server->receive(), "1234567890");
  pair.server->close();
  EXPECT_EQ(pair.server->receive().error().code(), Code::unavailable);
  EXPECT_EQ(pair.server->send_text("x").code(), Code::unavailable);
}

TEST(WebSocket, a_message_that_was_cut_lets_no_other_follow) {
  in_virtual_time(
      [] {
        Raw raw(Side::server, {}, {.piece_bytes = 10, .max_pieces = 2});
        EXPECT_EQ(raw.socket->send_binary(std::string(100, 'x'), rt::Deadline::after(1s)).code(),
                  Code::deadline_exceeded);
        EXPECT_EQ(raw.socket->send_binary("y").code(), Code::unavailable);
      },
      50ms);
}

// Whoever receives must not wait for the other side to take something: both might.
TEST(WebSocket, a_pong_that_cannot_leave_holds_up_no_message_and_leaves_later) {
  in_virtual_time(
      [] {
        Raw raw(Side::server, {}, {.piece_bytes = 100, .max_pieces = 2});
        EXPECT_TRUE(raw.socket->send_binary(std::string(90, 'x')).is_ok());
        EXPECT_TRUE(raw.socket->send_binary(std::string(90, 'y')).is_ok());
        raw.put("898100000000 61 818100000000 62");
        EXPECT_EQ(*raw.socket->receive(), "b");
        rt::Scope scope(rt::OnExit::cancel);
        scope.go("receives", [&] { (void)raw.socket->receive(); });
        EXPECT_TRUE(raw.get().starts_with("825a7878"));
        EXPECT_TRUE(raw.get().starts_with("825a7979"));
        EXPECT_EQ(raw.get(), "8a0161");
      },
      50ms);
}

PARLEY_FIBER_TEST(WebSocketBytes, are_those_of_binary_messages_one_behind_the_other) {
  Pair pair;
  auto stream = websocket_byte_stream(std::move(pair.server));
  EXPECT_TRUE(pair.client->send_binary("abc").is_ok());
  EXPECT_TRUE(pair.client->send_binary("").is_ok());
  EXPECT_TRUE(pair.client->send_binary("defg").is_ok());
  std::array<char, 16> buffer{};
  EXPECT_EQ(*stream->peek(buffer, 5), 7U);
  EXPECT_EQ(std::string(buffer.data(), 7), "abcdefg");
  EXPECT_EQ(*stream->read(std::span(buffer).first(2)), 2U);
  EXPECT_EQ(**stream->try_read(buffer), 5U);
  EXPECT_EQ(std::string(buffer.data(), 5), "cdefg");
  EXPECT_FALSE(stream->try_read(buffer)->has_value());
  const std::string_view pieces[] = {"one", "", "two"};
  EXPECT_EQ(*stream->write_some_of(pieces), 6U);
  const auto message = pair.client->receive_message();
  EXPECT_EQ(message->type, WebSocketType::binary);
  EXPECT_EQ(message->payload, "onetwo");
  EXPECT_TRUE(pair.client->close_write().is_ok());
  EXPECT_EQ(*stream->read(buffer), 0U);
  EXPECT_EQ(**stream->try_read(buffer), 0U);
  EXPECT_EQ(stream->unread(), net::Stream::Unread::ended);
  EXPECT_EQ(stream->write("late").code(), Code::unavailable);
}

PARLEY_FIBER_TEST(WebSocketBytes, leave_in_messages_of_at_most_most_message_bytes) {
  for (const std::size_t most : {3U, 100U}) {
    Pair pair;
    auto stream = websocket_byte_stream(std::move(pair.server), {.most_message = most});
    EXPECT_TRUE(stream->write("abcdef").is_ok());
    EXPECT_EQ(pair.client->receive()->size(), std::min<std::size_t>(most, 6));
  }
}

PARLEY_FIBER_TEST(WebSocketBytes, a_text_ends_them_with_1003_unless_it_is_accepted) {
  std::array<char, 16> buffer{};
  for (const bool accepts : {false, true}) {
    Pair pair;
    auto stream = websocket_byte_stream(std::move(pair.server), {.accept_text = accepts});
    EXPECT_TRUE(pair.client->send_text("text").is_ok());
    const auto size = stream->read(buffer);
    EXPECT_EQ(size.has_value(), accepts);
    if (accepts) continue;
    EXPECT_EQ(size.error().code(), Code::invalid_argument);
    EXPECT_EQ(stream->try_read(buffer).error().code(), Code::invalid_argument);
    EXPECT_FALSE(pair.client->receive());
    EXPECT_EQ(pair.client->close_code(), 1003);
  }
}

PARLEY_FIBER_TEST(WebSocketBytes, are_served_without_a_fiber_at_rest) {
  auto listener = *net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0"));
  const auto echo = [](net::Stream& stream) -> Result<net::Next> {
    std::array<char, 4096> buffer{};
    const auto size = stream.try_read(buffer);
    if (!size) return size.error();
    if (!*size) return net::Next::rest;
    if (**size == 0) return net::Next::end;
    if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
    return net::Next::rest;
  };
  net::Server server(*listener, echo, {.open = [](std::unique_ptr<net::Stream> stream) {
    return Result<std::unique_ptr<net::Stream>>(
        websocket_byte_stream(std::make_unique<WebSocket>(std::move(stream), Side::server)));
  }});
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("server", [&] { (void)server.serve(); });
  WebSocket client(*net::SocketNetwork().dial(listener->address()), Side::client);
  for (int i = 0; i < 3; ++i) {
    const std::string large(10'000, static_cast<char>('a' + i));
    ASSERT_TRUE(client.send_binary(large).is_ok());
    Bytes back;
    while (back.size() < large.size()) back.append(*client.receive());
    EXPECT_EQ(back, large);
    while (server.counts().handlers > 0) rt::yield();
    EXPECT_EQ(server.counts().connections, 1U);
  }
  EXPECT_TRUE(client.shut().is_ok());
}

// Over a socket, whose reads take what is there even when their time is over.
TEST(WebSocket, who_floods_instead_of_closing_is_left_after_close_timeout) {
  rt::testing::run_fiber_test(
      [] {
        for (const bool closes : {false, true}) {
          const auto listener =
              std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
          auto dialed = std::move(*net::SocketNetwork().dial(listener->address()));
          const auto bytes = std::move(*listener->accept());
          WebSocket socket(std::move(dialed), Side::client, {.close_timeout = 100ms});
          rt::Scope scope;
          scope.go("floods", [&] {
            // Messages for ever, or what no WebSocket has behind its Close frame.
            std::string flood = from_hex("8104");
            flood += "text";
            for (int i = 0; i < 13; ++i) flood += flood;
            Status status = bytes->write(closes ? from_hex("880203e8") : flood);
            while (status.is_ok()) status = bytes->write(flood);
          });
          const Status shut = socket.shut();
          EXPECT_EQ(shut.code(), closes ? Code::ok : Code::deadline_exceeded) << shut;
          scope.join();
        }
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::http
