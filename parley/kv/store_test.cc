#include "parley/kv/store.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parley/kv/testing/store_at.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::kv {
namespace {

using namespace parley::kv::testing;
using namespace std::chrono_literals;

// A store whose log keeps the first batch until `gate` opens.
struct Gated {
  explicit Gated(const StoreOptions& options = {})
      : store(Tree(), options, std::make_unique<BookedLog>(book)) {
    book.answer = [this] {
      entered.set();
      (void)gate.wait();
      return Status();
    };
  }
  ~Gated() { gate.set(); }

  // Has the committer busy with a write of its own.
  void occupy(rt::Scope& scope) {
    scope.go("first", [this] { done(store, set("/first", "1")); });
    (void)entered.wait();
  }

  rt::Event entered;
  rt::Event gate;
  LogBook book;
  Store store;
};

std::vector<std::string> paths_of(const std::vector<Command>& batch) {
  std::vector<std::string> paths;
  for (const Command& command : batch) paths.push_back(command.path);
  return paths;
}

PARLEY_FIBER_TEST(Store, writes_and_reads_back_in_memory) {
  Store store;
  EXPECT_EQ(done(store, create("/a", "1")).index, 1U);
  EXPECT_EQ((*store.get("/a"))->node.value, "1");
  EXPECT_EQ(told(store.write(create("/a", "2")).error()), "105 /a @1");
  EXPECT_EQ(told(store.get("/b").error()), "100 /b @1");
  EXPECT_EQ(store.index(), 1U);
  EXPECT_TRUE(store.status().is_ok());
}

PARLEY_FIBER_TEST(Store, counts_gets_and_watchers_with_the_rest) {
  Store store;
  done(store, create("/a", "1"));
  (void)store.get("/a");
  (void)store.get("/b");
  (void)store.get("/b");
  Watcher watcher = watching(store, "/a");
  const Statistics statistics = store.statistics();
  EXPECT_EQ(statistics.create_success, 1U);
  EXPECT_EQ(statistics.get_success, 1U);
  EXPECT_EQ(statistics.get_fail, 2U);
  EXPECT_EQ(statistics.watchers, 1U);
}

PARLEY_FIBER_TEST(Store, saves_what_a_tree_recovers_from) {
  Store store;
  done(store, create("/a", "1"));
  auto tree = Tree::recover(*store.save());
  ASSERT_TRUE(tree);
  Store again(*std::move(tree));
  EXPECT_EQ((*again.get("/a"))->node.value, "1");
  EXPECT_EQ(done(again, set("/b", "1")).index, 2U);
}

PARLEY_FIBER_TEST(Store, refuses_what_is_no_write_for_users_before_anything_happens) {
  Store store(Tree(), {.limits = {.max_value_bytes = 2}});
  EXPECT_EQ(store.write(expire(start)).error().code(), Code::invalid_argument);
  EXPECT_EQ(store.write(set("/a", "123")).error().code(), Code::resource_exhausted);
  EXPECT_EQ(store.write(set("/\xff", "1")).error().code(), Code::invalid_argument);
  EXPECT_EQ(store.counts().commands, 0U);
}

// Group commit

PARLEY_FIBER_TEST(Store, writers_that_wait_share_one_batch_of_the_log) {
  Gated gated;
  rt::Scope scope;
  gated.occupy(scope);
  for (int i = 0; i < 50; ++i) {
    scope.go("writer", [&, i] { done(gated.store, set("/" + std::to_string(i), "1")); });
  }
  rt::yield();
  gated.gate.set();
  scope.join();
  ASSERT_EQ(gated.book.batches.size(), 2U);
  EXPECT_EQ(gated.book.batches[1].size(), 50U);
  EXPECT_EQ(gated.book.indexes, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(gated.book.applied_calls, 2U);
  EXPECT_EQ(gated.store.index(), 51U);
  EXPECT_EQ(gated.store.counts().largest_batch, 50U);
  EXPECT_EQ(gated.store.counts().batches, 2U);
  EXPECT_EQ(gated.store.counts().commands, 51U);
}

PARLEY_FIBER_TEST(Store, each_writer_of_a_batch_gets_its_own_answer) {
  Gated gated;
  rt::Scope scope;
  gated.occupy(scope);
  std::vector<std::string> answers(2);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    scope.go("writer", [&, i] {
      const auto event = gated.store.write(create("/a", std::to_string(i)));
      answers[i] = event ? (*event)->node.value.value_or("") : told(event.error());
    });
    rt::yield();
  }
  gated.gate.set();
  scope.join();
  EXPECT_EQ(answers, (std::vector<std::string>{"0", "105 /a @2"}));
}

PARLEY_FIBER_TEST(Store, nobody_reads_or_watches_what_the_log_has_not_kept) {
  Gated gated;
  Watcher watcher = watching(gated.store, "/first");
  rt::Scope scope;
  gated.occupy(scope);
  EXPECT_EQ(told(gated.store.get("/first").error()), "100 /first @0");
  EXPECT_EQ(next_of(watcher), "nothing");
  gated.gate.set();
  scope.join();
  EXPECT_TRUE(gated.store.get("/first"));
  EXPECT_EQ(next_of(watcher), "set /first 1");
}

PARLEY_FIBER_TEST(Store, batches_are_bounded_by_number_and_by_bytes) {
  const std::size_t one = set("/0", std::string(100, 'x')).bytes();
  for (const StoreOptions& options :
       {StoreOptions{.max_batch = 2}, StoreOptions{.max_batch_bytes = 2 * one}}) {
    Gated gated(options);
    rt::Scope scope;
    gated.occupy(scope);
    for (int i = 0; i < 4; ++i) {
      scope.go("writer",
               [&, i] { done(gated.store, set("/" + std::to_string(i), std::string(100, 'x'))); });
      rt::yield();
    }
    gated.gate.set();
    scope.join();
    ASSERT_EQ(gated.book.batches.size(), 3U);
    EXPECT_EQ(paths_of(gated.book.batches[1]), (std::vector<std::string>{"/0", "/1"}));
    EXPECT_EQ(paths_of(gated.book.batches[2]), (std::vector<std::string>{"/2", "/3"}));
  }
}

PARLEY_FIBER_TEST(Store, more_writes_than_may_wait_are_refused_by_the_name_of_the_limit) {
  const std::size_t one = set("/0", "").bytes();
  const std::vector<std::pair<StoreOptions, std::string>> cases = {
      {{.max_waiting = 2}, "(max_waiting)"},
      {{.max_waiting_bytes = 2 * one}, "(max_waiting_bytes)"}};
  for (const auto& [options, name] : cases) {
    Gated gated(options);
    rt::Scope scope;
    gated.occupy(scope);
    for (const char* path : {"/0", "/1"}) {
      scope.go("writer", [&, path] { done(gated.store, set(path, "")); });
    }
    rt::yield();
    const auto refused = gated.store.write(set("/2", ""));
    EXPECT_EQ(refused.error().code(), Code::resource_exhausted);
    EXPECT_NE(refused.error().message().find(name), std::string::npos) << refused.error();
    EXPECT_EQ(gated.store.counts().refused_waiting, 1U);
    gated.gate.set();
    scope.join();
    done(gated.store, set("/2", ""));
  }
}

PARLEY_FIBER_TEST(Store, max_nodes_bounds_the_tree_but_not_changes_of_what_is_there) {
  Store store(Tree(), {.max_nodes = 3});
  done(store, set("/a/b", "1"));
  EXPECT_EQ(store.write(set("/c/d", "1")).error().code(), Code::resource_exhausted);
  EXPECT_EQ(store.write(create_in_order("/c", "1")).error().code(), Code::resource_exhausted);
  EXPECT_EQ(store.counts().refused_nodes, 2U);
  done(store, set("/c", "1"));
  done(store, set("/a/b", "2"));
  EXPECT_EQ(store.write(set("/d", "1")).error().code(), Code::resource_exhausted);
  done(store, remove("/c"));
  done(store, set("/d", "1"));
}

// Who does not wait

TEST(Store, a_write_whose_deadline_ends_while_it_waits_has_not_happened) {
  in_virtual_time([] {
    Gated gated(dated());
    rt::Scope scope;
    gated.occupy(scope);
    const auto event = gated.store.write(set("/a", "1"), rt::Deadline::after(1s));
    EXPECT_EQ(event.error().code(), Code::not_sent);
    EXPECT_NE(event.error().cause().find("deadline"), std::string::npos) << event.error();
    gated.gate.set();
    scope.join();
    EXPECT_EQ(gated.store.index(), 1U);
    EXPECT_FALSE(gated.store.get("/a"));
  });
}

TEST(Store, a_write_that_is_on_its_way_to_the_log_may_happen_after_its_deadline) {
  in_virtual_time([] {
    Gated gated(dated());
    const auto event = gated.store.write(set("/a", "1"), rt::Deadline::after(1s));
    EXPECT_EQ(event.error().code(), Code::outcome_unknown);
    EXPECT_FALSE(gated.store.get("/a"));
    gated.gate.set();
    done(gated.store, set("/b", "1"));
    EXPECT_TRUE(gated.store.get("/a")) << "it has";
  });
}

TEST(Store, a_cancelled_writer_is_told_whether_its_write_was_taken_back) {
  in_virtual_time([] {
    Gated gated(dated());
    rt::Scope scope;
    Code first = Code::ok;
    Code second = Code::ok;
    {
      rt::Scope cancelled(rt::OnExit::cancel);
      cancelled.go("on its way", [&] { first = gated.store.write(set("/a", "1")).error().code(); });
      (void)gated.entered.wait();
      cancelled.go("waits", [&] { second = gated.store.write(set("/b", "1")).error().code(); });
      (void)rt::sleep(1s);
    }
    EXPECT_EQ(first, Code::outcome_unknown);
    EXPECT_EQ(second, Code::not_sent);
    gated.gate.set();
    done(gated.store, set("/c", "1"));
    EXPECT_TRUE(gated.store.get("/a"));
    EXPECT_FALSE(gated.store.get("/b"));
  });
}

// The log fails

PARLEY_FIBER_TEST(Store, a_batch_that_the_log_did_not_keep_did_not_happen_and_the_store_goes_on) {
  LogBook book;
  Store store(Tree(), {}, std::make_unique<BookedLog>(book));
  book.answer = [] { return Status(Code::resource_exhausted, "the disk is full"); };
  const auto event = store.write(set("/a", "1"));
  EXPECT_EQ(event.error().code(), Code::resource_exhausted);
  EXPECT_EQ(event.error().message(), "the disk is full");
  EXPECT_EQ(store.index(), 0U);
  book.answer = [] { return Status(); };
  done(store, set("/a", "2"));
  EXPECT_EQ(book.indexes, (std::vector<std::uint64_t>{0}));
}

PARLEY_FIBER_TEST(Store, a_broken_log_ends_writing_and_leaves_reading) {
  LogBook book;
  Store store(Tree(), {}, std::make_unique<BookedLog>(book));
  done(store, set("/a", "1"));
  Watcher watcher = watching(store, "/a");
  book.answer = [&] {
    book.broken = true;
    return Status(Code::data_loss, "Input/output error");
  };
  const auto first = store.write(set("/a", "2"));
  EXPECT_EQ(first.error().code(), Code::outcome_unknown);
  EXPECT_NE(first.error().cause().find("Input/output error"), std::string::npos);
  const auto second = store.write(set("/a", "3"));
  EXPECT_EQ(second.error().code(), Code::data_loss);
  EXPECT_NE(second.error().cause().find("Input/output error"), std::string::npos);
  EXPECT_EQ(store.status().code(), Code::data_loss);
  EXPECT_EQ((*store.get("/a"))->node.value, "1");
  EXPECT_EQ(next_of(watcher), "nothing");
  EXPECT_EQ(book.batches.size(), 1U);
}

TEST(Store, a_broken_log_answers_those_that_wait_and_nothing_expires_any_more) {
  in_virtual_time([] {
    Gated gated(dated());
    gated.gate.set();
    done(gated.store, until(after(1s), set("/t", "1")));
    gated.gate.reset();
    gated.entered.reset();
    gated.book.answer = [&] {
      gated.entered.set();
      (void)gated.gate.wait();
      gated.book.broken = true;
      return Status(Code::data_loss, "Input/output error");
    };
    Code first = Code::ok;
    Code second = Code::ok;
    rt::Scope scope;
    scope.go("on its way", [&] { first = gated.store.write(set("/a", "1")).error().code(); });
    (void)gated.entered.wait();
    scope.go("waits", [&] { second = gated.store.write(set("/b", "1")).error().code(); });
    rt::yield();
    gated.gate.set();
    scope.join();
    EXPECT_EQ(first, Code::outcome_unknown);
    EXPECT_EQ(second, Code::data_loss);
    (void)rt::sleep(2s);
    EXPECT_TRUE(gated.store.get("/t"));
  });
}

PARLEY_FIBER_TEST(Store, a_save_that_fails_is_counted_and_changes_nothing) {
  LogBook book;
  Store store(Tree(), {}, std::make_unique<BookedLog>(book));
  book.applied = Status(Code::resource_exhausted, "no room for a snapshot");
  done(store, set("/a", "1"));
  done(store, set("/a", "2"));
  EXPECT_EQ(store.counts().failed_saves, 2U);
  EXPECT_TRUE(store.status().is_ok());
}

// The end

PARLEY_FIBER_TEST(Store, stop_finishes_the_writes_that_wait_and_takes_no_more) {
  Gated gated;
  gated.book.closed = Status(Code::data_loss, "a last sync failed");
  rt::Scope scope;
  gated.occupy(scope);
  scope.go("waits", [&] { done(gated.store, set("/a", "1")); });
  rt::yield();
  scope.go("opens", [&] { gated.gate.set(); });
  EXPECT_EQ(gated.store.stop().code(), Code::data_loss);
  EXPECT_EQ(gated.store.stop().code(), Code::data_loss) << "the same again";
  scope.join();
  EXPECT_EQ(gated.book.close_calls, 1U);
  EXPECT_TRUE(gated.store.get("/a")) << "reads go on";
  EXPECT_EQ(gated.store.write(set("/b", "1")).error().code(), Code::unavailable);
  EXPECT_EQ(gated.store.watch("/b").error().code(), Code::unavailable);
  EXPECT_EQ(gated.store.status().code(), Code::unavailable);
}

// Times to live

TEST(Store, takes_away_what_is_due_by_itself_and_logs_that) {
  in_virtual_time([] {
    LogBook book;
    Store store(Tree(), dated(), std::make_unique<BookedLog>(book));
    done(store, until(after(1s), set("/a", "1")));
    EXPECT_TRUE(store.get("/a"));
    EXPECT_EQ((*store.get("/a"))->node.ttl(store.wall()), 1);
    (void)rt::sleep(990ms);
    EXPECT_TRUE(store.get("/a"));
    (void)rt::sleep(20ms);
    EXPECT_FALSE(store.get("/a"));
    EXPECT_EQ(store.statistics().expire_count, 1U);
    ASSERT_EQ(book.batches.size(), 2U);
    EXPECT_EQ(book.batches[1][0].kind, CommandKind::expire);
    EXPECT_GE(book.batches[1][0].now, after(1s));
  });
}

TEST(Store, rounds_of_expiry_are_no_closer_than_their_granularity) {
  const auto rounds = [](Duration granularity) {
    std::size_t count = 0;
    in_virtual_time([&] {
      LogBook book;
      StoreOptions options = dated();
      options.expiry_granularity = granularity;
      Store store(Tree(), options, std::make_unique<BookedLog>(book));
      for (int i = 0; i < 10; ++i) {
        done(store, until(after(1s + i * 20ms), set("/" + std::to_string(i), "1")));
      }
      (void)rt::sleep(3s);
      EXPECT_EQ(store.statistics().expire_count, 10U);
      count = book.batches.size() - 10;
    });
    return count;
  };
  EXPECT_EQ(rounds(1ms), 10U);
  EXPECT_EQ(rounds(100ms), 3U);
}

TEST(Store, a_write_never_meets_what_was_overdue_before_it) {
  in_virtual_time([] {
    StoreOptions options = dated();
    options.expiry_granularity = 1h;
    Store store(Tree(), options);
    done(store, until(after(1s), set("/a", "1")));
    done(store, until(after(2s), set("/b", "1")));
    (void)rt::sleep(5s);
    EXPECT_TRUE(store.get("/b")) << "the next round is an hour away";
    EXPECT_EQ(told(store.write(update("/b", "2")).error()), "100 /b @4");
  });
}

TEST(Store, what_was_overdue_when_it_was_recovered_goes_at_once) {
  in_virtual_time([] {
    Tree tree;
    done(tree, until(after(-10s), set("/a", "1")));
    Store store(std::move(tree), dated());
    (void)rt::sleep(10ms);
    EXPECT_FALSE(store.get("/a"));
  });
}

TEST(Store, an_expiry_that_the_log_does_not_keep_is_tried_again) {
  in_virtual_time([] {
    LogBook book;
    Store store(Tree(), dated(), std::make_unique<BookedLog>(book));
    done(store, until(after(1s), set("/a", "1")));
    book.answer = [] { return Status(Code::resource_exhausted, "the disk is full"); };
    (void)rt::sleep(2s);
    EXPECT_TRUE(store.get("/a"));
    book.answer = [] { return Status(); };
    (void)rt::sleep(200ms);
    EXPECT_FALSE(store.get("/a"));
  });
}

// All workers

TEST(Store, on_four_workers_swaps_are_atomic_and_a_watcher_sees_all_of_them_in_order) {
  rt::testing::run_fiber_test(
      [] {
        constexpr int writers = 8;
        constexpr int swaps = 100;
        Store store(Tree(), {.max_queued_events = writers * swaps});
        done(store, set("/n", "0"));
        Watcher watcher = watching(store, "/", {.recursive = true, .stream = true});
        rt::Scope scope;
        for (int i = 0; i < writers; ++i) {
          scope.go("writer", [&] {
            for (int done_so_far = 0; done_so_far < swaps;) {
              const auto now = store.get("/n");
              const std::string value = (*now)->node.value.value_or("");
              const auto event =
                  store.write(swap("/n", std::to_string(std::stoi(value) + 1), value));
              if (event) ++done_so_far;
            }
          });
        }
        scope.join();
        EXPECT_EQ((*store.get("/n"))->node.value, std::to_string(writers * swaps));
        for (int i = 1; i <= writers * swaps; ++i) {
          const auto event = watcher.next();
          ASSERT_EQ((*event)->node.value, std::to_string(i));
        }
      },
      {.workers = 4});
}

TEST(Store, on_four_workers_watchers_come_and_go_while_writers_write_and_leave) {
  rt::testing::run_fiber_test(
      [] {
        Store store(Tree(), {.max_queued_events = 2, .max_waiting = 1'000});
        rt::Scope scope;
        for (int i = 0; i < 4; ++i) {
          scope.go("writer", [&, i] {
            for (int j = 0; j < 200; ++j) {
              const rt::Deadline deadline =
                  j % 3 == 0 ? rt::Deadline::at(rt::now()) : rt::Deadline::never();
              const auto event = store.write(set("/" + std::to_string(i), "1"), deadline);
              if (event) continue;
              const Code code = event.error().code();
              EXPECT_TRUE(code == Code::not_sent || code == Code::outcome_unknown);
            }
          });
          scope.go("watcher", [&] {
            for (int j = 0; j < 100; ++j) {
              Watcher watcher = watching(store, "/", {.recursive = true, .stream = j % 2 == 0});
              (void)watcher.next(rt::Deadline::after(1ms));
            }
          });
        }
        scope.join();
        EXPECT_EQ(store.statistics().watchers, 0U);
        EXPECT_EQ(store.index(), store.statistics().set_success);
        EXPECT_GE(store.index(), 4U * 133U);
      },
      {.workers = 4});
}

}  // namespace
}  // namespace parley::kv
