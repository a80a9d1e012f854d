#include <mutex>

#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t fibers = 8;

// A few nanoseconds of work that no compiler can leave out.
std::uint64_t stir(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) value = value * 6364136223846793005U + 1442695040888963407U;
  return value;
}

}  // namespace

std::uint64_t mutex(std::uint64_t ops) {
  rt::Mutex lock;
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < ops; ++i) {
    const std::lock_guard guard(lock);
    ++count;
  }
  return count;
}

std::uint64_t mutex_contended(std::uint64_t ops) {
  rt::Mutex lock;
  std::uint64_t count = 0;
  std::uint64_t mixed = 0;
  std::vector<Lane> outsides(fibers);
  rt::Scope scope;
  for (Lane& outside : outsides) {
    scope.go("contender", [&, &mine = outside.value] {
      for (std::uint64_t i = 0; i < ops / fibers; ++i) {
        {
          const std::lock_guard guard(lock);
          ++count;
          mixed = stir(mixed);
        }
        mine = stir(mine);
      }
    });
  }
  scope.join();
  return count ^ mixed;
}

}  // namespace parley::bench
