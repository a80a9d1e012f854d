#include "parley/wire/metadata.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::wire {
namespace {

TEST(Metadata, keeps_every_value_of_a_key_in_order) {
  Metadata metadata;
  metadata.add("tag", "a");
  metadata.add("user", "u1");
  metadata.add("tag", "b");
  EXPECT_EQ(metadata.size(), 3u);
  EXPECT_EQ(metadata.get("tag"), "a");
  EXPECT_EQ(metadata.get_all("tag"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(metadata.get("Tag"), std::nullopt);
  EXPECT_TRUE(metadata.get_all("none").empty());
  std::string seen;
  for (const auto& [key, value] : metadata) seen.append(key).append("=").append(value).append(";");
  EXPECT_EQ(seen, "tag=a;user=u1;tag=b;");
}

TEST(Metadata, set_leaves_one_value_in_the_place_of_the_first) {
  Metadata metadata{{"tag", "a"}, {"user", "u1"}, {"tag", "b"}};
  metadata.set("tag", "c");
  EXPECT_EQ(metadata, (Metadata{{"tag", "c"}, {"user", "u1"}}));
  metadata.set("new", "n");
  EXPECT_EQ(metadata, (Metadata{{"tag", "c"}, {"user", "u1"}, {"new", "n"}}));
}

TEST(Metadata, remove_says_how_many_there_were) {
  Metadata metadata{{"tag", "a"}, {"user", "u1"}, {"tag", "b"}};
  EXPECT_EQ(metadata.remove("tag"), 2u);
  EXPECT_EQ(metadata.remove("tag"), 0u);
  EXPECT_EQ(metadata, (Metadata{{"user", "u1"}}));
  metadata.clear();
  EXPECT_TRUE(metadata.empty());
}

TEST(Metadata, set_and_remove_accept_a_key_that_lives_inside) {
  Metadata metadata{{"x", "0"},
                    {"a key longer than a small string", "1"},
                    {"a key longer than a small string", "2"}};
  metadata.set((metadata.end() - 1)->key, "3");
  EXPECT_EQ(metadata, (Metadata{{"x", "0"}, {"a key longer than a small string", "3"}}));
  EXPECT_EQ(metadata.remove(metadata.begin()->key), 1u);
  EXPECT_EQ(metadata.size(), 1u);
}

TEST(Metadata, the_order_of_entries_counts_in_comparison) {
  EXPECT_NE((Metadata{{"a", "1"}, {"b", "2"}}), (Metadata{{"b", "2"}, {"a", "1"}}));
}

}  // namespace
}  // namespace parley::wire
