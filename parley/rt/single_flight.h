// SingleFlight<K, V>: of fibers that ask for the same thing at the same time, one call is made and
// all get its result. Go's x/sync/singleflight. What is asked for later is called for again: this
// is no cache. Thread-safe among the fibers of one runtime.
//
// The call runs in a fiber of its own, of the scope given to the constructor and under a context
// made from that scope's: it belongs to no caller. A caller whose deadline passes or whose context
// ends goes its way and the others still get the result; only when all have gone is the call itself
// cancelled, and whoever asks then starts another. The context of a caller does not reach it, nor
// does what that carries.
//
//   rt::Scope scope_;
//   rt::SingleFlight<Sku, Price> prices_{scope_};
//   auto price = prices_.call(sku, [this, sku] { return warehouse_.price(sku); });
//   if (price) use(price->value);
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "parley/base/result.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley::rt {

template <class V>
struct SharedResult {
  V value;
  bool shared = false;  // others got the same
};

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class SingleFlight {
 public:
  // `scope` outlives every use of this. Calls still in flight when this is destroyed end as any
  // fiber of the scope.
  explicit SingleFlight(Scope& scope) : scope_(scope), flights_(std::make_shared<Flights>()) {}
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  // What f() returns, a V or a Result<V>: of the call for `key` that is in flight, or of this `f`,
  // moved to a fiber. V is copied for each caller. `f` must own what it uses, or that must outlive
  // the scope: the caller may be gone before it ends. deadline_exceeded, or the context's status,
  // when that came before the result. An exception that leaves `f` ends the program.
  template <class F>
  Result<SharedResult<V>> call(const K& key, F&& f, Deadline deadline = {}) {
    std::shared_ptr<Flight> flight = join(key);
    if (flight == nullptr) flight = start(key, std::forward<F>(f));
    const Status waited = flight->landed.wait(deadline);
    return leave(key, *flight, waited);
  }

  // Whoever asks for `key` from now on starts a call of its own; those who wait get what they wait
  // for.
  void forget(const K& key) {
    const std::lock_guard lock(flights_->mutex);
    flights_->by_key.erase(key);
  }

  // Keys with a call that can be joined.
  [[nodiscard]] std::size_t in_flight() const {
    const std::lock_guard lock(flights_->mutex);
    return flights_->by_key.size();
  }

 private:
  struct Flight {
    explicit Flight(std::pair<Context, Cancel> made)
        : context(std::move(made.first)), cancel(std::move(made.second)) {}

    Context context;
    Cancel cancel;
    Event landed;
    std::optional<Result<V>> result;  // before landed is set
    std::size_t waiting = 1;          // these two under the mutex
    bool shared = false;
  };
  // Outlives the SingleFlight while a call is in flight.
  struct Flights {
    Mutex mutex;
    std::unordered_map<K, std::shared_ptr<Flight>, Hash, Equal> by_key;

    void remove(const K& key, const Flight& flight) {
      const auto at = by_key.find(key);
      if (at != by_key.end() && at->second.get() == &flight) by_key.erase(at);
    }
  };

  std::shared_ptr<Flight> join(const K& key) {
    const std::lock_guard lock(flights_->mutex);
    const auto at = flights_->by_key.find(key);
    if (at == flights_->by_key.end()) return nullptr;
    ++at->second->waiting;
    at->second->shared = true;
    return at->second;
  }

  template <class F>
  std::shared_ptr<Flight> start(const K& key, F&& f) {
    auto flight = std::make_shared<Flight>(scope_.context().with_cancel());
    {
      const std::lock_guard lock(flights_->mutex);
      const auto [at, added] = flights_->by_key.try_emplace(key, flight);
      if (!added) {
        ++at->second->waiting;
        at->second->shared = true;
        return at->second;
      }
    }
    scope_.go("single flight", [flights = flights_, flight, key,
                                call = std::decay_t<F>(std::forward<F>(f))]() mutable {
      {
        const WithContext bound(flight->context);
        flight->result.emplace(call());
      }
      {
        const std::lock_guard lock(flights->mutex);
        flights->remove(key, *flight);
      }
      flight->landed.set();
    });
    return flight;
  }

  Result<SharedResult<V>> leave(const K& key, Flight& flight, const Status& waited) {
    bool shared = false;
    bool last = false;
    {
      const std::lock_guard lock(flights_->mutex);
      last = --flight.waiting == 0;
      shared = flight.shared;
      // Nobody may join what is about to be cancelled.
      if (last) flights_->remove(key, flight);
    }
    if (!waited.is_ok()) {
      if (last) flight.cancel();
      return waited;
    }
    if (!*flight.result) return flight.result->error();
    return SharedResult<V>{**flight.result, shared};
  }

  Scope& scope_;
  std::shared_ptr<Flights> flights_;
};

}  // namespace parley::rt
