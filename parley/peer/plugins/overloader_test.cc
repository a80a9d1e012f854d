#include "parley/peer/plugins/overloader.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using rt::testing::wait_until;
using testing::Pair;

struct Guarded {
  explicit Guarded(OverloaderOptions options)
      : overload(std::make_shared<Overloader>(std::move(options))),
        pair(PeerOptions{.plugins = {overloader(overload)}}, PeerOptions{}) {
    pair.server.handle("/twice", [](int n) { return 2 * n; });
    pair.server.handle("/other", [] {});
    pair.server.handle("/note", [this] { ++noted; });
    pair.server.handle("/gate", [this] {
      ++inside;
      return gate.wait();
    });
    pair.server.handle_stream("/sink", [](RawStream& stream) {
      while (true) {
        const auto message = stream.receive();
        if (!message) return message.error();
        if (!*message) return Status();
      }
    });
  }

  std::shared_ptr<Overloader> overload;
  std::atomic<int> noted = 0;
  std::atomic<int> inside = 0;
  rt::Event gate;
  Pair pair;
};

// A rate that brings nothing while a test lasts.
constexpr double once_a_day = 1.0 / 86'400;

PARLEY_PEER_TEST(Overloader, a_rate_lets_its_burst_pass_and_refuses_the_rest_unrun) {
  for (const double burst : {2.0, 5.0}) {
    Guarded it({.rate = {{.per_second = once_a_day, .burst = burst}}});
    const Session session = it.pair.dial();
    int passed = 0;
    for (int i = 0; i < 10; ++i) {
      const auto answer = session.call<int>("/twice", i);
      if (answer) {
        ++passed;
      } else {
        EXPECT_EQ(answer.error().code(), Code::resource_exhausted);
        EXPECT_NE(answer.error().message().find("rate"), std::string::npos) << answer.error();
      }
    }
    EXPECT_EQ(passed, static_cast<int>(burst));
    EXPECT_EQ(it.overload->counts().rate, 10 - static_cast<std::uint64_t>(burst));
  }
}

PARLEY_PEER_TEST(Overloader, the_rate_of_one_method_leaves_the_others_alone) {
  Guarded it({.method_rates = {{"/twice", {.per_second = once_a_day, .burst = 1}}}});
  const Session session = it.pair.dial();
  EXPECT_TRUE(session.call<int>("/twice", 1));
  for (int i = 0; i < 3; ++i) {
    const Status refused = session.call<int>("/twice", 1).error();
    EXPECT_EQ(refused.code(), Code::resource_exhausted);
    EXPECT_NE(refused.message().find("/twice"), std::string::npos) << refused;
    EXPECT_TRUE(session.call("/other"));
  }
  EXPECT_EQ(it.overload->counts().method_rate, 3U);
}

PARLEY_PEER_TEST(Overloader, what_a_methods_own_rate_refuses_takes_nothing_of_the_common_one) {
  Guarded it({.rate = {{.per_second = once_a_day, .burst = 2}},
              .method_rates = {{"/twice", {.per_second = 0}}}});
  const Session session = it.pair.dial();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(session.call<int>("/twice", 1));
  EXPECT_TRUE(session.call("/other"));
  EXPECT_TRUE(session.call("/other"));
  EXPECT_FALSE(session.call("/other"));
}

PARLEY_PEER_TEST(Overloader, pushes_and_streams_count_as_calls_do) {
  Guarded it({.rate = {{.per_second = once_a_day, .burst = 2}}});
  const Session session = it.pair.dial();
  EXPECT_TRUE(session.push("/note").is_ok());
  wait_until([&] { return it.noted == 1; });
  auto stream = session.open_raw({}, "/sink", wire::BodyCodec::json);
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->finish().is_ok());
  EXPECT_FALSE(stream->receive().value());
  auto refused = session.open_raw({}, "/sink", wire::BodyCodec::json);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->receive().error().code(), Code::resource_exhausted);
  EXPECT_TRUE(session.push("/note").is_ok());
  wait_until([&] { return it.overload->counts().rate == 2; });
  EXPECT_EQ(it.noted, 1);
}

PARLEY_PEER_TEST(Overloader, who_is_turned_away_frees_no_place) {
  for (const std::size_t most : {1U, 2U}) {
    Guarded it({.max_sessions = most});
    std::vector<Session> inside;
    for (std::size_t i = 0; i < most; ++i) {
      inside.push_back(it.pair.dial());
      EXPECT_TRUE(inside.back().call("/other"));
    }
    // Teleport's had room for one more after each that was refused.
    for (int i = 0; i < 6; ++i) {
      const auto session = it.pair.client.dial(it.pair.address);
      if (session) EXPECT_FALSE(session->call("/other"));
    }
    EXPECT_EQ(it.overload->sessions(), most);
    EXPECT_EQ(it.overload->counts().sessions, 6U);
    inside.front().close();
    wait_until([&] { return it.overload->sessions() == most - 1; });
    EXPECT_TRUE(it.pair.dial().call("/other"));
  }
}

PARLEY_PEER_TEST(Overloader, sessions_that_were_dialled_take_no_place) {
  const auto overload = std::make_shared<Overloader>(OverloaderOptions{.max_sessions = 1});
  Pair pair(PeerOptions{}, PeerOptions{.plugins = {overloader(overload)}});
  pair.server.handle("/other", [] {});
  for (int i = 0; i < 3; ++i) {
    const Session session = pair.dial();
    EXPECT_TRUE(session.call("/other"));
    EXPECT_EQ(overload->sessions(), 0U);
    session.close();
  }
  EXPECT_EQ(overload->sessions(), 0U);
}

PARLEY_PEER_TEST(Overloader, an_adaptive_limit_bounds_what_is_under_way) {
  Guarded it({.adaptive = {{.min_limit = 2, .max_limit = 2, .first_limit = 2}}});
  EXPECT_EQ(it.overload->limit(), 2U);
  const Session session = it.pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 2; ++i) scope.go("caller", [&] { EXPECT_TRUE(session.call("/gate")); });
  wait_until([&] { return it.inside == 2; });
  EXPECT_EQ(session.call("/gate").error().code(), Code::resource_exhausted);
  EXPECT_EQ(it.overload->counts().adaptive, 1U);
  it.gate.set();
  scope.join();
  EXPECT_TRUE(session.call("/gate"));
}

TEST(Overloader, calls_that_have_waited_too_long_for_their_turn_are_refused) {
  for (const bool is_guarded : {true, false}) {
    rt::testing::run_fiber_test([is_guarded] {
      Guarded it({});
      std::atomic<int> ran = 0;
      // One after the other, on one worker.
      it.pair.server.handle("/slow", [&] {
        const Instant begin = RealClock().now();
        while (RealClock().now() - begin < 2ms) {}
        ++ran;
      });
      const Session session = it.pair.dial();
      EXPECT_TRUE(session.call("/other"));
      if (is_guarded) {
        EXPECT_TRUE(it.overload->update({.queue = {{.target = 1ms, .interval = 2ms}}}).is_ok());
      }
      rt::Scope scope;
      std::atomic<int> refused = 0;
      for (int i = 0; i < 40; ++i) {
        scope.go("caller", [&] {
          if (session.call("/slow").error().code() == Code::resource_exhausted) ++refused;
        });
      }
      scope.join();
      EXPECT_EQ(ran + refused, 40);
      EXPECT_EQ(refused > 0, is_guarded);
      EXPECT_EQ(it.overload->counts().queue, static_cast<std::uint64_t>(refused.load()));
    });
  }
}

// Each session's call is read when the session has its turn: where there are many of them, most of
// the wait is before that.
TEST(Overloader, a_call_waits_from_when_its_session_could_be_read) {
  for (const bool is_guarded : {true, false}) {
    ManualClock clock;
    rt::testing::run_fiber_test(
        [&] {
          Guarded it({});
          std::vector<Duration> ages;
          it.pair.server.handle("/work", [&](Context& context) {
            ages.push_back(context.age());
            clock.advance(1ms);
          });
          std::vector<Session> sessions;
          for (int i = 0; i < 20; ++i) {
            sessions.push_back(it.pair.dial());
            EXPECT_TRUE(sessions.back().call("/other"));
          }
          if (is_guarded) {
            EXPECT_TRUE(it.overload->update({.queue = {{.target = 2ms, .interval = 4ms}}}).is_ok());
          }
          rt::Scope scope;
          int refused = 0;
          for (const Session& session : sessions) {
            scope.go("caller", [&] { refused += session.call("/work") ? 0 : 1; });
          }
          scope.join();
          // One after the other, each a millisecond later.
          EXPECT_EQ(refused, is_guarded ? 15 : 0);
          ASSERT_EQ(ages.size(), is_guarded ? 5U : 20U);
          for (std::size_t i = 0; i < ages.size(); ++i) {
            EXPECT_EQ(ages[i], std::chrono::milliseconds(i));
          }
        },
        {.clock = &clock});
  }
}

PARLEY_PEER_TEST(Overloader, takes_other_limits_while_it_runs) {
  Guarded it({.rate = {{.per_second = 0}}});
  const Session session = it.pair.dial();
  EXPECT_FALSE(session.call("/other"));
  EXPECT_TRUE(it.overload->update({}).is_ok());
  EXPECT_TRUE(session.call("/other"));
  // The same limit again fills no bucket.
  const OverloaderOptions two{.rate = {{.per_second = once_a_day, .burst = 2}}};
  EXPECT_TRUE(it.overload->update(two).is_ok());
  EXPECT_TRUE(session.call("/other"));
  EXPECT_TRUE(it.overload->update(two).is_ok());
  EXPECT_TRUE(session.call("/other"));
  EXPECT_FALSE(session.call("/other"));
  EXPECT_TRUE(it.overload->update({}).is_ok());
  EXPECT_FALSE(it.overload->limit());
  EXPECT_TRUE(it.overload->update({.adaptive = {{}}}).is_ok());
  EXPECT_EQ(it.overload->limit(), AdaptiveLimitOptions().first_limit);
  const Status bad = it.overload->update({.method_rates = {{"/twice", {.per_second = -1}}}});
  EXPECT_EQ(bad.code(), Code::invalid_argument);
  EXPECT_NE(bad.message().find("/twice"), std::string::npos) << bad;
  EXPECT_EQ(it.overload->limit(), AdaptiveLimitOptions().first_limit) << "nothing has changed";
  EXPECT_FALSE(OverloaderOptions{.queue = {{.target = 0ms}}}.check().is_ok());
  EXPECT_FALSE(OverloaderOptions{.rate = {{.per_second = 2e9}}}.check().is_ok());
}

PARLEY_PEER_TEST(Overloader, several_peers_share_its_limits) {
  const auto overload = std::make_shared<Overloader>(
      OverloaderOptions{.rate = {{.per_second = once_a_day, .burst = 3}}});
  Pair one(PeerOptions{.plugins = {overloader(overload)}}, PeerOptions{});
  Pair two(PeerOptions{.plugins = {overloader(overload)}}, PeerOptions{});
  int passed = 0;
  for (Pair* each : {&one, &two, &one, &two, &one}) {
    if (!each->server.methods().empty()) continue;
    each->server.handle("/other", [] {});
  }
  for (Pair* each : {&one, &two, &one, &two, &one}) passed += each->dial().call("/other") ? 1 : 0;
  EXPECT_EQ(passed, 3);
}

}  // namespace
}  // namespace parley
