#include "parley/rt/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "parley/rt/runtime.h"
#include "parley/rt/simulation.h"

namespace parley::rt {
namespace {

TEST(RandomNumbers, numbers_stay_below_the_limit_and_each_comes_up) {
  std::array<int, 6> seen{};
  for (int i = 0; i < 6'000; ++i) ++seen.at(random_below(6));
  // A thousand each; less than half of that is out of the question.
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int count) { return count > 500; }));
  EXPECT_EQ(random_below(1), 0U);
}

TEST(RandomNumbers, a_limit_of_nothing_is_a_bug) { EXPECT_DEATH((void)random_below(0), "below 0"); }

TEST(RandomNumbers, differs_from_draw_to_draw_inside_fibers_and_outside) {
  std::set<std::uint64_t> seen;
  parley::run([&] {
    for (int i = 0; i < 100; ++i) seen.insert(random_bits());
  });
  for (int i = 0; i < 100; ++i) seen.insert(random_bits());
  EXPECT_EQ(seen.size(), 200U);
}

TEST(RandomNumbers, follows_the_seed_in_a_simulation) {
  const auto drawn = [](std::uint64_t seed) {
    std::vector<std::uint64_t> numbers;
    simulate({.seed = seed}, [&] {
      for (int i = 0; i < 10; ++i) numbers.push_back(random_below(1'000));
    });
    return numbers;
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
}

TEST(RandomNumbers, shuffles_as_a_generator_of_the_standard_library) {
  std::vector<int> order{1, 2, 3, 4, 5};
  std::shuffle(order.begin(), order.end(), RandomBits());
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace parley::rt
