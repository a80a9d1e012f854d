#include "parley/rt/metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>

#include "parley/base/testing/witness.h"
#include "parley/observe/registry.h"
#include "parley/rt/blocking.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

constexpr double absent = -1;

// Of a sample without labels.
double value_of(const observe::Registry& registry, std::string_view sample) {
  const std::string text = registry.open_metrics();
  const std::string line = "\n" + std::string(sample) + " ";
  const std::size_t at = text.find(line);
  return at == std::string::npos ? absent : std::strtod(&text[at + line.size()], nullptr);
}

// Runs `body` in a runtime whose metrics are in the registry it is given.
void with_metrics(const RuntimeOptions& options,
                  const std::function<void(const observe::Registry&)>& body) {
  testing::run_fiber_test(
      [&] {
        observe::Registry registry;
        const Status status = register_metrics(registry);
        ASSERT_TRUE(status.is_ok()) << status;
        body(registry);
      },
      options);
}

TEST(Metrics, count_fibers_alive_parked_and_started) {
  with_metrics({}, [](const observe::Registry& registry) {
    EXPECT_EQ(value_of(registry, "parley_rt_fibers"), 1);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_started_total"), 1);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_parked"), 0);
    Event release;
    Scope scope;
    for (int i = 0; i < 10; ++i) {
      scope.go("parked", [&] { EXPECT_TRUE(release.wait().is_ok()); });
    }
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_parked"), 0) << "they are runnable";
    const double switches = value_of(registry, "parley_rt_switches_total");
    testing::wait_until_waiting("event", 10);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers"), 11);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_parked"), 10);
    EXPECT_GE(value_of(registry, "parley_rt_switches_total"), switches + 10);
    release.set();
    scope.join();
    EXPECT_EQ(value_of(registry, "parley_rt_fibers"), 1);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_started_total"), 11);
  });
}

TEST(Metrics, count_what_max_fibers_refused_and_delayed) {
  with_metrics({.max_fibers = 2}, [](const observe::Registry& registry) {
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_limit"), 2);
    Event release;
    Scope scope;
    scope.go("first", [&] { EXPECT_TRUE(release.wait().is_ok()); });
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_delayed_total"), 0);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_refused_total"), 0);
    EXPECT_FALSE(scope.try_go("second", [] {}));
    EXPECT_FALSE(scope.try_go("second", [] {}));
    release.set();
    scope.go("third", [] {});
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_delayed_total"), 1);
    EXPECT_EQ(value_of(registry, "parley_rt_fibers_refused_total"), 2);
  });
}

TEST(Metrics, count_sleeps_wakes_and_polls_of_workers) {
  with_metrics({.workers = 2}, [](const observe::Registry& registry) {
    EXPECT_EQ(value_of(registry, "parley_rt_workers"), 2);
    const double polls = value_of(registry, "parley_rt_polls_total");
    while (value_of(registry, "parley_rt_worker_sleeps_total") < 3 ||
           value_of(registry, "parley_rt_worker_wakes_total") < 1) {
      // The answer comes from a thread that is no worker.
      blocking([] {});
      ASSERT_TRUE(sleep(2ms).is_ok());
    }
    EXPECT_GT(value_of(registry, "parley_rt_polls_total"), polls);
  });
}

TEST(Metrics, a_worker_sleeps_at_once_or_looks_for_work_first_as_idle_spin_says) {
  // Until it is enough that a worker was idle for a millisecond so many times and slept so often.
  const auto idle_until = [](const std::function<bool(int, double)>& enough, Duration idle_spin) {
    with_metrics({.workers = 1, .idle_spin = idle_spin}, [&](const observe::Registry& registry) {
      const auto sleeps = [&] { return value_of(registry, "parley_rt_worker_sleeps_total"); };
      const double before = sleeps();
      for (int idle = 0; !enough(idle, sleeps() - before); ++idle) {
        ASSERT_TRUE(sleep(1ms).is_ok());
      }
    });
  };
  double slept = 0;
  const auto a_hundred = [&](int idle, double sleeps) { return slept = sleeps, idle == 100; };
  idle_until(a_hundred, Duration::zero());
  EXPECT_GE(slept, 50);
  // It finds work before it sleeps, if not each time: others may take the processor away.
  idle_until([](int idle, double sleeps) { return idle - sleeps >= 50; }, 1s);
}

TEST(Metrics, count_steals_and_long_runs) {
  ::testing::internal::CaptureStderr();
  with_metrics({.workers = 2, .longest_run = 2ms}, [](const observe::Registry& registry) {
    const auto long_runs = [&] { return value_of(registry, "parley_rt_long_runs_total"); };
    std::atomic<int> ran = 0;
    Scope scope;
    for (int i = 0; i < 4; ++i) scope.go("behind", [&] { ++ran; });
    // What waits behind this fiber runs elsewhere only if it is stolen.
    while (ran < 4) {}
    EXPECT_GE(value_of(registry, "parley_rt_steals_total"), 1);
    while (long_runs() == 0) {}
  });
  (void)::testing::internal::GetCapturedStderr();
}

TEST(Metrics, count_blocking_calls_and_their_threads) {
  with_metrics({.max_blocking_threads = 1}, [](const observe::Registry& registry) {
    EXPECT_EQ(value_of(registry, "parley_rt_blocking_threads"), 0);
    std::atomic<bool> open = false;
    Scope scope;
    for (int i = 0; i < 3; ++i) {
      scope.go("caller", [&] { blocking([&] { open.wait(false); }); });
    }
    testing::wait_until([&] { return value_of(registry, "parley_rt_blocking_queue") == 2; });
    EXPECT_EQ(value_of(registry, "parley_rt_blocking_threads"), 1);
    EXPECT_EQ(value_of(registry, "parley_rt_blocking_calls_total"), 3);
    open = true;
    open.notify_all();
    scope.join();
    EXPECT_EQ(value_of(registry, "parley_rt_blocking_queue"), 0);
  });
}

TEST(Metrics, tell_what_stacks_take) {
  // No stack keeps its memory, or all do.
  for (const std::size_t idle : {0U, 1'000U}) {
    with_metrics({.max_idle_stacks = idle}, [&](const observe::Registry& registry) {
      const double before = value_of(registry, "parley_rt_stacks_reserved_bytes");
      EXPECT_GT(before, 0);
      {
        Scope scope;
        for (int i = 0; i < 500; ++i) scope.go("one of many", [] {});
      }
      EXPECT_GE(value_of(registry, "parley_rt_stacks_reserved_bytes"), before + 400 * 256 * 1024);
      const double idle_bytes = value_of(registry, "parley_rt_stacks_idle_bytes");
      EXPECT_EQ(idle_bytes > 0, idle > 0) << idle_bytes;
    });
  }
}

TEST(Metrics, of_a_second_runtime_need_a_registry_of_their_own) {
  with_metrics({}, [](const observe::Registry& registry) {
    auto& same = const_cast<observe::Registry&>(registry);
    const Status status = register_metrics(same);
    EXPECT_EQ(status.code(), Code::already_exists) << status;
    EXPECT_EQ(value_of(registry, "parley_rt_fibers"), 1) << "those of the first are still there";
    observe::Registry another;
    EXPECT_TRUE(register_metrics(another).is_ok());
  });
}

TEST(Metrics, leave_the_registry_when_the_runtime_ends) {
  observe::Registry registry;
  for (int i = 0; i < 2; ++i) {
    parley::run([&] { EXPECT_TRUE(register_metrics(registry).is_ok()); });
    EXPECT_EQ(registry.open_metrics(), "# EOF\n");
  }
}

TEST(Metrics, are_left_out_whole_when_the_registry_is_full) {
  parley::run([] {
    observe::Registry registry({.max_metrics = 5});
    EXPECT_EQ(register_metrics(registry).code(), Code::resource_exhausted);
    EXPECT_EQ(registry.open_metrics(), "# EOF\n");
  });
}

TEST(Metrics, are_written_as_open_metrics) {
  const parley::testing::Witness witness;
  if (witness.ask("python3 -c ''").code != 0) {
    GTEST_SKIP() << "python3 does not run here: there is nobody to read it";
  }
  std::string page;
  with_metrics({}, [&](const observe::Registry& registry) { page = registry.open_metrics(); });
  const auto answer = witness.ask(
      "python3 '" PARLEY_SOURCE_DIR "/parley/observe/open_metrics_witness.py' grammar", page);
  EXPECT_EQ(answer.code, 0) << answer.said << page;
}

}  // namespace
}  // namespace parley::rt
