#include "parley/observe/counter.h"

namespace parley::observe {

Counter::Counter()
    : shard_count_(impl::shard_count()), shards_(std::make_unique<Shard[]>(shard_count_)) {}

void Counter::add(std::uint64_t count) noexcept {
  shards_[impl::shard_index(shard_count_)].count.fetch_add(count, std::memory_order_relaxed);
}

std::uint64_t Counter::value() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    sum += shards_[i].count.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace parley::observe
