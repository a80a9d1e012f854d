// Times to live of a Tree.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/kv/testing/at.h"
#include "parley/kv/tree.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

// The keys that an expire at that time takes, in order.
std::vector<std::string> expired(Tree& tree, WallTime now) {
  auto applied = tree.apply(expire(now));
  std::vector<std::string> keys;
  for (const Change& change : applied->changes) {
    EXPECT_EQ(change.event->action, Action::expire);
    keys.push_back(change.event->node.key);
  }
  return keys;
}

TEST(TreeTime, a_ttl_is_rounded_up_to_seconds) {
  Tree tree;
  const Event event = done(tree, until(after(1500ms), create("/a", "1")));
  EXPECT_EQ(event.node.ttl(event.at), 2);
  EXPECT_EQ(event.node.expiration, after(1500ms));
  const NodeView node = node_at(tree, "/a");
  EXPECT_EQ(node.ttl(after(500ms)), 1);
  EXPECT_EQ(node.ttl(after(499ms)), 2);
  EXPECT_EQ(node.ttl(after(1500ms)), 0);
  EXPECT_EQ(node.ttl(after(3500ms)), -2);
  EXPECT_EQ(node_at(tree, "/").ttl(start), 0) << "none at all";
}

TEST(TreeTime, expire_takes_what_is_due_up_to_the_very_nanosecond) {
  Tree tree;
  done(tree, until(after(1s), create("/a", "1")));
  EXPECT_EQ(tree.next_expiration(), after(1s));
  auto early = tree.apply(expire(after(1s - 1ns)));
  ASSERT_TRUE(early);
  EXPECT_EQ(early->event, nullptr);
  EXPECT_EQ(tree.index(), 1U) << "nothing happened";
  const Event event = done(tree, expire(after(1s)));
  EXPECT_EQ(event.action, Action::expire);
  EXPECT_EQ(event.node.key, "/a");
  EXPECT_EQ(event.node.modified_index, 2U);
  EXPECT_EQ(event.node.created_index, 1U);
  EXPECT_FALSE(event.node.value);
  EXPECT_EQ(event.previous->value, "1");
  EXPECT_EQ(tree.next_expiration(), std::nullopt);
  EXPECT_EQ(told(tree.get("/a", {}, start).error()), "100 /a @2");
}

TEST(TreeTime, each_that_goes_has_an_index_of_its_own_the_soonest_first) {
  Tree tree;
  done(tree, until(after(3s), create("/c", "1")));
  done(tree, until(after(1s), create("/a", "1")));
  done(tree, until(after(2s), create("/z", "1")));
  done(tree, until(after(2s), create("/b", "1")));
  EXPECT_EQ(expired(tree, after(2s)), (std::vector<std::string>{"/a", "/b", "/z"}));
  EXPECT_EQ(tree.index(), 7U);
  EXPECT_EQ(tree.statistics().expire_count, 3U);
}

TEST(TreeTime, times_before_the_year_2000_mean_for_ever) {
  const WallTime y2k{946'684'800s};
  Tree tree;
  EXPECT_FALSE(done(tree, until(y2k - 1ns, create("/a", "1"))).node.expiration);
  EXPECT_FALSE(done(tree, until(WallTime(1s), set("/b", "1"))).node.expiration);
  EXPECT_TRUE(done(tree, until(y2k, set("/c", "1"))).node.expiration);
  EXPECT_EQ(expired(tree, start), (std::vector<std::string>{"/c"}));
}

TEST(TreeTime, folders_expire_with_all_that_is_in_them) {
  Tree tree;
  Command dir = create_dir("/d");
  done(tree, until(after(1s), dir));
  done(tree, create("/d/a/b", "1"));
  done(tree, until(after(5s), create("/d/c", "1")));
  EXPECT_EQ(node_at(tree, "/d").ttl(start), 1);
  auto applied = tree.apply(expire(after(1s)));
  ASSERT_EQ(applied->changes.size(), 1U);
  EXPECT_TRUE(applied->event->node.dir);
  EXPECT_EQ(applied->changes[0].removed.size(), 3U);
  EXPECT_EQ(tree.nodes(), 0U);
  EXPECT_EQ(tree.next_expiration(), std::nullopt) << "that of /d/c went with it";
}

TEST(TreeTime, what_a_recursive_delete_took_does_not_expire) {
  Tree tree;
  done(tree, until(after(1s), create("/d/a", "1")));
  done(tree, remove_all("/d"));
  EXPECT_EQ(expired(tree, after(2s)), std::vector<std::string>{});
}

TEST(TreeTime, update_gives_another_time_to_live_or_takes_it_away) {
  Tree tree;
  done(tree, until(after(1s), create("/a", "1")));
  done(tree, until(after(3s), update("/a", "2")));
  EXPECT_EQ(expired(tree, after(2s)), std::vector<std::string>{});
  EXPECT_EQ(tree.next_expiration(), after(3s));
  EXPECT_FALSE(done(tree, update("/a", "3")).node.expiration);
  EXPECT_EQ(expired(tree, after(10s)), std::vector<std::string>{});
  done(tree, until(after(11s), update("/a", "4")));
  EXPECT_EQ(expired(tree, after(11s)), (std::vector<std::string>{"/a"}));
}

TEST(TreeTime, update_of_a_folder_changes_its_time_and_as_in_etcd_not_its_index) {
  Tree tree;
  done(tree, create("/d/f", "1"));
  const Event event = done(tree, until(after(2s), update("/d", "")));
  EXPECT_TRUE(event.node.dir);
  EXPECT_EQ(event.node.modified_index, 2U);
  EXPECT_EQ(event.node.expiration, after(2s));
  EXPECT_EQ(node_at(tree, "/d").modified_index, 1U);
  EXPECT_EQ(expired(tree, after(2s)), (std::vector<std::string>{"/d"}));
}

TEST(TreeTime, set_without_a_time_makes_what_had_one_stay) {
  Tree tree;
  done(tree, until(after(1s), set("/a", "1")));
  const Event event = done(tree, set("/a", "2"));
  EXPECT_EQ(event.previous->expiration, after(1s));
  EXPECT_FALSE(event.node.expiration);
  EXPECT_EQ(tree.next_expiration(), std::nullopt);
}

TEST(TreeTime, compare_and_swap_sets_the_time_to_live) {
  Tree tree;
  done(tree, create("/a", "1"));
  EXPECT_EQ(done(tree, until(after(1s), swap("/a", "2", "1"))).node.expiration, after(1s));
  EXPECT_FALSE(done(tree, swap("/a", "3", "2")).node.expiration);
}

TEST(TreeTime, refresh_keeps_the_value_whatever_is_given) {
  Tree tree;
  done(tree, until(after(1s), set("/a", "1")));
  const Event by_set = done(tree, refreshed(after(2s), set("/a", "")));
  EXPECT_TRUE(by_set.refresh);
  EXPECT_EQ(by_set.node.value, "1");
  EXPECT_EQ(by_set.node.expiration, after(2s));
  EXPECT_EQ(by_set.previous->expiration, after(1s));
  const Event by_update = done(tree, refreshed(after(3s), update("/a", "")));
  EXPECT_TRUE(by_update.refresh);
  EXPECT_EQ(by_update.node.value, "1");
  const Event by_swap = done(tree, refreshed(after(4s), swap("/a", "", "1")));
  EXPECT_TRUE(by_swap.refresh);
  EXPECT_EQ(by_swap.node.value, "1");
  EXPECT_EQ(node_at(tree, "/a").value, "1");
  EXPECT_EQ(node_at(tree, "/a").expiration, after(4s));
}

TEST(TreeTime, refresh_of_what_is_not_there_fails) {
  Tree tree;
  EXPECT_EQ(failed(tree, refreshed(after(1s), set("/a", ""))), "100 /a @0");
  EXPECT_EQ(failed(tree, refreshed(after(1s), update("/a", ""))), "100 /a @0");
}

}  // namespace
}  // namespace parley::kv
