// ConcurrentMap<K, V>: a hash map for many fibers at once. Go's sync.Map, with types.
//
// Divided into shards, each behind a RwMutex of its own: readers of one key share nothing that is
// written with readers of others, and not even with those of the same key once it is read a lot.
// Values go in and out by copy: make V a shared_ptr when that is expensive. No function of the
// caller runs under a lock, compute() excepted (and K's hash and equality, and V's copy).
// Operations on one key happen one after the other; what one fiber stored, a load that comes later
// sees. They wait for other fibers, as RwMutex does: neither deadline nor cancellation ends that.
// Fibers of one runtime only.
//
//   rt::ConcurrentMap<UserId, std::shared_ptr<Session>> sessions_;
//   auto [session, existed] = sessions_.load_or_store(user, std::make_shared<Session>());
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parley/rt/rw_mutex.h"

namespace parley::rt {

template <class K, class V, class Hash = std::hash<K>, class Equal = std::equal_to<K>>
class ConcurrentMap {
 public:
  ConcurrentMap() = default;
  ConcurrentMap(const ConcurrentMap&) = delete;
  ConcurrentMap& operator=(const ConcurrentMap&) = delete;

  // The value of `key`, or nothing.
  [[nodiscard]] std::optional<V> load(const K& key) const {
    const Shard& shard = shard_of(key);
    const std::shared_lock lock(shard.mutex);
    const auto at = shard.entries.find(key);
    return at == shard.entries.end() ? std::nullopt : std::optional<V>(at->second);
  }
  [[nodiscard]] bool contains(const K& key) const {
    const Shard& shard = shard_of(key);
    const std::shared_lock lock(shard.mutex);
    return shard.entries.contains(key);
  }

  void store(const K& key, V value) { (void)exchange(key, std::move(value)); }

  // Stores, and returns the value that was there.
  std::optional<V> exchange(const K& key, V value) {
    Shard& shard = shard_of(key);
    const std::unique_lock lock(shard.mutex);
    const auto [at, added] = shard.entries.try_emplace(key, std::move(value));
    if (added) return std::nullopt;
    return std::exchange(at->second, std::move(value));  // NOLINT: try_emplace did not move it
  }

  // The value that is there, and true; or `value`, stored now, and false.
  std::pair<V, bool> load_or_store(const K& key, V value) {
    Shard& shard = shard_of(key);
    {
      const std::shared_lock lock(shard.mutex);
      const auto at = shard.entries.find(key);
      if (at != shard.entries.end()) return {at->second, true};
    }
    const std::unique_lock lock(shard.mutex);
    const auto [at, added] = shard.entries.try_emplace(key, std::move(value));
    return {at->second, !added};
  }

  // Takes the entry out; its value, or nothing.
  std::optional<V> load_and_erase(const K& key) {
    Shard& shard = shard_of(key);
    typename Entries::node_type node;
    const std::unique_lock lock(shard.mutex);
    node = shard.entries.extract(key);
    return node.empty() ? std::nullopt : std::optional<V>(std::move(node.mapped()));
  }
  // True when there was one.
  bool erase(const K& key) { return load_and_erase(key).has_value(); }

  // Stores `desired` if the value is `expected`, and says whether it was. An absent key is equal to
  // nothing.
  bool compare_and_swap(const K& key, const V& expected, V desired) {
    Shard& shard = shard_of(key);
    const std::unique_lock lock(shard.mutex);
    const auto at = shard.entries.find(key);
    if (at == shard.entries.end() || !(at->second == expected)) return false;
    std::swap(at->second, desired);
    return true;
  }
  // Takes the entry out if the value is `expected`, and says whether it was.
  bool compare_and_erase(const K& key, const V& expected) {
    Shard& shard = shard_of(key);
    typename Entries::node_type node;
    const std::unique_lock lock(shard.mutex);
    const auto at = shard.entries.find(key);
    if (at == shard.entries.end() || !(at->second == expected)) return false;
    node = shard.entries.extract(at);
    return true;
  }

  // Calls change(std::optional<V>&) with the value of `key`, or nothing, and keeps what it leaves
  // there: a value is stored, nothing erases. Nobody else sees or changes the key meanwhile. Under
  // the lock of the key's shard: `change` must not use this map, and should be short; if it waits,
  // everybody does who needs that shard. What it leaves is kept also when it throws. Returns what
  // is there afterwards.
  template <class Change>
  std::optional<V> compute(const K& key, Change&& change) {
    Shard& shard = shard_of(key);
    const std::unique_lock lock(shard.mutex);
    const auto at = shard.entries.find(key);
    std::optional<V> value;
    if (at != shard.entries.end()) value.emplace(std::move(at->second));
    const auto keep = [&] {
      if (at == shard.entries.end()) {
        if (value) shard.entries.emplace(key, *value);
      } else if (value) {
        at->second = *value;
      } else {
        shard.entries.erase(at);
      }
    };
    {
      // Also when `change` is left by an exception: the entry was moved from.
      const AtEnd<decltype(keep)> kept{keep};
      change(value);
    }
    return value;
  }

  // Calls visit(key, value) for each entry; one that returns false ends it. Each shard is copied
  // when its turn comes and visited without a lock, so `visit` may use this map: a key is visited
  // once at most, with a value it had during the call; entries stored or erased meanwhile may be
  // visited or not.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Shard& shard : shards_) {
      for (const auto& [key, value] : copy_of(shard)) {
        if constexpr (std::is_same_v<std::invoke_result_t<Visit&, const K&, const V&>, bool>) {
          if (!visit(key, value)) return;
        } else {
          visit(key, value);
        }
      }
    }
  }

  // Entries; of a map in use, those there were at some moment in each shard.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
      const std::shared_lock lock(shard.mutex);
      count += shard.entries.size();
    }
    return count;
  }

  // Erases every entry that was there when the call began.
  void clear() {
    for (Shard& shard : shards_) {
      Entries erased;
      const std::unique_lock lock(shard.mutex);
      shard.entries.swap(erased);
    }
  }

 private:
  using Entries = std::unordered_map<K, V, Hash, Equal>;

  template <class F>
  struct AtEnd {
    const F& call;
    ~AtEnd() { call(); }
  };

  struct alignas(64) Shard {
    mutable RwMutex mutex;
    Entries entries;
  };

  static constexpr unsigned shard_bits = 5;

  // The high bits of a product: std::hash of a number is that number, and the low bits choose the
  // bucket within the shard.
  [[nodiscard]] std::size_t index_of(const K& key) const {
    const std::uint64_t mixed = std::uint64_t{Hash()(key)} * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(mixed >> (64U - shard_bits));
  }
  [[nodiscard]] Shard& shard_of(const K& key) { return shards_[index_of(key)]; }
  [[nodiscard]] const Shard& shard_of(const K& key) const { return shards_[index_of(key)]; }

  static std::vector<std::pair<K, V>> copy_of(const Shard& shard) {
    const std::shared_lock lock(shard.mutex);
    return {shard.entries.begin(), shard.entries.end()};
  }

  std::array<Shard, std::size_t{1} << shard_bits> shards_;
};

}  // namespace parley::rt
