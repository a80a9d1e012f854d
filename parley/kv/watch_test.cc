#include "parley/kv/watch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "parley/kv/testing/store_at.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

constexpr WatchOptions recursive{.recursive = true};
constexpr WatchOptions stream{.stream = true};
constexpr WatchOptions all{.recursive = true, .stream = true};

PARLEY_FIBER_TEST(Watch, brings_the_creation_of_its_path_and_is_over) {
  Store store;
  Watcher watcher = watching(store, "/foo");
  EXPECT_EQ(watcher.start_index(), 0U);
  EXPECT_EQ(next_of(watcher), "nothing");
  done(store, create("/foo", "bar"));
  done(store, update("/foo", "baz"));
  EXPECT_EQ(next_of(watcher), "create /foo bar");
  EXPECT_EQ(next_of(watcher), "out_of_range");
  EXPECT_EQ(store.statistics().watchers, 0U);
}

PARLEY_FIBER_TEST(Watch, sees_what_is_below_only_when_recursive) {
  Store store;
  Watcher deep = watching(store, "/foo", recursive);
  Watcher root = watching(store, "/", recursive);
  Watcher flat = watching(store, "/foo");
  done(store, create("/foo/bar", "baz"));
  done(store, create("/foobar", "1"));
  EXPECT_EQ(next_of(deep), "create /foo/bar baz");
  EXPECT_EQ(next_of(root), "create /foo/bar baz");
  EXPECT_EQ(next_of(flat), "nothing") << "not even of the folder made for it";
}

PARLEY_FIBER_TEST(Watch, brings_updates_swaps_and_removals_of_its_path_and_below) {
  Store store;
  done(store, create("/foo/bar", "1"));
  Watcher own = watching(store, "/foo/bar", stream);
  Watcher above = watching(store, "/foo", all);
  done(store, update("/foo/bar", "2"));
  done(store, swap("/foo/bar", "3", "2"));
  done(store, set("/foo/bar", "4"));
  done(store, compare_and_delete("/foo/bar", "4"));
  done(store, create("/foo/bar", "5"));
  done(store, remove("/foo/bar"));
  for (Watcher* watcher : {&own, &above}) {
    EXPECT_EQ(next_of(*watcher), "update /foo/bar 2");
    EXPECT_EQ(next_of(*watcher), "compareAndSwap /foo/bar 3");
    EXPECT_EQ(next_of(*watcher), "set /foo/bar 4");
    EXPECT_EQ(next_of(*watcher), "compareAndDelete /foo/bar");
    EXPECT_EQ(next_of(*watcher), "create /foo/bar 5");
    EXPECT_EQ(next_of(*watcher), "delete /foo/bar");
    EXPECT_EQ(next_of(*watcher), "nothing");
  }
}

PARLEY_FIBER_TEST(Watch, is_not_woken_by_what_fails) {
  Store store;
  done(store, create("/a", "1"));
  Watcher watcher = watching(store, "/a");
  EXPECT_FALSE(store.write(create("/a", "2")));
  EXPECT_FALSE(store.write(swap("/a", "2", "3")));
  EXPECT_EQ(next_of(watcher), "nothing");
}

PARLEY_FIBER_TEST(Watch, of_a_path_below_a_removed_folder_brings_that_removal) {
  Store store;
  done(store, create("/a/b/c", "1"));
  Watcher file = watching(store, "/a/b/c");
  Watcher folder = watching(store, "/a/b", all);
  Watcher nothing = watching(store, "/a/x");
  done(store, remove_all("/a"));
  EXPECT_EQ(next_of(file), "delete /a");
  EXPECT_EQ(next_of(folder), "delete /a");
  EXPECT_EQ(next_of(folder), "nothing") << "one event comes once";
  EXPECT_EQ(next_of(nothing), "nothing") << "it was not there";
}

PARLEY_FIBER_TEST(Watch, a_change_under_a_hidden_name_is_seen_from_inside_only) {
  Store store;
  Watcher root = watching(store, "/", all);
  Watcher above = watching(store, "/a", all);
  Watcher hidden = watching(store, "/a/_h", all);
  Watcher exact = watching(store, "/a/_h/x/_y", stream);
  done(store, create("/a/_h/x/_y", "1"));
  done(store, create("/a/_h/z", "1"));
  done(store, update("/a/_h/z", "2"));
  done(store, remove("/a/_h/z"));
  EXPECT_EQ(next_of(root), "nothing");
  EXPECT_EQ(next_of(above), "nothing");
  EXPECT_EQ(next_of(exact), "create /a/_h/x/_y 1");
  EXPECT_EQ(next_of(hidden), "create /a/_h/z 1") << "/x/_y is hidden from there, too";
  EXPECT_EQ(next_of(hidden), "update /a/_h/z 2");
  EXPECT_EQ(next_of(hidden), "delete /a/_h/z");
  done(store, create("/a/v", "1"));
  EXPECT_EQ(next_of(root), "create /a/v 1") << "the others still live";
  EXPECT_EQ(next_of(above), "create /a/v 1");
}

PARLEY_FIBER_TEST(Watch, of_a_hidden_name_itself_brings_its_changes) {
  Store store;
  Watcher watcher = watching(store, "/_foo", stream);
  done(store, create("/_foo", "1"));
  done(store, update("/_foo", "2"));
  done(store, remove("/_foo"));
  EXPECT_EQ(next_of(watcher), "create /_foo 1");
  EXPECT_EQ(next_of(watcher), "update /_foo 2");
  EXPECT_EQ(next_of(watcher), "delete /_foo");
}

PARLEY_FIBER_TEST(Watch, the_removal_of_a_folder_wakes_who_watches_a_hidden_path_in_it) {
  Store store;
  done(store, create("/a/_h", "1"));
  Watcher watcher = watching(store, "/a/_h");
  done(store, remove_all("/a"));
  EXPECT_EQ(next_of(watcher), "delete /a");
}

PARLEY_FIBER_TEST(Watch, a_stream_goes_on_and_another_is_over_after_one) {
  Store store;
  Watcher on = watching(store, "/a", stream);
  Watcher once = watching(store, "/a");
  done(store, set("/a", "1"));
  done(store, set("/a", "2"));
  EXPECT_EQ(next_of(on), "set /a 1");
  EXPECT_EQ(next_of(on), "set /a 2");
  EXPECT_EQ(next_of(on), "nothing");
  EXPECT_EQ(next_of(once), "set /a 1");
  EXPECT_EQ(next_of(once), "out_of_range");
}

// since

PARLEY_FIBER_TEST(Watch, from_an_index_in_the_past_the_first_event_comes_at_once) {
  Store store;
  done(store, set("/a", "1"));
  done(store, set("/b", "1"));
  done(store, set("/a", "2"));
  Watcher watcher = watching(store, "/a", {.since = 2});
  EXPECT_EQ(watcher.start_index(), 3U);
  EXPECT_EQ(next_of(watcher), "set /a 2");
  EXPECT_EQ(next_of(watcher), "out_of_range");
}

PARLEY_FIBER_TEST(Watch, even_a_stream_from_the_past_brings_one_event_as_in_etcd) {
  Store store;
  done(store, set("/a", "1"));
  done(store, set("/a", "2"));
  Watcher watcher = watching(store, "/a", {.stream = true, .since = 1});
  done(store, set("/a", "3"));
  EXPECT_EQ(next_of(watcher), "set /a 1");
  EXPECT_EQ(next_of(watcher), "out_of_range");
  EXPECT_EQ(store.statistics().watchers, 0U) << "it never was one";
}

PARLEY_FIBER_TEST(Watch, the_past_shows_hidden_keys_as_in_etcd) {
  Store store;
  Watcher live = watching(store, "/a", recursive);
  done(store, create("/a/_h/x", "1"));
  EXPECT_EQ(next_of(live), "nothing");
  Watcher past = watching(store, "/a", {.recursive = true, .since = 1});
  EXPECT_EQ(next_of(past), "create /a/_h/x 1");
}

PARLEY_FIBER_TEST(Watch, from_an_index_to_come_waits_for_it) {
  Store store;
  Watcher watcher = watching(store, "/a", {.stream = true, .since = 3});
  for (const char* value : {"1", "2", "3", "4"}) done(store, set("/a", value));
  EXPECT_EQ(next_of(watcher), "set /a 3");
  EXPECT_EQ(next_of(watcher), "set /a 4");
}

PARLEY_FIBER_TEST(Watch, from_before_the_history_fails_with_401) {
  Store store(Tree({.max_history = 2}));
  for (const char* value : {"1", "2", "3"}) done(store, set("/a", value));
  const auto watcher = store.watch("/a", {.since = 1});
  ASSERT_FALSE(watcher);
  EXPECT_EQ(told(watcher.error()), "401 the requested history has been cleared [2/1] @3");
}

// times to live

TEST(Watch, brings_what_expires_to_its_path_above_and_below) {
  in_virtual_time([] {
    Store store(Tree(), dated());
    done(store, until(after(500ms), create("/a/t", "1")));
    Command dir = create_dir("/d");
    done(store, until(after(600ms), dir));
    done(store, create("/d/x", "1"));
    Watcher own = watching(store, "/a/t");
    Watcher above = watching(store, "/a", recursive);
    Watcher below = watching(store, "/d/x");
    EXPECT_EQ(next_of(own), "nothing");
    EXPECT_EQ((*own.next())->action, Action::expire);
    EXPECT_EQ(next_of(above), "expire /a/t");
    EXPECT_EQ((*below.next())->node.key, "/d");
  });
}

TEST(Watch, a_hidden_path_that_expires_is_seen_from_inside_only) {
  in_virtual_time([] {
    Store store(Tree(), dated());
    done(store, until(after(500ms), create("/a/_t", "1")));
    Watcher above = watching(store, "/a", recursive);
    Watcher own = watching(store, "/a/_t");
    EXPECT_EQ((*own.next())->node.key, "/a/_t");
    EXPECT_EQ(next_of(above), "nothing");
  });
}

TEST(Watch, is_not_woken_by_a_refresh_but_by_the_expiry_that_comes_later) {
  in_virtual_time([] {
    Store store(Tree(), dated());
    done(store, until(after(1s), set("/a", "1")));
    Watcher watcher = watching(store, "/a", stream);
    done(store, refreshed(after(2s), set("/a", "")));
    done(store, refreshed(after(3s), update("/a", "")));
    done(store, refreshed(after(5s), swap("/a", "", "1")));
    EXPECT_EQ(next_of(watcher), "nothing");
    const auto event = watcher.next();
    EXPECT_EQ((*event)->action, Action::expire);
    EXPECT_GE(store.wall(), after(5s));
    EXPECT_EQ((*event)->previous->value, "1");
  });
}

TEST(Watch, is_woken_by_an_update_that_changes_the_time_without_saying_refresh) {
  in_virtual_time([] {
    Store store(Tree(), dated());
    done(store, until(after(1s), set("/a", "1")));
    Watcher watcher = watching(store, "/a", stream);
    done(store, until(after(2s), update("/a", "1")));
    EXPECT_EQ(next_of(watcher), "update /a 1");
  });
}

// limits and ends

PARLEY_FIBER_TEST(Watch, who_does_not_keep_up_gets_what_is_queued_and_then_400) {
  Store store;
  Watcher slow = watching(store, "/a", stream);
  for (int i = 1; i <= 102; ++i) done(store, set("/a", std::to_string(i)));
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(next_of(slow), "set /a " + std::to_string(i));
  EXPECT_EQ(next_of(slow),
            "400 more than 100 events waited for its reader (max_queued_events) @101");
  EXPECT_EQ(next_of(slow),
            "400 more than 100 events waited for its reader (max_queued_events) @101");
  EXPECT_EQ(store.statistics().watchers, 0U);
  EXPECT_EQ(store.counts().overflowed_watchers, 1U);
}

PARLEY_FIBER_TEST(Watch, how_many_events_are_queued_is_an_option) {
  Store store(Tree(), {.max_queued_events = 2});
  Watcher slow = watching(store, "/a", stream);
  for (int i = 1; i <= 3; ++i) done(store, set("/a", std::to_string(i)));
  EXPECT_EQ(next_of(slow), "set /a 1");
  EXPECT_EQ(next_of(slow), "set /a 2");
  EXPECT_EQ(next_of(slow).substr(0, 3), "400");
}

PARLEY_FIBER_TEST(Watch, more_than_max_watchers_are_refused_until_one_goes) {
  Store store(Tree(), {.max_watchers = 2});
  Watcher one = watching(store, "/a");
  std::optional<Watcher> two(watching(store, "/a"));
  const auto three = store.watch("/a");
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code(), Code::resource_exhausted);
  EXPECT_NE(three.error().message().find("max_watchers"), std::string::npos);
  two.reset();
  EXPECT_EQ(store.statistics().watchers, 1U);
  Watcher again = watching(store, "/b");
  EXPECT_EQ(store.statistics().watchers, 2U);
  one = std::move(again);
  done(store, set("/b", "1"));
  EXPECT_EQ(next_of(one), "set /b 1") << "moved";
}

TEST(Watch, a_wait_ends_with_its_deadline_or_context_and_loses_nothing) {
  in_virtual_time([] {
    Store store(Tree(), dated());
    Watcher watcher = watching(store, "/a", stream);
    EXPECT_EQ(watcher.next(rt::Deadline::after(1s)).error().code(), Code::deadline_exceeded);
    {
      auto [context, cancel] =
          rt::Context::current().with_timeout(1s, Status(Code::cancelled, "x"));
      const rt::WithContext bound(context);
      EXPECT_EQ(watcher.next().error().code(), Code::cancelled);
    }
    done(store, set("/a", "1"));
    EXPECT_EQ(next_of(watcher), "set /a 1");
  });
}

PARLEY_FIBER_TEST(Watch, a_fiber_that_waits_is_woken) {
  Store store;
  Watcher watcher = watching(store, "/a");
  std::string told;
  rt::Scope scope;
  scope.go("watcher", [&] { told = (*watcher.next())->node.value.value_or("none"); });
  scope.go("writer", [&] { done(store, set("/a", "1")); });
  scope.join();
  EXPECT_EQ(told, "1");
}

PARLEY_FIBER_TEST(Watch, ends_with_its_store_and_may_outlive_it) {
  std::optional<Store> store(std::in_place);
  Watcher queued = watching(*store, "/a", stream);
  Watcher waiting = watching(*store, "/b");
  done(*store, set("/a", "1"));
  std::string told;
  rt::Scope scope;
  scope.go("watcher", [&] { told = name_of(waiting.next().error().code()); });
  store.reset();
  scope.join();
  EXPECT_EQ(told, "unavailable");
  EXPECT_EQ(next_of(queued), "set /a 1");
  EXPECT_EQ(next_of(queued), "unavailable");
}

}  // namespace
}  // namespace parley::kv
