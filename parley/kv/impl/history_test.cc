#include "parley/kv/impl/history.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "parley/kv/testing/at.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

// The index of the event found; 0 for none.
std::uint64_t found(const Tree& tree, std::string_view path, bool recursive, std::uint64_t since) {
  const auto event = tree.scan(path, recursive, since);
  if (!event) {
    ADD_FAILURE() << event.error();
    return 0;
  }
  return *event == nullptr ? 0 : (*event)->index;
}

TEST(History, finds_the_first_event_of_a_path_from_an_index_on) {
  Tree tree;
  done(tree, create("/a", "1"));     // 1
  done(tree, create("/b", "1"));     // 2
  done(tree, update("/a", "2"));     // 3
  done(tree, create("/a2/b", "1"));  // 4
  EXPECT_EQ(found(tree, "/a", false, 1), 1U);
  EXPECT_EQ(found(tree, "/a", false, 2), 3U);
  EXPECT_EQ(found(tree, "/a", false, 4), 0U) << "/a2 is another path";
  EXPECT_EQ(found(tree, "/a", true, 4), 0U);
  EXPECT_EQ(found(tree, "/a2", false, 1), 0U) << "not recursive";
  EXPECT_EQ(found(tree, "/a2", true, 1), 4U);
  EXPECT_EQ(found(tree, "/", true, 2), 2U);
  EXPECT_EQ(found(tree, "/a", false, 100), 0U) << "in the future";
}

TEST(History, finds_nothing_while_there_is_none) {
  const Tree tree;
  EXPECT_EQ(found(tree, "/", true, 1), 0U);
}

TEST(History, finds_the_removal_of_a_folder_above) {
  Tree tree;
  done(tree, create("/a/b/c", "1"));  // 1
  done(tree, remove_all("/a"));       // 2
  EXPECT_EQ(found(tree, "/a/b", false, 2), 2U);
  EXPECT_EQ(found(tree, "/ab", false, 2), 0U) << "only below it";
  done(tree, until(after(1s), create_dir("/t")));  // 3
  done(tree, expire(after(1s)));                   // 4
  EXPECT_EQ(found(tree, "/t/x", false, 3), 4U);
}

TEST(History, passes_over_refreshes) {
  Tree tree;
  done(tree, set("/a", "1"));
  done(tree, refreshed(after(1s), set("/a", "")));
  EXPECT_EQ(found(tree, "/a", false, 2), 0U);
  done(tree, set("/a", "2"));
  EXPECT_EQ(found(tree, "/a", false, 2), 3U);
}

TEST(History, shows_hidden_keys_as_etcd_does) {
  Tree tree;
  done(tree, create("/a/_h/x", "1"));
  EXPECT_EQ(found(tree, "/a", true, 1), 1U);
}

TEST(History, keeps_a_thousand_events_and_says_since_when) {
  Tree tree;
  for (int i = 1; i <= 1'117; ++i) done(tree, set("/a", "1"));
  EXPECT_EQ(told(tree.scan("/a", false, 5).error()),
            "401 the requested history has been cleared [118/5] @1117");
  EXPECT_EQ(told(tree.scan("/a", false, 117).error()),
            "401 the requested history has been cleared [118/117] @1117");
  EXPECT_EQ(found(tree, "/a", false, 118), 118U);
}

TEST(History, its_length_is_an_option) {
  Tree two({.max_history = 2});
  Tree three({.max_history = 3});
  for (int i = 0; i < 4; ++i) {
    done(two, set("/a", "1"));
    done(three, set("/a", "1"));
  }
  EXPECT_FALSE(two.scan("/a", false, 2));
  EXPECT_TRUE(three.scan("/a", false, 2));
}

TEST(History, its_bytes_are_bounded_but_the_last_event_stays) {
  impl::History small(100, 1'500);
  impl::History large(100, 1'000'000);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    auto event = std::make_shared<Event>();
    event->index = i;
    event->node.key = "/a";
    event->node.value = std::string(i == 4 ? 5'000 : 400, 'x');
    small.add(event);
    large.add(event);
  }
  EXPECT_EQ(small.events().size(), 1U);
  EXPECT_EQ(small.events().front()->index, 4U);
  EXPECT_EQ(large.events().size(), 4U);
  EXPECT_GT(large.bytes(), 6'000U);
}

}  // namespace
}  // namespace parley::kv
