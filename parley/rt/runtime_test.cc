#include "parley/rt/runtime.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/pollable.h"
#include "parley/rt/scope.h"
#include "parley/rt/signal.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

TEST(Runtime, returns_what_the_first_fiber_returns) {
  EXPECT_EQ(parley::run([] { return 7; }), 7);
  EXPECT_EQ(parley::run([] {}), 0);
}

TEST(Runtime, a_thread_can_run_one_after_another) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(parley::run([i] { return i; }), i);
}

// The clock stands: on a machine that takes the processor away for a while the monitor would give
// the queue its turn before what was started last.
TEST(Runtime, what_was_started_last_runs_first_and_then_all_take_turns) {
  const ManualClock clock;
  testing::run_fiber_test(
      [] {
        std::string trace;
        Scope scope;
        for (const char name : {'a', 'b', 'c'}) {
          scope.go("turn", [&trace, name] {
            for (int i = 0; i < 3; ++i) {
              trace += name;
              yield();
            }
          });
        }
        scope.join();
        EXPECT_EQ(trace, "cabcabcab");
      },
      {.workers = 1, .clock = &clock});
}

TEST(Runtime, a_hundred_thousand_fibers_can_be_parked_at_once) {
  // The sanitizers have limits of their own.
  static constexpr int count = impl::has_tsan ? 5'000 : impl::has_asan ? 10'000 : 100'000;
  testing::run_fiber_test(
      [] {
        Event start;
        std::atomic<int> done = 0;
        Scope scope;
        for (int i = 0; i < count; ++i) {
          scope.go("parked", [&] {
            EXPECT_TRUE(start.wait().is_ok());
            ++done;
          });
        }
        yield();
        EXPECT_EQ(done, 0);
        start.set();
        scope.join();
        EXPECT_EQ(done, count);
      },
      RuntimeOptions{.workers = 2, .max_fibers = 100'001});
}

TEST(Runtime, at_max_fibers_go_waits_and_try_go_refuses) {
  testing::run_fiber_test(
      [] {
        Event release;
        int started = 0;
        Scope scope;
        const auto work = [&] {
          ++started;
          EXPECT_TRUE(release.wait().is_ok());
        };
        scope.go("first", work);
        scope.go("second", work);
        yield();
        EXPECT_EQ(started, 2);
        EXPECT_FALSE(scope.try_go("third", work));
        EXPECT_EQ(scope.running(), 2u);
        release.set();
        scope.go("fourth", work);  // waits until one of the first two has ended
        EXPECT_LT(scope.running(), 3u);
        EXPECT_TRUE(scope.try_go("fifth", work));
        scope.join();
        EXPECT_EQ(started, 4);
      },
      RuntimeOptions{.max_fibers = 3});
}

// Workers keep room at hand, some of it where no fiber ends or starts any more.
TEST(Runtime, at_max_fibers_go_finds_the_room_that_other_workers_keep) {
  constexpr std::size_t limit = 400;
  testing::run_fiber_test(
      [] {
        for (int round = 0; round < 20; ++round) {
          Event some;
          Event all;
          WaitGroup ended;
          Scope scope;
          std::size_t started = 0;
          ended.add(limit / 4);
          while (scope.try_go("waiting", [&, first = started < limit / 4] {
            EXPECT_TRUE((first ? some : all).wait().is_ok());
            if (first) ended.done();
          })) {
            ++started;
          }
          EXPECT_GE(started, limit / 2);
          some.set();
          EXPECT_TRUE(ended.wait().is_ok());
          for (std::size_t i = 0; i < limit / 4; ++i) {
            scope.go("more", [&all] { EXPECT_TRUE(all.wait().is_ok()); });
          }
          all.set();
        }
      },
      RuntimeOptions{.workers = 4, .max_fibers = limit});
}

TEST(Runtime, what_a_fiber_captured_is_destroyed_when_it_ends) {
  const auto shared = std::make_shared<int>(1);
  testing::run_fiber_test([&] {
    Scope scope;
    scope.go("holder", [copy = shared] { EXPECT_EQ(copy.use_count(), 2); });
    scope.join();
    EXPECT_EQ(shared.use_count(), 1);
  });
}

TEST(Runtime, sleepers_wake_in_the_order_of_their_deadlines) {
  testing::run_fiber_test([] {
    std::string trace;
    Scope scope;
    for (const int delay : {30, 10, 20}) {
      scope.go("sleeper", [&trace, delay] {
        EXPECT_TRUE(sleep(std::chrono::milliseconds(delay)).is_ok());
        trace += std::to_string(delay) + " ";
      });
    }
    scope.join();
    EXPECT_EQ(trace, "10 20 30 ");
  });
}

TEST(Runtime, its_clock_can_be_a_tests) {
  ManualClock clock;
  testing::run_fiber_test(
      [&] {
        const Instant start = now();
        Event slept;
        Scope scope;
        scope.go("sleeper", [&] {
          EXPECT_TRUE(sleep(1h).is_ok());
          slept.set();
        });
        yield();
        EXPECT_FALSE(slept.is_set());
        clock.advance(1h);
        EXPECT_TRUE(slept.wait().is_ok());
        EXPECT_EQ(now() - start, 1h);
      },
      RuntimeOptions{.clock = &clock});
}

int grow(int leaves, int& alive, int& most_alive) {
  most_alive = std::max(most_alive, ++alive);
  int sum = leaves == 1 ? 1 : 0;
  if (leaves > 1) {
    int left = 0;
    int right = 0;
    Scope scope;
    scope.go("left", [&] { left = grow(leaves / 2, alive, most_alive); });
    scope.go("right", [&] { right = grow(leaves - leaves / 2, alive, most_alive); });
    scope.join();
    sum = left + right;
  }
  --alive;
  return sum;
}

// The clock stands, so that nothing but counts decides who has a turn.
TEST(Runtime, a_tree_of_fibers_is_walked_depth_first) {
  const ManualClock clock;
  testing::run_fiber_test(
      [] {
        constexpr int leaves = 1 << 12;
        int alive = 0;
        int most_alive = 0;
        EXPECT_EQ(grow(leaves, alive, most_alive), leaves);
        // Breadth first it would be as many.
        EXPECT_LT(most_alive, leaves / 16);
      },
      {.workers = 1, .clock = &clock});
}

TEST(Runtime, fibers_that_start_and_wake_each_other_do_not_starve_the_run_queue) {
  const ManualClock clock;
  testing::run_fiber_test(
      [] {
        bool had_turn = false;
        Scope scope;
        scope.go("waits for its turn", [&had_turn] {
          yield();
          had_turn = true;
        });
        yield();
        int rounds = 0;
        for (; !had_turn && rounds < 1'000'000; ++rounds) {
          Scope inner;
          inner.go("child", [] {});
          inner.go("other child", [] {});
        }
        EXPECT_TRUE(had_turn);
        EXPECT_LT(rounds, 2'000);
      },
      {.workers = 1, .clock = &clock});
}

PARLEY_FIBER_TEST(Runtime, a_busy_pair_does_not_starve_timers_and_descriptors) {
  bool stop = false;
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  const Fd reader(pipe_ends[0]);
  Fd writer(pipe_ends[1]);
  Scope scope;
  for (int i = 0; i < 2; ++i) {
    scope.go("busy", [&] {
      while (!stop) yield();
    });
  }
  scope.go("sleeper", [&] {
    EXPECT_TRUE(sleep(1ms).is_ok());
    writer.reset();
  });
  Pollable pollable;
  ASSERT_TRUE(pollable.watch(reader.get()).is_ok());
  char byte = 0;
  while (::read(reader.get(), &byte, 1) < 0) ASSERT_TRUE(pollable.wait_readable().is_ok());
  stop = true;
}

PARLEY_FIBER_TEST(Runtime, floating_point_modes_stay_with_their_fiber) {
  Scope scope;
  scope.go("rounds up", [] {
    std::fesetround(FE_UPWARD);
    yield();
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
  });
  scope.go("rounds to nearest", [] {
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
    yield();
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  });
}

PARLEY_FIBER_TEST(Runtime, a_dump_names_every_fiber_and_what_it_waits_for) {
  Event never;
  Scope scope(OnExit::cancel);
  scope.go("waits long", [&] { (void)never.wait(); });
  scope.go("sleeps", [] { (void)sleep(1h); });
  scope.go("ready", [] {});
  std::string text = dump();
  EXPECT_NE(text.find("4 fibers"), std::string::npos) << text;
  EXPECT_NE(text.find("'ready' runnable"), std::string::npos) << text;
  yield();
  text = dump();
  EXPECT_NE(text.find("'main' running"), std::string::npos) << text;
  EXPECT_NE(text.find("'waits long' waits: event, for "), std::string::npos) << text;
  EXPECT_NE(text.find(" ms, at most 3599"), std::string::npos) << text;
}

TEST(Runtime, outside_of_one_there_is_nothing_to_dump) {
  EXPECT_EQ(dump(), "no runtime on this thread\n");
}

TEST(Runtime, waiting_outside_a_fiber_says_what_to_do) {
  EXPECT_DEATH((void)sleep(1ms),
               "rt::sleep was called outside a fiber: run it in a function given to parley::run");
  EXPECT_DEATH(Scope(), "rt::Scope was made outside a fiber");
}

TEST(Runtime, a_hanging_test_ends_with_a_dump) {
  const auto hang = [] {
    testing::run_fiber_test(
        [] {
          Event never;
          Scope scope;
          scope.go("waits for ever", [&] { (void)never.wait(); });
        },
        {}, std::chrono::milliseconds(500));
  };
  EXPECT_DEATH(hang(), "did not end within 500 ms(.|\n)*'waits for ever' waits: event");
}

TEST(Runtime, an_exception_that_leaves_a_fiber_ends_the_program) {
  EXPECT_DEATH(parley::run([] { throw std::string("lost"); }), "terminate called");
}

[[gnu::noinline]] void fall_over(bool by_exception) {
  const std::string with_destructor(100, 'x');
  if (by_exception) throw std::string("lost");
  PARLEY_ASSERT(by_exception, "a bug");
  std::puts("not reached");
}

TEST(Runtime, a_bug_that_ends_the_program_names_the_fiber_and_shows_its_stack) {
  for (const bool by_exception : {true, false}) {
    const auto program = [=] {
      parley::run([=] {
        Scope scope;
        scope.go("clumsy", [=] { fall_over(by_exception); });
      });
    };
    // The innermost frame that is the program's own comes first.
    const std::string in_fiber =
        "in fiber #[0-9]+ 'clumsy':\n *parley::rt::.anonymous namespace.::fall_over";
    const std::string after = by_exception ? "(.|\n)*terminate called" : "";
    const std::string before = by_exception ? "" : "a bug.*\n.*";
    EXPECT_DEATH(program(), before + in_fiber + after);
  }
}

PARLEY_FIBER_TEST(Runtime, a_signal_can_be_waited_for) {
  Scope scope;
  scope.go("sender", [] { ::kill(::getpid(), SIGUSR1); });
  const auto signal = wait_signal({SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signal);
  EXPECT_EQ(*signal, SIGUSR1);
}

// A SIGTERM that came together with a SIGHUP was lost.
PARLEY_FIBER_TEST(Runtime, of_two_signals_that_came_the_other_has_its_usual_effect) {
  static std::atomic<int> first = 0;
  static std::atomic<int> second = 0;
  struct sigaction counts_first{};
  counts_first.sa_handler = [](int) { ++first; };
  struct sigaction counts_second{};
  counts_second.sa_handler = [](int) { ++second; };
  struct sigaction before_first{};
  struct sigaction before_second{};
  ::sigaction(SIGUSR1, &counts_first, &before_first);
  ::sigaction(SIGUSR2, &counts_second, &before_second);
  {
    Scope scope;
    scope.go("sender", [] {
      for (const int signal : {SIGUSR1, SIGUSR2, SIGUSR1}) ::raise(signal);
    });
    EXPECT_EQ(*wait_signal({SIGUSR1, SIGUSR2}), SIGUSR1);
  }
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
  ::sigaction(SIGUSR1, &before_first, nullptr);
  ::sigaction(SIGUSR2, &before_second, nullptr);
}

PARLEY_FIBER_TEST(Runtime, signals_that_come_between_two_waits_are_not_missed) {
  Signals signals({SIGUSR1, SIGUSR2});
  ::raise(SIGUSR1);
  EXPECT_EQ(*signals.wait(), SIGUSR1);
  // Nobody waits now, and yet it has not its usual effect.
  ::raise(SIGUSR1);
  EXPECT_EQ(*signals.wait(), SIGUSR1);
  EXPECT_EQ(signals.wait(Deadline::after(1ms)).error().code(), Code::deadline_exceeded);
  Scope scope;
  scope.go("sender", [] { ::kill(::getpid(), SIGUSR2); });
  EXPECT_EQ(*signals.wait(), SIGUSR2);
  EXPECT_EQ(Signals({SIGKILL}).wait().error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Runtime, waiting_for_a_signal_has_a_deadline) {
  const auto signal = wait_signal({SIGUSR1}, Deadline::after(1ms));
  EXPECT_EQ(signal.error().code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Pollable, wakes_reader_and_writer_and_keeps_an_early_readiness) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  Pollable in;
  Pollable out;
  ASSERT_TRUE(in.watch(reader.get()).is_ok());
  ASSERT_TRUE(out.watch(writer.get()).is_ok());
  EXPECT_TRUE(out.wait_writable().is_ok());
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  EXPECT_TRUE(in.wait_readable().is_ok());
  EXPECT_EQ(in.wait_readable(Deadline::after(1ms)).code(), Code::deadline_exceeded);
}

PARLEY_FIBER_TEST(Runtime, who_sleeps_for_no_time_again_and_again_lets_others_run) {
  bool is_over = false;
  Scope scope;
  scope.go("other", [&] { is_over = true; });
  while (!is_over) EXPECT_TRUE(sleep(Duration::zero()).is_ok());
}

PARLEY_FIBER_TEST(Pollable, without_a_descriptor_it_is_what_it_is_told) {
  Pollable pollable;
  pollable.watch_memory();
  EXPECT_FALSE(pollable.take_readable());
  pollable.tell_readable();
  EXPECT_TRUE(pollable.take_readable());
  EXPECT_FALSE(pollable.is_readable());
  Scope scope;
  scope.go("reader", [&] { EXPECT_TRUE(pollable.wait_readable().is_ok()); });
  yield();
  pollable.tell_readable();
  scope.join();
  EXPECT_FALSE(pollable.is_readable()) << "it was for the fiber that waited";
}

PARLEY_FIBER_TEST(Pollable, a_regular_file_cannot_be_watched) {
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  Pollable pollable;
  EXPECT_EQ(pollable.watch(file.get()).code(), Code::permission_denied);
}

}  // namespace
}  // namespace parley::rt
