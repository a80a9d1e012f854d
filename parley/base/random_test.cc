#include "parley/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace parley {
namespace {

TEST(Random, split_mix_gives_the_numbers_of_its_reference) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
        4593380528125082431ULL, 16408922859458223821ULL}) {
    EXPECT_EQ(split_mix(state), expected);
  }
}

TEST(Random, gives_the_numbers_of_the_reference_of_xoshiro256_star_star) {
  Random random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  for (const std::uint64_t expected :
       {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL,
        607988272756665600ULL, 16172922978634559625ULL, 8476171486693032832ULL,
        10595114339597558777ULL, 2904607092377533576ULL}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, a_seed_fills_the_state_by_split_mix) {
  std::uint64_t state = 42;
  std::array<std::uint64_t, 4> words{};
  for (std::uint64_t& word : words) word = split_mix(state);
  Random by_seed(42);
  Random by_state(words);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(by_seed.next(), by_state.next());
}

TEST(Random, the_same_seed_gives_the_same_and_another_seed_another_sequence) {
  Random one(7);
  Random same(7);
  Random other(8);
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t number = one.next();
    EXPECT_EQ(same.next(), number);
    differs = differs || other.next() != number;
  }
  EXPECT_TRUE(differs);
}

TEST(Random, below_and_between_stay_within_their_bounds_and_reach_them) {
  Random random(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(random.below(1), 0u);
    EXPECT_LT(random.below(10), 10u);
    const std::uint64_t die = random.between(1, 6);
    EXPECT_TRUE(die >= 1 && die <= 6) << die;
    seen.insert(die);
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(random.between(9, 9), 9u);
  EXPECT_NE(random.between(0, UINT64_MAX), random.between(0, UINT64_MAX));
}

TEST(Random, below_favours_no_number) {
  // With a remainder instead, the lower half of three quarters of 2^64 would come twice as often.
  Random random(3);
  constexpr std::uint64_t limit = (std::uint64_t{1} << 62) * 3;
  int lower = 0;
  for (int i = 0; i < 3000; ++i) lower += random.below(limit) < limit / 3 ? 1 : 0;
  EXPECT_NEAR(lower, 1000, 120);
}

TEST(Random, chance_keeps_its_probability_and_knows_never_and_always) {
  Random random(5);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1));
    hits += random.chance(0.3) ? 1 : 0;
  }
  EXPECT_NEAR(hits, 3000, 250);
}

TEST(Random, a_fork_goes_its_own_way) {
  Random random(9);
  Random fork = random.fork();
  Random same(9);
  (void)same.next();
  EXPECT_NE(fork.next(), random.next());
  (void)fork.next();
  (void)same.next();
  EXPECT_EQ(same.next(), random.next());  // whatever the fork was asked meanwhile
}

TEST(Random, misuse_is_named) {
  Random random(1);
  EXPECT_DEATH((void)random.below(0), "no number is below 0");
  EXPECT_DEATH((void)random.between(2, 1), "nothing lies between");
  EXPECT_DEATH(Random(std::array<std::uint64_t, 4>{}), "all zeros");
}

}  // namespace
}  // namespace parley
