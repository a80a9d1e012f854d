#include "parley/peer/foreign_room.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "parley/peer/foreign_session.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/scope.h"

namespace parley {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

std::unique_ptr<ForeignSession> session_with(Peer& peer) {
  auto session = ForeignSession::open(peer, {.protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

PeerOptions holding(std::size_t bytes) {
  PeerOptions options;
  options.max_handler_bytes = bytes;
  return options;
}

PARLEY_PEER_TEST(ForeignRoom, bodies_of_a_session_have_a_limit_together) {
  for (const std::size_t most : {mebibyte, 4 * mebibyte}) {
    Peer peer(holding(most));
    const auto session = session_with(peer);
    ForeignRoom first(*session);
    ForeignRoom second(*session);
    ASSERT_TRUE(first.hold(700'000).is_ok());
    EXPECT_TRUE(second.hold(300'000).is_ok());
    const Status more = second.hold(400'000);
    EXPECT_EQ(more.is_ok(), most > mebibyte) << more;
    EXPECT_EQ(second.was_full(), most == mebibyte);
    if (more.is_ok()) continue;
    EXPECT_EQ(more.code(), Code::resource_exhausted);
    EXPECT_NE(more.message().find("max_handler_bytes"), std::string::npos) << more;
    EXPECT_TRUE(second.hold(348'576).is_ok()) << "what it held it still does, up to the last byte";
    EXPECT_FALSE(second.hold(348'577).is_ok());
    ASSERT_TRUE(first.hold(100'000).is_ok());
    EXPECT_TRUE(second.hold(900'000).is_ok());
  }
}

PARLEY_PEER_TEST(ForeignRoom, what_is_small_or_alone_may_always_be) {
  Peer peer(holding(mebibyte));
  const auto session = session_with(peer);
  ForeignRoom alone(*session);
  EXPECT_TRUE(alone.hold(10 * mebibyte).is_ok());
  ForeignRoom small(*session);
  EXPECT_TRUE(small.hold(ForeignRoom::small_bytes).is_ok());
  EXPECT_FALSE(small.hold(ForeignRoom::small_bytes + 1).is_ok());
  const auto other = session_with(peer);
  ForeignRoom elsewhere(*other);
  EXPECT_TRUE(elsewhere.hold(mebibyte).is_ok()) << "each session has its own";
}

PARLEY_PEER_TEST(ForeignRoom, gives_back_what_it_held) {
  Peer peer(holding(mebibyte));
  const auto session = session_with(peer);
  rt::Scope scope;
  for (int i = 0; i < 8; ++i) {
    scope.go("body", [&session] {
      for (int k = 0; k < 100; ++k) {
        ForeignRoom room(*session);
        for (std::size_t bytes = 0; bytes < 200'000; bytes += 50'000) {
          if (!room.hold(bytes).is_ok()) break;
        }
        rt::yield();
      }
    });
  }
  scope.join();
  ForeignRoom first(*session);
  ForeignRoom second(*session);
  EXPECT_TRUE(first.hold(mebibyte / 2).is_ok());
  EXPECT_TRUE(second.hold(mebibyte / 2).is_ok());
}

}  // namespace
}  // namespace parley
