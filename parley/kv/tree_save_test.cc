// Tree::save() and Tree::recover().
#include <gtest/gtest.h>

#include <string>

#include "parley/base/random.h"
#include "parley/kv/testing/at.h"
#include "parley/kv/tree.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

Tree full_tree() {
  Tree tree;
  done(tree, create("/a/b", "1"));
  done(tree, until(after(10s), create("/a/t", "soon")));
  done(tree, until(after(5s), create_dir("/d")));
  done(tree, create("/d/_hidden", std::string("\xff\x00\x80", 3)));
  done(tree, refreshed(after(20s), set("/a/t", "")));
  done(tree, remove("/a/b"));
  failed(tree, remove("/nothing"));
  return tree;
}

Tree recovered(const Tree& tree, const TreeOptions& options = {}) {
  auto text = tree.save();
  EXPECT_TRUE(text) << text.error();
  auto again = Tree::recover(*text, options);
  EXPECT_TRUE(again) << again.error();
  return *std::move(again);
}

TEST(TreeSave, a_recovered_tree_is_the_one_that_was_saved) {
  Tree tree = full_tree();
  Tree again = recovered(tree);
  EXPECT_EQ(again.index(), tree.index());
  EXPECT_EQ(again.nodes(), tree.nodes());
  EXPECT_EQ(again.statistics(), tree.statistics());
  EXPECT_EQ(again.next_expiration(), tree.next_expiration());
  EXPECT_EQ(**again.get("/", {.recursive = true}, start),
            **tree.get("/", {.recursive = true}, start));
  EXPECT_EQ(node_at(again, "/d/_hidden").value, std::string("\xff\x00\x80", 3)) << "also bytes";
  EXPECT_EQ(*again.save(), *tree.save());
}

TEST(TreeSave, the_history_comes_back_refreshes_included) {
  Tree tree = full_tree();
  Tree again = recovered(tree);
  for (std::uint64_t since = 1; since <= tree.index() + 1; ++since) {
    for (const char* path : {"/", "/a/t", "/a/b"}) {
      const EventRef expected = *tree.scan(path, true, since);
      const EventRef is = *again.scan(path, true, since);
      ASSERT_EQ(is == nullptr, expected == nullptr) << path << since;
      if (is != nullptr) {
        EXPECT_EQ(*is, *expected) << path << since;
      }
    }
  }
  EXPECT_EQ((*again.scan("/a/t", false, 3)), nullptr) << "the refresh";
}

TEST(TreeSave, an_empty_tree_comes_back) {
  Tree again = recovered(Tree());
  EXPECT_EQ(again.index(), 0U);
  done(again, set("/a", "1"));
}

TEST(TreeSave, what_is_overdue_comes_back_and_goes_with_the_next_expire) {
  Tree again = recovered(full_tree());
  EXPECT_EQ(node_at(again, "/d", after(1h)).ttl(after(1h)), -3'595);
  auto applied = again.apply(expire(after(1h)));
  ASSERT_EQ(applied->changes.size(), 2U);
  EXPECT_EQ(applied->changes[0].event->node.key, "/d");
  EXPECT_EQ(applied->changes[1].event->node.key, "/a/t");
}

TEST(TreeSave, the_same_commands_lead_on_to_the_same_tree) {
  Tree tree = full_tree();
  Tree again = recovered(tree);
  for (const Command& command :
       {create_in_order("/q", "1"), swap("/a/t", "2", "soon"), expire(after(6s)), remove_all("/a"),
        remove("/a"), set("/d", "1")}) {
    auto one = tree.apply(command);
    auto other = again.apply(command);
    ASSERT_EQ(one.has_value(), other.has_value()) << command.path;
    if (one) {
      EXPECT_EQ(*one->event, *other->event);
    }
  }
  EXPECT_EQ(*again.save(), *tree.save());
}

TEST(TreeSave, a_shorter_history_keeps_the_latest) {
  Tree again = recovered(full_tree(), {.max_history = 2});
  EXPECT_EQ(told(again.scan("/", true, 1).error()),
            "401 the requested history has been cleared [5/1] @6");
  EXPECT_TRUE(again.scan("/", true, 5));
}

TEST(TreeSave, what_is_larger_than_max_saved_bytes_is_refused_by_name) {
  Tree tree({.max_saved_bytes = 300});
  done(tree, set("/a", std::string(300, 'x')));
  const auto text = tree.save();
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), Code::resource_exhausted);
  EXPECT_NE(text.error().message().find("max_saved_bytes"), std::string::npos);
  const auto again = Tree::recover(*full_tree().save(), {.max_saved_bytes = 300});
  EXPECT_EQ(again.error().code(), Code::resource_exhausted);
}

TEST(TreeSave, a_newer_version_is_told_as_such) {
  const auto tree = Tree::recover(R"({"version":2,"index":0,"nodes":[],"history":[]})");
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code(), Code::failed_precondition);
  EXPECT_NE(tree.error().message().find("version 2"), std::string::npos);
}

// What no save() writes: a text, and a word of what is said of it.
TEST(TreeSave, what_cannot_have_been_saved_is_data_loss_and_says_why) {
  const std::string nodes = R"({"version":1,"index":1,"history":[{"action":"set","index":1,)"
                            R"("node":{"key":"/a","modified_index":1}}],"nodes":)";
  const std::string history = R"({"version":1,"index":2,"nodes":[],"history":)";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "read"},
      {"{", "read"},
      {"[]", "object"},
      {nodes + R"([{"key":"/a/b","value":""}]})", "folder is not"},
      {nodes + R"([{"key":"/a","value":""},{"key":"/a","value":""}]})", "twice"},
      {nodes + R"([{"key":"/a","value":""},{"key":"/a/b","value":""}]})", "folder is not"},
      {nodes + R"([{"key":"/","dir":true}]})", "twice"},
      {nodes + R"([{"key":"a","value":""}]})", "no path"},
      {nodes + R"([{"key":"/a/../b","value":""}]})", "no path"},
      {nodes + R"([{"key":"/a"}]})", "no value"},
      {nodes + R"([{"key":"/a","dir":true,"value":""}]})", "has a value"},
      {nodes + R"([{"key":"/a","value":"","bytes":""}]})", "two values"},
      {nodes + R"([{"key":"/a","value":"","created_index":2}]})", "future"},
      {history + "[]}", "history"},
      {history + R"([{"action":"set","index":1,"node":{"key":"/a","modified_index":1}}]})",
       "missing"},
      {history + R"([{"action":"get","index":2,"node":{"key":"/a","modified_index":2}}]})", "kind"},
      {history + R"([{"action":"set","index":2,"node":{"key":"/a","modified_index":1}}]})",
       "index"},
      {history + R"([{"action":"set","index":2,"node":{"key":"","modified_index":2}}]})",
       "no path"},
  };
  for (const auto& [text, word] : cases) {
    const auto tree = Tree::recover(text);
    ASSERT_FALSE(tree) << text;
    EXPECT_EQ(tree.error().code(), Code::data_loss) << text;
    EXPECT_NE(tree.error().message().find(word), std::string::npos) << tree.error();
  }
}

TEST(TreeSave, a_saved_tree_that_was_cut_anywhere_is_an_error) {
  const std::string text = *full_tree().save();
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(Tree::recover(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(TreeSave, survives_random_commands) {
  Random random(7);
  const auto number = [&](std::uint64_t below) { return random.below(below); };
  Tree tree({.max_history = 50});
  for (int i = 0; i < 3'000; ++i) {
    Command command{.kind = static_cast<CommandKind>(1 + number(7)),
                    .path = "/" + std::to_string(number(4)) + "/" + std::to_string(number(4)),
                    .value = std::to_string(number(3)),
                    .dir = number(4) == 0,
                    .unique = number(8) == 0,
                    .recursive = number(4) == 0,
                    .refresh = number(6) == 0,
                    .now = after(std::chrono::seconds(i))};
    if (number(3) == 0) command.path = "/" + std::to_string(number(4));
    if (number(3) == 0) command.expiration = command.now + std::chrono::seconds(number(20));
    if (number(2) == 0) command.prev_value = std::to_string(number(3));
    const std::uint64_t before = tree.index();
    auto applied = tree.apply(command);
    ASSERT_EQ(tree.index(), before + (applied ? applied->changes.size() : 0));
    if (i % 500 == 0) {
      Tree again = recovered(tree, tree.options());
      ASSERT_EQ(*again.save(), *tree.save());
      tree = std::move(again);
    }
  }
  EXPECT_GT(tree.index(), 500U);
}

}  // namespace
}  // namespace parley::kv
