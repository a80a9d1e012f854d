#include "parley/peer/guarded_handler.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "parley/net/in_process_network.h"
#include "parley/peer/testing/pair.h"

namespace parley {
namespace {

using testing::Log;
using testing::Pair;

constexpr std::string_view line =
    ": internal: /throw: the handler threw an exception (cause: the stock file is gone)\n";

// How often it is in the log.
int count_of(std::string_view part, const std::string& text) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

int fails(int good) {
  if (good > 0) return good;
  throw std::runtime_error("the stock file is gone");
}

PARLEY_PEER_TEST(GuardedHandler, tells_the_log_once_what_was_thrown_however_the_call_is_served) {
  Pair pair;
  pair.server.handle("/throw", &fails);
  pair.server.handle_stream("/throws", [](Stream<std::string, std::string>&) { (void)fails(0); });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/throw", 0).error().message(),
            "/throw: the handler threw an exception");
  EXPECT_EQ(count_of(line, pair.server_log.take()), 1) << "the first one, which is looked at";
  for (int i = 1; i < 20; ++i) EXPECT_EQ(session.call<int>("/throw", i).value(), i);
  EXPECT_FALSE(session.call<int>("/throw", 0));
  EXPECT_EQ(count_of(line, pair.server_log.take()), 1) << "one that is served quickly";
  EXPECT_TRUE(session.push("/throw", 0).is_ok());
  EXPECT_EQ(session.call<int>("/throw", 1).value(), 1);
  pair.server_log.wait_for("PUSH /throw failed: internal: the handler threw an exception (cause: ");
  EXPECT_EQ(count_of("threw", pair.server_log.take()), 1);
  auto stream = session.open<std::string, std::string>("/throws");
  EXPECT_EQ(stream->receive().error().message(), "/throws: the handler threw an exception");
  EXPECT_EQ(count_of("/throws: the handler threw", pair.server_log.text()), 1);
  EXPECT_EQ(pair.client_log.text(), "");
}

PARLEY_PEER_TEST(GuardedHandler, keeps_what_was_thrown_inside_where_that_is_wanted) {
  for (const bool tells : {true, false}) {
    Pair pair(PeerOptions{.tells_exceptions = tells});
    pair.server.handle("/throw", &fails);
    pair.server.handle_stream("/throws", [](Stream<std::string, std::string>&) { (void)fails(0); });
    const Session session = pair.dial();
    const std::string cause = tells ? "the stock file is gone" : "";
    for (int i = 0; i < 3; ++i) {
      const Status told = session.call<int>("/throw", 0).error();
      EXPECT_EQ(told.code(), Code::internal);
      EXPECT_EQ(told.message(), "/throw: the handler threw an exception");
      EXPECT_EQ(told.cause(), cause);
    }
    auto stream = session.open<std::string, std::string>("/throws");
    EXPECT_EQ(stream->receive().error().cause(), cause);
    EXPECT_EQ(count_of("the stock file is gone", pair.server_log.text()), 4) << "the log has it";
  }
}

PARLEY_PEER_TEST(GuardedHandler, tells_the_log_of_who_serves_within_one_process_too) {
  net::InProcessNetwork network;
  Log server_log;
  Log client_log;
  Peer server({.network = &network, .log = [&](std::string_view said) { server_log.add(said); }});
  Peer client({.network = &network, .log = [&](std::string_view said) { client_log.add(said); }});
  server.handle("/throw", &fails);
  server.handle("/throw_nothing", [](int good) { (void)fails(good); });
  ASSERT_TRUE(server.listen("inproc:shop"));
  const Session session = client.dial("inproc:shop").value();
  for (int i = 1; i < 20; ++i) {
    EXPECT_EQ(session.call<int>("/throw", i).value(), i);
    EXPECT_TRUE(session.call("/throw_nothing", i));
  }
  EXPECT_EQ(session.call<int>("/throw", 0).error().message(),
            "/throw: the handler threw an exception");
  EXPECT_EQ(session.call("/throw_nothing", 0).error().code(), Code::internal);
  EXPECT_EQ(count_of(line, server_log.text()), 1);
  EXPECT_EQ(count_of("/throw_nothing: the handler threw", server_log.text()), 1);
  EXPECT_EQ(client_log.text(), "");
}

}  // namespace
}  // namespace parley
