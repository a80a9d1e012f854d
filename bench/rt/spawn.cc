#include <algorithm>
#include <array>
#include <atomic>

#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t batch = 1000;
constexpr std::uint64_t leaves_of_tree = 1U << 16U;

std::uint64_t grow(std::uint64_t leaves) {
  if (leaves == 1) return 1;
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  rt::Scope scope;
  scope.go("left", [&left, leaves] { left = grow(leaves / 2); });
  scope.go("right", [&right, leaves] { right = grow(leaves - leaves / 2); });
  scope.join();
  return left + right;
}

}  // namespace

std::uint64_t spawn_join(std::uint64_t ops) {
  rt::Scope scope;
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < ops; ++i) {
    scope.go("child", [&done] { ++done; });
    scope.join();
  }
  return done;
}

std::uint64_t spawn_join_batch(std::uint64_t ops) {
  rt::Scope scope;
  std::atomic<std::uint64_t> done = 0;
  for (std::uint64_t left = ops; left > 0;) {
    const std::uint64_t now = std::min(left, batch);
    left -= now;
    for (std::uint64_t i = 0; i < now; ++i) scope.go("child", [&done] { ++done; });
    scope.join();
  }
  return done;
}

std::uint64_t yield(std::uint64_t ops) {
  rt::Scope scope;
  std::array<std::uint64_t, 2> turns{};
  for (std::uint64_t& mine : turns) {
    scope.go("side", [&mine, ops] {
      while (mine < ops / 2) {
        ++mine;
        rt::yield();
      }
    });
  }
  scope.join();
  return turns[0] + turns[1];
}

std::uint64_t tree(std::uint64_t ops) {
  std::uint64_t sum = 0;
  for (std::uint64_t left = ops; left > 0;) {
    const std::uint64_t leaves = std::min(left, leaves_of_tree);
    left -= leaves;
    sum += grow(leaves);
  }
  return sum;
}

}  // namespace parley::bench
