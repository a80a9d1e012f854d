#include "parley/observe/counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "parley/observe/gauge.h"
#include "parley/observe/impl/shard.h"

namespace parley::observe {
namespace {

constexpr int thread_count = 8;
constexpr int rounds = 50'000;

void on_threads(const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(Counter, begins_at_zero_and_adds_what_it_is_told) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0u);
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Counter, loses_nothing_when_many_threads_add) {
  Counter counter;
  on_threads([&](int) {
    for (int i = 0; i < rounds; ++i) counter.add(2);
  });
  EXPECT_EQ(counter.value(), std::uint64_t{2} * thread_count * rounds);
}

TEST(Counter, never_falls_while_others_add) {
  Counter counter;
  std::atomic<bool> done{false};
  std::uint64_t falls = 0;
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!done) {
      const std::uint64_t now = counter.value();
      if (now < last) ++falls;
      last = now;
    }
  });
  on_threads([&](int) {
    for (int i = 0; i < rounds; ++i) counter.add();
  });
  done = true;
  reader.join();
  EXPECT_EQ(falls, 0u);
}

TEST(Counter, has_a_shard_for_each_cpu_up_to_a_limit) {
  const std::size_t shards = impl::shard_count();
  EXPECT_GE(shards, 1u);
  EXPECT_LE(shards, impl::max_shards);
  EXPECT_EQ(shards & (shards - 1), 0u);
  EXPECT_GE(shards, std::min<std::size_t>(std::thread::hardware_concurrency(), impl::max_shards));
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{64}}) {
    EXPECT_LT(impl::shard_index(count), count);
  }
}

TEST(Gauge, is_set_and_goes_up_and_down) {
  Gauge gauge;
  EXPECT_EQ(gauge.value(), 0);
  gauge.set(2.5);
  gauge.add(3);
  gauge.sub(7);
  EXPECT_EQ(gauge.value(), -1.5);
}

TEST(Gauge, loses_nothing_when_many_threads_change_it) {
  Gauge gauge;
  on_threads([&](int) {
    for (int i = 0; i < rounds; ++i) {
      gauge.add(3);
      gauge.sub(1);
    }
  });
  EXPECT_EQ(gauge.value(), 2.0 * thread_count * rounds);
}

}  // namespace
}  // namespace parley::observe
