// What is to happen in a simulated world, by time, and in the order it was added where the time is
// the same. Private to net; guarded by the lock of its world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "parley/base/clock.h"

namespace parley::net::impl {

class SimAgenda {
 public:
  using Key = std::pair<Instant, std::uint64_t>;

  // `act` is called once, unless it is removed before.
  Key add(Instant at, std::function<void()> act) {
    const Key key{at, ++added_};
    acts_.emplace(key, std::move(act));
    return key;
  }
  // Fine when it has happened already.
  void remove(const Key& key) { acts_.erase(key); }
  void clear() { acts_.clear(); }

  [[nodiscard]] bool empty() const { return acts_.empty(); }
  // Instant::max() when nothing is to happen.
  [[nodiscard]] Instant first() const {
    return acts_.empty() ? Instant::max() : acts_.begin()->first.first;
  }
  std::function<void()> take_first() {
    auto act = std::move(acts_.begin()->second);
    acts_.erase(acts_.begin());
    return act;
  }

 private:
  std::map<Key, std::function<void()>> acts_;
  std::uint64_t added_ = 0;
};

}  // namespace parley::net::impl
