#include "parley/kv/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "parley/kv/testing/at.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;

std::vector<std::string> keys_of(const NodeView& node) {
  std::vector<std::string> keys;
  for (const NodeView& child : node.nodes) {
    keys.push_back(child.key);
    std::ranges::copy(keys_of(child), std::back_inserter(keys));
  }
  return keys;
}

TEST(Tree, begins_empty_at_index_zero_with_a_root) {
  const Tree tree;
  EXPECT_EQ(tree.index(), 0U);
  EXPECT_EQ(tree.nodes(), 0U);
  const NodeView root = node_at(tree, "/");
  EXPECT_TRUE(root.dir);
  EXPECT_EQ(root.key, "/");
  EXPECT_EQ(root.created_index, 0U);
  EXPECT_FALSE(root.value);
}

TEST(Tree, get_gives_the_value_and_both_indexes_of_a_file) {
  Tree tree;
  done(tree, create("/a", "1"));
  done(tree, update("/a", "2"));
  const auto event = tree.get("/a", {}, start);
  ASSERT_TRUE(event);
  EXPECT_EQ((*event)->action, Action::get);
  EXPECT_EQ((*event)->index, 2U);
  EXPECT_EQ((*event)->node.key, "/a");
  EXPECT_EQ((*event)->node.value, "2");
  EXPECT_EQ((*event)->node.created_index, 1U);
  EXPECT_EQ((*event)->node.modified_index, 2U);
}

TEST(Tree, get_lists_children_by_key_one_level_or_all) {
  Tree tree;
  for (const char* path : {"/d/z", "/d/a/y", "/d/a/b", "/d/m"}) done(tree, create(path, "1"));
  EXPECT_EQ(keys_of(node_at(tree, "/d")), (std::vector<std::string>{"/d/a", "/d/m", "/d/z"}));
  const auto all = tree.get("/d", {.recursive = true}, start);
  ASSERT_TRUE(all);
  EXPECT_EQ(keys_of((*all)->node),
            (std::vector<std::string>{"/d/a", "/d/a/b", "/d/a/y", "/d/m", "/d/z"}));
  EXPECT_EQ((*all)->node.nodes[2].value, "1");
}

TEST(Tree, hidden_names_are_left_out_of_listings_and_found_by_their_path) {
  Tree tree;
  done(tree, create("/d/_h/x", "1"));
  done(tree, create("/d/v", "1"));
  const auto all = tree.get("/", {.recursive = true}, start);
  EXPECT_EQ(keys_of((*all)->node), (std::vector<std::string>{"/d", "/d/v"}));
  EXPECT_EQ(node_at(tree, "/d/_h/x").value, "1");
  EXPECT_EQ(keys_of(node_at(tree, "/d/_h")), (std::vector<std::string>{"/d/_h/x"}));
}

TEST(Tree, get_of_what_is_not_there_names_the_first_part_that_is_missing) {
  Tree tree;
  done(tree, create("/a/f", "1"));
  EXPECT_EQ(told(tree.get("/a/b/c", {}, start).error()), "100 /a/b @1");
  EXPECT_EQ(told(tree.get("/a/f/c", {}, start).error()), "104 /a/f @1");
}

TEST(Tree, get_of_more_than_max_listed_nodes_is_refused_by_name) {
  Tree small({.max_listed = 2});
  Tree large({.max_listed = 3});
  for (const char* path : {"/a", "/b", "/c"}) {
    done(small, create(path, "1"));
    done(large, create(path, "1"));
  }
  const auto event = small.get("/", {}, start);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Code::resource_exhausted);
  EXPECT_NE(event.error().message().find("max_listed"), std::string::npos);
  EXPECT_TRUE(large.get("/", {}, start));
}

TEST(Tree, paths_are_cleaned) {
  Tree tree;
  EXPECT_EQ(done(tree, create("a//b/../c/.", "1")).node.key, "/a/c");
  EXPECT_EQ(node_at(tree, "/../a/c/").value, "1");
}

// create

TEST(Tree, create_makes_a_file_and_the_folders_above_with_its_index) {
  Tree tree;
  done(tree, set("/x", "1"));
  const Event event = done(tree, create("/a/b/c", "v"));
  EXPECT_EQ(event.action, Action::create);
  EXPECT_EQ(event.index, 2U);
  EXPECT_EQ(event.node.value, "v");
  EXPECT_EQ(event.node.created_index, 2U);
  EXPECT_EQ(event.node.modified_index, 2U);
  EXPECT_FALSE(event.previous);
  for (const char* path : {"/a", "/a/b"}) {
    const NodeView folder = node_at(tree, path);
    EXPECT_TRUE(folder.dir);
    EXPECT_EQ(folder.created_index, 2U);
    EXPECT_EQ(folder.modified_index, 2U);
    EXPECT_FALSE(folder.expiration);
  }
  EXPECT_EQ(tree.nodes(), 4U);
}

TEST(Tree, create_makes_a_folder) {
  Tree tree;
  const Event event = done(tree, create_dir("/d"));
  EXPECT_TRUE(event.node.dir);
  EXPECT_FALSE(event.node.value);
  EXPECT_TRUE(node_at(tree, "/d").dir);
}

TEST(Tree, create_fails_where_something_is_and_below_a_file) {
  Tree tree;
  done(tree, create("/a", "1"));
  done(tree, create_dir("/d"));
  EXPECT_EQ(failed(tree, create("/a", "2")), "105 /a @2");
  EXPECT_EQ(failed(tree, create_dir("/d")), "105 /d @2");
  EXPECT_EQ(failed(tree, create("/a/b/c", "2")), "104 /a @2");
  EXPECT_EQ(failed(tree, create("/", "2")), "107 / @2");
  EXPECT_EQ(node_at(tree, "/a").value, "1");
}

TEST(Tree, unique_names_are_the_index_in_20_digits_and_so_in_order) {
  Tree tree;
  done(tree, create("/x", "1"));
  EXPECT_EQ(done(tree, create_in_order("/queue", "a")).node.key, "/queue/00000000000000000002");
  EXPECT_EQ(done(tree, create_in_order("/queue/", "b")).node.key, "/queue/00000000000000000003");
  EXPECT_EQ(done(tree, create_in_order("/", "c")).node.key, "/00000000000000000004");
  EXPECT_EQ(failed(tree, create_in_order("/x", "d")), "104 /x @4");
  const NodeView queue = node_at(tree, "/queue");
  ASSERT_EQ(queue.nodes.size(), 2U);
  EXPECT_EQ(queue.nodes[0].value, "a");
}

// set

TEST(Tree, set_creates_and_replaces_and_tells_what_was_there) {
  Tree tree;
  EXPECT_FALSE(done(tree, set("/a", "1")).previous);
  const Event event = done(tree, set("/a", "2"));
  EXPECT_EQ(event.action, Action::set);
  EXPECT_EQ(event.node.created_index, 2U) << "a replaced node is a new one";
  ASSERT_TRUE(event.previous);
  EXPECT_EQ(event.previous->value, "1");
  EXPECT_EQ(event.previous->created_index, 1U);
  EXPECT_EQ(node_at(tree, "/a").value, "2");
}

TEST(Tree, set_of_an_empty_value_is_a_value) {
  Tree tree;
  EXPECT_EQ(done(tree, set("/a", "")).node.value, "");
}

TEST(Tree, set_replaces_no_folder_but_may_put_one_in_place_of_a_file) {
  Tree tree;
  done(tree, create("/d/f", "1"));
  EXPECT_EQ(failed(tree, set("/d", "1")), "102 /d @1");
  EXPECT_EQ(failed(tree, set("/d/f/g", "1")), "104 /d/f @1");
  EXPECT_EQ(failed(tree, set("/", "1")), "107 / @1");
  Command dir = set("/d/f", "");
  dir.dir = true;
  const Event event = done(tree, dir);
  EXPECT_TRUE(event.node.dir);
  EXPECT_EQ(event.previous->value, "1");
  done(tree, create("/d/f/g", "1"));
  EXPECT_EQ(tree.nodes(), 3U);
}

// update

TEST(Tree, update_keeps_the_created_index_and_tells_what_was_there) {
  Tree tree;
  done(tree, create("/a", "1"));
  const Event event = done(tree, update("/a", "2"));
  EXPECT_EQ(event.action, Action::update);
  EXPECT_EQ(event.node.value, "2");
  EXPECT_EQ(event.node.created_index, 1U);
  EXPECT_EQ(event.node.modified_index, 2U);
  EXPECT_EQ(event.previous->value, "1");
  EXPECT_EQ(event.previous->modified_index, 1U);
}

TEST(Tree, update_to_an_empty_value_empties_a_file) {
  Tree tree;
  done(tree, create("/a", "1"));
  EXPECT_EQ(done(tree, update("/a", "")).node.value, "");
  EXPECT_EQ(node_at(tree, "/a").value, "");
}

TEST(Tree, update_of_nothing_of_a_folder_and_of_the_root_fails) {
  Tree tree;
  done(tree, create_dir("/d"));
  EXPECT_EQ(failed(tree, update("/a", "1")), "100 /a @1");
  EXPECT_EQ(failed(tree, update("/d", "1")), "102 /d @1");
  EXPECT_EQ(failed(tree, update("/", "")), "107 / @1");
}

// delete

TEST(Tree, remove_takes_a_file_and_tells_all_that_it_was) {
  Tree tree;
  done(tree, create("/a", "1"));
  done(tree, update("/a", "2"));
  const Event event = done(tree, remove("/a"));
  EXPECT_EQ(event.action, Action::remove);
  EXPECT_EQ(event.node.key, "/a");
  EXPECT_FALSE(event.node.value);
  EXPECT_EQ(event.node.created_index, 1U);
  EXPECT_EQ(event.node.modified_index, 3U);
  EXPECT_EQ(event.previous->value, "2");
  EXPECT_EQ(event.previous->modified_index, 2U);
  EXPECT_EQ(told(tree.get("/a", {}, start).error()), "100 /a @3");
  EXPECT_EQ(tree.nodes(), 0U);
}

TEST(Tree, remove_takes_an_empty_folder_only_when_told_that_it_is_one) {
  Tree tree;
  done(tree, create_dir("/d"));
  EXPECT_EQ(failed(tree, remove("/d")), "102 /d @1");
  const Event event = done(tree, remove_dir("/d"));
  EXPECT_TRUE(event.node.dir);
  EXPECT_TRUE(event.previous->dir);
}

TEST(Tree, remove_takes_a_full_folder_only_recursively_which_implies_that_it_is_one) {
  Tree tree;
  done(tree, create("/d/e/f", "1"));
  done(tree, create("/d/g", "1"));
  EXPECT_EQ(failed(tree, remove_dir("/d")), "108 /d @2");
  auto applied = tree.apply(remove_all("/d"));
  ASSERT_TRUE(applied);
  ASSERT_EQ(applied->changes.size(), 1U);
  std::vector<std::string> removed = applied->changes[0].removed;
  std::ranges::sort(removed);
  EXPECT_EQ(removed, (std::vector<std::string>{"/d/e", "/d/e/f", "/d/g"}));
  EXPECT_EQ(tree.nodes(), 0U);
}

TEST(Tree, remove_of_nothing_and_of_the_root_fails) {
  Tree tree;
  EXPECT_EQ(failed(tree, remove("/a")), "100 /a @0");
  EXPECT_EQ(failed(tree, remove_all("/")), "107 / @0");
}

// compare and swap, compare and delete

TEST(Tree, compare_and_swap_by_value_or_index_keeps_the_created_index) {
  Tree tree;
  done(tree, create("/a", "1"));
  const Event by_value = done(tree, swap("/a", "2", "1"));
  EXPECT_EQ(by_value.action, Action::compare_and_swap);
  EXPECT_EQ(by_value.node.value, "2");
  EXPECT_EQ(by_value.node.created_index, 1U);
  EXPECT_EQ(by_value.previous->value, "1");
  EXPECT_EQ(done(tree, swap("/a", "3", "", 2)).node.modified_index, 3U);
  EXPECT_EQ(done(tree, swap("/a", "4", "3", 3)).node.value, "4");
  EXPECT_EQ(done(tree, swap("/a", "5", "")).node.value, "5") << "nothing given, nothing compared";
}

TEST(Tree, compare_and_swap_tells_what_differs_the_value_first) {
  Tree tree;
  done(tree, create("/a", "b"));
  EXPECT_EQ(failed(tree, swap("/a", "2", "zz")), "101 [zz != b] @1");
  EXPECT_EQ(failed(tree, swap("/a", "2", "", 6)), "101 [6 != 1] @1");
  EXPECT_EQ(failed(tree, swap("/a", "2", "zz", 6)), "101 [zz != b] [6 != 1] @1");
  EXPECT_EQ(failed(tree, swap("/a", "2", "b", 6)), "101 [6 != 1] @1");
  EXPECT_EQ(node_at(tree, "/a").value, "b");
}

TEST(Tree, compare_and_swap_is_for_files_that_are_there) {
  Tree tree;
  done(tree, create_dir("/d"));
  EXPECT_EQ(failed(tree, swap("/d", "2", "1")), "102 /d @1");
  EXPECT_EQ(failed(tree, swap("/a", "2", "1")), "100 /a @1");
  EXPECT_EQ(failed(tree, swap("/", "2", "1")), "107 / @1");
}

TEST(Tree, compare_and_delete_by_value_or_index) {
  Tree tree;
  done(tree, create("/a", "1"));
  done(tree, create("/b", "1"));
  const Event event = done(tree, compare_and_delete("/a", "1"));
  EXPECT_EQ(event.action, Action::compare_and_delete);
  EXPECT_EQ(event.node.key, "/a");
  EXPECT_FALSE(event.node.value);
  EXPECT_EQ(event.node.created_index, 1U);
  EXPECT_EQ(event.previous->value, "1");
  done(tree, compare_and_delete("/b", "", 2));
  EXPECT_EQ(tree.nodes(), 0U);
}

TEST(Tree, compare_and_delete_fails_as_compare_and_swap_does) {
  Tree tree;
  done(tree, create("/a", "b"));
  done(tree, create_dir("/d"));
  EXPECT_EQ(failed(tree, compare_and_delete("/a", "zz")), "101 [zz != b] @2");
  EXPECT_EQ(failed(tree, compare_and_delete("/a", "", 7)), "101 [7 != 1] @2");
  EXPECT_EQ(failed(tree, compare_and_delete("/d", "1")), "102 /d @2");
  EXPECT_EQ(failed(tree, compare_and_delete("/c", "1")), "100 /c @2");
  EXPECT_EQ(node_at(tree, "/a").value, "b");
}

// all of them

TEST(Tree, a_failed_command_never_bumps_the_index_nor_leaves_a_trace) {
  Tree tree;
  done(tree, create("/f", "1"));
  const std::size_t nodes = tree.nodes();
  for (const Command& command :
       {create("/f", "2"), create("/f/x/y", "2"), set("/", ""), set("/f/x", "2"), update("/n", "2"),
        update("/n/m", "2"), remove("/n"), remove_dir("/n/m"), swap("/f", "2", "3"),
        swap("/n", "2", "3"), compare_and_delete("/f", "3"),
        refreshed(after(std::chrono::seconds(1)), set("/n", ""))}) {
    EXPECT_FALSE(tree.apply(command)) << command.path;
    EXPECT_EQ(tree.index(), 1U) << command.path;
  }
  EXPECT_EQ(tree.nodes(), nodes);
  EXPECT_EQ(*tree.scan("/", true, 2), nullptr) << "nor an event";
}

TEST(Tree, what_can_be_no_command_is_refused) {
  Tree tree;
  EXPECT_EQ(tree.apply({.kind = static_cast<CommandKind>(99), .path = "/a"}).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(tree.apply(set("/\xff", "1")).error().code(), Code::invalid_argument);
  std::string deep;
  for (std::size_t i = 0; i < max_tree_depth; ++i) deep += "/a";
  EXPECT_EQ(tree.apply(set(deep, "1")).error().code(), Code::resource_exhausted);
  done(tree, set(deep.substr(2), "1"));
  EXPECT_EQ(tree.apply(set(std::string(max_tree_path_bytes + 1, 'a'), "1")).error().code(),
            Code::resource_exhausted);
}

TEST(Tree, says_how_many_nodes_a_path_lacks) {
  Tree tree;
  done(tree, create("/a/b", "1"));
  EXPECT_EQ(tree.missing("/a/b"), 0U);
  EXPECT_EQ(tree.missing("/"), 0U);
  EXPECT_EQ(tree.missing("/a/c"), 1U);
  EXPECT_EQ(tree.missing("/x/y/z"), 3U);
}

TEST(Tree, counts_successes_and_failures_of_each_kind) {
  Tree tree;
  done(tree, create("/a", "1"));
  failed(tree, create("/a", "1"));
  done(tree, set("/a", "2"));
  failed(tree, set("/", "2"));
  done(tree, update("/a", "3"));
  failed(tree, update("/n", "3"));
  done(tree, swap("/a", "4", "3"));
  failed(tree, swap("/a", "4", "3"));
  failed(tree, compare_and_delete("/a", "3"));
  done(tree, compare_and_delete("/a", "4"));
  failed(tree, remove("/a"));
  done(tree, until(after(std::chrono::seconds(1)), set("/t", "1")));
  done(tree, expire(after(std::chrono::seconds(1))));
  done(tree, set("/b", "1"));
  done(tree, remove("/b"));
  Statistics expected;
  expected.create_success = expected.create_fail = 1;
  expected.set_success = 3;
  expected.set_fail = 1;
  expected.update_success = expected.update_fail = 1;
  expected.compare_and_swap_success = expected.compare_and_swap_fail = 1;
  expected.compare_and_delete_success = expected.compare_and_delete_fail = 1;
  expected.delete_success = expected.delete_fail = 1;
  expected.expire_count = 1;
  EXPECT_EQ(tree.statistics(), expected);
}

}  // namespace
}  // namespace parley::kv
