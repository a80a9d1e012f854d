#include "parley/kv/durable.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/memory_files.h"
#include "parley/base/random.h"
#include "parley/base/testing/allocations.h"
#include "parley/kv/error.h"
#include "parley/kv/log.h"
#include "parley/kv/snapshot.h"
#include "parley/kv/store.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::kv {
namespace {

using Commands = std::vector<Command>;
using std::chrono::milliseconds;

const std::string folder = "/store";
const std::string snapshot_path = "/store/snapshot";
constexpr std::uint64_t for_ever = std::numeric_limits<std::uint64_t>::max();

// Small, so that a few commands fill them.
DurableOptions small(SyncPolicy policy = SyncPolicy::always) {
  return {.policy = policy, .snapshot_after_bytes = 600, .segment_bytes = 400};
}

Command set(std::string path, std::string value) {
  return {.kind = CommandKind::set, .path = std::move(path), .value = std::move(value)};
}

// A store's committer without a store.
Status write(DurableStore& store, const Commands& batch) {
  if (Status s = store.log->append(batch, store.tree.index()); !s.is_ok()) return s;
  for (const Command& command : batch) (void)store.tree.apply(command);
  return store.log->applied(store.tree);
}

std::string value_at(const Tree& tree, const std::string& path) {
  const auto event = tree.get(path, {}, WallTime());
  return event ? (*event)->node.value.value_or("a folder") : event.error().message();
}

std::string value_at(Store& store, const std::string& path) {
  const auto event = store.get(path);
  return event ? (*event)->node.value.value_or("a folder") : event.error().message();
}

Command any_command(Random& random, WallTime now) {
  static const std::vector<std::string> paths = {"/a", "/a/b", "/c", "/c/d/e", "/_h/x", "/q"};
  Command command{.kind = static_cast<CommandKind>(random.between(1, 7)), .now = now};
  if (command.kind == CommandKind::expire) return command;
  command.path = paths[random.below(paths.size())];
  command.unique = command.kind == CommandKind::create && random.chance(0.5);
  command.dir = random.chance(0.2);
  command.recursive = random.chance(0.5);
  if (!command.dir) command.value = std::string(random.between(1, 40), 'v');
  if (random.chance(0.3)) command.expiration = now + std::chrono::seconds(random.below(20));
  if (random.chance(0.3)) command.prev_index = random.between(1, 20);
  return command;
}

// --- crashes
// --------------------------------------------------------------------------------------

struct Trial {
  Commands commands{};   // in their order, what was tried last included
  std::size_t safe = 0;  // so many of them were promised to survive
  bool ended = false;
};

Trial written_until_a_fault(Files& files, const DurableOptions& options, std::uint64_t seed) {
  Trial trial;
  Random random(seed);
  auto store = open_durable(files, folder, options);
  if (!store) return trial;
  WallTime now(std::chrono::seconds(2'000'000'000));
  for (int step = 1; step <= 12; ++step) {
    Commands batch;
    for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
      batch.push_back(any_command(random, now += std::chrono::seconds(1)));
    }
    trial.commands.insert(trial.commands.end(), batch.begin(), batch.end());
    if (!store->log->append(batch, store->tree.index()).is_ok()) return trial;
    for (const Command& command : batch) (void)store->tree.apply(command);
    (void)store->log->applied(store->tree);
    if (options.policy == SyncPolicy::always) trial.safe = trial.commands.size();
    if (options.policy != SyncPolicy::interval || step % 4 != 0) continue;
    (void)rt::sleep(options.sync_interval * 2);
    if (!store->log->is_broken()) trial.safe = trial.commands.size();
  }
  trial.ended = true;
  return trial;
}

// A tree that applied the same commands.
class Model {
 public:
  explicit Model(const Commands& commands) : commands_(commands) {}

  // Whether `tree` is what the first commands made, at least and at most so many.
  bool was(const Tree& tree, std::size_t least) {
    Tree model;
    for (std::size_t count = 0;; ++count) {
      if (count >= least && model.index() == tree.index() &&
          model.statistics() == tree.statistics() && *model.save() == *tree.save()) {
        return true;
      }
      if (count == commands_.size()) return false;
      (void)model.apply(commands_[count]);
    }
  }

 private:
  const Commands& commands_;
};

void crash_after_every_operation(SyncPolicy policy) {
  for (const Unsynced unsynced : {Unsynced::lost, Unsynced::torn, Unsynced::kept}) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      bool ended = false;
      for (std::uint64_t operations = 0; !ended; ++operations) {
        MemoryFiles files({.seed = seed * 1'000 + operations, .unsynced = unsynced});
        rt::simulate({.seed = seed * 1'000 + operations}, [&] {
          const std::string where =
              "seed " + std::to_string(seed) + " operation " + std::to_string(operations);
          files.fail({.after = operations, .times = for_ever});
          Trial trial = written_until_a_fault(files, small(policy), seed);
          ended = trial.ended && files.operations() <= operations;
          files.clear_faults();
          files.crash();
          auto store = open_durable(files, folder, small(policy));
          ASSERT_TRUE(store) << store.error() << where;
          ASSERT_TRUE(Model(trial.commands).was(store->tree, trial.safe)) << where;
          // It goes on from there.
          ASSERT_TRUE(write(*store, {set("/more", "1")}).is_ok()) << where;
          const std::string saved = *store->tree.save();
          store->log.reset();
          store = open_durable(files, folder, small(policy));
          ASSERT_TRUE(store) << store.error() << where;
          ASSERT_EQ(*store->tree.save(), saved) << where;
        });
        ASSERT_LT(operations, 10'000U);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(DurableCrash, under_always_takes_back_nothing_that_was_answered) {
  crash_after_every_operation(SyncPolicy::always);
}

TEST(DurableCrash, under_interval_takes_back_only_what_was_written_since_the_last_sync) {
  crash_after_every_operation(SyncPolicy::interval);
}

TEST(DurableCrash, under_never_leaves_the_first_of_the_writes) {
  crash_after_every_operation(SyncPolicy::never);
}

TEST(DurableCrash, of_the_process_alone_takes_back_nothing_under_any_policy) {
  for (const SyncPolicy policy : {SyncPolicy::always, SyncPolicy::interval, SyncPolicy::never}) {
    MemoryFiles files;
    rt::simulate({}, [&] {
      {
        auto store = open_durable(files, folder, small(policy));
        for (int i = 0; i < 20; ++i) (void)write(*store, {set("/a", std::to_string(i))});
        files.fail({.times = for_ever});  // it is killed: no orderly end
      }
      files.clear_faults();
      EXPECT_EQ(value_at(open_durable(files, folder, small(policy))->tree, "/a"), "19");
    });
  }
}

TEST(Durable, a_policy_says_what_a_crash_takes_back) {
  for (const SyncPolicy policy : {SyncPolicy::always, SyncPolicy::interval, SyncPolicy::never}) {
    for (const bool waits : {false, true}) {
      MemoryFiles files({.unsynced = Unsynced::lost});
      const DurableOptions options{.policy = policy, .sync_interval = milliseconds(50)};
      rt::simulate({}, [&] {
        {
          auto store = open_durable(files, folder, options);
          (void)write(*store, {set("/a", "1")});
          if (waits) (void)rt::sleep(milliseconds(60));
          files.fail({.times = for_ever});
        }
        files.clear_faults();
        files.crash();
        const bool is_there =
            policy == SyncPolicy::always || (policy == SyncPolicy::interval && waits);
        EXPECT_EQ(value_at(open_durable(files, folder, options)->tree, "/a") == "1", is_there)
            << name_of(policy) << " " << waits;
      });
    }
  }
}

TEST(Durable, an_orderly_end_makes_safe_what_was_to_be_synced_later) {
  MemoryFiles files({.unsynced = Unsynced::lost});
  const DurableOptions options{.policy = SyncPolicy::interval,
                               .sync_interval = std::chrono::hours(1)};
  rt::simulate({}, [&] {
    {
      auto opened = open_durable(files, folder, options);
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      EXPECT_TRUE(store.write(set("/a", "1")));
      EXPECT_TRUE(store.stop().is_ok());
    }
    files.crash();
    EXPECT_EQ(value_at(open_durable(files, folder, options)->tree, "/a"), "1");
  });
}

// --- disks that fail
// ------------------------------------------------------------------------------

TEST(Durable, a_sync_that_fails_ends_the_writes_and_leaves_the_reads) {
  for (const SyncPolicy policy : {SyncPolicy::always, SyncPolicy::interval}) {
    MemoryFiles files;
    rt::simulate({}, [&] {
      auto opened = open_durable(files, folder, {.policy = policy});
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      EXPECT_TRUE(store.write(set("/a", "1")));
      (void)rt::sleep(milliseconds(200));
      files.fail({.operation = FileOperation::sync});
      const auto second = store.write(set("/a", "2"));
      (void)rt::sleep(milliseconds(200));
      if (policy == SyncPolicy::always) {
        EXPECT_EQ(second.error().code(), Code::outcome_unknown) << second.error();
        EXPECT_EQ(store.write(set("/a", "3")).error().code(), Code::data_loss);
        EXPECT_EQ(value_at(store, "/a"), "1");
      } else {
        EXPECT_TRUE(second);
        const auto third = store.write(set("/a", "3"));
        EXPECT_EQ(third.error().code(), Code::outcome_unknown) << third.error();
        EXPECT_EQ(store.write(set("/a", "4")).error().code(), Code::data_loss);
        EXPECT_EQ(value_at(store, "/a"), "2");
      }
      EXPECT_EQ(store.status().code(), Code::data_loss);
    });
  }
}

TEST(Durable, a_full_disk_refuses_writes_for_sure_until_there_is_room) {
  MemoryFiles files({.capacity = 4'000, .unsynced = Unsynced::kept});
  rt::simulate({}, [&] {
    {
      auto opened = open_durable(files, folder);
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      EXPECT_TRUE(store.write(set("/a", "1")));
      const Status full = store.write(set("/b", std::string(5'000, 'x'))).error();
      EXPECT_EQ(full.code(), Code::resource_exhausted) << full;
      EXPECT_TRUE(store.status().is_ok());
      EXPECT_TRUE(store.write(set("/c", "3")));
    }
    files.crash();
    const auto again = open_durable(files, folder);
    EXPECT_EQ(value_at(again->tree, "/a"), "1");
    EXPECT_EQ(value_at(again->tree, "/b"), "Key not found");
    EXPECT_EQ(value_at(again->tree, "/c"), "3");
    EXPECT_EQ(again->report.commands, 2U);
  });
}

TEST(Durable, a_snapshot_that_fails_is_tried_again_and_the_log_goes_on) {
  for (const FileOperation what :
       {FileOperation::rename, FileOperation::write, FileOperation::sync}) {
    MemoryFiles files;
    rt::simulate({}, [&] {
      auto opened = open_durable(files, folder, small());
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      files.fail({.operation = what, .path = snapshot_path + ".new", .times = 2});
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(store.write(set("/a", "value " + std::to_string(i))));
        (void)rt::sleep(milliseconds(1));
        if (i == 10) {
          EXPECT_FALSE(read_snapshot(files, snapshot_path, 1 << 20));
        }
      }
      EXPECT_EQ(store.counts().failed_saves, 2U);
      EXPECT_TRUE(read_snapshot(files, snapshot_path, 1 << 20));
      EXPECT_TRUE(store.stop().is_ok());
    });
    files.crash();
    rt::simulate({}, [&] {
      const auto again = open_durable(files, folder, small());
      ASSERT_TRUE(again) << again.error();
      EXPECT_EQ(value_at(again->tree, "/a"), "value 99");
      EXPECT_EQ(again->tree.index(), 100U);
      EXPECT_TRUE(again->report.had_snapshot);
    });
  }
}

TEST(Durable, a_snapshot_is_taken_when_the_log_has_grown_and_lets_go_of_it) {
  for (const std::uint64_t after : {std::uint64_t{600}, std::uint64_t{1} << 20}) {
    MemoryFiles files;
    DurableOptions options = small();
    options.snapshot_after_bytes = after;
    rt::simulate({}, [&] {
      {
        auto opened = open_durable(files, folder, options);
        Store store(std::move(opened->tree), {}, std::move(opened->log));
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(store.write(set("/a", std::to_string(i))));
        EXPECT_TRUE(store.stop().is_ok());
      }
      const auto again = open_durable(files, folder, options);
      EXPECT_EQ(again->report.had_snapshot, after == 600);
      EXPECT_EQ(again->report.commands < 50, after == 600) << again->report.commands;
      EXPECT_EQ(files.list(folder)->size() < 8, after == 600);
    });
  }
}

// --- what was not left by a crash
// -----------------------------------------------------------------

TEST(Durable, a_second_store_on_the_same_folder_is_refused_at_once) {
  MemoryFiles files;
  rt::simulate({}, [&] {
    const auto first = open_durable(files, folder);
    const auto second = open_durable(files, folder);
    EXPECT_EQ(second.error().code(), Code::failed_precondition) << second.error();
    EXPECT_NE(second.error().message().find(folder), std::string::npos) << second.error();
  });
  rt::simulate({}, [&] { EXPECT_TRUE(open_durable(files, folder)) << "the first one has gone"; });
}

void fill(Files& files, int writes) {
  auto store = open_durable(files, folder, small());
  for (int i = 0; i < writes; ++i) (void)write(*store, {set("/a", std::to_string(i))});
  EXPECT_TRUE(store->log->close().is_ok());
}

TEST(Durable, a_damaged_or_foreign_snapshot_is_refused_and_nothing_is_changed) {
  MemoryFiles files;
  rt::simulate({}, [&] {
    fill(files, 30);
    const std::vector<std::string> names = *files.list(folder);
    const std::string whole = *read_file(files, snapshot_path, 1 << 20);
    const auto refused = [&](const std::string& content) {
      EXPECT_TRUE(replace_file(files, snapshot_path, content).is_ok());
      const Status status = open_durable(files, folder, small()).error();
      EXPECT_EQ(status.code(), Code::data_loss) << status;
      EXPECT_NE(status.message().find("/store"), std::string::npos) << status;
      EXPECT_EQ(*files.list(folder), names);
    };
    refused(whole.substr(0, whole.size() - 1));
    refused("");
    EXPECT_TRUE(replace_file(files, snapshot_path, whole).is_ok());
    EXPECT_EQ(value_at(open_durable(files, folder, small())->tree, "/a"), "29");
    const std::uint64_t number = read_snapshot(files, snapshot_path, 1 << 20)->last;
    EXPECT_TRUE(write_snapshot(files, snapshot_path, number, *Tree().save()).is_ok());
    const Status foreign = open_durable(files, folder, small()).error();
    EXPECT_EQ(foreign.code(), Code::data_loss);
    EXPECT_NE(foreign.message().find("not that of this snapshot"), std::string::npos) << foreign;
    EXPECT_TRUE(write_snapshot(files, snapshot_path, number, "{}").is_ok());
    EXPECT_EQ(open_durable(files, folder, small()).error().code(), Code::data_loss);
  });
}

TEST(Durable, a_snapshot_cut_short_before_its_rename_leaves_the_old_one) {
  MemoryFiles files;
  rt::simulate({}, [&] {
    fill(files, 30);
    const std::string whole = *read_file(files, snapshot_path, 1 << 20);
    for (std::size_t size = 0; size < whole.size(); size += 97) {
      const auto half = files.open(snapshot_path + ".new", OpenMode::create);
      ASSERT_TRUE((*half)->append(whole.substr(0, size)).is_ok());
      const auto store = open_durable(files, folder, small());
      ASSERT_TRUE(store) << store.error();
      ASSERT_EQ(value_at(store->tree, "/a"), "29");
      ASSERT_FALSE(files.size_of(snapshot_path + ".new"));
    }
  });
}

TEST(Durable, a_snapshot_larger_than_allowed_is_neither_written_nor_read) {
  MemoryFiles files;
  DurableOptions strict = small();
  strict.max_snapshot_bytes = 100;
  rt::simulate({}, [&] {
    auto opened = open_durable(files, folder, strict);
    Store store(std::move(opened->tree), {}, std::move(opened->log));
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(store.write(set("/a", std::to_string(i))));
    EXPECT_GT(store.counts().failed_saves, 1U);
    EXPECT_EQ(files.size_of(snapshot_path).error().code(), Code::not_found);
  });
  rt::simulate({}, [&] {
    fill(files, 30);
    EXPECT_EQ(open_durable(files, folder, strict).error().code(), Code::resource_exhausted);
  });
}

TEST(Durable, a_record_that_is_no_command_is_refused_with_its_place) {
  MemoryFiles files;
  rt::simulate({}, [&] {
    EXPECT_TRUE(files.make_directory(folder).is_ok());
    {
      auto log = Log::open(files, folder, 0, {}, [](auto, auto) { return Status(); });
      EXPECT_TRUE((*log)->append(std::vector<std::string>{"\2newer"}).is_ok());
    }
    const Status status = open_durable(files, folder).error();
    EXPECT_EQ(status.code(), Code::unimplemented);
    EXPECT_NE(status.message().find("log-00000000000000000001, byte 32: record 1"),
              std::string::npos)
        << status;
  });
}

// --- whole stores
// ---------------------------------------------------------------------------------

TEST(Durable, many_writers_on_four_workers_find_what_they_were_answered_after_a_crash) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MemoryFiles files({.seed = seed});
    std::vector<int> answered(16, 0);
    const auto writes = [&] {
      auto opened = open_durable(files, folder, small());
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      rt::Scope scope;
      for (std::size_t writer = 0; writer < answered.size(); ++writer) {
        scope.go("writer", [&, writer] {
          for (int i = 1; i <= 50; ++i) {
            if (!store.write(set("/w" + std::to_string(writer), std::to_string(i)))) return;
            answered[writer] = i;
          }
        });
      }
      (void)rt::sleep(milliseconds(5));
      files.fail({.after = 200 * seed, .times = for_ever});
      scope.join();
    };
    rt::testing::run_fiber_test(writes, {.workers = 4});
    files.clear_faults();
    files.crash();
    rt::testing::run_fiber_test([&] {
      const auto store = open_durable(files, folder, small());
      ASSERT_TRUE(store) << store.error();
      for (std::size_t writer = 0; writer < answered.size(); ++writer) {
        const auto found = store->tree.get("/w" + std::to_string(writer), {}, WallTime());
        const int value = found ? std::stoi((*found)->node.value.value()) : 0;
        EXPECT_GE(value, answered[writer]);
        EXPECT_LE(value, answered[writer] + 1) << "one more was on its way";
      }
    });
  }
}

TEST(Durable, a_store_on_the_machines_disk_is_there_again) {
  std::string path = "/tmp/parley_kv_XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  RealFiles files;
  rt::testing::run_fiber_test([&] {
    for (int i = 0; i < 3; ++i) {
      auto opened = open_durable(files, path + "/store");
      ASSERT_TRUE(opened) << opened.error();
      EXPECT_EQ(opened->tree.index(), static_cast<std::uint64_t>(i));
      EXPECT_FALSE(open_durable(files, path + "/store"));
      Store store(std::move(opened->tree), {}, std::move(opened->log));
      EXPECT_TRUE(store.write(set("/a", std::to_string(i))));
    }
  });
  const std::vector<std::string> names = *files.list(path + "/store");
  for (const std::string& name : names) {
    EXPECT_TRUE(files.remove(path + "/store/" + name).is_ok());
  }
  EXPECT_TRUE(files.remove(path + "/store").is_ok());
  EXPECT_TRUE(files.remove(path).is_ok());
}

// A process of its own that writes until it is killed, a byte to `answered` for each answer.
[[noreturn]] void write_for_ever(const std::string& path, int answered) {
  rt::Runtime runtime({.workers = 1});
  runtime.run([&] {
    RealFiles files;
    auto opened = open_durable(files, path, small());
    Store store(std::move(opened->tree), {}, std::move(opened->log));
    for (int i = 1; store.write(set("/a", std::to_string(i))); ++i) {
      if (::write(answered, "x", 1) != 1) break;
    }
  });
  ::_exit(1);
}

TEST(Durable, a_process_that_was_killed_leaves_all_it_answered_to_the_next_one) {
  std::string folder_of_test = "/tmp/parley_kv_XXXXXX";
  ASSERT_NE(::mkdtemp(folder_of_test.data()), nullptr);
  const std::string path = folder_of_test + "/store";
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) write_for_ever(path, pipe[1]);
  ::close(pipe[1]);
  int answered = 0;
  char byte = 0;
  for (; answered < 100; ++answered) ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
  RealFiles files;
  rt::testing::run_fiber_test(
      [&] { EXPECT_EQ(open_durable(files, path).error().code(), Code::failed_precondition); });
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (::read(pipe[0], &byte, 1) == 1) ++answered;
  ::close(pipe[0]);
  rt::testing::run_fiber_test([&] {
    const auto store = open_durable(files, path);
    ASSERT_TRUE(store) << store.error();
    const int found = std::stoi(value_at(store->tree, "/a"));
    EXPECT_GE(found, answered);
    EXPECT_LE(found, answered + 1);
  });
  std::filesystem::remove_all(folder_of_test);
}

TEST(Durable, a_hundred_thousand_commands_are_recovered_in_bounded_memory) {
  static std::unique_ptr<MemoryFiles> files;
  files = std::make_unique<MemoryFiles>();
  rt::simulate({}, [] {
    auto store = open_durable(*files, folder);
    for (int i = 0; i < 100; ++i) {
      Commands batch;
      for (int n = 0; n < 1'000; ++n) {
        batch.push_back(set("/k" + std::to_string(n % 100), std::string(100, 'v')));
      }
      ASSERT_TRUE(write(*store, batch).is_ok());
    }
  });
  const auto recover = [] {
    rt::simulate({}, [] {
      const auto store = open_durable(*files, folder);
      ASSERT_TRUE(store) << store.error();
      EXPECT_EQ(store->report.commands, 100'000U);
      EXPECT_EQ(store->tree.index(), 100'000U);
    });
  };
  EXPECT_LT(testing::most_held_by(recover), std::size_t{4} << 20);
  files.reset();
}

}  // namespace
}  // namespace parley::kv
