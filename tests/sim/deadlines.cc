// Contexts, timers and groups that end early.
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/done_call.h"
#include "parley/rt/error_group.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/timer.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

void first_error_ends_the_group() {
  rt::ErrorGroup group;
  const int fails = draw(0, 4);
  group.set_limit(static_cast<std::size_t>(draw(1, 5)));
  int inside = 0;
  for (int i = 0; i < 5; ++i) {
    group.go("part", [&inside, i, fails]() -> Status {
      ++inside;
      const Status slept = rt::sleep(draw(1, 50) * 1ms);
      --inside;
      if (i == fails) return {Code::aborted, "the part that fails"};
      return slept;
    });
  }
  const Status status = group.wait();
  must(inside == 0, "a group waits for all of its fibers");
  must(status.code() == Code::aborted, "the first error is the one told, not what it caused");
}

void calls_end_by_their_deadline() {
  rt::Channel<int> never;
  rt::Scope scope;
  for (int i = 0; i < 4; ++i) {
    scope.go("waits", [&never] {
      const auto until = rt::Deadline::after(draw(1, 20) * 1ms);
      const auto [context, cancel] = rt::Context::current().with_deadline(until);
      const rt::WithContext bound(context);
      const auto value = never.receive();
      must(!value, "nothing is sent");
      must(value.error().code() == Code::deadline_exceeded, "the context's deadline ends it");
      must(rt::now() >= until.instant(), "no deadline comes early");
    });
  }
}

void a_cancelled_tree_ends() {
  rt::Event ended;
  int told = 0;
  rt::Scope watchers;
  auto [context, cancel] = rt::Context::current().with_cancel();
  rt::DoneCall done(context, watchers, "told", [&told] { ++told; });
  rt::Scope tree(context);
  const int leaves = draw(1, 6);
  int woken = 0;
  for (int i = 0; i < leaves; ++i) {
    tree.go("leaf", [&woken] {
      rt::Scope inner;
      inner.go("inner", [&woken] {
        must(!rt::sleep(1h).is_ok(), "a cancelled sleep does not end well");
        ++woken;
      });
    });
  }
  pause(5ms);
  cancel();
  tree.join();
  watchers.join();
  must(woken == leaves, "a cancelled context ends all below it");
  must(told == 1, "who asked to be told is told once");
  must(!done.stop(), "it cannot be stopped afterwards");
}

void a_timer_fires_or_is_stopped() {
  rt::Scope scope;
  int fired = 0;
  int stopped = 0;
  constexpr int timers = 6;
  for (int i = 0; i < timers; ++i) {
    scope.go("arms", [&] {
      rt::Timer timer(scope, draw(0, 5) * 1ms, "fires", [&fired] { ++fired; });
      (void)rt::sleep(draw(0, 5) * 1ms);
      stopped += timer.stop() ? 1 : 0;
    });
  }
  scope.join();
  must(fired + stopped == timers, "a timer fires or is stopped, and not both");
  const Instant begin = rt::now();
  rt::Ticker ticker(10ms);
  for (int i = 1; i <= 3; ++i) {
    const auto tick = ticker.ticks().receive();
    must(tick.has_value() && *tick >= begin + i * 10ms, "no tick comes early");
  }
}

}  // namespace

void deadlines() {
  rt::Scope scope;
  scope.go("group", first_error_ends_the_group);
  scope.go("calls", calls_end_by_their_deadline);
  scope.go("tree", a_cancelled_tree_ends);
  scope.go("timers", a_timer_fires_or_is_stopped);
}

}  // namespace parley::sim
