// Large bodies in parts, and what passes between them, over networks that are slow, cut or stand
// still.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mib = std::size_t{1} << 20U;

Bytes some(std::size_t bytes) { return Bytes::from(std::string(bytes, 'x')); }

// A shop and a till with 16 MiB a second between them, each way, in virtual time.
struct Road {
  explicit Road(PeerOptions options = {})
      : server(on("shop", options)), client(on("till", options)) {
    server.handle("/size", [this](const Bytes& body) {
      ++runs;
      return body.size();
    });
    server.handle("/echo", [](int n) { return n; });
    server.handle("/large", [](std::size_t bytes) { return some(bytes); });
    server.handle("/note", [this](const std::string& note) { noted.push_back(note.substr(0, 9)); });
    EXPECT_TRUE(server.listen("tcp://0.0.0.0:80"));
    auto dialled = client.dial("tcp://shop:80");
    EXPECT_TRUE(dialled) << dialled.error();
    session.emplace(*dialled);
    EXPECT_EQ(session->call<int>("/echo", 1).value(), 1) << "both know what the other takes";
  }
  static void in_virtual_time(const std::function<void()>& body) {
    rt::testing::in_virtual_time(body, 1ms);
  }
  PeerOptions on(std::string_view node, PeerOptions options) {
    options.network = &world.node(node);
    return options;
  }
  // The size that the other side tells; nothing: it is the status' turn.
  Result<std::size_t> send(std::size_t bytes, std::optional<Duration> timeout = {}) {
    return session->call<std::size_t>(CallOptions{.timeout = timeout}, "/size", some(bytes));
  }
  // How long the slowest of small calls takes while `what` is under way.
  Duration slowest_call_during(const std::function<void()>& what) {
    rt::Event done;
    rt::Scope scope;
    scope.go("large", [&] {
      what();
      done.set();
    });
    EXPECT_TRUE(rt::sleep(50ms).is_ok());
    Duration slowest{};
    for (calls = 0; !done.is_set(); ++calls) {
      const Instant start = rt::now();
      EXPECT_EQ(session->call<int>("/echo", 2).value(), 2);
      if (!done.is_set()) slowest = std::max(slowest, rt::now() - start);
    }
    return slowest;
  }

  net::SimWorld world{
      {.link = {.latency = 1ms, .jitter = {}, .bytes_per_second = 16 * mib, .max_packet = 65'536}}};
  int runs = 0;
  int calls = 0;
  std::vector<std::string> noted;
  Peer server;
  Peer client;
  std::optional<Session> session;
};

// Of more than max_frame_bytes, with what JSON puts around it.
constexpr std::size_t large = 15 * mib;

TEST(Interleaving, small_calls_are_answered_while_a_large_one_is_sent_and_answered) {
  Road::in_virtual_time([] {
    Road road;
    EXPECT_LT(road.slowest_call_during([&] { EXPECT_EQ(road.send(large).value(), large); }), 60ms);
    EXPECT_GT(road.calls, 10) << "it took a second";
    const auto get = [&] {
      const auto text = road.session->call<Bytes>("/large", large);
      ASSERT_TRUE(text) << text.error();
      EXPECT_EQ(text->size(), large);
    };
    EXPECT_LT(road.slowest_call_during(get), 60ms);
    EXPECT_GT(road.calls, 10);
  });
}

TEST(Interleaving, smaller_parts_hold_up_small_calls_for_less_long) {
  const auto slowest = [](std::size_t part_bytes) {
    Duration slowest{};
    Road::in_virtual_time([&] {
      Road road(PeerOptions{.part_bytes = part_bytes});
      slowest = road.slowest_call_during([&] { EXPECT_TRUE(road.send(large)); });
    });
    return slowest;
  };
  EXPECT_LT(slowest(std::size_t{16} << 10U), 40ms);
  EXPECT_GT(slowest(mib), 60ms);
}

TEST(Interleaving, two_large_bodies_take_turns) {
  Road::in_virtual_time([] {
    Road road(PeerOptions{.max_outgoing_bytes = 64 * mib});
    std::vector<Duration> took;
    const Instant start = rt::now();
    rt::Scope scope;
    for (const std::size_t bytes : {8 * mib, 8 * mib, mib}) {
      scope.go("large", [&, bytes] {
        EXPECT_EQ(road.send(bytes).value(), bytes);
        took.push_back(rt::now() - start);
      });
    }
    scope.join();
    ASSERT_EQ(took.size(), 3U);
    EXPECT_LT(took[0], 300ms) << "the shortest has a third of the road";
    EXPECT_GT(took[1], 900ms) << "the others have what is left, in halves";
    EXPECT_LT(took[2] - took[1], 50ms);
  });
}

TEST(Interleaving, pushes_come_in_their_order_however_large_and_calls_pass_them) {
  Road::in_virtual_time([] {
    Road road;
    rt::Scope scope;
    EXPECT_TRUE(road.session->push("/note", "1 " + std::string(2 * mib, 'x')).is_ok());
    EXPECT_TRUE(road.session->push("/note", "2 small").is_ok());
    EXPECT_TRUE(road.session->push("/note", "3 " + std::string(mib, 'y')).is_ok());
    EXPECT_TRUE(road.session->push("/note", "4 small").is_ok());
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
    EXPECT_TRUE(road.noted.empty());
    while (road.noted.size() < 4) rt::yield();
    EXPECT_EQ(road.noted,
              (std::vector<std::string>{"1 xxxxxxx", "2 small", "3 yyyyyyy", "4 small"}));
  });
}

TEST(Interleaving, messages_of_a_stream_keep_their_order_and_its_end_comes_last) {
  Road::in_virtual_time([] {
    Road road(PeerOptions{.stream_credit = 4 * mib});
    road.server.handle_stream("/sizes", [](Stream<std::string, std::size_t>& stream) -> Status {
      for (;;) {
        const auto text = stream.receive();
        if (!text || !*text) return text ? Status() : text.error();
        if (Status s = stream.send((*text)->size()); !s.is_ok()) return s;
      }
    });
    auto stream = road.session->open<std::size_t, std::string>("/sizes");
    ASSERT_TRUE(stream) << stream.error();
    for (const std::size_t size : {2 * mib, std::size_t{3}, mib, std::size_t{4}}) {
      EXPECT_TRUE(stream->send(std::string(size, 'x')).is_ok());
    }
    EXPECT_TRUE(stream->finish().is_ok());
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1) << "passes them";
    for (const std::size_t size : {2 * mib, std::size_t{3}, mib, std::size_t{4}}) {
      EXPECT_EQ(stream->receive().value().value(), size);
    }
    EXPECT_FALSE(stream->receive().value());
  });
}

// Were it not given back, the session's credit would be used up after four of them.
TEST(Interleaving, a_stream_given_up_within_a_message_has_its_credit_back) {
  Road::in_virtual_time([] {
    Road road;
    road.server.handle_stream(
        "/never", [](Stream<std::string, int>&) { return rt::Context::current().wait_done(); });
    for (int i = 0; i < 12; ++i) {
      auto stream = road.session->open<int, std::string>("/never");
      ASSERT_TRUE(stream) << stream.error();
      EXPECT_TRUE(stream->send(std::string(mib, 'x'), rt::Deadline::after(1s)).is_ok()) << i;
      EXPECT_TRUE(rt::sleep(10ms).is_ok());
      stream->cancel();
    }
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
  });
}

TEST(Interleaving, a_call_whose_time_is_over_half_way_sends_no_more_and_is_not_run) {
  Road::in_virtual_time([] {
    Road road;
    EXPECT_EQ(road.send(large, 100ms).error().code(), Code::deadline_exceeded);
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
    EXPECT_LT(road.world.counts().bytes, 4 * mib) << "of 15";
    EXPECT_EQ(road.runs, 0);
    EXPECT_EQ(road.send(mib).value(), mib);
  });
}

TEST(Interleaving, an_answer_that_nobody_waits_for_any_more_is_not_sent_to_its_end) {
  Road::in_virtual_time([] {
    Road road;
    const auto answer = road.session->call<Bytes>(CallOptions{.timeout = 100ms}, "/large", large);
    EXPECT_EQ(answer.error().code(), Code::deadline_exceeded);
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
    EXPECT_TRUE(rt::sleep(2s).is_ok());
    EXPECT_LT(road.world.counts().bytes, 4 * mib) << "of 15";
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
  });
}

TEST(Interleaving,
     at_a_cut_a_body_that_has_begun_is_outcome_unknown_and_one_that_has_not_not_sent) {
  Road::in_virtual_time([] {
    Road road(PeerOptions{.max_outgoing_bytes = 64 * mib});
    road.world.partition("till", "shop");
    Status begun;
    Status behind;
    rt::Scope scope;
    scope.go("begun", [&] { begun = road.send(large).error(); });
    EXPECT_TRUE(rt::sleep(100ms).is_ok());
    scope.go("behind", [&] { behind = road.send(large).error(); });
    EXPECT_TRUE(rt::sleep(100ms).is_ok());
    EXPECT_EQ(road.world.cut("till", "shop"), 1U);
    scope.join();
    EXPECT_EQ(begun.code(), Code::outcome_unknown) << begun;
    EXPECT_EQ(behind.code(), Code::not_sent) << behind;
    EXPECT_EQ(road.runs, 0);
  });
}

TEST(Interleaving, who_goes_away_finishes_its_answers_and_runs_no_call_that_is_half_there) {
  Road::in_virtual_time([] {
    Road road;
    Result<Bytes> answer = Status(Code::unknown, "");
    Status call;
    rt::Scope scope;
    scope.go("answer", [&] { answer = road.session->call<Bytes>("/large", large); });
    EXPECT_TRUE(rt::sleep(100ms).is_ok());
    scope.go("call", [&] { call = road.send(large).error(); });
    EXPECT_TRUE(rt::sleep(100ms).is_ok());
    (void)road.server.shutdown({.limit = 10s});
    scope.join();
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->size(), large);
    EXPECT_EQ(call.code(), Code::not_sent) << call;
    EXPECT_EQ(road.runs, 0);
  });
}

TEST(Interleaving, who_closes_sends_what_has_begun_to_its_end) {
  Road::in_virtual_time([] {
    Road road;
    EXPECT_TRUE(road.session->push("/note", "1 " + std::string(4 * mib, 'x')).is_ok());
    EXPECT_TRUE(road.session->push("/note", "2 small").is_ok());
    road.session->close();
    while (road.noted.size() < 2) rt::yield();
    EXPECT_EQ(road.noted[1], "2 small");
  });
}

TEST(Interleaving, a_stream_that_is_let_go_of_amid_a_message_leaves_the_session_well) {
  Road::in_virtual_time([] {
    Road road;
    road.server.handle_stream("/short", [](Stream<Bytes, Bytes>&) { return Status(); });
    {
      auto stream = road.session->open<Bytes, Bytes>("/short").value();
      EXPECT_TRUE(stream.send(some(4 * mib)).is_ok());
      EXPECT_FALSE(stream.receive().value().has_value()) << "it has ended there";
    }
    EXPECT_TRUE(rt::sleep(1min).is_ok());  // the rest of the message is not waited for
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
  });
}

TEST(Interleaving, max_outgoing_bytes_bounds_what_waits_to_be_cut_and_calls_pass_it) {
  Road::in_virtual_time([] {
    Road road(PeerOptions{.max_outgoing_bytes = mib});
    road.server.handle("/never", [](const Bytes&) { return rt::Context::current().wait_done(); });
    const PushOptions dropped{.when_full = WhenFull::drop};
    const auto push = [&](std::size_t bytes) {
      return road.client.push_all(dropped, "/note", std::string(bytes, 'x'))->sent;
    };
    EXPECT_EQ(push(8 * mib), 1U);
    EXPECT_TRUE(rt::sleep(50ms).is_ok());
    EXPECT_EQ(push(mib), 0U);
    EXPECT_EQ(push(1), 0U) << "it would wait behind the first one";
    EXPECT_TRUE(road.session->health().is_ok());
    EXPECT_EQ(road.session->call<int>("/echo", 1).value(), 1);
    EXPECT_TRUE(road.noted.empty());
    EXPECT_TRUE(rt::sleep(1s).is_ok());
    EXPECT_EQ(push(1), 1U);
  });
}

// More than may be under way at once, both ways, with all that a runtime may do at the same time.
PARLEY_PEER_TEST(Interleaving, a_hundred_large_calls_at_once_are_all_answered) {
  const PeerOptions options{.max_outgoing_bytes = 64 * mib, .part_bytes = std::size_t{16} << 10U};
  testing::Pair pair(options);
  pair.server.handle("/echo", [](std::string text) { return text; });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int i = 0; i < 100; ++i) {
    scope.go("caller", [&session, i] {
      const std::string text(100'000 + static_cast<std::size_t>(i),
                             static_cast<char>('a' + i % 26));
      const auto answer = session.call<std::string>("/echo", text);
      ASSERT_TRUE(answer) << answer.error();
      EXPECT_TRUE(*answer == text);
    });
  }
}

}  // namespace
}  // namespace parley
