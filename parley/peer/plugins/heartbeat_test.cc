#include "parley/peer/plugins/heartbeat.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/secure.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/shared_key.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/pb_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::at_shop;
using testing::Street;
using testing::wait_until;

std::shared_ptr<HeartbeatCounts> counting() { return std::make_shared<HeartbeatCounts>(); }

PeerOptions with(Plugin plugin) { return {.plugins = {std::move(plugin)}}; }

// How long it takes until `session` has ended, of one that has just become silent.
Duration end_of(const Session& session) {
  const Instant start = rt::now();
  EXPECT_EQ(session.wait_closed(rt::Deadline::after(1h)).code(), Code::unavailable);
  return rt::now() - start;
}

using Options = std::vector<std::shared_ptr<const wire::Framing>>;

// --- Half-open connections

TEST(Heartbeat, a_half_open_connection_is_found_within_the_limit) {
  for (const HeartbeatOptions& options :
       {HeartbeatOptions{.interval = 2s, .timeout = 1s}, HeartbeatOptions{.interval = 2s},
        HeartbeatOptions{.interval = 8s, .timeout = 1s}}) {
    rt::testing::in_virtual_time(
        [&] {
          Street street(with(heartbeat(options)));
          const Session session = street.dial({});
          EXPECT_TRUE(session.call<int>("/count", 1));
          street.world.partition("till", "shop");
          const Duration took = end_of(session);
          EXPECT_LE(took, options.limit() + 200ms);
          EXPECT_GE(took, options.interval * (1 - options.jitter) + options.timeout - 200ms);
        },
        5ms);
  }
}

TEST(Heartbeat, calls_under_way_end_as_outcome_unknown_and_say_why) {
  rt::testing::in_virtual_time(
      [] {
        Street street(with(heartbeat({.interval = 2s, .timeout = 1s})));
        const Session session = street.dial({});
        rt::Scope scope;
        scope.go("caller", [&] {
          const Status status = session.call("/wait").error();
          EXPECT_EQ(status.code(), Code::outcome_unknown);
          EXPECT_NE(status.cause().find("heartbeat: the other side, or the way to it, is gone"),
                    std::string::npos)
              << status;
        });
        wait_until([&] { return street.runs == 1; });
        street.world.partition("till", "shop");
        scope.join();
      },
      5ms);
}

TEST(Heartbeat, a_session_that_is_dialled_again_finds_its_way_to_the_other_side) {
  rt::testing::in_virtual_time(
      [] {
        const auto counts = counting();
        Street street(with(heartbeat({.interval = 2s, .timeout = 1s, .counts = counts})));
        const Session session = street.dial();
        for (int i = 1; i <= 3; ++i) {
          EXPECT_EQ(session.call<int>("/count", i).value(), i);
          street.world.partition("till", "shop");
          wait_until([&] { return counts->ended == static_cast<std::uint64_t>(i); });
          street.world.heal();
        }
        EXPECT_EQ(session.call<int>("/count", 7).value(), 7);
        EXPECT_TRUE(session.is_open());
      },
      5ms);
}

TEST(Heartbeat, who_accepted_finds_it_as_well) {
  rt::testing::in_virtual_time(
      [] {
        const auto counts = counting();
        Street street({}, with(heartbeat({.interval = 2s, .timeout = 1s, .counts = counts})));
        const Session session = street.dial({});
        EXPECT_TRUE(session.call<int>("/count", 1));
        street.world.partition("till", "shop");
        wait_until([&] { return street.server->session_count() == 0; });
        EXPECT_EQ(counts->ended, 1U);
      },
      5ms);
}

TEST(Heartbeat, a_connection_that_never_says_anything_ends) {
  rt::testing::in_virtual_time(
      [] {
        Street street({}, with(heartbeat({.interval = 2s, .timeout = 1s})));
        const auto silent =
            street.world.node("till").dial(*net::Address::parse(at_shop), rt::Deadline::never());
        wait_until([&] { return street.server->session_count() == 1; });
        wait_until([&] { return street.server->session_count() == 0; });
      },
      5ms);
}

// --- Sessions that are well

TEST(Heartbeat, who_answers_lives_and_any_traffic_puts_the_question_off) {
  for (const bool talks : {false, true}) {
    rt::testing::in_virtual_time(
        [&] {
          const auto counts = counting();
          Street street(with(heartbeat({.interval = 2s, .timeout = 1s, .counts = counts})));
          const Session session = street.dial({});
          for (int i = 0; i < 60; ++i) {
            if (talks) {
              EXPECT_TRUE(session.call<int>("/count", i));
            }
            EXPECT_TRUE(rt::sleep(1s).is_ok());
          }
          EXPECT_TRUE(session.is_open());
          EXPECT_EQ(counts->ended, 0U);
          if (talks) {
            EXPECT_EQ(counts->asked, 0U);
          } else {
            EXPECT_GE(counts->asked, 20U);
            EXPECT_LE(counts->asked, 45U);
          }
        },
        5ms);
  }
}

// What is queued before the question may need longer than the answer may take.
TEST(Heartbeat, a_slow_way_is_no_silence) {
  rt::testing::in_virtual_time(
      [] {
        const auto counts = counting();
        Street street(with(heartbeat({.interval = 1s, .timeout = 2s, .counts = counts})));
        const Session session = street.dial({});
        EXPECT_EQ(session.call<std::size_t>("/size", std::string("x")).value(), 1U);
        net::LinkOptions slow;
        slow.bytes_per_second = 100'000;
        street.world.set_links("till", "shop", slow);
        const std::string large(500'000, 'x');
        EXPECT_EQ(session.call<std::size_t>("/size", large).value_or(0), large.size());
        EXPECT_GE(counts->asked, 1U);
        EXPECT_EQ(counts->ended, 0U);
      },
      2ms);
}

// --- Many

TEST(Heartbeat, a_thousand_sessions_are_asked_all_and_not_in_step) {
  for (const double jitter : {0.0, 0.5}) {
    rt::testing::in_virtual_time(
        [&] {
          constexpr std::size_t many = 1'000;
          const auto counts = counting();
          Street street({},
                        with(heartbeat(
                            {.interval = 8s, .timeout = 20s, .jitter = jitter, .counts = counts})));
          std::vector<Session> sessions;
          {
            rt::Scope dialling;
            for (std::size_t i = 0; i < many; ++i) {
              dialling.go("dial", [&] { sessions.push_back(street.dial({})); });
            }
          }
          wait_until([&] { return street.server->session_count() == many; });
          // The most that are asked in a tenth of a second.
          std::uint64_t most = 0;
          for (std::uint64_t before = 0; before < many;) {
            EXPECT_TRUE(rt::sleep(100ms).is_ok());
            const std::uint64_t asked = counts->asked;
            most = std::max(most, asked - before);
            before = asked;
          }
          EXPECT_EQ(most <= 150U, jitter > 0) << most;
          for (const Session& each : sessions) EXPECT_TRUE(each.is_open());
          street.world.partition("till", "shop");
          wait_until([&] { return street.server->session_count() == 0; });
          EXPECT_EQ(counts->ended, many);
        },
        20ms);
  }
}

// --- Teleport's formats

struct Teleport {
  Options framings;
  HeartbeatKind kind = HeartbeatKind::call;
};

std::vector<Teleport> teleports() {
  return {{{std::make_shared<wire::RawFraming>()}},
          {{std::make_shared<wire::JsonFraming>()}},
          {{std::make_shared<wire::PbFraming>()}, HeartbeatKind::push}};
}

TEST(Heartbeat, in_teleports_formats_it_is_a_call_or_a_push_with_the_rate) {
  for (const Teleport& teleport : teleports()) {
    rt::testing::in_virtual_time(
        [&] {
          std::vector<std::string> heard;
          PeerOptions serves{.framings = teleport.framings};
          serves.plugins = {{.name = "listens", .serve = [&](ServeStep& step, Next& next) {
                               const auto rate = step.metadata().get("hb_");
                               heard.push_back(std::string(step.is_push() ? "PUSH " : "CALL ") +
                                               std::string(step.method()) + " " +
                                               std::string(rate.value_or("none")));
                               return next();
                             }}};
          serves.plugins.push_back(heartbeat_pong());
          PeerOptions asks =
              with(heartbeat({.interval = 2500ms, .timeout = 1s, .kind = teleport.kind}));
          asks.framings = teleport.framings;
          Street street(asks, serves);
          const Session session = street.dial({});
          wait_until([&] { return heard.size() == 5; });
          EXPECT_TRUE(session.is_open());
          const bool is_push = teleport.kind == HeartbeatKind::push;
          const std::string expected = is_push ? "PUSH /heartbeat 3" : "CALL /heartbeat 3";
          for (const std::string& each : heard) EXPECT_EQ(each, expected);
          EXPECT_TRUE(session.call<int>("/count", 1));
        },
        5ms);
  }
}

// With heartbeats of that kind in a raw session, and these plugins around them.
void find_who_is_gone(HeartbeatKind kind, const std::vector<Plugin>& around) {
  rt::testing::in_virtual_time(
      [&] {
        const auto asked = counting();
        const auto answered = counting();
        const Options raw = {std::make_shared<wire::RawFraming>()};
        PeerOptions asks{.framings = raw, .plugins = around};
        PeerOptions serves = asks;
        asks.plugins.push_back(
            heartbeat({.interval = 2s, .timeout = 1s, .kind = kind, .counts = asked}));
        serves.plugins.push_back(heartbeat_pong({.counts = answered}));
        Street street(asks, serves);
        const Session session = street.dial({});
        wait_until([&] { return asked->asked >= 3; });
        EXPECT_EQ(answered->ended, 0U);
        street.world.partition("till", "shop");
        // It watches only who has told it a rate.
        wait_until([&] { return answered->ended == 1; });
        EXPECT_EQ(asked->ended, kind == HeartbeatKind::call ? 1U : 0U);
      },
      5ms);
}

TEST(Heartbeat, by_calls_it_finds_who_is_gone_and_by_pushes_the_other_side_does) {
  for (const HeartbeatKind kind : {HeartbeatKind::call, HeartbeatKind::push}) {
    find_who_is_gone(kind, {});
  }
}

TEST(Heartbeat, goes_sealed_where_all_is_sealed) {
  for (const HeartbeatKind kind : {HeartbeatKind::call, HeartbeatKind::push}) {
    find_who_is_gone(kind, {secure(testing::with_key())});
  }
}

TEST(Heartbeat, a_peer_that_serves_no_heartbeat_is_there_all_the_same) {
  rt::testing::in_virtual_time(
      [] {
        const auto counts = counting();
        PeerOptions asks = with(heartbeat({.interval = 1s, .timeout = 1s, .counts = counts}));
        asks.framings = {std::make_shared<wire::RawFraming>()};
        Street street(asks);
        const Session session = street.dial({});
        wait_until([&] { return counts->asked == 5; });
        EXPECT_TRUE(session.call<int>("/count", 1));
        EXPECT_EQ(counts->ended, 0U);
      },
      5ms);
}

// How long a pong waits for somebody who has told a rate, and then is silent.
Duration patience_of(HeartbeatPongOptions options, const std::string& rate) {
  Duration took{0};
  rt::testing::in_virtual_time(
      [&] {
        Street street({}, with(heartbeat_pong(options)));
        const Session session = street.dial({});
        EXPECT_TRUE(session.call({.metadata = {{"hb_", rate}}}, "/heartbeat"));
        took = end_of(session);
      },
      5ms);
  return took;
}

TEST(HeartbeatPong, ends_what_was_silent_for_some_of_the_intervals_it_was_told) {
  EXPECT_NEAR(std::chrono::duration<double>(patience_of({}, "3")).count(), 6, 0.3);
  EXPECT_NEAR(std::chrono::duration<double>(patience_of({}, "5")).count(), 10, 0.3);
  EXPECT_NEAR(std::chrono::duration<double>(patience_of({.intervals = 4}, "3")).count(), 12, 0.3);
  EXPECT_NEAR(
      std::chrono::duration<double>(patience_of({.longest_interval = 2s}, "1000000")).count(), 4,
      0.3);
}

TEST(HeartbeatPong, refuses_what_is_no_rate) {
  rt::testing::in_virtual_time([] {
    Street street({}, with(heartbeat_pong()));
    const Session session = street.dial({});
    for (const std::string rate : {"", "0", "-1", "x", "1x", "99999999999999"}) {
      EXPECT_EQ(session.call({.metadata = {{"hb_", rate}}}, "/heartbeat").error().code(),
                Code::invalid_argument)
          << rate;
    }
    EXPECT_TRUE(session.call("/heartbeat"));
  });
}

// --- Options, and the life of a peer

PARLEY_PEER_TEST(Heartbeat, options_that_make_no_sense_are_refused_and_named) {
  for (const auto& [options, name] : std::vector<std::pair<HeartbeatOptions, std::string>>{
           {{.interval = 999ms}, "least_interval"},
           {{.interval = Duration::max()}, "longest_time"},
           {{.timeout = 99ms}, "least_timeout"},
           {{.timeout = Duration::max()}, "longest_time"},
           {{.jitter = -0.1}, "jitter"},
           {{.jitter = 1.1}, "jitter"}}) {
    Peer peer(with(heartbeat(options)));
    const Status status = peer.listen("tcp://127.0.0.1:0").error();
    EXPECT_EQ(status.code(), Code::invalid_argument);
    EXPECT_NE(status.message().find(name), std::string::npos) << status;
  }
  for (const HeartbeatPongOptions& options :
       {HeartbeatPongOptions{.intervals = 0}, HeartbeatPongOptions{.longest_interval = 1ms},
        HeartbeatPongOptions{.longest_interval = Duration::max()},
        HeartbeatPongOptions{.intervals = std::numeric_limits<int>::max()}}) {
    Peer peer(with(heartbeat_pong(options)));
    EXPECT_EQ(peer.listen("tcp://127.0.0.1:0").error().code(), Code::invalid_argument);
  }
}

// Over real sockets, and on several workers: those who say nothing go, those who talk or answer
// stay.
PARLEY_PEER_TEST(Heartbeat, only_those_who_are_gone_end) {
  const auto counts = counting();
  testing::Pair pair(with(heartbeat({.interval = 1s, .timeout = 1s, .counts = counts})),
                     PeerOptions{});
  pair.server.handle("/x", [] { return 1; });
  constexpr std::size_t each = 20;
  std::vector<std::unique_ptr<testing::Foreign>> silent;
  std::vector<Session> quiet;
  std::vector<Session> busy;
  for (std::size_t i = 0; i < each; ++i) {
    silent.push_back(std::make_unique<testing::Foreign>(pair.address));
    silent.back()->say_hello();
    quiet.push_back(pair.dial());
    busy.push_back(pair.dial());
  }
  wait_until([&] { return pair.server.session_count() == 3 * each; });
  rt::Scope scope;
  for (const Session& session : busy) {
    scope.go("talks", [&] {
      while (pair.server.session_count() > 2 * each) EXPECT_EQ(session.call<int>("/x").value(), 1);
    });
  }
  scope.join();
  for (const Session& session : quiet) EXPECT_EQ(session.call<int>("/x").value(), 1);
  EXPECT_EQ(counts->ended, each);
}

// One plugin for two peers, which end while it is set to go on.
PARLEY_PEER_TEST(Heartbeat, of_several_peers_ends_with_each_of_them) {
  const PeerOptions options = with(heartbeat({.interval = 1s, .timeout = 1s}));
  for (int i = 0; i < 5; ++i) {
    testing::Pair pair(options);
    pair.server.handle("/x", [] { return 1; });
    const Session session = pair.dial();
    EXPECT_EQ(session.call<int>("/x").value(), 1);
    if (i % 2 == 0) session.close();
  }
}

}  // namespace
}  // namespace parley
