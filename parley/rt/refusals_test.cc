// What rt refuses, each with a message that says what to use instead.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "parley/observe/registry.h"
#include "parley/rt/barrier.h"
#include "parley/rt/blocking.h"
#include "parley/rt/channel.h"
#include "parley/rt/cond.h"
#include "parley/rt/done_call.h"
#include "parley/rt/error_group.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/os_locks.h"
#include "parley/rt/impl/sanitizer.h"
#include "parley/rt/label.h"
#include "parley/rt/metrics.h"
#include "parley/rt/mutex.h"
#include "parley/rt/once.h"
#include "parley/rt/pollable.h"
#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/signal.h"
#include "parley/rt/single_flight.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"
#include "parley/rt/timer.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using namespace std::chrono_literals;

// Something of rt that waits, called where there is no fiber.
struct Stray {
  const char* named;  // how the message names it
  std::function<void()> call;
};

// A mutex that a fiber of another thread's runtime holds for as long as the program runs.
template <class Mutexes>
Mutexes& held_elsewhere() {
  static Mutexes mutex;
  static std::atomic<bool> held = false;
  std::thread([] {
    parley::run([] {
      mutex.lock();
      held = true;
      held.notify_all();
      for (;;) (void)sleep(1h);
    });
  }).detach();
  held.wait(false);
  return mutex;
}

const Stray strays_that_wait[] = {
    {"rt::sleep", [] { (void)sleep(1ms); }},
    {"rt::sleep", [] { (void)sleep_until(Instant{}); }},
    {"rt::yield", [] { yield(); }},
    {"rt::blocking", [] { blocking([] {}); }},
    {"a wait for 'event'", [] { (void)Event().wait(); }},
    {"a wait for 'channel receive'", [] { (void)Channel<int>().receive(); }},
    {"a wait for 'channel send'", [] { (void)Channel<int>().send(1); }},
    {"a wait for 'semaphore'",
     [] {
       Semaphore semaphore(1);
       (void)semaphore.acquire(1);
       (void)semaphore.acquire(1);
     }},
    {"a wait for 'wait group'",
     [] {
       WaitGroup group;
       group.add(1);
       (void)group.wait();
     }},
    {"a wait for 'context done'",
     [] {
       const auto [context, cancel] = Context::background().with_cancel();
       (void)context.wait_done();
     }},
    {"rt::select",
     [] {
       Channel<int> channel;
       (void)select(on_receive(channel, [] {}));
     }},
    {"Barrier::wait", [] { (void)Barrier(2).wait(); }},
    {"Once::call", [] { (void)Once().call([] {}); }},
    {"Mutex::lock", [] { held_elsewhere<Mutex>().lock(); }},
    {"RwMutex::lock", [] { RwMutex().lock(); }},
    {"RwMutex::lock_shared", [] { RwMutex().lock_shared(); }},
    {"Pollable::watch", [] { (void)Pollable().watch(0); }},
    {"Pollable::watch", [] { (void)wait_signal({SIGUSR1}); }},
};

const Stray strays_that_start[] = {
    {"rt::Scope", [] { const Scope scope; }},
    {"rt::Scope", [] { const ErrorGroup group; }},
    {"rt::Label", [] { const Label label("key", "value"); }},
    {"rt::Ticker", [] { const Ticker ticker(1s); }},
    {"rt::WithContext", [] { const WithContext with(Context::background()); }},
    {"rt::register_metrics",
     [] {
       observe::Registry registry;
       (void)register_metrics(registry);
     }},
};

void expect_refused(const Stray& stray) {
  EXPECT_DEATH(stray.call(), std::string(stray.named) +
                                 ".* outside a fiber: run it in a function given to parley::run"
                                 ".*or.*rt::Scope::go")
      << stray.named;
}

TEST(Refusals, what_waits_says_outside_a_fiber_where_to_run_it) {
  for (const Stray& stray : strays_that_wait) expect_refused(stray);
}

TEST(Refusals, what_starts_fibers_says_outside_one_where_to_run_it) {
  for (const Stray& stray : strays_that_start) expect_refused(stray);
}

// On a thread for blocking calls there is no fiber either.
TEST(Refusals, what_waits_is_refused_in_a_blocking_call) {
  EXPECT_DEATH(parley::run([] { blocking([] { (void)sleep(1ms); }); }),
               "rt::sleep was called outside a fiber");
}

// What a scope or a cond needs of a fiber is asked for when it is used, not only when it is made.
TEST(Refusals, what_a_fiber_made_is_refused_on_another_thread) {
  const auto on_a_thread = [](const std::function<void()>& act) { std::thread(act).join(); };
  EXPECT_DEATH(parley::run([&] {
                 Scope scope;
                 on_a_thread([&] { scope.go("stray", [] {}); });
               }),
               "Scope::go was called outside a fiber");
  EXPECT_DEATH(parley::run([&] {
                 Ticker ticker(1s);
                 on_a_thread([&] { ticker.reset(2s); });
               }),
               "Ticker::reset was called outside a fiber");
  EXPECT_DEATH(parley::run([&] {
                 Scope scope;
                 on_a_thread([&] { const Timer timer(scope, 1s, "stray", [] {}); });
               }),
               "rt::Timer was made outside a fiber");
  EXPECT_DEATH(parley::run([&] {
                 Scope scope;
                 const Context context = Context::background();
                 on_a_thread([&] { const DoneCall call(context, scope, "stray", [] {}); });
               }),
               "rt::DoneCall was made outside a fiber");
  EXPECT_DEATH(parley::run([&] {
                 Mutex mutex;
                 Cond cond;
                 std::unique_lock lock(mutex);
                 on_a_thread([&] { (void)cond.wait(lock); });
               }),
               "a wait for 'cond' began outside a fiber");
}

// Mutexes of the operating system, each taken the way users do.
struct Hold {
  const char* how;
  std::function<void(const std::function<void()>& wait)> while_held;
};

const Hold holds[] = {
    {"std::mutex",
     [](auto wait) {
       std::mutex mutex;
       const std::lock_guard lock(mutex);
       wait();
     }},
    {"try_lock",
     [](auto wait) {
       std::mutex mutex;
       if (const std::unique_lock lock(mutex, std::try_to_lock); lock.owns_lock()) wait();
     }},
    {"std::timed_mutex",
     [](auto wait) {
       std::timed_mutex mutex;
       const std::unique_lock lock(mutex, 1s);
       wait();
     }},
    {"once more than it is let go",
     [](auto wait) {
       std::recursive_mutex mutex;
       const std::lock_guard lock(mutex);
       { const std::lock_guard again(mutex); }
       wait();
     }},
    {"shared",
     [](auto wait) {
       std::shared_mutex mutex;
       const std::shared_lock lock(mutex);
       wait();
     }},
    {"exclusive",
     [](auto wait) {
       std::shared_mutex mutex;
       const std::unique_lock lock(mutex);
       wait();
     }},
    {"after a condition was waited for",
     [](auto wait) {
       std::mutex mutex;
       std::condition_variable changed;
       std::unique_lock lock(mutex);
       (void)changed.wait_for(lock, 1ms);
       wait();
     }},
};

void in_a_fiber(const std::function<void()>& body) {
  parley::run([&] {
    Scope scope;
    scope.go("careless", body);
  });
}

TEST(Refusals, a_wait_with_an_os_mutex_held_says_what_to_use) {
  if (!impl::counts_os_locks) GTEST_SKIP() << "only debug builds without sanitizers count them";
  for (const Hold& hold : holds) {
    EXPECT_DEATH(in_a_fiber([&] { hold.while_held([] { (void)sleep(1ms); }); }),
                 "fiber 'careless' holds an OS mutex .*would wait for 'sleep': use rt::Mutex")
        << hold.how;
  }
  EXPECT_DEATH(in_a_fiber([&] { holds[0].while_held([] { yield(); }); }), "wait for 'yield'");
  EXPECT_DEATH(in_a_fiber([&] { holds[0].while_held([] { (void)Channel<int>().receive(); }); }),
               "wait for 'channel receive'");
}

PARLEY_FIBER_TEST(Refusals, an_os_mutex_that_is_not_held_over_a_wait_is_fine) {
  // The ThreadSanitizer of g++ 12 does not know pthread_mutex_clocklock, by which timed ones lock.
  if (!impl::has_tsan) {
    for (const Hold& hold : holds) hold.while_held([] {});
  }
  std::mutex mutex;
  Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("careful", [&] {
      for (int k = 0; k < 100; ++k) {
        {
          const std::lock_guard lock(mutex);
        }
        yield();
        // Nothing waits: the event is set.
        const std::lock_guard lock(mutex);
        Event event;
        event.set();
        EXPECT_TRUE(event.wait().is_ok());
      }
    });
  }
  scope.join();
  // What another thread holds is its own business.
  std::atomic<bool> is_held = false;
  std::atomic<bool> may_end = false;
  std::thread holder([&] {
    const std::lock_guard lock(mutex);
    is_held = true;
    may_end.wait(false);
  });
  while (!is_held) yield();
  EXPECT_TRUE(sleep(1ms).is_ok());
  may_end = true;
  may_end.notify_all();
  holder.join();
}

TEST(Refusals, a_mutex_locked_before_the_runtime_began_is_not_a_fibers) {
  if (impl::has_tsan) GTEST_SKIP() << "to ThreadSanitizer a fiber is another thread";
  std::mutex mutex;
  std::unique_lock lock(mutex);
  parley::run([&] {
    EXPECT_TRUE(sleep(1ms).is_ok());
    lock.unlock();
    EXPECT_TRUE(sleep(1ms).is_ok());
  });
}

}  // namespace
}  // namespace parley::rt
