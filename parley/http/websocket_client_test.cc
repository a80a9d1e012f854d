// WebSockets by a Client and by a connection, the same over HTTP/1.1 and over streams of HTTP/2.
#include "parley/http/websocket_client.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "parley/http/http2_connection.h"
#include "parley/http/testing/http2_frames.h"
#include "parley/http/testing/server_world.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::ServerWorld;

// What a server saw of its sockets.
struct Chat {
  std::atomic<std::uint16_t> close_code = 0;
  rt::Event gone;

  Status operator()(ServerExchange& exchange) {
    AcceptWebSocketOptions options{.subprotocols = {"chat"}};
    return accept_websocket(exchange, options, [this](std::unique_ptr<WebSocket> socket) {
      for (;;) {
        const auto message = socket->receive_message();
        if (!message) break;
        if (message->payload == "please end") {
          EXPECT_TRUE(socket->shut(close_code::going_away, "as you like").is_ok());
          break;
        }
        const bool is_text = message->type == WebSocketType::text;
        const Status sent = is_text ? socket->send_text(message->payload.to_string())
                                    : socket->send_binary(message->payload);
        if (!sent.is_ok()) break;
      }
      close_code = socket->close_code();
      gone.set();
    });
  }
};

ClientOptions speaking(Protocol protocol, const net::Address& address) {
  return {.versions = protocol == Protocol::http_2 ? Versions::http_2 : Versions::http_1,
          .address_of = [address](const Url&) { return address; }};
}

WebSocketRequestOptions asking(Protocol protocol, bool compressed = true) {
  WebSocketRequestOptions options{.subprotocols = {"none", "chat"}, .protocol = protocol};
  options.socket.deflate.is_on = compressed;
  return options;
}

void echo(WebSocket& socket, const std::string& text) {
  ASSERT_TRUE(socket.send_text(text).is_ok());
  auto message = socket.receive_message();
  ASSERT_TRUE(message) << message.error();
  EXPECT_EQ(message->type, WebSocketType::text);
  EXPECT_TRUE(message->payload == text);
  ASSERT_TRUE(socket.send_binary(text).is_ok());
  message = socket.receive_message();
  ASSERT_TRUE(message) << message.error();
  EXPECT_EQ(message->type, WebSocketType::binary);
  EXPECT_TRUE(message->payload == text);
}

PARLEY_FIBER_TEST(WebSocketClient, both_versions_carry_the_same_messages_pings_and_ends) {
  for (const Protocol protocol : {Protocol::http_1_1, Protocol::http_2}) {
    for (const bool compressed : {true, false}) {
      for (const bool server_ends : {true, false}) {
        Chat chat;
        ServerWorld world([&](ServerExchange& exchange) { return chat(exchange); });
        Client client(world.network(), speaking(protocol, world.address()));
        auto socket = connect_websocket(client, {.url = "ws://shop.example/chat?room=1"},
                                        asking(protocol, compressed));
        ASSERT_TRUE(socket) << name_of(protocol) << socket.error();
        EXPECT_EQ((*socket)->subprotocol(), "chat");
        EXPECT_EQ((*socket)->is_compressed(), compressed);
        echo(**socket, "hello");
        echo(**socket, std::string(300'000, 'x'));
        ASSERT_TRUE((*socket)->ping("there?").is_ok());
        echo(**socket, "again");
        EXPECT_EQ((*socket)->last_pong(), "there?");
        if (server_ends) {
          ASSERT_TRUE((*socket)->send_text("please end").is_ok());
          const auto end = (*socket)->receive();
          EXPECT_EQ(end.error().code(), Code::out_of_range) << end.error();
          EXPECT_EQ((*socket)->close_reason(), "as you like");
          EXPECT_EQ((*socket)->close_code(), 1001);
          EXPECT_TRUE((*socket)->shut().is_ok());
        } else {
          const Status shut = (*socket)->shut(close_code::too_large, "enough");
          EXPECT_TRUE(shut.is_ok()) << shut;
          EXPECT_EQ((*socket)->close_code(), 1009);
        }
        EXPECT_TRUE(chat.gone.wait(rt::Deadline::after(15s)).is_ok());
        EXPECT_EQ(chat.close_code, server_ends ? 1001 : 1009) << name_of(protocol);
      }
    }
  }
}

PARLEY_FIBER_TEST(WebSocketClient, one_that_goes_without_a_word_is_a_loss_over_both_versions) {
  for (const Protocol protocol : {Protocol::http_1_1, Protocol::http_2}) {
    Chat chat;
    ServerWorld world([&](ServerExchange& exchange) { return chat(exchange); });
    Client client(world.network(), speaking(protocol, world.address()));
    auto socket = connect_websocket(client, {.url = "http://shop.example/chat"}, asking(protocol));
    ASSERT_TRUE(socket) << socket.error();
    echo(**socket, "hello");
    socket->reset();
    EXPECT_TRUE(chat.gone.wait(rt::Deadline::after(15s)).is_ok());
    EXPECT_EQ(chat.close_code, close_code::lost);
  }
}

// One connection of HTTP/2 with `sockets` of them, and other requests beside them.
void many_on_one_connection(int sockets) {
  Chat chat;
  ServerWorld world([&](ServerExchange& exchange) {
    if (exchange.request().target == "/plain") return exchange.answer(200, "plain");
    return chat(exchange);
  });
  Client client(world.network(), speaking(Protocol::http_2, world.address()));
  auto silent = connect_websocket(client, {.url = "ws://a/s"}, asking(Protocol::http_2, false));
  ASSERT_TRUE(silent) << silent.error();
  // Nobody reads what comes back for it.
  ASSERT_TRUE((*silent)->send_binary(std::string(200'000, 'x')).is_ok());
  rt::Scope scope;
  for (int i = 0; i < sockets; ++i) {
    scope.go("caller", [&client, i] {
      auto socket = connect_websocket(client, {.url = "ws://a/c"}, asking(Protocol::http_2));
      ASSERT_TRUE(socket) << socket.error();
      for (int k = 0; k < 20; ++k) echo(**socket, std::to_string(i * 1000 + k));
      EXPECT_EQ(client.get("http://a/plain").value().body, "plain");
      EXPECT_TRUE((*socket)->shut().is_ok());
    });
  }
  scope.join();
  EXPECT_EQ(client.counts().dialled, 1U);
  EXPECT_EQ((*silent)->receive().value().size(), 200'000U);
}

PARLEY_FIBER_TEST(WebSocketClient, many_share_a_connection_of_http_2_with_other_requests) {
  many_on_one_connection(20);
}

TEST(WebSocketClient, many_share_a_connection_of_http_2_on_four_workers) {
  rt::testing::run_fiber_test([] { many_on_one_connection(40); }, {.workers = 4});
}

PARLEY_FIBER_TEST(WebSocketClient, a_connection_of_http_2_opens_one_by_the_same_functions) {
  Chat chat;
  ServerWorld world([&](ServerExchange& exchange) { return chat(exchange); });
  Http2Connection connection(world.dial(), "http");
  const auto opening = websocket_request("/chat", "shop.example", asking(Protocol::http_2));
  ASSERT_TRUE(opening) << opening.error();
  EXPECT_EQ(opening->request.method, Method::connect);
  EXPECT_EQ(opening->key, "");
  auto exchange = connection.begin(opening->request, BodySize::none());
  ASSERT_TRUE(exchange) << exchange.error();
  auto socket = finish_websocket(**exchange, *opening);
  ASSERT_TRUE(socket) << socket.error();
  echo(**socket, "hello");
  EXPECT_TRUE((*socket)->shut().is_ok());
}

PARLEY_FIBER_TEST(WebSocketClient, a_server_over_http_2_tells_why_it_opens_none) {
  Chat chat;
  ServerWorld world([&](ServerExchange& exchange) { return chat(exchange); });
  Http2Connection connection(world.dial(), "http");
  using Pairs = testing::Fields;
  const std::pair<std::string, std::string> up{"Upgrade", "websocket"};
  const std::pair<std::string, std::string> version{"Sec-WebSocket-Version", "13"};
  const std::tuple<Method, Pairs, StatusCode> cases[] = {
      {Method::connect, {up, version}, 200},
      {Method::connect, {up, version, {"Origin", "https://shop.example"}}, 200},
      {Method::connect, {up, version, {"Origin", "https://evil.example"}}, 403},
      {Method::connect, {up}, 426},
      {Method::connect, {up, {"Sec-WebSocket-Version", "8"}}, 426},
      {Method::connect, {{"Upgrade", "chat"}, version}, 400},
      {Method::connect, {up, version, {"Sec-WebSocket-Extensions", "a b"}}, 400},
      {Method::get, {version}, 405},
  };
  for (const auto& [method, fields, status] : cases) {
    Request request{.method = method, .target = "/chat"};
    ASSERT_TRUE(request.headers.add("Host", "shop.example").is_ok());
    for (const auto& [name, value] : fields) ASSERT_TRUE(request.headers.add(name, value).is_ok());
    auto exchange = connection.begin(request, BodySize::none());
    ASSERT_TRUE(exchange) << exchange.error();
    const auto answer = (*exchange)->response(rt::Deadline::after(15s));
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ((*answer)->status, status) << fields.back().first << ": " << fields.back().second;
    EXPECT_FALSE((*answer)->headers.get("Sec-WebSocket-Accept")) << "that is of HTTP/1";
  }
}

PARLEY_FIBER_TEST(WebSocketClient, what_the_version_does_not_have_is_refused_before_it_is_asked) {
  Chat chat;
  ServerWorld world([&](ServerExchange& exchange) { return chat(exchange); });
  for (const Protocol protocol : {Protocol::http_1_1, Protocol::http_2}) {
    Client client(world.network(), speaking(protocol, world.address()));
    const bool is_2 = protocol == Protocol::http_2;
    const auto other = asking(is_2 ? Protocol::http_1_1 : Protocol::http_2);
    EXPECT_EQ(connect_websocket(client, {.url = "ws://a/"}, other).error().code(),
              Code::invalid_argument);
    EXPECT_EQ(connect_websocket(client, {.url = "ftp://a/"}, other).error().code(),
              Code::invalid_argument);
    EXPECT_TRUE(connect_websocket(client, {.url = "ws://a/"}, asking(protocol)));
  }
  EXPECT_EQ(websocket_request("/", "h", asking(Protocol::http_1_0)).error().code(),
            Code::invalid_argument);
}

// A server by hand whose settings say `there` of RFC 8441, or that says none at all: what a client
// was told, and whether it had asked.
std::pair<Status, bool> told_by(std::string_view settings, Duration answer_timeout) {
  net::InProcessNetwork network;
  const net::Address address = *net::Address::parse("inproc:shop");
  const auto listener = std::move(*network.listen(address));
  rt::Scope scope;
  bool asked = false;
  scope.go("server", [&] {
    auto stream = listener->accept();
    ASSERT_TRUE(stream);
    if (!settings.empty()) {
      ASSERT_TRUE((*stream)->write(settings).is_ok());
    }
    std::string in;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto size = (*stream)->read(buffer);
      if (!size || *size == 0) break;
      in.append(buffer.data(), *size);
    }
    in.erase(0, testing::preface.size());
    for (const auto& frame : testing::frames_in(in)) {
      asked = asked || frame.type == testing::headers_frame;
    }
  });
  Status told;
  {
    ClientOptions options = speaking(Protocol::http_2, address);
    options.answer_timeout = answer_timeout;
    Client client(network, options);
    told = connect_websocket(client, {.url = "ws://a/"}, asking(Protocol::http_2)).error();
    EXPECT_EQ(client.counts().idle, client.counts().connections) << "its place is free again";
  }
  scope.join();
  return {told, asked};
}

TEST(WebSocketClient, nobody_is_asked_over_http_2_who_does_not_say_that_it_takes_it) {
  rt::testing::in_virtual_time(
      [] {
        const auto [refused, asked] = told_by(testing::frame(testing::settings_frame, 0, 0), 60s);
        EXPECT_EQ(refused.code(), Code::failed_precondition) << refused;
        EXPECT_NE(refused.message().find("RFC 8441"), std::string::npos) << refused;
        EXPECT_FALSE(asked);
        const Instant begun = rt::now();
        const auto [silent, asked_silent] = told_by("", 7s);
        EXPECT_EQ(silent.code(), Code::deadline_exceeded) << silent;
        EXPECT_FALSE(asked_silent);
        EXPECT_GE(rt::now() - begun, 7s);
        EXPECT_LT(rt::now() - begun, 9s);
      },
      50ms);
}

}  // namespace
}  // namespace parley::http
