#include <mutex>
#include <shared_mutex>

#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t fibers = 8;

std::uint64_t read_and_write(std::uint64_t ops, std::uint64_t write_every) {
  rt::RwMutex lock;
  std::uint64_t written = 0;
  std::vector<Lane> sums(fibers);
  rt::Scope scope;
  for (Lane& sum : sums) {
    scope.go("reader", [&, count = ops / fibers] {
      for (std::uint64_t i = 1; i <= count; ++i) {
        if (i % write_every == 0) {
          const std::lock_guard guard(lock);
          ++written;
          continue;
        }
        const std::shared_lock guard(lock);
        sum.value += (written & 1U) | 1U;
      }
    });
  }
  scope.join();
  return written + total(sums);
}

}  // namespace

std::uint64_t rwmutex(std::uint64_t ops) { return read_and_write(ops, 1'000); }
std::uint64_t rwmutex_rare(std::uint64_t ops) { return read_and_write(ops, 100'000); }

}  // namespace parley::bench
