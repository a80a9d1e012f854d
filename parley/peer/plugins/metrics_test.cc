#include "parley/peer/plugins/metrics.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "parley/peer/batch.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/ignore_case.h"
#include "parley/peer/plugins/trace.h"
#include "parley/peer/testing/pair.h"
#include "parley/peer/testing/street.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using testing::Pair;
using testing::wait_until;

std::shared_ptr<PeerMetrics> make(observe::Registry& registry, PeerMetricsOptions options = {}) {
  auto made = PeerMetrics::make(registry, std::move(options));
  EXPECT_TRUE(made) << made.error();
  return *made;
}

// Two peers, each of which counts.
struct Counted {
  explicit Counted(PeerMetricsOptions options = {})
      : pair({.plugins = {metrics(make(server, options))}},
             {.plugins = {metrics(make(client, options))}}) {}

  observe::Registry server;
  observe::Registry client;
  Pair pair;
};

// The value of a sample; -1 when there is none.
double value_of(const observe::Registry& registry, const std::string& sample) {
  const std::string page = "\n" + registry.open_metrics();
  const auto found = page.find("\n" + sample + " ");
  return found == std::string::npos ? -1 : std::stod(page.substr(found + sample.size() + 2));
}

std::string of(const std::string& name, const std::string& side, const std::string& method,
               const std::string& code = "ok") {
  return "parley_peer_" + name + "{side=\"" + side + "\",method=\"" + method + "\",code=\"" + code +
         "\"}";
}

void expect_soon(const observe::Registry& registry, const std::string& sample, double value) {
  wait_until([&] { return value_of(registry, sample) == value; });
}

// --- What is counted

PARLEY_PEER_TEST(Metrics, calls_are_counted_by_method_side_and_code) {
  Counted all;
  all.pair.server.handle("/add", [](int a, int b) { return a + b; });
  all.pair.server.handle("/fail", [] { return Status(Code::aborted, "no"); });
  all.pair.server.handle("/own", [] { return Status::business(1'234, "mine"); });
  all.pair.client.handle("/back", [] {});
  all.pair.server.handle("/there",
                         [](Context& context) { return context.session().call("/back").error(); });
  const Session session = all.pair.dial();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call<int>("/add", i, i));
  EXPECT_FALSE(session.call("/fail"));
  EXPECT_FALSE(session.call("/own"));
  EXPECT_TRUE(session.call("/there"));
  for (const auto* side : {"made", "served"}) {
    const bool is_made = std::string(side) == "made";
    const observe::Registry& calls = is_made ? all.client : all.server;
    const observe::Registry& backs = is_made ? all.server : all.client;
    EXPECT_EQ(value_of(calls, of("calls_total", side, "/add")), 3);
    EXPECT_EQ(value_of(calls, of("calls_total", side, "/fail", "aborted")), 1);
    EXPECT_EQ(value_of(calls, of("calls_total", side, "/own", "business")), 1);
    EXPECT_EQ(value_of(calls, of("calls_total", side, "/there")), 1);
    EXPECT_EQ(value_of(backs, of("calls_total", side, "/back")), 1);
  }
}

PARLEY_PEER_TEST(Metrics, so_are_pushes_streams_and_calls_nobody_waits_for) {
  Counted all;
  all.pair.server.handle("/x", [] {});
  all.pair.server.handle("/bad", [] { return Status(Code::aborted, "no"); });
  all.pair.server.handle_stream("/s",
                                [](Stream<int, int>&) { return Status(Code::aborted, "no"); });
  const Session session = all.pair.dial();
  EXPECT_TRUE(session.push("/x").is_ok());
  EXPECT_TRUE(session.push("/bad").is_ok());
  expect_soon(all.server, of("pushes_total", "served", "/x"), 1);
  expect_soon(all.server, of("pushes_total", "served", "/bad", "aborted"), 1);
  EXPECT_EQ(value_of(all.client, of("pushes_total", "made", "/bad")), 1);
  auto stream = session.open<int, int>("/s");
  ASSERT_TRUE(stream);
  EXPECT_FALSE(stream->receive());
  EXPECT_EQ(value_of(all.client, of("streams_total", "made", "/s")), 1);
  expect_soon(all.server, of("streams_total", "served", "/s", "aborted"), 1);
  EXPECT_TRUE(session.call_async("/x").get());
  Batch<void> batch(session);
  batch.add("/x");
  batch.add("/x");
  for (const auto& result : batch.call()) EXPECT_TRUE(result);
  expect_soon(all.client, of("calls_total", "made", "/x"), 3);
  expect_soon(all.server, of("calls_total", "served", "/x"), 3);
}

TEST(Metrics, a_histogram_holds_how_long_calls_took) {
  for (const bool is_coarse : {false, true}) {
    rt::testing::in_virtual_time(
        [&] {
          PeerMetricsOptions options;
          if (is_coarse) options.latency = *observe::Bounds::of({10});
          Counted all(options);
          all.pair.server.handle("/slow", [] { return rt::sleep(2s); });
          EXPECT_TRUE(all.pair.dial().call("/slow"));
          for (const auto* side : {"made", "served"}) {
            const observe::Registry& registry =
                std::string(side) == "made" ? all.client : all.server;
            const std::string name = "parley_peer_call_seconds";
            const std::string labels = "side=\"" + std::string(side) + "\",method=\"/slow\"";
            EXPECT_EQ(value_of(registry, name + "_count{" + labels + "}"), 1);
            EXPECT_NEAR(value_of(registry, name + "_sum{" + labels + "}"), 2.2, 0.25);
            const double within_2s =
                value_of(registry, name + "_bucket{" + labels + ",le=\"0.1\"}");
            EXPECT_EQ(within_2s, is_coarse ? -1 : 0);
          }
        },
        10ms);
  }
}

PARLEY_PEER_TEST(Metrics, gauges_show_what_is_under_way) {
  Counted all;
  rt::Event gate;
  all.pair.server.handle("/gate", [&] { return gate.wait(); });
  const Session session = all.pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 5; ++i) scope.go("caller", [&] { EXPECT_TRUE(session.call("/gate")); });
  expect_soon(all.client, "parley_peer_made_in_flight", 5);
  expect_soon(all.server, "parley_peer_served_in_flight", 5);
  gate.set();
  scope.join();
  expect_soon(all.client, "parley_peer_made_in_flight", 0);
  expect_soon(all.server, "parley_peer_served_in_flight", 0);
}

PARLEY_PEER_TEST(Metrics, sessions_are_counted_by_their_side_and_the_reason_of_their_end) {
  Counted all;
  const Session one = all.pair.dial();
  const Session other = all.pair.dial();
  EXPECT_EQ(value_of(all.client, "parley_peer_sessions"), 2);
  EXPECT_EQ(value_of(all.client, "parley_peer_sessions_begun_total{side=\"dialled\"}"), 2);
  expect_soon(all.server, "parley_peer_sessions_begun_total{side=\"accepted\"}", 2);
  one.close();
  expect_soon(all.client, "parley_peer_sessions", 1);
  expect_soon(all.server, "parley_peer_sessions", 1);
  EXPECT_EQ(value_of(all.client, "parley_peer_sessions_ended_total{code=\"cancelled\"}"), 1);
  EXPECT_EQ(value_of(all.server, "parley_peer_sessions_ended_total{code=\"unavailable\"}"), 1);
}

PARLEY_PEER_TEST(Metrics, a_session_that_is_dialled_again_is_one_and_its_redials_are_counted) {
  observe::Registry registry;
  testing::Street street({.plugins = {metrics(make(registry))}});
  const Session session = street.dial();
  EXPECT_TRUE(session.call<int>("/count", 1));
  for (int i = 0; i < 2; ++i) {
    street.cut();
    EXPECT_TRUE(session.call<int>("/count", 1));
  }
  EXPECT_EQ(value_of(registry, "parley_peer_redials_total"), 2);
  EXPECT_EQ(value_of(registry, "parley_peer_sessions"), 1);
  EXPECT_EQ(value_of(registry, "parley_peer_sessions_begun_total{side=\"dialled\"}"), 1);
}

// --- How many series there are

PARLEY_PEER_TEST(Metrics, what_is_not_served_here_is_one_method_whatever_it_is_called) {
  Counted all;
  all.pair.server.handle("/known", [] {});
  const Session session = all.pair.dial();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(session.call("/guess" + std::to_string(i)));
  EXPECT_TRUE(session.call("/known?id=7"));
  EXPECT_TRUE(session.call("/known?id=8"));
  EXPECT_EQ(value_of(all.server, of("calls_total", "served", "unknown", "not_found")), 20);
  EXPECT_EQ(value_of(all.server, of("calls_total", "served", "/known")), 2);
  EXPECT_EQ(value_of(all.client, of("calls_total", "made", "/known")), 2);
  EXPECT_EQ(all.server.open_metrics().find("guess"), std::string::npos);
}

PARLEY_PEER_TEST(Metrics, beyond_max_methods_all_others_are_other) {
  for (const std::size_t most : {std::size_t{2}, std::size_t{4}}) {
    Counted all({.max_methods = most});
    constexpr int many = 6;
    for (int i = 0; i < many; ++i) all.pair.server.handle("/m" + std::to_string(i), [] {});
    const Session session = all.pair.dial();
    for (int i = 0; i < many; ++i) EXPECT_TRUE(session.call("/m" + std::to_string(i)));
    const auto others = static_cast<double>(many - most);
    EXPECT_EQ(value_of(all.server, of("calls_total", "served", "other")), others);
    EXPECT_EQ(value_of(all.client, of("calls_total", "made", "other")), others);
    EXPECT_EQ(value_of(all.server, of("calls_total", "served", "/m0")), 1);
    EXPECT_EQ(value_of(all.server, of("calls_total", "served", "/m3")), most == 4 ? 1 : -1);
  }
}

PARLEY_PEER_TEST(Metrics, a_method_is_counted_as_what_it_was_found_by) {
  observe::Registry registry;
  Pair pair({.plugins = {metrics(make(registry)), ignore_case()}}, {});
  pair.server.handle("/known", [] {});
  EXPECT_TRUE(pair.dial().call("/KNOWN"));
  EXPECT_EQ(value_of(registry, of("calls_total", "served", "/known")), 1);
}

// --- Options

PARLEY_PEER_TEST(Metrics, peers_have_names_of_their_own_or_are_counted_together) {
  observe::Registry registry;
  const auto front = make(registry, {.prefix = "front"});
  const auto back = make(registry, {.prefix = "back"});
  EXPECT_EQ(PeerMetrics::make(registry, {.prefix = "front"}).error().code(), Code::already_exists);
  Pair apart({.plugins = {metrics(back)}}, {.plugins = {metrics(front)}});
  apart.server.handle("/x", [] {});
  EXPECT_TRUE(apart.dial().call("/x"));
  EXPECT_EQ(value_of(registry, "front_calls_total{side=\"made\",method=\"/x\",code=\"ok\"}"), 1);
  EXPECT_EQ(value_of(registry, "back_calls_total{side=\"served\",method=\"/x\",code=\"ok\"}"), 1);
  const auto both = make(registry);
  Pair together({.plugins = {metrics(both)}});
  together.server.handle("/x", [] {});
  EXPECT_TRUE(together.dial().call("/x"));
  EXPECT_EQ(value_of(registry, of("calls_total", "made", "/x")), 1);
  EXPECT_EQ(value_of(registry, of("calls_total", "served", "/x")), 1);
}

PARLEY_PEER_TEST(Metrics, a_bucket_names_a_trace_if_it_is_told_to) {
  for (const bool exemplars : {false, true}) {
    observe::Registry registry;
    Pair pair({.plugins = {trace(), metrics(make(registry, {.exemplars = exemplars}))}}, {});
    pair.server.handle("/x", [] {});
    const char* parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    EXPECT_TRUE(pair.dial().call({.metadata = {{"traceparent", parent}}}, "/x"));
    const std::string page = registry.open_metrics();
    EXPECT_EQ(page.find("4bf92f3577b34da6a3ce929d0e0e4736") != std::string::npos, exemplars);
  }
}

}  // namespace
}  // namespace parley
