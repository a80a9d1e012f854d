// Where a thread counts: which shard of a metric belongs to the CPU that asks. Private to observe.
#pragma once

#include <cstddef>

namespace parley::observe::impl {

inline constexpr std::size_t cache_line = 64;
// More shards than this cost memory in every series and win little: CPUs then share them.
inline constexpr std::size_t max_shards = 64;

// How many shards a metric gets: one per CPU of the machine, rounded up to a power of two, at most
// max_shards.
std::size_t shard_count() noexcept;

// The shard of the calling CPU; below `shards`, which is a power of two. A thread may be moved the
// moment after: so two CPUs may meet on one shard now and then, which costs time and loses nothing.
std::size_t shard_index(std::size_t shards) noexcept;

}  // namespace parley::observe::impl
