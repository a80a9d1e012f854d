// Which part of a divided structure the caller uses: each worker its own, as long as there are
// enough. Private to rt.
#pragma once

#include <cstddef>

namespace parley::rt::impl {

// A power of two: parts enough for each worker of the calling thread's runtime; outside a runtime,
// for each processor.
[[nodiscard]] std::size_t enough_shards();

// Below `count`, a power of two. By the worker of the calling thread; 0 outside a runtime.
[[nodiscard]] std::size_t own_shard(std::size_t count) noexcept;

}  // namespace parley::rt::impl
