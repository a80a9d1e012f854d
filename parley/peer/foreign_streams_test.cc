// Many streams of one foreign session: who is slow holds up nobody else.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/peer/foreign_session.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using wire::BodyCodec;

constexpr std::size_t stream_credit = std::size_t{64} << 10U;
constexpr std::size_t mebibyte = std::size_t{1} << 20U;
constexpr int stuck_count = 20;  // hold more than session_credit

Bytes text(std::size_t size) { return Bytes::from(std::string(size, 'x')); }
// Of what goes on at once, or never.
rt::Deadline soon() { return rt::Deadline::after(10s); }

struct World {
  explicit World(std::size_t max_handler_bytes = PeerOptions().max_handler_bytes)
      : peer(options(max_handler_bytes)) {
    peer.handle_stream("/stuck", [this](RawStream& stream) -> Status {
      (void)go_on.wait();
      return read_all(stream);
    });
    peer.handle_stream("/read", [](RawStream& stream) { return read_all(stream); });
    peer.handle_stream("/echo", [](RawStream& stream) -> Status {
      for (;;) {
        auto message = stream.receive();
        if (!message) return message.error();
        if (!*message) return {};
        if (Status s = stream.send(**std::move(message)); !s.is_ok()) return s;
      }
    });
    peer.handle_stream("/pour", [this](Stream<int, Bytes>& stream) -> Status {
      const auto size = stream.receive();
      if (!size || !*size) return Status(Code::aborted, "no size came");
      for (;;) {
        Status s = stream.send(text(static_cast<std::size_t>(**size)), rt::Deadline::after(0ms));
        ++tried;
        if (s.code() == Code::deadline_exceeded) s = stream.send(text(1));  // waits for who takes
        if (!s.is_ok()) return s;
        if (tried > 1'000'000) return {};
      }
    });
    session = *ForeignSession::open(peer, {.protocol = "HTTP"});
  }
  ~World() { go_on.set(); }

  static PeerOptions options(std::size_t max_handler_bytes) {
    PeerOptions options;
    options.stream_credit = stream_credit;
    options.session_credit = mebibyte;
    options.max_handler_bytes = max_handler_bytes;
    return options;
  }
  static Status read_all(RawStream& stream) {
    for (;;) {
      auto message = stream.receive();
      if (!message) return message.error();
      if (!*message) return {};
    }
  }
  std::unique_ptr<ForeignStream> open(std::string_view method) const {
    auto stream = session->open_stream({.method = method, .codec = BodyCodec::json});
    EXPECT_TRUE(stream) << stream.error();
    return *std::move(stream);
  }

  rt::Event go_on;
  std::atomic<int> tried = 0;
  Peer peer;
  std::unique_ptr<ForeignSession> session;
};

void goes_round(ForeignStream& stream, std::size_t size) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stream.give(text(size), soon()).is_ok());
    const auto back = stream.take(soon());
    ASSERT_TRUE(back && *back);
    ASSERT_EQ((*back)->size(), size);
  }
}

PARLEY_PEER_TEST(ForeignStreams, handlers_that_read_nothing_hold_up_no_other_stream) {
  World world;
  std::vector<std::unique_ptr<ForeignStream>> stuck;
  for (int i = 0; i < stuck_count; ++i) {
    stuck.push_back(world.open("/stuck"));
    int given = 0;
    while (stuck.back()->give(text(8'000), rt::Deadline::after(0ms)).is_ok()) ++given;
    ASSERT_EQ(given, 8) << "each has its own credit";
  }
  const auto other = world.open("/echo");
  goes_round(*other, 1'000);
  goes_round(*other, 3 * mebibyte);
  world.go_on.set();
  for (const auto& each : stuck) {
    each->finish();
    const auto end = each->take(soon());
    EXPECT_TRUE(end && !*end);
  }
}

PARLEY_PEER_TEST(ForeignStreams, who_takes_nothing_holds_up_no_other_stream) {
  World world;
  std::vector<std::unique_ptr<ForeignStream>> stuck;
  for (int i = 0; i < stuck_count; ++i) {
    const int before = world.tried;
    stuck.push_back(world.open("/pour"));
    ASSERT_TRUE(stuck.back()->give(Bytes::copy_of("8000")).is_ok());
    while (world.tried < before + 9) rt::yield();
  }
  const auto other = world.open("/echo");
  goes_round(*other, 1'000);
  goes_round(*other, 3 * mebibyte);
  for (const auto& each : stuck) {
    const auto first = each->take(soon());
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->size(), 8'000U);
  }
}

// One unread message elsewhere keeps back no credit of what was read.
PARLEY_PEER_TEST(ForeignStreams, credit_of_what_was_read_is_there_at_once) {
  World world;
  const auto stuck = world.open("/stuck");
  ASSERT_TRUE(stuck->give(text(100), soon()).is_ok());
  const auto first = world.open("/read");
  ASSERT_TRUE(first->give(text(mebibyte / 2 - 1'000), soon()).is_ok());
  const auto second = world.open("/read");
  EXPECT_TRUE(second->give(text(mebibyte), soon()).is_ok());
  EXPECT_TRUE(second->give(text(mebibyte), soon()).is_ok());
}

// What is larger than a stream's credit comes all the same, within max_handler_bytes.
PARLEY_PEER_TEST(ForeignStreams, messages_beyond_their_credit_have_a_limit_together) {
  for (const std::size_t most : {mebibyte, 8 * mebibyte}) {
    World world(most);
    const auto first = world.open("/stuck");
    const auto second = world.open("/stuck");
    ASSERT_TRUE(first->give(text(2 * mebibyte), soon()).is_ok()) << "one may always";
    const Status large = second->give(text(2 * mebibyte), rt::Deadline::after(0ms));
    EXPECT_EQ(large.is_ok(), most > mebibyte) << large;
    if (large.is_ok()) continue;
    EXPECT_EQ(large.code(), Code::deadline_exceeded) << large;
    EXPECT_TRUE(second->give(text(10'000), soon()).is_ok()) << "what is within its credit goes";
    rt::Scope scope;
    scope.go("giver", [&] { EXPECT_TRUE(second->give(text(2 * mebibyte), soon()).is_ok()); });
    world.go_on.set();
    scope.join();
  }
}

// What keeps a message from coming may be what lies unread in its own stream.
PARLEY_PEER_TEST(ForeignStreams, a_message_that_waits_for_others_goes_once_its_own_are_read) {
  World world(mebibyte);
  rt::Event read_one;
  world.peer.handle_stream("/one", [&](RawStream& stream) -> Status {
    (void)read_one.wait();
    auto first = stream.receive();
    if (!first) return first.error();
    (void)stream.send(Bytes::from(std::string("read")));
    return World::read_all(stream);
  });
  const auto stuck = world.open("/stuck");
  ASSERT_TRUE(stuck->give(text(2 * mebibyte), soon()).is_ok());
  const auto own = world.open("/one");
  ASSERT_TRUE(own->give(text(10'000), soon()).is_ok());
  EXPECT_EQ(own->give(text(60'000), rt::Deadline::after(0ms)).code(), Code::deadline_exceeded);
  rt::Scope scope;
  rt::Event gives;
  scope.go("giver", [&] {
    gives.set();
    EXPECT_TRUE(own->give(text(60'000), soon()).is_ok());
  });
  (void)gives.wait();
  for (int i = 0; i < 100; ++i) rt::yield();
  read_one.set();
  scope.join();
}

PARLEY_PEER_TEST(ForeignStreams, what_is_sent_beyond_its_credit_has_a_limit_together) {
  for (const int most : {1, 8}) {
    World world(static_cast<std::size_t>(most) * mebibyte);
    const auto first = world.open("/echo");
    const auto second = world.open("/echo");
    ASSERT_TRUE(first->give(text(mebibyte * 3 / 2), soon()).is_ok());
    while (!first->has_some()) rt::yield();
    ASSERT_TRUE(second->give(text(mebibyte * 3 / 2), soon()).is_ok());
    // The handler reads on only when it has sent: with room for both the second message comes back.
    if (most == 8) {
      while (!second->has_some()) rt::yield();
      continue;
    }
    EXPECT_EQ(second->take(rt::Deadline::after(20ms)).error().code(), Code::deadline_exceeded);
    ASSERT_TRUE(first->take(soon()));
    const auto back = second->take(soon());
    ASSERT_TRUE(back && *back) << back.error();
    EXPECT_EQ((*back)->size(), mebibyte * 3 / 2);
  }
}

}  // namespace
}  // namespace parley
