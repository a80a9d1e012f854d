#include "parley/door/websocket_peer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "parley/door/impl/erpc_socket.h"
#include "parley/door/testing/house.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the house is all it is about
using impl::ErpcSocket;

const std::string call_of_a_browser =
    R"({"seq":7,"mtype":1,"serviceMethod":"/math/add","bodyCodec":106,"body":"[1,2]"})";
const std::string its_answer =
    R"({"seq":7,"mtype":2,"serviceMethod":"","meta":"","bodyCodec":106,"body":"3","xferPipe":[]})";

std::string answer_to(http::WebSocket& socket, const std::string& text) {
  EXPECT_TRUE(socket.send_text(text).is_ok());
  const auto message = socket.receive_message();
  return message ? message->payload.to_string() : message.error().message();
}

PARLEY_FIBER_TEST(WebSocketPeer, answers_erpcs_json_as_it_stands_in_a_message) {
  House house;
  const auto socket = open_websocket(house.dial(), "/parley", "ws-json");
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(socket->subprotocol(), "ws-json");
  EXPECT_EQ(answer_to(*socket, call_of_a_browser), its_answer);
  EXPECT_EQ(answer_to(*socket, call_of_a_browser), its_answer) << "and goes on";
}

PARLEY_FIBER_TEST(WebSocketPeer, speaks_erpcs_sub_protocols_both_ways) {
  House house;
  house.peer.handle("/echo", [](const std::string& text) { return text; });
  for (const ErpcSocket kind : {ErpcSocket::json, ErpcSocket::pb}) {
    const wire::ErpcLimits limits;
    auto socket =
        open_websocket(house.dial(), "/parley", kind == ErpcSocket::json ? "ws-json" : "ws-pb");
    ASSERT_NE(socket, nullptr);
    Peer client;
    client.handle("/once", [](int n) { return n; });
    const auto session = client.serve(impl::erpc_socket_stream(std::move(socket), kind, limits),
                                      Side::dialled, {impl::erpc_socket_framing(kind, limits)});
    ASSERT_TRUE(session) << session.error();
    EXPECT_EQ(session->call<int>("/twice", 21).value(), 42);
    EXPECT_EQ(session->call<int>("/nobody", 21).error().code(), Code::not_found);
    const std::string large(300'000, 'x');
    EXPECT_EQ(session->call<std::string>("/echo", large).value(), large);
    EXPECT_EQ(session->call<std::string>("/echo", "\xC3\xA4\"\n").value(), "\xC3\xA4\"\n");
  }
}

PARLEY_FIBER_TEST(WebSocketPeer, who_asks_for_no_sub_protocol_speaks_what_was_said) {
  DoorOptions options;
  options.websocket.unnamed = "ws-json";
  House house(options);
  const auto socket = open_websocket(house.dial(), "/parley", "");
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(answer_to(*socket, call_of_a_browser), its_answer);
  House other;
  const auto bytes = open_websocket(other.dial(), "/parley", "");
  ASSERT_NE(bytes, nullptr);
  (void)answer_to(*bytes, call_of_a_browser);
  EXPECT_EQ(bytes->close_code(), http::close_code::unsupported_data);
}

PARLEY_FIBER_TEST(WebSocketPeer, what_is_spoken_without_a_name_must_be_known) {
  for (const std::string& name : {std::string("parley"), std::string("ws-json"),
                                  std::string("ws-pb"), std::string("ws-jsom"), std::string()}) {
    DoorOptions options;
    options.websocket.unnamed = name;
    const bool is_spoken = name.size() > 4 && name != "ws-jsom";
    EXPECT_EQ(check(options.websocket).is_ok(), is_spoken) << name;
    if (is_spoken) continue;
    House house(options);
    const Status told = house.end();
    EXPECT_EQ(told.code(), Code::invalid_argument);
    EXPECT_NE(told.message().find('"' + name + '"'), std::string::npos) << told;
  }
}

PARLEY_FIBER_TEST(WebSocketPeer, texts_are_bytes_only_where_it_was_said) {
  for (const bool takes : {false, true}) {
    DoorOptions options;
    options.websocket.accept_text = takes;
    House house(options);
    const auto socket = open_websocket(house.dial());
    ASSERT_NE(socket, nullptr);
    (void)answer_to(*socket, "hello");
    EXPECT_EQ(socket->close_code() == http::close_code::unsupported_data, !takes)
        << "hello is of no framing, which is another matter";
  }
}

PARLEY_FIBER_TEST(WebSocketPeer, what_is_broken_or_too_large_ends_the_session) {
  for (const std::string& text : {std::string("{"), std::string(2000, ' ')}) {
    House house({}, {.max_frame_bytes = 1000});
    const auto socket = open_websocket(house.dial(), "/parley", "ws-json");
    ASSERT_NE(socket, nullptr);
    EXPECT_EQ(answer_to(*socket, call_of_a_browser), its_answer);
    ASSERT_TRUE(socket->send_text(text).is_ok());
    EXPECT_FALSE(socket->receive_message()) << text.size();
  }
}

}  // namespace
}  // namespace parley::door
