#include "parley/observe/impl/shard.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace parley::observe::impl {

std::size_t shard_count() noexcept {
  const auto cpus = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
  return std::bit_ceil(std::min(cpus, max_shards));
}

std::size_t shard_index(std::size_t shards) noexcept {
  const int cpu = ::sched_getcpu();
  if (cpu >= 0) return static_cast<std::size_t>(cpu) & (shards - 1);
  // No kernel support: threads and fibers are told apart by where their stacks lie.
  const char here = 0;
  return (reinterpret_cast<std::uintptr_t>(&here) >> 16U) & (shards - 1);
}

}  // namespace parley::observe::impl
