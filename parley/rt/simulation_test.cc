#include "parley/rt/simulation.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "parley/base/assert.h"
#include "parley/rt/blocking.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pollable.h"
#include "parley/rt/random.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/signal.h"
#include "parley/rt/time.h"
#include "parley/rt/timer.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// Three fibers that take turns somehow: the order in which they did.
std::string turns(Scope& scope, int rounds) {
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    scope.go("turn", [&order, name, rounds] {
      for (int i = 0; i < rounds; ++i) {
        order += name;
        yield();
      }
    });
  }
  scope.join();
  return order;
}

struct Outcome {
  std::string order;
  SimulationReport report;
};

Outcome run_turns(const SimulationOptions& options, int rounds = 5) {
  Outcome run;
  run.report = simulate(options, [&] {
    Scope scope;
    run.order = turns(scope, rounds);
  });
  return run;
}

TEST(Simulation, a_seed_repeats_its_run_with_every_event) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome first = run_turns({.seed = seed});
    const Outcome second = run_turns({.seed = seed});
    EXPECT_EQ(first.order, second.order);
    EXPECT_EQ(first.report.hash, second.report.hash);
    EXPECT_EQ(first.report.steps, second.report.steps);
    EXPECT_EQ(first.report.elapsed, second.report.elapsed);
  }
}

TEST(Simulation, seeds_between_them_try_every_order) {
  std::set<std::string> orders;
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Outcome run = run_turns({.seed = seed}, 1);
    orders.insert(run.order);
    hashes.insert(run.report.hash);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"}));
  EXPECT_EQ(hashes.size(), 100U);
}

TEST(Simulation, returns_what_the_first_fiber_returns) {
  EXPECT_EQ(simulate({}, [] { return 7; }).code, 7);
  EXPECT_EQ(simulate({}, [] {}).code, 0);
}

TEST(Simulation, months_pass_in_no_time_and_timers_fire_in_their_order) {
  std::vector<int> order;
  const SimulationReport report = simulate({}, [&] {
    Scope scope;
    for (const int months : {3, 1, 2}) {
      scope.go("sleeper", [&order, months] {
        EXPECT_TRUE(sleep(months * 720h).is_ok());
        order.push_back(months);
      });
    }
    Timer timer(scope, 1'000h, "timer", [&] { order.push_back(0); });
    scope.join();
    Ticker every_hour(1h);
    for (int i = 0; i < 24; ++i) EXPECT_TRUE(every_hour.ticks().receive().has_value());
  });
  EXPECT_EQ(order, (std::vector<int>{1, 0, 2, 3}));
  EXPECT_GE(report.elapsed, 3 * 720h + 24h);
  EXPECT_LT(report.elapsed, 3 * 720h + 25h);
}

TEST(Simulation, its_clock_starts_at_the_same_instant_each_time) {
  const auto start = [](std::uint64_t seed) {
    Instant at{};
    simulate({.seed = seed, .step_time = 0ns}, [&] { at = now(); });
    return at;
  };
  EXPECT_EQ(start(1), start(2));
}

TEST(Simulation, step_time_is_what_passes_while_fibers_run) {
  EXPECT_EQ(run_turns({.step_time = 0ns}).report.elapsed, 0ns);
  const Outcome slow = run_turns({.step_time = 1ms});
  EXPECT_GT(slow.report.elapsed, 1ms);
  EXPECT_LE(slow.report.elapsed, static_cast<int>(slow.report.steps) * 2ms);
}

// --- what many seeds find ----------------------------------------------------------------------

// A counter read and written in two steps, each of them under the lock.
int count_badly(const SimulationOptions& options) {
  return simulate(options,
                  [] {
                    int counter = 0;
                    Mutex mutex;
                    Scope scope;
                    for (int i = 0; i < 2; ++i) {
                      scope.go("adder", [&] {
                        mutex.lock();
                        const int seen = counter;
                        mutex.unlock();
                        const std::lock_guard lock(mutex);
                        counter = seen + 1;
                      });
                    }
                    scope.join();
                    return counter;
                  })
      .code;
}

TEST(Simulation, finds_a_lost_update_and_its_seed_shows_it_again) {
  std::uint64_t seed = 1;
  while (seed <= 50 && count_badly({.seed = seed}) == 2) ++seed;
  ASSERT_LE(seed, 50U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(count_badly({.seed = seed}), 1);
}

TEST(Simulation, interleave_one_in_says_how_often_a_fiber_gives_way_where_it_need_not) {
  int lost_undisturbed = 0;
  int lost_interleaved = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    lost_undisturbed += 2 - count_badly({.seed = seed, .interleave_one_in = 0});
    lost_interleaved += 2 - count_badly({.seed = seed, .interleave_one_in = 1});
  }
  EXPECT_EQ(lost_undisturbed, 0);
  EXPECT_GT(lost_interleaved, 10);
}

void lock_in_two_orders() {
  Mutex left;
  Mutex right;
  Scope scope;
  scope.go("left first", [&] {
    const std::lock_guard first(left);
    const std::lock_guard second(right);
  });
  scope.go("right first", [&] {
    const std::lock_guard first(right);
    const std::lock_guard second(left);
  });
}

// In a process of its own, since a failed simulation ends it.
bool fails(std::uint64_t seed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    simulate({.seed = seed}, lock_in_two_orders);
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return !WIFEXITED(status);
}

TEST(Simulation, finds_a_deadlock_of_lock_order_and_its_seed_shows_it_again) {
  std::uint64_t seed = 1;
  while (seed <= 50 && !fails(seed)) ++seed;
  ASSERT_LE(seed, 50U);
  EXPECT_TRUE(fails(seed));
  EXPECT_DEATH(simulate({.seed = seed, .repeat_with = "./again 7"}, lock_in_two_orders),
               "' waits: mutex.*' waits: mutex.*"
               "a deadlock: no fiber can go on, and no timer is left\n"
               "simulation of seed " +
                   std::to_string(seed) + ", repeat it with: ./again 7");
}

TEST(Simulation, slow_fibers_fall_behind) {
  // How many of 20 fibers that take five turns each are done when the first of a group is.
  const auto spread = [](bool slow) {
    std::size_t most = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      simulate({.seed = seed, .interleave_one_in = 0, .slow_fibers = slow}, [&] {
        std::array<int, 20> turns_taken{};
        Scope scope;
        for (int& own : turns_taken) {
          scope.go("turn", [&] {
            while (++own < 50) yield();
            const auto behind = std::count_if(turns_taken.begin(), turns_taken.end(),
                                              [](int turns) { return turns < 10; });
            most = std::max(most, static_cast<std::size_t>(behind));
          });
        }
        scope.join();
      });
    }
    return most;
  };
  EXPECT_EQ(spread(false), 0U);
  EXPECT_GT(spread(true), 0U);
}

// --- what it does instead of the machine -------------------------------------------------------

TEST(Simulation, a_select_chooses_by_the_seed) {
  const auto chosen = [](std::uint64_t seed) {
    std::string which;
    simulate({.seed = seed}, [&] {
      Channel<int> left(20);
      Channel<int> right(20);
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(left.try_send(i) && right.try_send(i));
      for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(select(on_receive(left, [&](auto) { which += 'l'; }),
                           on_receive(right, [&](auto) { which += 'r'; }))
                        .is_ok());
      }
    });
    return which;
  };
  EXPECT_EQ(chosen(1), chosen(1));
  EXPECT_NE(chosen(1), chosen(2));
}

TEST(Simulation, blocking_calls_run_on_the_same_thread_in_an_order_that_is_drawn) {
  std::set<std::string> orders;
  const auto calls = [&](std::uint64_t seed) {
    std::string order;
    simulate({.seed = seed}, [&] {
      const std::thread::id here = std::this_thread::get_id();
      Scope scope;
      for (const char name : {'a', 'b'}) {
        scope.go("caller", [&order, name, here] {
          const bool same = blocking([&] {
            order += name;
            return std::this_thread::get_id() == here;
          });
          EXPECT_TRUE(same);
        });
      }
      scope.join();
    });
    return order;
  };
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    orders.insert(calls(seed));
    EXPECT_EQ(calls(seed), calls(seed));
  }
  EXPECT_EQ(orders, (std::set<std::string>{"ab", "ba"}));
}

TEST(Simulation, a_blocking_call_may_not_wait_as_it_may_not_outside) {
  EXPECT_DEATH(simulate({}, [] { blocking([] { (void)sleep(1ms); }); }),
               "rt::sleep was called outside a fiber");
}

TEST(Simulation, descriptors_and_signals_are_refused_with_what_to_do) {
  simulate({}, [] {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    Pollable pollable;
    const Status refused = pollable.watch(ends[0]);
    EXPECT_EQ(refused.code(), Code::failed_precondition);
    EXPECT_NE(refused.message().find("net::SimWorld"), std::string_view::npos);
    EXPECT_EQ(wait_signal({SIGUSR1}).error().code(), Code::failed_precondition);
    ::close(ends[0]);
    ::close(ends[1]);
  });
}

TEST(Simulation, another_thread_that_wakes_a_fiber_is_refused) {
  EXPECT_DEATH(simulate({},
                        [] {
                          Event event;
                          Scope scope;
                          scope.go("waits", [&] { (void)event.wait(); });
                          yield();
                          blocking([&] { std::thread([&] { event.set(); }).join(); });
                        }),
               "a thread outside a simulation woke one of its fibers");
}

TEST(Simulation, there_is_one_at_a_time) {
  EXPECT_DEATH(simulate({}, [] { simulate({}, [] {}); }), "already runs a simulation");
}

// --- limits ------------------------------------------------------------------------------------

TEST(Simulation, max_time_ends_what_would_tick_for_ever) {
  const auto tick = [](int ticks) {
    Ticker ticker(1h);
    while (--ticks >= 0) (void)ticker.ticks().receive();
  };
  EXPECT_EQ(simulate({.max_time = 11h}, [&] { tick(10); }).code, 0);
  EXPECT_DEATH(simulate({.max_time = 9h}, [&] { tick(10); }),
               "max_time: it would go on after 32400.000000000 s");
}

TEST(Simulation, max_steps_ends_what_never_waits) {
  EXPECT_EQ(run_turns({.max_steps = 1'000}).report.code, 0);
  EXPECT_DEATH(simulate({.max_steps = 1'000},
                        [] {
                          for (;;) yield();
                        }),
               "max_steps: it took more than 1000 switches");
}

TEST(Simulation, max_fibers_is_a_limit_here_too) {
  const auto fits = [](std::size_t limit) {
    bool started = false;
    simulate({.max_fibers = limit}, [&] {
      Scope scope;
      started = scope.try_go("second", [] {}) && scope.try_go("third", [] {});
    });
    return started;
  };
  EXPECT_TRUE(fits(3));
  EXPECT_FALSE(fits(1));
}

TEST(Simulation, stack_size_is_that_of_its_fibers) {
  const auto recurse = [](std::size_t stack_size) {
    simulate({.stack_size = stack_size}, [] {
      std::array<volatile char, 100'000> large{};
      large[50'000] = 1;
      EXPECT_EQ(large[50'000], 1);
    });
  };
  recurse(std::size_t{1} << 20U);
  EXPECT_DEATH(recurse(std::size_t{64} << 10U), "");
}

// --- the trace ---------------------------------------------------------------------------------

TEST(Simulation, events_of_other_floors_are_part_of_the_hash) {
  const auto hash_with = [](std::uint64_t number, std::string_view text) {
    return simulate({}, [&] { trace_event("packet lost", {number}, text); }).hash;
  };
  EXPECT_EQ(hash_with(1, "a"), hash_with(1, "a"));
  EXPECT_NE(hash_with(1, "a"), hash_with(2, "a"));
  EXPECT_NE(hash_with(1, "a"), hash_with(1, "b"));
  trace_event("nothing outside a simulation", {1});
}

TEST(Simulation, each_event_can_be_had_as_a_line) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  simulate({.step_time = 0ns, .on_event = keep},
           [] { trace_event("packet lost", {3, 4}, "node"); });
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "1  0.000000000 s  packet lost 3 4 'node'"), 1);
}

TEST(Simulation, a_failure_shows_the_last_events_and_names_seed_and_command) {
  const auto body = [] {
    trace_event("first", {1});
    trace_event("second", {2});
    simulation_failed("money is missing");
  };
  EXPECT_DEATH(simulate({.seed = 9, .repeat_with = "./again 9"}, body),
               "first 1\n.*second 2\n.*money is missing\n.*seed 9, repeat it with: ./again 9");
  EXPECT_DEATH(simulate({.seed = 9, .events_shown = 1}, body), "the last events:\n[^\n]*second 2");
  EXPECT_DEATH(simulation_failed("no simulation"), "no simulation");
}

TEST(Simulation, a_failed_assertion_names_the_seed) {
  EXPECT_DEATH(simulate({.seed = 12}, [] { PARLEY_ASSERT(1 + 1 == 3, "sums are wrong"); }),
               "sums are wrong.*\n.*simulation of seed 12, repeat it with: "
               "rt::simulate\\(\\{\\.seed = 12\\}, \\.\\.\\.\\)");
}

TEST(Simulation, an_ordinary_runtime_runs_after_one) {
  simulate({}, [] {});
  EXPECT_EQ(parley::run([] { return sleep(1ms).is_ok() ? 3 : 4; }), 3);
}

}  // namespace
}  // namespace parley::rt
