// Who may be where, and how many of them.
#include <deque>
#include <mutex>
#include <optional>

#include "parley/rt/barrier.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/once.h"
#include "parley/rt/scope.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/single_flight.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

void semaphore_lets_so_many_in() {
  const int room = draw(1, 4);
  rt::Semaphore semaphore(static_cast<std::size_t>(room));
  int inside = 0;
  int gave_up = 0;
  int been = 0;
  rt::Scope scope;
  for (int i = 0; i < 8; ++i) {
    scope.go("visitor", [&] {
      const int units = draw(1, room);
      const auto patience = rt::Deadline::after(draw(1, 8) * 1ms);
      if (!semaphore.acquire(static_cast<std::size_t>(units), patience).is_ok()) {
        ++gave_up;
        return;
      }
      inside += units;
      must(inside <= room, "a semaphore lets in no more than it has room for");
      pause(4ms);
      inside -= units;
      ++been;
      semaphore.release(static_cast<std::size_t>(units));
    });
  }
  scope.join();
  must(been + gave_up == 8, "everybody was inside or gave up");
  must(semaphore.available() == static_cast<std::size_t>(room), "all of the room is free again");
}

void barrier_keeps_all_in_step() {
  constexpr int rounds = 4;
  const int parties = draw(2, 5);
  rt::Barrier barrier(static_cast<std::size_t>(parties));
  int arrived = 0;
  int last_ones = 0;
  rt::Scope scope;
  for (int i = 0; i < parties; ++i) {
    scope.go("party", [&] {
      for (int round = 0; round < rounds; ++round) {
        pause(1ms);
        ++arrived;
        const auto index = barrier.wait();
        must(index.has_value(), "nobody breaks the barrier");
        must(arrived >= (round + 1) * parties, "a barrier opens when all have come");
        last_ones += *index == 0 ? 1 : 0;
      }
    });
  }
  scope.join();
  must(last_ones == rounds, "each round has one who came first");
}

// A queue with room for a few, by a condition on each side.
class Shelf {
 public:
  void put(int value) {
    std::unique_lock lock(mutex_);
    must(has_room_.wait(lock, [this] { return values_.size() < most; }).is_ok(), "it has room");
    values_.push_back(value);
    must(values_.size() <= most, "a shelf holds no more than it can");
    has_values_.signal();
  }
  int take() {
    std::unique_lock lock(mutex_);
    must(has_values_.wait(lock, [this] { return !values_.empty(); }).is_ok(), "it has values");
    const int value = values_.front();
    values_.pop_front();
    has_room_.signal();
    return value;
  }

 private:
  static constexpr std::size_t most = 2;
  rt::Mutex mutex_;
  rt::Cond has_room_;
  rt::Cond has_values_;
  std::deque<int> values_;
};

void conditions_lose_nothing() {
  constexpr int each = 6;
  Shelf shelf;
  int sum = 0;
  rt::Scope scope;
  for (int i = 0; i < 3; ++i) {
    scope.go("put", [&] {
      for (int value = 1; value <= each; ++value) {
        shelf.put(value);
        pause(1ms);
      }
    });
    scope.go("take", [&] {
      for (int k = 0; k < each; ++k) {
        // Not in one expression: `sum` would be read before the wait.
        const int value = shelf.take();
        sum += value;
      }
    });
  }
  scope.join();
  must(sum == 3 * each * (each + 1) / 2, "what is put is taken, once");
}

void what_is_to_be_done_once_is_done_before_anybody_goes_on() {
  int prepared = 0;
  rt::Once once;
  rt::WaitGroup all;
  rt::Scope scope;
  for (int i = 0; i < 4; ++i) {
    all.add();
    scope.go("needs it", [&] {
      const Status done = once.call([&] {
        pause(1ms);
        ++prepared;
      });
      must(done.is_ok() && prepared == 1, "it is prepared, once");
      all.done();
    });
  }
  must(all.wait().is_ok() && all.count() == 0, "a wait group ends at zero");
}

void single_flights_answer_everybody() {
  std::optional<rt::Context> flying;
  rt::Scope flights;
  rt::SingleFlight<int, int> prices(flights);
  const auto fetch = [&flying] {
    // One that everybody has given up is cancelled and may still be on its way out.
    must(!flying || flying->is_done(), "one call at a time for a key");
    flying = rt::Context::current();
    pause(3ms);
    if (!rt::Context::current().is_done()) flying.reset();
    return 42;
  };
  rt::Scope scope;
  for (int i = 0; i < 6; ++i) {
    scope.go("asks", [&] {
      pause(2ms);
      const auto price = prices.call(7, fetch, rt::Deadline::after(draw(1, 6) * 1ms));
      if (price) {
        must(price->value == 42, "everybody gets the same");
      } else {
        must(price.error().code() == Code::deadline_exceeded, "only the deadline ends the wait");
      }
    });
  }
}

}  // namespace

void limits() {
  rt::Scope scope;
  scope.go("semaphore", semaphore_lets_so_many_in);
  scope.go("barrier", barrier_keeps_all_in_step);
  scope.go("conditions", conditions_lose_nothing);
  scope.go("once", what_is_to_be_done_once_is_done_before_anybody_goes_on);
  scope.go("single flight", single_flights_answer_everybody);
}

}  // namespace parley::sim
