#include "parley/base/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley {
namespace {

TEST(Suggest, distance_counts_single_changes) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("call", "call"), 0u);
  EXPECT_EQ(edit_distance("", "call"), 4u);
  EXPECT_EQ(edit_distance("call", ""), 4u);
  EXPECT_EQ(edit_distance("cal", "call"), 1u);
  EXPECT_EQ(edit_distance("calll", "call"), 1u);
  EXPECT_EQ(edit_distance("coll", "call"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Suggest, two_neighbours_swapped_are_one_change) {
  EXPECT_EQ(edit_distance("clal", "call"), 1u);
  EXPECT_EQ(edit_distance("versoin", "version"), 1u);
}

TEST(Suggest, names_the_nearest_word) {
  const std::vector<std::string_view> words = {"call", "push", "version", "help"};
  EXPECT_EQ(nearest("cal", words), "call");
  EXPECT_EQ(nearest("psuh", words), "push");
  EXPECT_EQ(nearest("verison", words), "version");
  EXPECT_EQ(nearest("hlep", words), "help");
}

TEST(Suggest, names_nothing_when_nothing_is_near) {
  const std::vector<std::string_view> words = {"call", "push"};
  EXPECT_EQ(nearest("deploy", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest("call", {}), std::nullopt);
}

TEST(Suggest, a_very_long_word_costs_nothing) {
  const std::vector<std::string_view> words = {"call"};
  EXPECT_EQ(nearest(std::string(50'000'000, 'c'), words), std::nullopt);
}

TEST(Suggest, of_equals_the_first_is_named) {
  const std::vector<std::string_view> words = {"cat", "car"};
  EXPECT_EQ(nearest("cab", words), "cat");
}

}  // namespace
}  // namespace parley
