#include "parley/rt/blocking.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "parley/base/fd.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/label.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pollable.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/stderr_pipe.h"
#include "parley/rt/testing/watched_pair.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// A door that threads wait at, not fibers.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

PARLEY_FIBER_TEST(Blocking, returns_what_the_call_returned_while_other_fibers_go_on) {
  Gate gate;
  Scope scope;
  scope.go("other", [&] { gate.open(); });
  const auto answer = blocking([&] {
    gate.pass();
    return std::make_unique<int>(42);
  });
  EXPECT_EQ(*answer, 42);
  blocking([] {});
}

TEST(Blocking, runs_so_many_calls_at_a_time_as_there_may_be_threads) {
  for (const std::size_t limit : {1U, 3U}) {
    testing::run_fiber_test(
        [limit] {
          std::atomic<std::size_t> inside = 0;
          std::atomic<std::size_t> most = 0;
          Gate gate;
          Scope scope;
          for (int i = 0; i < 6; ++i) {
            scope.go("caller", [&] {
              blocking([&] {
                const std::size_t now_inside = ++inside;
                std::size_t seen = most;
                while (seen < now_inside && !most.compare_exchange_weak(seen, now_inside)) {}
                if (now_inside == limit) gate.open();
                gate.pass();
                --inside;
              });
            });
          }
          scope.join();
          EXPECT_EQ(most, limit);
        },
        RuntimeOptions{.workers = 2, .max_blocking_threads = limit});
  }
}

// One fiber computes without end until it is told to stop by fibers that only run because the other
// worker takes over what waits behind it: its queue, its timers and its descriptors.
TEST(Monitor, others_go_on_while_a_fiber_holds_its_worker) {
  testing::run_fiber_test(
      [] {
        std::atomic<int> slept = 0;
        Scope scope;
        for (int i = 0; i < 3; ++i) {
          scope.go("sleeper", [&] {
            EXPECT_TRUE(sleep(1ms).is_ok());
            ++slept;
          });
        }
        yield();
        scope.go("holder", [&] {
          while (slept < 3) {}
        });
      },
      RuntimeOptions{.workers = 2});
}

TEST(Monitor, a_worker_held_for_five_seconds_holds_up_nobody_else) {
  testing::run_fiber_test(
      [] {
        std::atomic<bool> others_are_done{false};
        Scope scope;
        scope.go("holder", [&] {
          const Instant end = RealClock().now() + 5s;
          while (RealClock().now() < end) {}
          EXPECT_TRUE(others_are_done);
        });
        yield();
        Channel<int> there;
        Channel<int> back;
        scope.go("echo", [&] {
          for (const int i : there) EXPECT_TRUE(back.send(i).is_ok());
        });
        for (int i = 0; i < 100; ++i) {
          EXPECT_TRUE(sleep(1ms).is_ok());
          EXPECT_TRUE(there.send(i).is_ok());
          EXPECT_EQ(*back.receive(), i);
        }
        there.close();
        others_are_done = true;
      },
      RuntimeOptions{.workers = 2});
}

TEST(Monitor, reports_who_holds_a_worker_with_its_stack) {
  for (const Duration longest : {Duration(0), Duration(5ms)}) {
    ::testing::internal::CaptureStderr();
    testing::run_fiber_test(
        [] {
          Scope scope;
          scope.go("greedy", [] {
            const Instant end = RealClock().now() + 60ms;
            while (RealClock().now() < end) {}
          });
        },
        RuntimeOptions{.workers = 2, .longest_run = longest});
    const std::string said = ::testing::internal::GetCapturedStderr();
    const bool reported = said.find("fiber 'greedy' has held its worker for") != std::string::npos;
    EXPECT_EQ(reported, longest > Duration(0)) << said;
  }
}

// Runs two fibers that wait for each other until the monitor sleeps, and exits with 3.
void run_into_deadlock(Duration deadlock_after, bool with_descriptor) {
  std::thread watcher;
  Runtime({.workers = 1, .deadlock_after = deadlock_after}).run([&] {
    Pollable watched;
    const Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (with_descriptor) (void)watched.watch(event.get());
    const impl::Monitor& monitor = impl::Scheduler::current()->monitor();
    watcher = std::thread([&] {
      while (!monitor.is_asleep()) std::this_thread::yield();
      std::_Exit(3);
    });
    Mutex one;
    Mutex two;
    Scope scope;
    scope.go("first", [&] {
      const std::lock_guard lock(one);
      yield();
      two.lock();
    });
    scope.go("second", [&] {
      const std::lock_guard lock(two);
      yield();
      one.lock();
    });
  });
}

TEST(Monitor, reports_a_deadlock_with_a_dump) {
  const auto code = ::testing::ExitedWithCode(3);
  const std::string report = "deadlock: every fiber waits(.|\n)*'first' waits: mutex";
  EXPECT_EXIT(run_into_deadlock(1ms, false), code, report);
  const std::string nothing = "^$";
  EXPECT_EXIT(run_into_deadlock(0ms, false), code, nothing);
  EXPECT_EXIT(run_into_deadlock(1ms, true), code, nothing);
}

// What a fiber can hold its worker with until the report of it has come.
struct Held {
  explicit Held(int descriptor) : reader(descriptor) {}

  Fd reader;  // becomes readable
  std::mutex mutex;
  std::atomic<bool> is_reported{false};
};

std::string report_on(void (*hold)(Held& held)) {
  testing::StderrPipe said;
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Held held(ends[0]);
  const Fd writer(ends[1]);
  testing::run_fiber_test(
      [&] {
        std::atomic<bool> is_locked = false;
        std::thread releaser([&] {
          const std::lock_guard lock(held.mutex);
          is_locked = true;
          said.wait_for("fiber 'holder' has held");
          held.is_reported = true;
          EXPECT_EQ(::write(writer.get(), "x", 1), 1);
        });
        while (!is_locked) yield();
        Scope scope;
        scope.go("holder", [&] { hold(held); });
        scope.join();
        releaser.join();
      },
      // Long enough that the fiber has come to where it is held.
      RuntimeOptions{.workers = 2, .longest_run = 100ms});
  return said.text();
}

TEST(Monitor, tells_a_fiber_that_blocks_from_one_that_computes) {
  if (impl::has_tsan) GTEST_SKIP() << "ThreadSanitizer holds signals back while a thread computes";
  struct Row {
    void (*hold)(Held&);
    const char* told;
  };
  const Row rows[] = {
      {[](Held& held) {
         char byte = 0;
         EXPECT_EQ(::read(held.reader.get(), &byte, 1), 1);
       },
       "blocked in the system call read: run it in rt::blocking(), or wait for the descriptor"},
      {[](Held& held) { const std::lock_guard lock(held.mutex); },
       "blocked in the system call futex (a mutex, condition or thread of the operating system): "
       "use rt::Mutex"},
      {[](Held& held) {
         while (!held.is_reported) {}
       },
       "computing: give way with rt::checkpoint() in long loops"},
  };
  for (const Row& row : rows) {
    const std::string report = report_on(row.hold);
    EXPECT_NE(report.find("fiber 'holder' has held its worker for "), std::string::npos) << report;
    EXPECT_NE(report.find(" ms, " + std::string(row.told)), std::string::npos) << report;
  }
}

TEST(Blocking, without_threads_for_it_a_call_is_a_bug) {
  EXPECT_DEATH(Runtime({.workers = 1, .max_blocking_threads = 0}).run([] { blocking([] {}); }),
               "max_blocking_threads is 0");
}

PARLEY_FIBER_TEST(Checkpoint, lets_others_run_when_it_took_long) {
  std::atomic<bool> stop = false;
  Scope scope;
  scope.go("other", [&] { stop = true; });
  scope.go("long", [&] {
    while (!stop) checkpoint();
  });
}

// Two that compute in turn, each until it is asked to give way.
TEST(Checkpoint, after_a_long_run_descriptors_are_looked_at_soon) {
  testing::run_fiber_test(
      [] {
        testing::WatchedPair pair;
        int runs = 0;
        int turn = 0;
        Scope scope;
        bool has_come = false;
        scope.go("reader", [&] {
          EXPECT_TRUE(pair.pollable.wait_readable().is_ok());
          has_come = true;
        });
        for (int mine : {1, 2}) {
          scope.go("computes", [&, mine] {
            while (!has_come) {
              if (++runs == 1) pair.send();
              turn = mine;
              while (turn == mine && !has_come) checkpoint();
            }
          });
        }
        scope.join();
        EXPECT_LT(runs, 20) << "without it the poller is asked once in 61 runs";
      },
      {.workers = 1});
}

// Each of their runs is long enough for the monitor to ask for a look, and again before there was
// one.
TEST(Checkpoint, long_runs_one_after_the_other_do_not_put_off_the_look_at_descriptors) {
  testing::run_fiber_test(
      [] {
        testing::WatchedPair pair;
        constexpr int most_runs = 500;
        int runs = 0;
        Scope scope;
        bool has_come = false;
        scope.go("reader", [&] {
          EXPECT_TRUE(pair.pollable.wait_readable().is_ok());
          has_come = true;
        });
        for (int i = 0; i < 2; ++i) {
          scope.go("computes", [&] {
            while (!has_come && runs < most_runs) {
              if (++runs == 1) pair.send();
              const Instant start = RealClock().now();
              while (RealClock().now() - start < 3ms) {}
              yield();
            }
          });
        }
        scope.join();
        EXPECT_LT(runs, 100);
      },
      {.workers = 1});
}

PARLEY_FIBER_TEST(Label, shows_in_a_dump_for_as_long_as_it_lives) {
  Event release;
  Scope scope;
  scope.go("worker", [&] {
    const Label order("order", "4711");
    const Label step("step", "pay");
    EXPECT_TRUE(release.wait().is_ok());
  });
  yield();
  EXPECT_NE(dump().find(", step=pay, order=4711"), std::string::npos) << dump();
  release.set();
  scope.join();
  EXPECT_EQ(dump().find("4711"), std::string::npos);
}

}  // namespace
}  // namespace parley::rt
