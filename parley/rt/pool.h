// Pool<T>: keeps objects that were expensive to make for whoever needs the next. Go's sync.Pool.
//
// Each worker keeps its own, so that taking one shares nothing with other workers; an empty-handed
// worker looks at the others before it makes a new one. What is in a pool may be dropped at any
// time and is in no order: use a Channel for objects that matter. Thread-safe, also outside fibers.
// Nothing here waits.
//
//   rt::Pool<std::string> buffers_([] { return std::string(); });
//   std::string buffer = buffers_.get();
//   ...
//   buffer.clear();                       // what it held, the next one would see
//   buffers_.put(std::move(buffer));
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/rt/impl/shards.h"
#include "parley/rt/impl/spin_lock.h"

namespace parley::rt {

struct PoolOptions {
  // Objects kept for each worker; put() drops what is more. 0 keeps none.
  std::size_t max_kept_per_worker = 64;
};

template <class T>
class Pool {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a Pool moves its objects in and out under a lock: use std::unique_ptr<T>");

 public:
  // `make` makes an object when none is kept; it is called on the fiber that asks, without a lock,
  // by several at once.
  explicit Pool(std::function<T()> make, PoolOptions options = {})
      : make_(std::move(make)), options_(options), shards_(impl::enough_shards()) {
    PARLEY_ASSERT(make_ != nullptr, "a Pool needs a function that makes its objects");
    for (Shard& shard : shards_) shard.kept.reserve(options_.max_kept_per_worker);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // One that was put, which then nobody else gets, or a new one.
  [[nodiscard]] T get() {
    if (std::optional<T> kept = try_get()) return *std::move(kept);
    return make_();
  }
  // One that was put, if there is one.
  [[nodiscard]] std::optional<T> try_get() {
    const std::size_t own = impl::own_shard(shards_.size());
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      Shard& shard = shards_[(own + i) & (shards_.size() - 1)];
      const std::lock_guard lock(shard.lock);
      if (shard.kept.empty()) continue;
      std::optional<T> kept(std::move(shard.kept.back()));
      shard.kept.pop_back();
      return kept;
    }
    return std::nullopt;
  }

  // For the next get(), most likely of this worker. The caller has cleared it as far as needed.
  // Dropped when this worker keeps as many as it may.
  void put(T object) {
    Shard& shard = shards_[impl::own_shard(shards_.size())];
    const std::lock_guard lock(shard.lock);
    // Allocates nothing, see the constructor; `object` is destroyed after the lock is let go.
    if (shard.kept.size() < options_.max_kept_per_worker) shard.kept.push_back(std::move(object));
  }

  // Drops all that is kept.
  void clear() {
    for (Shard& shard : shards_) {
      std::vector<T> dropped;
      dropped.reserve(options_.max_kept_per_worker);
      const std::lock_guard lock(shard.lock);
      shard.kept.swap(dropped);
    }
  }

  // Objects kept at this moment.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.lock);
      count += shard.kept.size();
    }
    return count;
  }

 private:
  struct alignas(64) Shard {
    mutable impl::SharedSpinLock lock;  // threads that run no runtime use it as well
    std::vector<T> kept;
  };

  const std::function<T()> make_;
  const PoolOptions options_;
  std::vector<Shard> shards_;
};

}  // namespace parley::rt
