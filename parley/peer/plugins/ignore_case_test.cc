#include "parley/peer/plugins/ignore_case.h"

#include <string>

#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"

namespace parley {
namespace {

using testing::Pair;

PARLEY_PEER_TEST(IgnoreCase, methods_are_found_whatever_the_case_they_are_called_in) {
  Pair pair(PeerOptions{.plugins = {ignore_case()}}, {});
  rt::Channel<std::string> pushed(1);
  pair.server.handle("/order/place",
                     [](Context& context) { return std::string(context.method()); });
  pair.server.handle("/order/\xC3\x84", [] { return 1; });
  pair.server.handle("/news",
                     [&](const std::string& text) { EXPECT_TRUE(pushed.send(text).is_ok()); });
  pair.server.handle_stream("/double", [](Stream<int, int>& stream) -> Status {
    const auto n = stream.receive();
    return n && *n ? stream.send(2 * **n) : n.error();
  });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<std::string>("/Order/PLACE").value(), "/order/place");
  EXPECT_EQ(session.call<std::string>("/order/place").value(), "/order/place");
  EXPECT_EQ(session.call<int>("/Order/\xC3\x84").value(), 1);
  EXPECT_TRUE(session.push("/NEWS", "tea").is_ok());
  EXPECT_EQ(pushed.receive().value(), "tea");
  auto stream = session.open<int, int>("/DOUBLE");
  ASSERT_TRUE(stream) << stream.error();
  EXPECT_TRUE(stream->send(4).is_ok());
  EXPECT_EQ(stream->receive().value(), 8);
  EXPECT_EQ(session.call("/Nothing").error().code(), Code::not_found);
}

PARLEY_PEER_TEST(IgnoreCase, without_it_another_case_is_another_method) {
  Pair pair;
  pair.server.handle("/order", [] {});
  EXPECT_EQ(pair.dial().call("/Order").error().code(), Code::not_found);
}

PARLEY_PEER_TEST(IgnoreCase, a_method_with_capitals_is_refused_when_it_is_registered) {
  Peer peer({.plugins = {ignore_case()}});
  peer.handle("/Order", [] {});
  const Status status = peer.listen("tcp://127.0.0.1:0").error();
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_NE(status.message().find("/Order"), std::string::npos) << status;
}

}  // namespace
}  // namespace parley
