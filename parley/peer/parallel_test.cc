// One session, one peer, one router, used by fibers on several threads at once: nothing accepted is
// lost, and what is said of a call is true. Under ThreadSanitizer these are the tests that count.

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "parley/base/clock.h"
#include "parley/peer/peer.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {
namespace {

using testing::Pair;
using namespace std::chrono_literals;

// What became of calls that each carried a number of their own.
class Ledger {
 public:
  explicit Ledger(std::size_t calls) : ran_(calls), outcomes_(calls) {}

  void handle(Peer& peer) {
    peer.handle("/run", [this](std::size_t number) {
      ++ran_[number];
      return number;
    });
  }

  void call(const Session& session, std::size_t number, const CallOptions& options = {}) {
    const auto answer = session.call<std::size_t>(options, "/run", number);
    outcomes_[number] = answer.error().code();
    EXPECT_EQ(answer.value_or(number), number);
  }

  // To be asked when nothing runs any more.
  void expect_truth() const {
    for (std::size_t i = 0; i < ran_.size(); ++i) {
      const Code outcome = outcomes_[i];
      EXPECT_LE(ran_[i], 1) << i << " ran twice";
      EXPECT_TRUE(outcome != Code::ok || ran_[i] == 1) << i;
      const bool was_refused = outcome == Code::not_sent || outcome == Code::unavailable;
      EXPECT_TRUE(!was_refused || ran_[i] == 0) << i << ": " << outcome;
    }
  }
  [[nodiscard]] std::size_t count(Code code) const {
    std::size_t found = 0;
    for (const auto& outcome : outcomes_) found += outcome == code ? 1 : 0;
    return found;
  }

 private:
  std::vector<std::atomic<int>> ran_;
  std::vector<std::atomic<Code>> outcomes_;
};

PARLEY_PEER_TEST(Parallel, every_call_of_many_fibers_gets_its_own_answer) {
  constexpr std::size_t fibers = 16;
  constexpr std::size_t calls_each = 100;
  Pair pair;
  Ledger ledger(2 * fibers * calls_each);
  ledger.handle(pair.server);
  const std::array<Session, 2> sessions = {pair.dial(), pair.dial()};
  rt::Scope scope;
  for (std::size_t fiber = 0; fiber < 2 * fibers; ++fiber) {
    scope.go("caller", [&, fiber] {
      for (std::size_t i = 0; i < calls_each; ++i) {
        ledger.call(sessions[fiber % 2], fiber * calls_each + i);
      }
    });
  }
  scope.join();
  ledger.expect_truth();
  EXPECT_EQ(ledger.count(Code::ok), 2 * fibers * calls_each);
}

// Computes without ever waiting, so that nobody else is run by this worker meanwhile.
void spin_until(const std::atomic<bool>& flag) {
  while (!flag) {}
}

TEST(Parallel, what_comes_behind_a_call_that_computes_is_run_by_another_worker) {
  rt::testing::run_fiber_test(
      [] {
        Pair pair;
        std::atomic<bool> is_let_go = false;
        pair.server.handle("/compute", [&] { spin_until(is_let_go); });
        pair.server.handle("/let/go", [&] { is_let_go = true; });
        const Session session = pair.dial();
        rt::Scope scope;
        // Both leave in one write.
        scope.go("compute", [&] { EXPECT_TRUE(session.call("/compute")); });
        scope.go("let go", [&] { EXPECT_TRUE(session.call("/let/go")); });
      },
      {.workers = 4});
}

// A method that has been quick is run by the reader itself, with nobody at hand for the rest; what
// it takes is looked at all the same.
TEST(Parallel, a_method_that_has_become_slow_is_known_to_be) {
  rt::testing::run_fiber_test(
      [] {
        Pair pair;
        std::atomic<int> milliseconds = 0;
        std::atomic<bool> is_let_go = true;
        pair.server.handle("/work", [&] {
          const Instant end = RealClock().now() + milliseconds.load() * 1ms;
          while (RealClock().now() < end) {}
          spin_until(is_let_go);
        });
        pair.server.handle("/let/go", [&] { is_let_go = true; });
        const Session session = pair.dial();
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(session.call("/work"));
        milliseconds = 2;
        EXPECT_TRUE(session.call("/work"));
        is_let_go = false;
        rt::Scope scope;
        scope.go("work", [&] { EXPECT_TRUE(session.call("/work")); });
        scope.go("let go", [&] { EXPECT_TRUE(session.call("/let/go")); });
      },
      {.workers = 4});
}

PARLEY_PEER_TEST(Parallel, both_ends_call_each_other_at_the_same_time) {
  Pair pair;
  const auto echo = [](int n) { return n; };
  pair.client.handle("/echo", echo);
  pair.server.handle("/echo", echo);
  pair.server.handle("/there_and_back", [](Context& context, int n) {
    return context.session().call<int>("/echo", n);
  });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int fiber = 0; fiber < 16; ++fiber) {
    scope.go("caller", [&, fiber] {
      for (int i = 0; i < 30; ++i) {
        EXPECT_EQ(session.call<int>("/there_and_back", fiber * 100 + i).value(), fiber * 100 + i);
      }
    });
  }
}

// Answers and deadlines cross: each call has one outcome, and the session is as good as before.
PARLEY_PEER_TEST(Parallel, a_deadline_and_an_answer_at_the_same_moment_harm_nothing) {
  constexpr std::size_t calls = 400;
  Pair pair;
  Ledger ledger(calls);
  ledger.handle(pair.server);
  const Session session = pair.dial();
  {
    rt::Scope scope;
    for (std::size_t fiber = 0; fiber < 8; ++fiber) {
      scope.go("caller", [&, fiber] {
        for (std::size_t i = fiber; i < calls; i += 8) {
          ledger.call(session, i, {.timeout = std::chrono::microseconds(50 + i)});
        }
      });
    }
  }
  EXPECT_TRUE(session.call<std::size_t>("/run", std::size_t{0}));
  EXPECT_EQ(
      ledger.count(Code::ok) + ledger.count(Code::deadline_exceeded) + ledger.count(Code::not_sent),
      calls);
}

// What close() promises, while calls come from everywhere: those that were answered did run, once;
// those that are called not_sent did not.
void close_under_load(bool by_server, Duration drain_timeout) {
  constexpr std::size_t fibers = 8;
  constexpr std::size_t calls_each = 200;
  Pair pair(PeerOptions{.drain_timeout = drain_timeout});  // of both
  Ledger ledger(fibers * calls_each);
  ledger.handle(pair.server);
  const Session session = pair.dial();
  std::atomic<std::size_t> done = 0;
  rt::Scope scope;
  for (std::size_t fiber = 0; fiber < fibers; ++fiber) {
    scope.go("caller", [&, fiber] {
      for (std::size_t i = 0; i < calls_each; ++i, ++done) {
        ledger.call(session, fiber * calls_each + i);
      }
    });
  }
  while (done < calls_each) rt::yield();
  for (const Session& each : by_server ? pair.server.sessions() : std::vector{session}) {
    each.close();
  }
  scope.join();
  EXPECT_NE(session.wait_closed().code(), Code::ok);
  pair.server.close();  // its handlers have ended
  ledger.expect_truth();
  EXPECT_GE(ledger.count(Code::ok), calls_each / 2);
  // Who closes waits for its own calls: with time for that none is left in doubt.
  const bool has_time = !by_server && drain_timeout > 1s;
  EXPECT_TRUE(!has_time || ledger.count(Code::outcome_unknown) == 0);
}

PARLEY_PEER_TEST(Parallel, a_client_that_closes_under_load_knows_what_ran) {
  close_under_load(false, 20s);
  close_under_load(false, Duration::zero());
}

PARLEY_PEER_TEST(Parallel, a_server_that_closes_under_load_tells_its_client_the_truth) {
  close_under_load(true, 20s);
  close_under_load(true, Duration::zero());
}

PARLEY_PEER_TEST(Parallel, every_push_that_was_accepted_runs_however_small_the_buffer) {
  constexpr int fibers = 16;
  constexpr int pushes_each = 50;
  Pair pair(PeerOptions{.max_handlers = std::size_t{1} << 20U},
            PeerOptions{.max_outgoing_bytes = 1'000});
  std::atomic<int> ran = 0;
  pair.server.handle("/note", [&](const std::string& text) {
    EXPECT_EQ(text.size(), 300u);
    ++ran;
  });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int fiber = 0; fiber < fibers; ++fiber) {
    scope.go("pusher", [&] {
      for (int i = 0; i < pushes_each; ++i) {
        EXPECT_TRUE(session.push("/note", std::string(300, 'x')).is_ok());
      }
    });
  }
  scope.join();
  session.close();
  EXPECT_EQ(ran, fibers * pushes_each);
}

PARLEY_PEER_TEST(Parallel, max_handlers_and_max_calls_hold_exactly) {
  Pair pair(PeerOptions{.max_handlers = 3}, PeerOptions{.max_calls = 5});
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> refused = 0;
  pair.server.handle("/work", [&] {
    const int now = ++running;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {}
    rt::yield();
    --running;
  });
  const Session session = pair.dial();
  rt::Scope scope;
  for (int fiber = 0; fiber < 12; ++fiber) {
    scope.go("caller", [&] {
      for (int i = 0; i < 40; ++i) {
        const Status status = session.call("/work").error();
        if (status.is_ok()) continue;
        EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
        ++refused;
        rt::yield();
      }
    });
  }
  scope.join();
  EXPECT_LE(most, 3);
  // Nothing of it is left over: all that fits runs.
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(session.call("/work"));
}

PARLEY_PEER_TEST(Parallel, methods_may_be_added_while_others_are_called) {
  Pair pair;
  pair.server.handle("/method/0", [] { return 0; });
  const Session session = pair.dial();
  std::atomic<int> added = 1;
  rt::Scope scope;
  scope.go("adder", [&] {
    for (int i = 1; i < 200; ++i) {
      pair.server.handle("/method/" + std::to_string(i), [i] { return i; });
      added = i + 1;
    }
  });
  for (int fiber = 0; fiber < 4; ++fiber) {
    scope.go("caller", [&] {
      for (int known = 0; known < 200;) {
        known = added;
        const std::string name = "/method/" + std::to_string(known - 1);
        EXPECT_EQ(session.call<int>(name).value(), known - 1);
        EXPECT_EQ(session.call<int>("/nothing").error().code(), Code::not_found);
      }
    });
  }
}

PARLEY_PEER_TEST(Parallel, sessions_are_dialled_used_and_closed_while_their_peer_ends) {
  Pair pair;
  pair.server.handle("/ping", [] { return 1; });
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> answered = 0;
    Peer peer;
    rt::Scope scope;
    for (int fiber = 0; fiber < 8; ++fiber) {
      scope.go("dialler", [&, fiber] {
        for (;;) {
          const auto session = peer.dial(pair.address);
          if (!session) {
            EXPECT_EQ(session.error().code(), Code::not_sent) << session.error();
            return;
          }
          if (session->call<int>("/ping")) ++answered;
          for (const Session& each : peer.sessions()) EXPECT_FALSE(each.remote_address().empty());
          if (fiber % 2 == 0) session->close();
        }
      });
    }
    while (answered < 16) rt::yield();
    peer.close();
    EXPECT_EQ(peer.session_count(), 0u);
    scope.join();
  }
}

// Both fibers wait in close() for the same handler: another one is still waited for.
PARLEY_PEER_TEST(Parallel, a_handler_that_closes_its_session_twice_counts_once) {
  Pair pair(PeerOptions{.drain_timeout = 1h});
  rt::Event started;
  rt::Event release;
  pair.server.handle("/slow", [&] {
    started.set();
    (void)release.wait();
    return 7;
  });
  rt::WaitGroup closing;
  closing.add(2);
  pair.server.handle("/close_twice", [&](Context& context) {
    rt::Scope scope;
    for (int i = 0; i < 2; ++i) {
      scope.go("closer", [&, session = context.session()] {
        closing.done();
        session.close();
      });
    }
  });
  const Session session = pair.dial();
  rt::Scope scope;
  scope.go("caller", [&] { EXPECT_EQ(session.call<int>("/slow").value(), 7); });
  EXPECT_TRUE(started.wait().is_ok());
  scope.go("kicker",
           [&] { EXPECT_EQ(session.call("/close_twice").error().code(), Code::outcome_unknown); });
  EXPECT_TRUE(closing.wait().is_ok());
  while (pair.server.sessions()[0].is_open()) rt::yield();
  // If the two were taken for two handlers, the session would end here, without the answer.
  for (int i = 0; i < 100; ++i) rt::yield();
  release.set();
}

PARLEY_PEER_TEST(Parallel, any_number_of_fibers_may_close_one_session) {
  Pair pair;
  pair.server.handle("/ping", [] { return 1; });
  const Session session = pair.dial();
  EXPECT_EQ(session.call<int>("/ping").value(), 1);
  {
    rt::Scope scope;
    for (int i = 0; i < 8; ++i) scope.go("closer", [&] { session.close(); });
    for (const Session& other : pair.server.sessions()) {
      for (int i = 0; i < 8; ++i) scope.go("closer", [other] { other.close(); });
    }
  }
  EXPECT_FALSE(session.is_open());
  EXPECT_NE(session.wait_closed().code(), Code::ok);
}

}  // namespace
}  // namespace parley
