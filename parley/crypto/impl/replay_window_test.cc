#include "parley/crypto/impl/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "parley/base/random.h"

namespace parley::crypto::impl {
namespace {

TEST(ReplayWindow, without_places_takes_only_the_next) {
  ReplayWindow window(0);
  for (std::uint64_t number = 0; number < 10; ++number) {
    EXPECT_EQ(window.next(), number);
    EXPECT_EQ(window.judge(number + 1), Arrival::too_far);
    EXPECT_EQ(window.judge(number), Arrival::fresh);
    window.take(number);
    EXPECT_EQ(window.judge(number), Arrival::again);
    EXPECT_EQ(window.judge(0), Arrival::again);
  }
}

TEST(ReplayWindow, with_places_takes_what_is_not_further_away) {
  ReplayWindow window(3);
  EXPECT_EQ(window.judge(2), Arrival::fresh);
  EXPECT_EQ(window.judge(3), Arrival::too_far);
  window.take(2);
  window.take(0);
  EXPECT_EQ(window.judge(0), Arrival::again);
  EXPECT_EQ(window.judge(1), Arrival::fresh);
  window.take(5);
  EXPECT_EQ(window.judge(1), Arrival::too_late);
  EXPECT_EQ(window.judge(2), Arrival::too_late);
  EXPECT_EQ(window.judge(3), Arrival::fresh);
  EXPECT_EQ(window.judge(5), Arrival::again);
  EXPECT_EQ(window.judge(UINT64_MAX), Arrival::too_far);
}

// A window that forgot nothing, walked through in any order.
TEST(ReplayWindow, agrees_with_a_set_of_all_that_came) {
  Random random(5);
  for (const std::uint64_t places : {0, 1, 2, 7, 64, 100}) {
    ReplayWindow window(static_cast<std::size_t>(places));
    std::set<std::uint64_t> came;
    std::uint64_t next = 0;
    for (int i = 0; i < 5000; ++i) {
      const std::uint64_t low = next > 2 * places + 2 ? next - 2 * places - 2 : 0;
      const std::uint64_t number = random.between(low, next + places + 1);
      const bool is_far = number >= next && number - next >= std::max<std::uint64_t>(places, 1);
      const bool is_late = number < next && next - number > places;
      const Arrival expected = is_far                              ? Arrival::too_far
                               : came.contains(number) && !is_late ? Arrival::again
                               : !is_late                          ? Arrival::fresh
                               : places == 0                       ? Arrival::again
                                                                   : Arrival::too_late;
      ASSERT_EQ(window.judge(number), expected) << number << " of " << next << ", " << places;
      if (expected != Arrival::fresh) continue;
      window.take(number);
      came.insert(number);
      next = std::max(next, number + 1);
      ASSERT_EQ(window.next(), next);
    }
    EXPECT_GT(came.size(), 100u);
  }
}

}  // namespace
}  // namespace parley::crypto::impl
