// The opening of a WebSocket (RFC 6455 4): which requests are granted and with what the others are
// refused; which answers a client takes.
#include "parley/http/websocket_handshake.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "parley/base/testing/hex.h"
#include "parley/http/impl/sha1.h"
#include "parley/http/testing/plain_exchange.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

TEST(Sha1, gives_the_sums_of_fips_180) {
  EXPECT_EQ(parley::testing::to_hex(impl::sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(parley::testing::to_hex(impl::sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(parley::testing::to_hex(
                impl::sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

TEST(WebSocketHandshake, the_answer_to_a_key_is_that_of_rfc_6455) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

// The head of the answer to these lines behind the request line, as far as it tells something.
std::string answer_to(const std::string& request, const AcceptWebSocketOptions& options = {}) {
  auto [client, server] = net::testing::memory_streams();
  EXPECT_TRUE(client->write(request).is_ok());
  const Status status = testing::serve_plain(std::move(server), [&](ServerExchange& exchange) {
    return accept_websocket(exchange, options, [](std::unique_ptr<WebSocket>) {});
  });
  EXPECT_TRUE(status.is_ok()) << status;
  std::string all;
  std::array<char, 1000> buffer{};
  while (true) {
    const auto size = client->read(buffer);
    if (!size || *size == 0) break;
    all.append(buffer.data(), *size);
  }
  return all;
}

std::string request_with(const std::string& first, const std::string& fields) {
  return first + "\r\nHost: shop.example\r\n" + fields + "\r\n";
}

const std::string get = "GET /chat HTTP/1.1";
const std::string upgrade = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";

PARLEY_FIBER_TEST(WebSocketHandshake, a_sound_request_is_granted_and_others_are_told_why_not) {
  struct Case {
    const char* what;
    std::string first;
    std::string fields;
    const char* status;
  };
  const Case cases[] = {
      {"as it should be", get, upgrade + key + version, "101"},
      {"other case", get, "upgrade: WebSocket\r\nconnection: UPGRADE\r\n" + key + version, "101"},
      {"POST", "POST /chat HTTP/1.1", "Content-Length: 0\r\n" + upgrade + key + version, "405"},
      {"no Upgrade", get, key + version, "426"},
      {"another Upgrade", get, "Upgrade: tls\r\nConnection: Upgrade\r\n" + key + version, "426"},
      {"no Connection", get, "Upgrade: websocket\r\n" + key + version, "400"},
      {"Connection without it", get, "Upgrade: websocket\r\nConnection: close\r\n" + key + version,
       "400"},
      {"no key", get, upgrade + version, "400"},
      {"two keys", get, upgrade + key + key + version, "400"},
      {"a key of 15 bytes", get, upgrade + version + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n",
       "400"},
      {"a key of 17 bytes", get,
       upgrade + version + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n", "400"},
      {"a key that is no base64", get,
       upgrade + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n", "400"},
      {"no version", get, upgrade + key, "426"},
      {"version 8", get, upgrade + key + "Sec-WebSocket-Version: 8\r\n", "426"},
      {"two versions", get, upgrade + key + version + version, "426"},
      {"a body", get, "Content-Length: 3\r\n" + upgrade + key + version, "400"},
      {"extensions that are none", get,
       upgrade + key + version + "Sec-WebSocket-Extensions: a b\r\n", "400"},
      {"a subprotocol twice", get, upgrade + key + version + "Sec-WebSocket-Protocol: a, a\r\n",
       "400"},
      {"its own origin", get, upgrade + key + version + "Origin: https://SHOP.example\r\n", "101"},
      {"another origin", get, upgrade + key + version + "Origin: https://evil.example\r\n", "403"},
      {"no origin that has a name", get, upgrade + key + version + "Origin: null\r\n", "403"},
  };
  for (const Case& one : cases) {
    const std::string answer = answer_to(request_with(one.first, one.fields));
    EXPECT_EQ(answer.substr(0, 12), std::string("HTTP/1.1 ") + one.status)
        << one.what << ": " << answer;
    EXPECT_EQ(answer.find("Sec-WebSocket-Version: 13") != std::string::npos,
              one.status == std::string_view("426"));
  }
}

PARLEY_FIBER_TEST(WebSocketHandshake, an_answer_has_what_the_rfc_wants_and_no_more) {
  EXPECT_EQ(answer_to(request_with(get, upgrade + key + version)),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

PARLEY_FIBER_TEST(WebSocketHandshake, chooses_the_servers_first_subprotocol_that_both_speak) {
  const std::string asks =
      request_with(get, upgrade + key + version +
                            "Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Protocol: b, a\r\n");
  EXPECT_NE(answer_to(asks, {.subprotocols = {"x", "a", "c"}}).find("Protocol: a\r\n"),
            std::string::npos);
  EXPECT_EQ(answer_to(asks, {.subprotocols = {"x"}}).find("Sec-WebSocket-Protocol"),
            std::string::npos);
}

PARLEY_FIBER_TEST(WebSocketHandshake, who_serves_may_allow_other_origins) {
  const std::string asks =
      request_with(get, upgrade + key + version + "Origin: https://friend.example\r\n");
  AcceptWebSocketOptions options;
  options.allow_origin = [](std::string_view origin, const Request& request) {
    return origin == "https://friend.example" && request.target == "/chat";
  };
  EXPECT_EQ(answer_to(asks, options).substr(9, 3), "101");
  EXPECT_EQ(answer_to(asks).substr(9, 3), "403");
}

PARLEY_FIBER_TEST(WebSocketHandshake, both_sides_together_speak_with_what_they_agreed_on) {
  for (const bool compressed : {true, false}) {
    auto [there, here] = net::testing::memory_streams();
    rt::Scope scope;
    scope.go("server", [&, stream = std::move(here)]() mutable {
      AcceptWebSocketOptions options;
      options.subprotocols = {"chat.2", "chat.1"};
      const Status status = testing::serve_plain(std::move(stream), [&](ServerExchange& exchange) {
        return accept_websocket(exchange, options, [](std::unique_ptr<WebSocket> socket) {
          const auto message = socket->receive_message();
          ASSERT_TRUE(message) << message.error();
          EXPECT_TRUE(socket->send_binary(message->payload).is_ok());
          EXPECT_FALSE(socket->receive());
        });
      });
      EXPECT_TRUE(status.is_ok()) << status;
    });
    WebSocketRequestOptions options{.subprotocols = {"chat.1", "chat.0"},
                                    .origin = "http://shop.example"};
    options.socket.deflate.is_on = compressed;
    const auto opening = websocket_request("/chat", "shop.example", options);
    ASSERT_TRUE(opening) << opening.error();
    testing::PlainClient exchange(std::move(there), opening->request);
    const auto socket = finish_websocket(exchange, *opening);
    ASSERT_TRUE(socket) << socket.error();
    EXPECT_EQ((*socket)->subprotocol(), "chat.1");
    EXPECT_EQ((*socket)->is_compressed(), compressed);
    const std::string text(5000, 'x');
    EXPECT_TRUE((*socket)->send_text(text).is_ok());
    EXPECT_EQ(*(*socket)->receive(), text);
    EXPECT_TRUE((*socket)->shut().is_ok());
    scope.join();
  }
}

PARLEY_FIBER_TEST(WebSocketHandshake, a_client_refuses_an_answer_that_is_none) {
  const std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  const std::string up = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string granted = "HTTP/1.1 101 Switching Protocols\r\n";
  const std::pair<std::string, Code> cases[] = {
      {granted + up + accept, Code::ok},
      {granted + up + accept + "Sec-WebSocket-Protocol: chat\r\n", Code::ok},
      {granted + up + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n", Code::ok},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n", Code::failed_precondition},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", Code::failed_precondition},
      {granted + up, Code::invalid_argument},
      {granted + up + accept + accept, Code::invalid_argument},
      {granted + up + "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
       Code::invalid_argument},
      {granted + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + accept, Code::invalid_argument},
      {granted + up + accept + "Sec-WebSocket-Protocol: other\r\n", Code::invalid_argument},
      {granted + up + accept + "Sec-WebSocket-Extensions: x-other\r\n", Code::invalid_argument},
      {granted + up + accept + "Sec-WebSocket-Extensions: permessage-deflate; a=1\r\n",
       Code::invalid_argument},
  };
  for (const auto& [answer, code] : cases) {
    auto opening = websocket_request("/chat", "shop.example", {.subprotocols = {"chat"}});
    ASSERT_TRUE(opening) << opening.error();
    EXPECT_EQ(opening->key.size(), 24U);
    opening->key = "dGhlIHNhbXBsZSBub25jZQ==";
    auto [client, server] = net::testing::memory_streams();
    ASSERT_TRUE(server->write(answer + "\r\n").is_ok());
    testing::PlainClient exchange(std::move(client), opening->request);
    const auto socket = finish_websocket(exchange, *opening);
    EXPECT_EQ(socket.error().code(), code) << answer << socket.error();
  }
}

PARLEY_FIBER_TEST(WebSocketHandshake, a_request_that_cannot_be_sent_is_not_made) {
  EXPECT_EQ(websocket_request("/", "h", {.subprotocols = {"a b"}}).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(websocket_request("/", "h", {.subprotocols = {"a", "a"}}).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(websocket_request("/", "h\r\nX: y").error().code(), Code::invalid_argument);
  EXPECT_NE(websocket_request("/", "h")->key, websocket_request("/", "h")->key);
}

}  // namespace
}  // namespace parley::http
