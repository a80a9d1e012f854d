// Counter: a number that only grows: requests served, bytes sent.
//
// Any thread and any fiber, at the same time; nothing here waits, locks or allocates. The count is
// spread over cache lines, one per CPU, so that workers do not pass one line to and fro.
//
//   Counter& served = *registry.counter({.name = "requests", .help = "Requests
//   answered."}).value(); served.add();
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "parley/observe/impl/shard.h"

namespace parley::observe {

class Counter {
 public:
  // Registry::counter() makes those that are to be seen.
  Counter();

  // One relaxed fetch_add on the calling CPU's shard. Beyond 2^64 - 1 it begins anew at 0.
  void add(std::uint64_t count = 1) noexcept;

  // The sum of the shards. What a thread added before it asks is in it; what others add meanwhile
  // may be. Never less than what this thread saw before.
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  struct alignas(impl::cache_line) Shard {
    std::atomic<std::uint64_t> count{0};
  };

  std::size_t shard_count_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace parley::observe
