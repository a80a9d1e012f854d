#include "parley/rt/impl/shards.h"

#include <bit>

#include "parley/rt/impl/machine.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {

std::size_t enough_shards() {
  const Worker* worker = Worker::current();
  return std::bit_ceil(worker == nullptr ? usable_processors()
                                         : worker->scheduler().worker_count());
}

std::size_t own_shard(std::size_t count) noexcept {
  const Worker* worker = Worker::current();
  return worker == nullptr ? 0 : worker->index() & (count - 1);
}

}  // namespace parley::rt::impl
