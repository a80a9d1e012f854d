// Plugins and features that look at sessions, around one that came by another protocol.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "parley/observe/registry.h"
#include "parley/peer/foreign_session.h"
#include "parley/peer/plugins/access_log.h"
#include "parley/peer/plugins/heartbeat.h"
#include "parley/peer/plugins/metrics.h"
#include "parley/peer/plugins/overloader.h"
#include "parley/peer/plugins/proxy.h"
#include "parley/peer/plugins/trace.h"
#include "parley/peer/push.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using rt::testing::in_virtual_time;
using wire::BodyCodec;

std::unique_ptr<ForeignSession> session_with(Peer& peer) {
  auto session = ForeignSession::open(peer, {.protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

PeerOptions with(Plugin plugin) { return {.plugins = {std::move(plugin)}}; }

// Http looks after its connections: nothing ever comes on such a session, and it cannot be asked.
TEST(ForeignPlugins, heartbeat_leaves_a_session_of_another_protocol_alone) {
  for (const HeartbeatKind kind : {HeartbeatKind::call, HeartbeatKind::push}) {
    in_virtual_time(
        [kind] {
          auto counts = std::make_shared<HeartbeatCounts>();
          Peer peer(
              with(heartbeat({.interval = 2s, .timeout = 1s, .kind = kind, .counts = counts})));
          peer.handle("/slow", []() -> Result<int> {
            if (Status s = rt::sleep(60s); !s.is_ok()) return s;
            return 7;
          });
          peer.handle_stream("/echo", [](RawStream& stream) -> Status {
            auto message = stream.receive();
            if (!message || !*message) return Status(Code::aborted, "nothing came");
            return stream.send(**std::move(message));
          });
          const auto session = session_with(peer);
          ForeignAnswer answer;
          const Status status =
              session->call({.method = "/slow", .codec = BodyCodec::json}, answer);
          EXPECT_TRUE(status.is_ok()) << status;
          const auto stream = session->open_stream({.method = "/echo", .codec = BodyCodec::json});
          ASSERT_TRUE(stream) << stream.error();
          ASSERT_TRUE(rt::sleep(60s).is_ok());
          EXPECT_TRUE((*stream)->give(Bytes::copy_of("1")).is_ok());
          const auto back = (*stream)->take();
          EXPECT_TRUE(back && *back);
          EXPECT_TRUE(session->is_open());
          EXPECT_EQ(counts->asked, 0U);
          EXPECT_EQ(counts->ended, 0U);
        },
        100ms);
  }
}

TEST(ForeignPlugins, who_posts_a_heartbeat_is_not_watched_for_it) {
  in_virtual_time(
      [] {
        Peer peer(with(heartbeat_pong()));
        const auto session = session_with(peer);
        ForeignCall call{.method = "/heartbeat", .codec = BodyCodec::none};
        call.metadata.set("hb_", "1");
        ForeignAnswer answer;
        const Status status = session->call(std::move(call), answer);
        EXPECT_TRUE(status.is_ok()) << status;
        ASSERT_TRUE(rt::sleep(60s).is_ok());
        EXPECT_TRUE(session->is_open());
      },
      100ms);
}

const net::Address customer = *net::Address::parse("tcp://192.0.2.7:50000");

std::unique_ptr<ForeignSession> of_customer(Peer& peer) {
  auto session = ForeignSession::open(peer, {.remote = customer, .protocol = "HTTP"});
  EXPECT_TRUE(session) << session.error();
  return *std::move(session);
}

Status called(ForeignSession& session, std::string_view method, std::string_view body = "") {
  ForeignAnswer answer;
  return session.call({.method = method, .codec = BodyCodec::json, .body = Bytes::copy_of(body)},
                      answer);
}

Status echo_one(RawStream& stream) {
  auto message = stream.receive();
  if (!message || !*message) return {Code::aborted, "nothing came"};
  return stream.send(**std::move(message));
}

PARLEY_PEER_TEST(ForeignPlugins, overloader_gives_seats_and_takes_them_back) {
  for (const std::size_t seats : {1U, 2U}) {
    const auto overload = std::make_shared<Overloader>(OverloaderOptions{.max_sessions = seats});
    Peer peer(with(overloader(overload)));
    auto first = session_with(peer);
    const auto second = ForeignSession::open(peer, {});
    EXPECT_EQ(second.has_value(), seats == 2) << second.error();
    if (second) continue;
    EXPECT_EQ(second.error().code(), Code::resource_exhausted);
    const Session handle = first->session();
    first.reset();
    (void)handle.wait_closed();
    rt::testing::wait_until([&] { return ForeignSession::open(peer, {}).has_value(); });
  }
}

PARLEY_PEER_TEST(ForeignPlugins, overloader_counts_calls_and_streams) {
  constexpr double once_a_day = 1.0 / 86'400;
  for (const double burst : {1.0, 2.0}) {
    const auto overload = std::make_shared<Overloader>(
        OverloaderOptions{.rate = {{.per_second = once_a_day, .burst = burst}}});
    Peer peer(with(overloader(overload)));
    peer.handle("/seven", [] { return 7; });
    peer.handle_stream("/echo", echo_one);
    const auto session = session_with(peer);
    EXPECT_TRUE(called(*session, "/seven").is_ok());
    EXPECT_EQ(called(*session, "/seven").is_ok(), burst > 1);
    const auto stream = session->open_stream({.method = "/echo", .codec = BodyCodec::json});
    ASSERT_TRUE(stream) << stream.error();
    EXPECT_EQ((*stream)->take().error().code(), Code::resource_exhausted);
    EXPECT_EQ(overload->counts().rate, burst > 1 ? 1U : 2U);
  }
}

// It cannot be pushed to: that is no reason to wait for it, or to cut it.
PARLEY_PEER_TEST(ForeignPlugins, a_push_to_all_passes_it_over) {
  for (const WhenFull when : {WhenFull::wait, WhenFull::drop, WhenFull::close}) {
    testing::Pair pair;
    std::atomic<int> heard = 0;
    pair.client.handle("/news", [&](const std::string&) { ++heard; });
    pair.server.handle("/seven", [] { return 7; });
    const Session native = pair.dial();
    ASSERT_TRUE(native.call<int>("/seven"));
    const auto foreign = session_with(pair.server);
    const auto pushed = pair.server.push_all({.when_full = when}, "/news", std::string(100, 'x'));
    ASSERT_TRUE(pushed) << pushed.error();
    EXPECT_EQ(pushed->sent, 1U);
    EXPECT_EQ(pushed->failed, 1U);
    rt::testing::wait_until([&] { return heard == 1; });
    EXPECT_TRUE(foreign->is_open());
    EXPECT_TRUE(called(*foreign, "/seven").is_ok());
  }
}

PARLEY_PEER_TEST(ForeignPlugins, an_id_can_be_given_to_it_and_taken_from_it) {
  Peer peer;
  peer.handle("/i/am", [](Context& context, const std::string& name) {
    return context.session().set_id(name);
  });
  const auto first = session_with(peer);
  ASSERT_TRUE(called(*first, "/i/am", R"("ann")").is_ok());
  const auto found = peer.session("ann");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number(), first->session().number());
  const auto second = session_with(peer);
  ASSERT_TRUE(called(*second, "/i/am", R"("ann")").is_ok());
  EXPECT_FALSE(first->is_open());
  EXPECT_EQ(called(*first, "/i/am", R"("bob")").code(), Code::not_sent);
  EXPECT_EQ(peer.session("ann")->number(), second->session().number());
}

PARLEY_PEER_TEST(ForeignPlugins, metrics_count_it_as_any_other) {
  observe::Registry registry;
  Peer peer(with(metrics(*PeerMetrics::make(registry, {}))));
  peer.handle("/seven", [] { return 7; });
  peer.handle_stream("/echo", echo_one);
  auto session = session_with(peer);
  ASSERT_TRUE(called(*session, "/seven").is_ok());
  {
    const auto stream = session->open_stream({.method = "/echo", .codec = BodyCodec::json});
    ASSERT_TRUE(stream) << stream.error();
    ASSERT_TRUE((*stream)->give(Bytes::copy_of("1")).is_ok());
    while (true) {
      const auto message = (*stream)->take();
      ASSERT_TRUE(message) << message.error();
      if (!*message) break;
    }
  }
  const auto has = [&](const std::string& line) {
    return registry.open_metrics().find(line + "\n") != std::string::npos;
  };
  const std::string served = R"({side="served",method=")";
  EXPECT_TRUE(has("parley_peer_calls_total" + served + R"(/seven",code="ok"} 1)"))
      << registry.open_metrics();
  EXPECT_TRUE(has("parley_peer_streams_total" + served + R"(/echo",code="ok"} 1)"))
      << registry.open_metrics();
  EXPECT_TRUE(has("parley_peer_sessions 1.0"));
  const Session handle = session->session();
  session.reset();
  (void)handle.wait_closed();
  rt::testing::wait_until([&] { return has("parley_peer_sessions 0.0"); });
}

PARLEY_PEER_TEST(ForeignPlugins, the_log_and_a_trace_know_where_it_came_from) {
  std::string line;
  class Exporter final : public SpanExporter {
   public:
    void take(const Span& span) override {
      trace = span.context.trace.to_string();
      address = span.remote_address;
    }
    std::string trace, address;
  };
  auto exporter = std::make_shared<Exporter>();
  PeerOptions options;
  options.plugins.push_back(
      access_log({.sink = [&](const AccessLine& each) { line = each.text; }}));
  options.plugins.push_back(trace({.exporter = exporter}));
  Peer peer(std::move(options));
  peer.handle("/seven", [] { return 7; });
  const auto session = of_customer(peer);
  ForeignCall call{.method = "/seven", .codec = BodyCodec::json};
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  call.metadata.set("traceparent", "00-" + id + "-00f067aa0ba902b7-01");
  ForeignAnswer answer;
  ASSERT_TRUE(session->call(std::move(call), answer).is_ok());
  EXPECT_NE(line.find("192.0.2.7"), std::string::npos) << line;
  EXPECT_NE(line.find("trace:" + id), std::string::npos) << line;
  EXPECT_EQ(exporter->trace, id);
  EXPECT_NE(exporter->address.find("192.0.2.7"), std::string::npos) << exporter->address;
}

PARLEY_PEER_TEST(ForeignPlugins, a_proxy_takes_its_calls_and_streams_on) {
  testing::Pair behind;
  std::string came_from;
  behind.server.handle("/echo", [&](Context& context, const std::string& text) {
    came_from = std::string(context.metadata().get("X-Real-IP").value_or("none"));
    return text;
  });
  behind.server.handle_stream("/talk", echo_one);
  const Session backend = behind.dial();
  Peer edge(
      with(proxy({.pick = [&](const ProxyLabel&) -> Result<ProxyTarget> { return backend; }})));
  const auto session = of_customer(edge);
  EXPECT_EQ(session->kind_of("/echo"), MethodKind::other);
  ForeignAnswer answer;
  const Status status = session->call(
      {.method = "/echo", .codec = BodyCodec::json, .body = Bytes::copy_of(R"("tea")")}, answer);
  ASSERT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(answer.body.bytes.to_string(), R"("tea")");
  EXPECT_EQ(came_from, "192.0.2.7");
  const auto stream = session->open_stream({.method = "/talk", .codec = BodyCodec::json});
  ASSERT_TRUE(stream) << stream.error();
  ASSERT_TRUE((*stream)->give(Bytes::copy_of("1")).is_ok());
  const auto back = (*stream)->take();
  ASSERT_TRUE(back && *back) << back.error();
  EXPECT_EQ(**back, "1");
}

// Whoever asks again on the connection that was refused must not fill the log.
PARLEY_PEER_TEST(ForeignPlugins, one_that_is_refused_leaves_no_line_in_the_log) {
  testing::Log log;
  PeerOptions options;
  options.max_sessions = 1;
  options.log = [&](std::string_view line) { log.add(line); };
  Peer peer(std::move(options));
  const auto session = session_with(peer);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(ForeignSession::open(peer, {}).has_value());
  EXPECT_EQ(log.text(), "");
  EXPECT_EQ(peer.session_count(), 1U);
}

}  // namespace
}  // namespace parley
