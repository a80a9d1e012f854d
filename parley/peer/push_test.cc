#include "parley/peer/push.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// A peer with one session that takes what it is sent, and some that take nothing.
struct Slow {
  explicit Slow(std::size_t stuck_ones = 1) {
    reader.handle("/news", [this](const std::string& /*text*/) { ++heard; });
    const auto at = reader.listen("tcp://127.0.0.1:0").value().to_string();
    good = peer.dial(at).value();
    for (std::size_t i = 0; i < stuck_ones; ++i) {
      stuck.push_back(peer.dial(listener->address().to_string()).value());
      streams.push_back(listener->accept().value());
      const std::string much(300'000, 'x');
      // Until it is full and stays so: one push may also fail since nobody else had a turn.
      for (int in_vain = 0; in_vain < 3;) {
        const Status sent = stuck.back().push(CallOptions{.timeout = 20ms}, "/x", much);
        in_vain = sent.is_ok() ? 0 : in_vain + 1;
      }
    }
  }
  void wait_for_heard(int n) const {
    while (heard < n) rt::yield();
  }

  std::atomic<int> heard = 0;
  net::TcpNetwork network;
  std::unique_ptr<net::Listener> listener =
      network.listen(*net::Address::parse("tcp://127.0.0.1:0")).value();
  Peer reader{PeerOptions{.framings = testing::raw_only()}};
  Peer peer{PeerOptions{.drain_timeout = 1ms,
                        .flush_timeout = 1ms,
                        .close_timeout = 1ms,
                        .max_outgoing_bytes = 100'000,
                        .framings = testing::raw_only()}};
  std::optional<Session> good;
  std::vector<Session> stuck;
  std::vector<std::unique_ptr<net::Stream>> streams;
};

TEST(Push, who_pushes_without_end_gives_way_though_nothing_makes_it_wait) {
  rt::testing::run_fiber_test(
      [] {
        // So much is never waiting to be sent.
        Peer peer(PeerOptions{.drain_timeout = 1ms,
                              .flush_timeout = 1ms,
                              .close_timeout = 1ms,
                              .max_outgoing_bytes = std::size_t{1} << 40U,
                              .framings = testing::raw_only()});
        auto [near, far] = net::testing::memory_streams({.max_pieces = 1});
        const Session session = peer.serve(std::move(near), Side::dialled).value();
        bool is_over = false;
        rt::Scope scope;
        scope.go("pushes", [&] {
          while (!is_over) EXPECT_TRUE(session.push("/news", "tea").is_ok());
        });
        EXPECT_TRUE(rt::sleep(1ms).is_ok());
        is_over = true;
      },
      {.longest_run = 2ms});
}

PARLEY_PEER_TEST(Push, goes_to_all_to_some_or_to_those_that_are_chosen) {
  std::atomic<int> heard = 0;
  Pair pair;
  pair.client.handle("/news", [&](Context& context, const std::string& text) {
    EXPECT_EQ(context.metadata().get("from"), "shop");
    if (text == "tea") ++heard;
  });
  pair.server.handle("/ready", [] {});
  std::vector<Session> sessions;
  for (int i = 0; i < 5; ++i) {
    sessions.push_back(pair.dial());
    EXPECT_TRUE(sessions.back().call("/ready"));
  }
  PushOptions options;
  options.metadata.set("from", "shop");
  EXPECT_EQ(pair.server.push_all(options, "/news", "tea").value(), Pushed{.sent = 5});
  while (heard < 5) rt::yield();
  const std::string first = sessions[0].local_address();
  const auto is_first = [&](const Session& each) { return each.remote_address() == first; };
  EXPECT_EQ(pair.server.push_if(is_first, options, "/news", "tea").value(), Pushed{.sent = 1});
  while (heard < 6) rt::yield();
  std::vector<Session> some = pair.server.sessions();
  some.resize(3, some.front());
  EXPECT_EQ(push_to(some, options, "/news", "tea").value(), Pushed{.sent = 3});
  while (heard < 9) rt::yield();
  EXPECT_EQ(push_to(some, options, "/news", "\xff").error().code(), Code::invalid_argument);
  some[0].close();
  EXPECT_EQ(push_to(some, options, "/news", "tea").value(), (Pushed{.sent = 2, .failed = 1}));
}

PARLEY_PEER_TEST(Push, drops_for_a_session_that_is_full_and_says_so) {
  Slow slow;
  const PushOptions options{.when_full = WhenFull::drop};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(slow.peer.push_all(options, "/news", "tea").value(),
              (Pushed{.sent = 1, .dropped = 1}));
  }
  slow.wait_for_heard(3);
  EXPECT_TRUE(slow.stuck[0].is_open());
}

PARLEY_PEER_TEST(Push, closes_a_session_that_is_full_if_it_is_told_to) {
  Slow slow;
  const PushOptions options{.when_full = WhenFull::close};
  EXPECT_EQ(slow.peer.push_all(options, "/news", "tea").value(), (Pushed{.sent = 1, .closed = 1}));
  // From the very moment on.
  EXPECT_FALSE(slow.stuck[0].is_open());
  EXPECT_EQ(slow.stuck[0].set_id("ann").code(), Code::failed_precondition);
  EXPECT_EQ(slow.stuck[0].wait_closed().code(), Code::resource_exhausted);
  while (slow.peer.session_count() > 1) rt::yield();
  EXPECT_EQ(slow.peer.push_all(options, "/news", "tea").value(), (Pushed{.sent = 1}));
  slow.wait_for_heard(2);
}

PARLEY_PEER_TEST(Push, waits_for_room_only_when_all_others_have_it_and_not_for_ever) {
  Slow slow;
  // The one that is full comes first, and holds up nobody.
  const std::vector<Session> both{slow.stuck[0], *slow.good};
  EXPECT_EQ(push_to(both, {.timeout = 5ms}, "/news", "tea").value(),
            (Pushed{.sent = 1, .dropped = 1}));
  slow.wait_for_heard(1);
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("taker", [&] {
    slow.wait_for_heard(2);
    std::vector<char> room(100'000);
    for (;;) {
      const auto size = slow.streams[0]->read(room);
      if (!size || *size == 0) return;
    }
  });
  EXPECT_EQ(push_to(both, {.timeout = 10s}, "/news", "tea").value(), Pushed{.sent = 2});
}

// Reads until `text` has come.
void read_until(net::Stream& stream, const std::string& text) {
  std::string last;
  std::vector<char> room(100'000);
  while (last.find(text) == std::string::npos) {
    const auto size = stream.read(room);
    ASSERT_TRUE(size && *size > 0) << size.error();
    if (last.size() > text.size()) last.erase(0, last.size() - text.size());
    last.append(room.data(), *size);
  }
}

PARLEY_PEER_TEST(Push, a_session_that_stays_full_does_not_hold_up_another_that_was_full) {
  Slow slow(2);
  rt::Scope scope;
  scope.go("taker", [&] {
    // The first one takes nothing before the second one has got it.
    read_until(*slow.streams[1], "tea");
    read_until(*slow.streams[0], "tea");
  });
  EXPECT_EQ(push_to(slow.stuck, {.timeout = 10s}, "/news", "tea").value(), Pushed{.sent = 2});
  scope.join();
}

PARLEY_PEER_TEST(Push, nobody_is_passed_over_who_has_room_or_is_to_be_cut) {
  Peer peer(PeerOptions{.drain_timeout = 1ms,
                        .flush_timeout = 1ms,
                        .close_timeout = 1ms,
                        .max_outgoing_bytes = 1'000,
                        .framings = testing::raw_only()});
  for (int i = 0; i < 200; ++i) {
    auto [here, there] = net::testing::memory_streams({.piece_bytes = 1'000, .max_pieces = 1});
    const Session session = peer.serve(std::move(here), Side::dialled).value();
    while (session.health().is_ok()) {
      EXPECT_TRUE(session.push("/x", std::string(1'000, 'x')).is_ok());
    }
    rt::Scope scope;
    scope.go("taker", [&] {
      std::vector<char> room(1'000);
      while (there->read(room).value_or(0) > 0) {}
    });
    for (int k = i % 7; k > 0; --k) rt::yield();
    const std::vector<Session> one{session};
    const Pushed pushed = push_to(one, {.when_full = WhenFull::close}, "/news", "tea").value();
    EXPECT_EQ(pushed.sent + pushed.closed, 1u);
    session.close();
    scope.join();
  }
}

PARLEY_PEER_TEST(Push, goes_to_no_session_that_is_closing) {
  rt::Event entered;
  rt::Event release;
  Pair pair;
  pair.server.handle("/slow", [&] {
    entered.set();
    (void)release.wait();
  });
  const Session client = pair.dial();
  auto slow = client.call_async("/slow");
  EXPECT_TRUE(entered.wait().is_ok());
  const Session session = pair.server.sessions().front();
  rt::Scope scope;
  scope.go("closer", [&] { session.close(); });
  while (session.is_open()) rt::yield();
  EXPECT_EQ(pair.server.session_count(), 1u);
  EXPECT_EQ(pair.server.push_all({}, "/news", "tea").value(), Pushed{});
  const auto any = [](const Session&) { return true; };
  EXPECT_EQ(pair.server.push_if(any, {}, "/news", "tea").value(), Pushed{});
  release.set();
}

PARLEY_PEER_TEST(Push, one_that_has_not_said_what_it_speaks_is_not_cut_for_that) {
  Pair pair;
  net::TcpNetwork network;
  const auto silent = network.dial(*net::Address::parse(pair.address)).value();
  while (pair.server.session_count() == 0) rt::yield();
  for (const WhenFull when : {WhenFull::drop, WhenFull::close, WhenFull::wait}) {
    EXPECT_EQ(pair.server.push_all({.when_full = when, .timeout = 1ms}, "/news", "tea").value(),
              Pushed{.dropped = 1});
  }
  EXPECT_TRUE(pair.server.sessions().front().is_open());
}

PARLEY_PEER_TEST(Serve, a_stream_made_elsewhere_is_a_session_of_either_side) {
  net::TcpNetwork network;
  const auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0")).value();
  Peer one;
  Peer other(PeerOptions{.max_sessions = 1});
  one.handle("/one", [] { return 1; });
  other.handle("/two", [] { return 2; });
  const auto dialled = one.serve(network.dial(listener->address()).value(), Side::dialled);
  const auto accepted = other.serve(listener->accept().value());
  ASSERT_TRUE(dialled && accepted);
  EXPECT_EQ(dialled->call<int>("/two").value(), 2);
  EXPECT_EQ(accepted->call<int>("/one").value(), 1);
  EXPECT_EQ(other.session(accepted->id()), *accepted);

  EXPECT_EQ(other.serve(network.dial(listener->address()).value()).error().code(),
            Code::resource_exhausted);
  one.close();
  EXPECT_EQ(one.serve(network.dial(listener->address()).value()).error().code(), Code::not_sent);
}

}  // namespace
}  // namespace parley
