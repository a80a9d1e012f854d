#include "parley/peer/async_call.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/net/testing/memory_stream.h"
#include "parley/peer/batch.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// A method that waits until it is let go, or its caller gives up.
struct Gate {
  void serve(Peer& peer, const std::string& method) {
    peer.handle(method, [this](int n) -> Result<int> {
      ++entered;
      if (Status s = open.wait(); !s.is_ok()) {
        ++given_up;
        return s;
      }
      return n;
    });
  }
  void wait_for_entered(int n) const {
    while (entered < n) rt::yield();
  }
  void wait_for_given_up(int n) const {
    while (given_up < n) rt::yield();
  }
  rt::Event open;
  std::atomic<int> entered = 0;
  std::atomic<int> given_up = 0;
};

PARLEY_PEER_TEST(AsyncCall, goes_on_while_its_caller_does_something_else) {
  Gate gate;
  Pair pair;
  gate.serve(pair.server, "/gate");
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  const Session session = pair.dial();
  auto slow = session.call_async<int>("/gate", 7);
  gate.wait_for_entered(1);
  EXPECT_FALSE(slow.has_ended());
  EXPECT_EQ(slow.wait(rt::Deadline::after(1ms)).code(), Code::deadline_exceeded);
  auto quick = session.call_async<int>("/twice", 4);
  EXPECT_TRUE(quick.wait().is_ok());
  EXPECT_TRUE(quick.has_ended());
  EXPECT_EQ(quick.get().value(), 8);
  EXPECT_EQ(quick.get().error().code(), Code::failed_precondition);
  gate.open.set();
  EXPECT_EQ(slow.get().value(), 7);
}

PARLEY_PEER_TEST(AsyncCall, a_thousand_need_no_fiber_while_they_wait) {
  Gate gate;
  Pair pair(PeerOptions{}, PeerOptions{.max_fibers = 1});
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  std::vector<AsyncCall<int>> calls;
  calls.reserve(1'000);
  for (int i = 0; i < 1'000; ++i) calls.push_back(session.call_async<int>("/gate", i));
  gate.wait_for_entered(1'000);
  gate.open.set();
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get().value(), i);
}

PARLEY_PEER_TEST(AsyncCall, has_the_errors_that_a_call_has) {
  Pair pair;
  pair.server.handle("/fails", [] { return Status(Code::not_found, "no tea"); });
  const Session session = pair.dial();
  wire::Metadata metadata;
  EXPECT_EQ(session.call_async("/fails").get().error().message(), "no tea");
  EXPECT_EQ(session.call_async({.reply_metadata = &metadata}, "/nowhere").get().error().code(),
            Code::not_found);
  EXPECT_EQ(session.call_async({.timeout = 0ms}, "/fails").get().error().code(), Code::not_sent);
  EXPECT_EQ(session.call_async<int>("/fails", std::string("\xff")).get().error().code(),
            Code::invalid_argument);
  session.close();
  auto late = session.call_async("/fails");
  EXPECT_TRUE(late.has_ended());
  EXPECT_EQ(late.get().error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(AsyncCall, carries_metadata_both_ways) {
  Pair pair;
  pair.server.handle("/who", [](Context& context) {
    context.reply_metadata().set("shop", "harbour");
    return std::string(context.metadata().get("user").value_or("nobody"));
  });
  const Session session = pair.dial();
  CallOptions options;
  options.metadata.set("user", "ann");
  wire::Metadata answered;
  options.reply_metadata = &answered;
  EXPECT_EQ(session.call_async<std::string>(options, "/who").get().value(), "ann");
  EXPECT_EQ(answered.get("shop"), "harbour");
}

PARLEY_PEER_TEST(AsyncCall, one_that_is_dropped_is_given_up_and_the_other_side_is_told) {
  Gate gate;
  Pair pair;
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  {
    const auto dropped = session.call_async<int>("/gate", 1);
    gate.wait_for_entered(1);
  }
  gate.wait_for_given_up(1);
  auto cancelled = session.call_async<int>("/gate", 2);
  auto other = session.call_async<int>("/gate", 3);
  gate.wait_for_entered(3);
  cancelled.cancel();
  EXPECT_TRUE(cancelled.has_ended());
  gate.wait_for_given_up(2);
  EXPECT_EQ(cancelled.get().error().code(), Code::cancelled);
  gate.open.set();
  EXPECT_EQ(other.get().value(), 3);
  // Too late: nothing happens.
  other.cancel();
}

PARLEY_PEER_TEST(AsyncCall, ends_when_its_time_is_over_also_when_nobody_looks) {
  Gate gate;
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 1});
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  {
    const auto held = session.call_async<int>("/gate", 1);
    EXPECT_EQ(session.call<int>("/gate", 2).error().code(), Code::resource_exhausted);
  }
  auto call = session.call_async<int>({.timeout = 20ms}, "/gate", 1);
  while (!call.has_ended()) rt::yield();
  // Its place is free again.
  EXPECT_EQ(session.call<int>({.timeout = 20ms}, "/gate", 2).error().code(),
            Code::deadline_exceeded);
  // Its handler's end, which comes at the same time, may have been the answer.
  EXPECT_EQ(call.get().error().code(), Code::deadline_exceeded);
}

PARLEY_PEER_TEST(AsyncCall, whoever_waits_for_it_gives_it_up_when_his_context_ends) {
  Gate gate;
  Pair pair;
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  auto call = session.call_async<int>("/gate", 1);
  rt::Scope scope;
  scope.go("waiter", [&] {
    EXPECT_EQ(call.wait().code(), Code::aborted);
    EXPECT_EQ(call.get().error().code(), Code::aborted);
  });
  gate.wait_for_entered(1);
  scope.cancel(Status(Code::aborted, "changed my mind"));
  scope.join();
  gate.wait_for_given_up(1);
}

PARLEY_PEER_TEST(AsyncCall, a_callback_gets_the_result_once) {
  std::atomic<int> sum = 0;
  std::atomic<int> told = 0;
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  const Session session = pair.dial();
  for (int i = 1; i <= 100; ++i) {
    auto only_moves = std::make_unique<int>(i);
    EXPECT_TRUE(session
                    .call_then<int>(
                        [&, only_moves = std::move(only_moves)](Result<int> result) {
                          sum += result.value() - *only_moves;
                          ++told;
                        },
                        "/twice", i)
                    .is_ok());
  }
  while (told < 100) rt::yield();
  EXPECT_EQ(sum, 5'050);
}

PARLEY_PEER_TEST(AsyncCall, a_callback_that_waits_holds_up_neither_its_session_nor_the_next_one) {
  rt::Event release;
  std::atomic<int> told = 0;
  Pair pair;
  pair.server.handle("/one", [] { return 1; });
  const Session session = pair.dial();
  EXPECT_TRUE(session
                  .call_then<int>(
                      [&](const Result<int>&) {
                        // It may call, too.
                        EXPECT_EQ(session.call<int>("/one").value(), 1);
                        EXPECT_TRUE(release.wait().is_ok());
                        ++told;
                      },
                      "/one")
                  .is_ok());
  EXPECT_TRUE(session.call_then<int>([&](const Result<int>&) { release.set(); }, "/one").is_ok());
  while (told < 1) rt::yield();
}

PARLEY_PEER_TEST(AsyncCall, a_callback_may_close_its_session_and_what_it_throws_is_logged) {
  Pair pair;
  pair.server.handle("/one", [] { return 1; });
  const Session session = pair.dial();
  EXPECT_TRUE(session
                  .call_then<int>(
                      [&](const Result<int>&) {
                        session.close();
                        throw std::runtime_error("no sugar");
                      },
                      "/one")
                  .is_ok());
  EXPECT_EQ(session.wait_closed().code(), Code::cancelled);
  pair.client_log.wait_for("the callback of a call of /one failed");
  EXPECT_TRUE(pair.client_log.has("no sugar"));
}

PARLEY_PEER_TEST(AsyncCall, a_callback_is_told_of_the_deadline_and_of_the_end) {
  Gate gate;
  rt::Channel<Code> told(8);
  Pair pair(PeerOptions{.drain_timeout = 1ms}, PeerOptions{.drain_timeout = 1ms});
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  const auto tell = [&](const Result<int>& result) { (void)told.send(result.error().code()); };
  EXPECT_TRUE(session.call_then<int>(tell, {.timeout = 50ms}, "/gate", 1).is_ok());
  EXPECT_EQ(told.receive().value(), Code::deadline_exceeded);
  gate.wait_for_given_up(1);
  EXPECT_TRUE(session.call_then<int>(tell, "/gate", 2).is_ok());
  gate.wait_for_entered(2);
  session.close();
  EXPECT_EQ(told.receive().value(), Code::outcome_unknown);
  EXPECT_EQ(session.call_then<int>(tell, "/gate", 3).code(), Code::not_sent);
  pair.client.close();
  EXPECT_EQ(told.size(), 0u);
}

// The alarm of a deadline that is not there any more rings all the same.
void a_deadline_after_an_answer(std::size_t workers) {
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        Gate gate;
        rt::Channel<Code> told(1);
        Pair pair;
        gate.serve(pair.server, "/gate");
        pair.server.handle("/one", [] { return 1; });
        const Session session = pair.dial();
        EXPECT_EQ(session.call_async<int>({.timeout = 5ms}, "/one").get().value(), 1);
        rt::Scope scope;
        std::atomic<bool> has_slept = false;
        scope.go("sleeper", [&] {
          EXPECT_TRUE(rt::sleep(6ms).is_ok());
          has_slept = true;
        });
        // Whoever runs it may begin to sleep late.
        while (!has_slept) {
          clock.advance(10ms);
          rt::yield();
        }
        scope.join();
        for (int i = 0; i < 100; ++i) rt::yield();
        EXPECT_TRUE(session
                        .call_then<int>(
                            [&](const Result<int>& result) {
                              EXPECT_TRUE(told.send(result.error().code()).is_ok());
                            },
                            {.timeout = 5ms}, "/gate", 1)
                        .is_ok());
        gate.wait_for_entered(1);
        clock.advance(10ms);
        EXPECT_EQ(told.receive().value(), Code::deadline_exceeded);
      },
      {.workers = workers, .clock = &clock});
}

TEST(AsyncCall, a_callback_is_told_of_the_deadline_also_after_a_call_that_was_answered) {
  a_deadline_after_an_answer(1);
  a_deadline_after_an_answer(4);
}

PARLEY_PEER_TEST(AsyncCall, a_callback_is_told_when_it_was_its_callers_context_that_ended) {
  Gate gate;
  rt::Channel<std::string> told(1);
  Pair pair;
  gate.serve(pair.server, "/gate");
  const Session session = pair.dial();
  const auto [context, cancel] = rt::Context::current().with_timeout(5ms);
  {
    const rt::WithContext bound(context);
    EXPECT_TRUE(session
                    .call_then<int>(
                        [&](const Result<int>& result) {
                          EXPECT_TRUE(told.send(result.error().message()).is_ok());
                        },
                        "/gate", 1)
                    .is_ok());
  }
  const std::string message = told.receive().value();
  EXPECT_NE(message.find("before the caller's context ended"), std::string::npos) << message;
}

PARLEY_PEER_TEST(AsyncCall, closing_its_session_waits_for_its_callbacks) {
  for (const bool is_closed_here : {true, false}) {
    Gate gate;
    std::atomic<int> told = 0;
    Pair pair(PeerOptions{.drain_timeout = 1ms}, PeerOptions{.drain_timeout = 1ms});
    gate.serve(pair.server, "/gate");
    const Session session = pair.dial();
    const auto tell = [&] {
      for (int i = 0; i < 100; ++i) rt::yield();
      ++told;
    };
    const auto then = [&](const Result<int>&) { tell(); };
    EXPECT_TRUE(session.call_then<int>(then, "/gate", 1).is_ok());
    EXPECT_TRUE(session.on_closed([&](const Status&) { tell(); }).is_ok());
    gate.wait_for_entered(1);
    if (!is_closed_here) {
      pair.server.close();
      EXPECT_EQ(session.wait_closed().code(), Code::unavailable);
    }
    session.close();
    EXPECT_EQ(told, 2);
  }
}

PARLEY_PEER_TEST(AsyncCall, callbacks_that_close_each_others_sessions_end) {
  std::atomic<int> told = 0;
  Pair pair(PeerOptions{.drain_timeout = 5ms});
  const Session one = pair.dial();
  const Session other = pair.dial();
  const auto close = [&](const Session& session) {
    return [&told, session](const Status&) {
      session.close();
      ++told;
    };
  };
  EXPECT_TRUE(one.on_closed(close(other)).is_ok());
  EXPECT_TRUE(other.on_closed(close(one)).is_ok());
  one.close();
  other.close();
  EXPECT_EQ(told, 2);
}

PARLEY_PEER_TEST(AsyncCall, callbacks_that_do_not_return_end_with_their_peer) {
  for (const std::size_t max_fibers : {2, 3, 1'000}) {
    rt::Event never;
    std::atomic<int> entered = 0;
    std::atomic<int> ended = 0;
    Pair pair(PeerOptions{.drain_timeout = 1ms},
              PeerOptions{.drain_timeout = 1ms, .max_fibers = max_fibers});
    pair.server.handle("/one", [] { return 1; });
    const std::vector<Session> sessions{pair.dial(), pair.dial()};
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(sessions[static_cast<std::size_t>(i % 2)]
                      .call_then<int>(
                          [&](const Result<int>&) {
                            ++entered;
                            EXPECT_EQ(never.wait().code(), Code::cancelled);
                            ++ended;
                          },
                          "/one")
                      .is_ok());
    }
    while (entered < 1) rt::yield();
    for (const Session& session : sessions) EXPECT_EQ(session.call<int>("/one").value(), 1);
    pair.client.close();
    EXPECT_EQ(ended, 10);
  }
}

PARLEY_PEER_TEST(AsyncCall, a_callback_that_closes_another_session_lets_go_in_time) {
  rt::Event inside;
  rt::Event never;
  Pair pair(
      PeerOptions{},
      PeerOptions{
          .drain_timeout = 20ms, .flush_timeout = 20ms, .close_timeout = 20ms, .max_fibers = 2});
  pair.server.handle("/one", [] { return 1; });
  const Session a = pair.dial();
  const Session b = pair.dial();
  // One of the two fibers waits in a callback of b; what ends a would wait for b with the other.
  EXPECT_TRUE(b.call_then<int>(
                   [&](const Result<int>&) {
                     inside.set();
                     (void)never.wait();
                   },
                   "/one")
                  .is_ok());
  EXPECT_TRUE(inside.wait().is_ok());
  EXPECT_TRUE(a.on_closed([&](const Status&) { b.close(); }).is_ok());
  a.close();
  pair.client.close();
  EXPECT_FALSE(b.is_open());
}

PARLEY_PEER_TEST(AsyncCall, a_callback_is_told_though_its_session_ends_as_its_time_is_over) {
  Gate gate;
  Pair pair;
  gate.serve(pair.server, "/gate");
  for (int round = 0; round < 50; ++round) {
    const Session session = pair.dial();
    std::atomic<int> told = 0;
    int begun = 0;
    for (int i = 0; i < 10; ++i) {
      const CallOptions options{.timeout = std::chrono::microseconds(300 + 20 * i)};
      const Status status =
          session.call_then<int>([&](const Result<int>&) { ++told; }, options, "/gate", i);
      if (status.is_ok()) ++begun;
    }
    session.close();
    EXPECT_EQ(told, begun);
  }
}

PARLEY_PEER_TEST(AsyncCall, callbacks_are_called_in_the_order_of_the_answers) {
  Pair pair;
  testing::Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const Session session = pair.server.sessions().front();
  std::array<int, 100> told{};
  std::atomic<std::size_t> count = 0;
  // It does not wait, which would let the next one begin.
  const auto tell = [&](const Result<int>& result) {
    told.at(count) = result.value_or(-1);
    ++count;
  };
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_TRUE(session.call_then<int>(tell, "/number").is_ok());
  }
  std::vector<wire::Message> answers;
  for (std::size_t i = 0; i < told.size(); ++i) {
    answers.push_back({.seq = foreign.hear().seq,
                       .type = wire::MessageType::reply,
                       .body_codec = wire::BodyCodec::json,
                       .body = Bytes::copy_of(std::to_string(i))});
  }
  std::ranges::reverse(answers);  // not in the order of the calls
  foreign.say_at_once(answers);
  while (count < told.size()) rt::yield();
  EXPECT_EQ(told.front(), 99);
  EXPECT_TRUE(std::ranges::is_sorted(told, std::ranges::greater()));
}

PARLEY_PEER_TEST(AsyncCall, a_callback_that_waits_lets_others_go_on_whatever_fibers_there_are) {
  for (const std::size_t max_fibers : {2, 3}) {
    Gate gate;
    rt::Event release;
    std::atomic<int> told = 0;
    Pair pair(PeerOptions{}, PeerOptions{.max_fibers = max_fibers});
    gate.serve(pair.server, "/gate");
    pair.server.handle("/one", [] { return 1; });
    const Session session = pair.dial();
    EXPECT_TRUE(session
                    .call_then<int>(
                        [&](const Result<int>&) {
                          EXPECT_EQ(session.call<int>("/one").value(), 1);
                          ++told;
                          EXPECT_TRUE(release.wait().is_ok());
                          ++told;
                        },
                        "/one")
                    .is_ok());
    while (told < 1) rt::yield();
    // Answers and deadlines; other callbacks, too, when there is a fiber for them.
    EXPECT_EQ(session.call<int>("/one").value(), 1);
    EXPECT_EQ(pair.dial().call<int>("/one").value(), 1);
    const auto late = session.call_async<int>({.timeout = 5ms}, "/gate", 1);
    while (!late.has_ended()) rt::yield();
    EXPECT_TRUE(session.call_then<int>([&](const Result<int>&) { release.set(); }, "/one").is_ok());
    if (max_fibers == 2) release.set();
    while (told < 2) rt::yield();
    // What was held up is called once there is a fiber.
    release.reset();
    EXPECT_TRUE(session.call_then<int>([&](const Result<int>&) { release.set(); }, "/one").is_ok());
    EXPECT_TRUE(release.wait().is_ok());
  }
}

// Those behind a callback that computes wait for it; one that waits for something does not hold
// them up, and has not returned either.
void callbacks_fall_behind(bool computes) {
  rt::Event release;
  std::atomic<int> told = 0;
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 2});
  pair.server.handle("/one", [] { return 1; });
  const Session session = pair.dial();
  const auto then = [&](const Result<int>&) {
    ++told;
    while (computes && !release.is_set()) {}
    (void)release.wait();
  };
  int sent = 0;
  for (Status status; status.message().find("callbacks") == std::string::npos; rt::yield()) {
    status = session.call_then<int>(then, "/one");
    if (status.is_ok()) ++sent;
  }
  EXPECT_GE(sent, 2);
  release.set();
  while (told < sent) rt::yield();
  while (!session.call_then<int>(then, "/one").is_ok()) rt::yield();
}

TEST(AsyncCall, max_calls_bounds_the_callbacks_that_are_behind) {
  rt::testing::run_fiber_test([] { callbacks_fall_behind(true); }, {.workers = 4});
}

TEST(AsyncCall, max_calls_bounds_the_callbacks_that_wait) {
  rt::testing::run_fiber_test([] { callbacks_fall_behind(false); }, {.workers = 1});
  rt::testing::run_fiber_test([] { callbacks_fall_behind(false); }, {.workers = 4});
}

PARLEY_PEER_TEST(AsyncCall, a_callback_may_make_the_next_call_at_max_calls) {
  rt::Event done;
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 1});
  pair.server.handle("/next", [](int n) { return n + 1; });
  const Session session = pair.dial();
  std::function<void(const Result<int>&)> then = [&](const Result<int>& result) {
    if (result.value() == 10) return done.set();
    EXPECT_TRUE(session.call_then<int>(then, "/next", *result).is_ok());
  };
  EXPECT_TRUE(session.call_then<int>(then, "/next", 0).is_ok());
  EXPECT_TRUE(done.wait().is_ok());
  pair.client.close();
}

PARLEY_PEER_TEST(AsyncCall, results_go_into_a_channel_and_wait_while_it_is_full) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  const Session session = pair.dial();
  for (const std::size_t capacity : {0, 1, 16}) {
    auto results = std::make_shared<rt::Channel<Result<int>>>(capacity);
    for (int i = 1; i <= 10; ++i) EXPECT_TRUE(session.call_into(results, "/twice", i).is_ok());
    int sum = 0;
    for (int i = 1; i <= 10; ++i) sum += results->receive().value().value();
    EXPECT_EQ(sum, 110);
  }
  auto closed = std::make_shared<rt::Channel<Result<int>>>(1);
  closed->close();
  EXPECT_TRUE(session.call_into(closed, "/twice", 1).is_ok());
  EXPECT_EQ(session.call<int>("/twice", 1).value(), 2);
}

PARLEY_PEER_TEST(AsyncCall, each_ends_once_whoever_is_faster) {
  std::atomic<int> told = 0;
  Pair pair;
  pair.server.handle("/give_way", [](int n) {
    for (int i = 0; i < n; ++i) rt::yield();
    return n;
  });
  const Session session = pair.dial();
  int sent = 0;
  for (int i = 0; i < 200; ++i) {
    const CallOptions soon{.timeout = std::chrono::microseconds(20 * (i % 50) + 1)};
    const Status status =
        session.call_then<int>([&](const Result<int>&) { ++told; }, soon, "/give_way", i % 7);
    if (status.is_ok()) ++sent;
    auto dropped = session.call_async<int>(soon, "/give_way", i % 7);
    if (i % 3 == 0) dropped.cancel();
    const auto result = dropped.get();
    EXPECT_NE(result.error().code(), Code::internal) << result.error();
  }
  while (told < sent) rt::yield();
  pair.client.close();
  EXPECT_EQ(told, sent);
}

PARLEY_PEER_TEST(Batch, gives_results_in_order_each_its_own) {
  Pair pair;
  pair.server.handle("/half", [](int n) -> Result<int> {
    if (n % 2 == 1) return Status(Code::invalid_argument, std::to_string(n) + " is odd");
    for (int i = 0; i < 100 - n; ++i) rt::yield();
    return n / 2;
  });
  Batch<int> batch(pair.dial());
  for (int i = 0; i < 100; ++i) batch.add("/half", i);
  batch.add("/half", std::string("\xff"));
  batch.add("/nowhere");
  EXPECT_EQ(batch.size(), 102u);
  const auto results = batch.call();
  ASSERT_EQ(results.size(), 102u);
  for (int i = 0; i < 100; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    if (i % 2 == 0) {
      EXPECT_EQ(result.value(), i / 2);
    } else {
      EXPECT_EQ(result.error().message(), std::to_string(i) + " is odd");
    }
  }
  EXPECT_EQ(results[100].error().code(), Code::invalid_argument);
  EXPECT_EQ(results[101].error().code(), Code::not_found);
  // It is empty, and may be used again.
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_TRUE(batch.call().empty());
}

PARLEY_PEER_TEST(Batch, waits_for_room_and_keeps_max_calls) {
  Pair pair(PeerOptions{}, PeerOptions{.max_calls = 100, .max_outgoing_bytes = 4'096});
  pair.server.handle("/size", [](const std::string& text) { return text.size(); });
  Batch<std::size_t> batch(pair.dial());
  for (int i = 0; i < 50; ++i) batch.add("/size", std::string(10'000, 'x'));
  for (const auto& result : batch.call()) EXPECT_EQ(result.value(), 10'000u);

  Gate gate;
  gate.serve(pair.server, "/gate");
  Batch<int> many(pair.dial());
  for (int i = 0; i < 120; ++i) many.add("/gate", i);
  rt::Scope scope;
  scope.go("opener", [&] {
    gate.wait_for_entered(100);
    gate.open.set();
  });
  const auto results = many.call();
  for (int i = 0; i < 120; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    if (i < 100) {
      EXPECT_EQ(result.value(), i);
    } else {
      EXPECT_EQ(result.error().code(), Code::resource_exhausted);
    }
  }
  scope.join();
  pair.client.close();
  pair.server.close();
}

PARLEY_PEER_TEST(Batch, gives_up_what_has_no_answer_in_time_and_says_so_to_the_other_side) {
  Gate gate;
  const auto [context, cancel] = rt::Context::current().with_cancel();
  Pair pair;
  gate.serve(pair.server, "/gate");
  pair.server.handle("/one", [] { return 1; });
  const Session session = pair.dial();
  Batch<int> batch(session);
  batch.add("/one");
  batch.add("/gate", 2);
  batch.add("/one");
  batch.add("/gate", 4);
  rt::Scope scope;
  scope.go("canceller", [&, &give_up = cancel] {
    gate.wait_for_entered(2);
    // Its answer comes behind those of the batch.
    EXPECT_EQ(session.call<int>("/one").value(), 1);
    give_up(Status(Code::aborted, "changed my mind"));
  });
  std::vector<Result<int>> results;
  {
    const rt::WithContext bound(context);
    results = batch.call();
  }
  EXPECT_EQ(results[0].value(), 1);
  EXPECT_EQ(results[1].error().code(), Code::aborted);
  EXPECT_EQ(results[2].value(), 1);
  EXPECT_EQ(results[3].error().code(), Code::aborted);
  gate.wait_for_given_up(2);
  EXPECT_EQ(session.call<int>("/one").value(), 1);
}

// By hand, and by a clock of ours: what each call says of the time that is left.
void tell_what_is_left(std::size_t workers) {
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        auto [here, there] = net::testing::memory_streams({.piece_bytes = 1'024, .max_pieces = 2});
        Peer peer(PeerOptions{.max_outgoing_bytes = 4'096});
        const Session session = peer.serve(std::move(here), Side::dialled).value();
        std::vector<Duration> left;
        rt::Scope scope;
        scope.go("other side", [&, stream = std::move(there)] {
          while (session.health().is_ok()) rt::yield();
          clock.advance(1s);
          wire::ParleyDecoder decoder;
          std::array<char, 1'024> room{};
          while (left.size() < 100) {
            const auto next = decoder.next();
            ASSERT_TRUE(next) << next.error();
            if (*next && (*next)->type == wire::MessageType::call) {
              left.emplace_back((*next)->timeout.value());
            }
            if (*next) continue;
            const auto size = stream->read(room);
            ASSERT_TRUE(size && *size > 0);
            decoder.feed(std::string_view(room.data(), *size));
          }
          stream->close();
        });
        Batch<> batch(session);
        for (int i = 0; i < 100; ++i) batch.add("/x", std::string(1'000, 'x'));
        for (const auto& result : batch.call({.timeout = 10s})) {
          EXPECT_EQ(result.error().code(), Code::outcome_unknown);
        }
        scope.join();
        EXPECT_EQ(left.front(), 10s);
        EXPECT_TRUE(std::is_sorted(left.begin(), left.end(), std::greater<>()));
      },
      {.workers = workers, .clock = &clock});
}

TEST(Batch, tells_the_other_side_what_is_left_when_it_has_waited_for_room) {
  tell_what_is_left(1);
  tell_what_is_left(4);
}

PARLEY_PEER_TEST(Batch, carries_metadata_and_ends_with_its_session) {
  Gate gate;
  Pair pair(PeerOptions{.drain_timeout = 1ms}, PeerOptions{.drain_timeout = 1ms});
  gate.serve(pair.server, "/gate");
  pair.server.handle("/who", [](Context& context) {
    return std::string(context.metadata().get("user").value_or("nobody"));
  });
  const Session session = pair.dial();
  Batch<std::string> who(session);
  who.add("/who");
  BatchOptions options;
  options.metadata.set("user", "ann");
  EXPECT_EQ(who.call(options)[0].value(), "ann");
  Batch<int> cut(session);
  cut.add("/gate", 1);
  cut.add("/gate", 2);
  rt::Scope scope;
  scope.go("closer", [&] {
    gate.wait_for_entered(2);
    session.close();
  });
  for (const auto& result : cut.call()) EXPECT_EQ(result.error().code(), Code::outcome_unknown);
  cut.add("/gate", 3);
  EXPECT_EQ(cut.call()[0].error().code(), Code::not_sent);
}

PARLEY_PEER_TEST(AsyncCall, one_that_was_moved_from_says_so) {
  Pair pair;
  pair.server.handle("/twice", [](int n) { return 2 * n; });
  AsyncCall<int> first = pair.dial().call_async<int>("/twice", 1);
  AsyncCall<int> second = std::move(first);
  EXPECT_TRUE(first.has_ended());
  const Status empty = first.get().error();
  EXPECT_EQ(empty.code(), Code::failed_precondition);
  EXPECT_NE(empty.message().find("moved from"), std::string::npos);
  EXPECT_EQ(second.get().value(), 2);
  EXPECT_EQ(second.get().error().code(), Code::failed_precondition);
}

}  // namespace
}  // namespace parley
