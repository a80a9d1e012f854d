#include "parley/base/memory_files.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace parley {
namespace {

const std::string old_text(2000, 'o');
const std::string new_text(2000, 'n');

// A file of which `old_text` is synced, name and all.
std::unique_ptr<File> synced_file(MemoryFiles& files) {
  auto file = *files.open("/log", OpenMode::create);
  EXPECT_TRUE(file->append(old_text).is_ok());
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_TRUE(files.sync_directory("/").is_ok());
  return file;
}

std::string text_of(MemoryFiles& files, const std::string& path = "/log") {
  auto text = read_file(files, path, 1 << 20);
  EXPECT_TRUE(text) << text.error();
  return text ? *text : std::string();
}

TEST(MemoryFiles, a_crash_keeps_what_was_synced) {
  for (const Unsynced unsynced : {Unsynced::lost, Unsynced::torn, Unsynced::kept}) {
    MemoryFiles files({.unsynced = unsynced});
    (void)synced_file(files);
    files.crash();
    EXPECT_EQ(text_of(files), old_text);
  }
}

TEST(MemoryFiles, what_was_not_synced_is_lost_or_kept_as_told) {
  for (const Unsynced unsynced : {Unsynced::lost, Unsynced::kept}) {
    const bool is_kept = unsynced == Unsynced::kept;
    MemoryFiles files({.unsynced = unsynced});
    const auto file = synced_file(files);
    EXPECT_TRUE(file->append(new_text).is_ok());
    EXPECT_TRUE(files.open("/other", OpenMode::create));
    files.crash();
    EXPECT_EQ(text_of(files), is_kept ? old_text + new_text : old_text);
    EXPECT_EQ(files.size_of("/other").error().code(), is_kept ? Code::ok : Code::not_found);
  }
}

// What a crash made of an append that was not synced.
std::string torn_append(std::uint64_t seed, std::size_t sector) {
  MemoryFiles files({.seed = seed, .sector = sector});
  const auto file = synced_file(files);
  EXPECT_TRUE(file->append(new_text).is_ok());
  files.crash();
  const std::string text = text_of(files);
  EXPECT_EQ(text.substr(0, old_text.size()), old_text);
  return text.substr(old_text.size());
}

TEST(MemoryFiles, a_torn_write_has_whole_sectors_at_its_start_or_anywhere) {
  std::set<std::string> seen;
  bool has_prefix = false;
  bool has_hole = false;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::string tail = torn_append(seed, 512);
    seen.insert(tail);
    EXPECT_EQ(torn_append(seed, 512), tail) << "the same seed";
    // Sectors begin at multiples of 512 of the file: the first piece of the tail has 48 bytes.
    for (std::size_t at = 0; at < tail.size();) {
      const std::size_t size = 512 - (old_text.size() + at) % 512;
      const std::string piece = tail.substr(at, size);
      EXPECT_TRUE(piece == new_text.substr(0, piece.size()) ||
                  piece == std::string(piece.size(), '\0'));
      at += size;
    }
    const std::size_t hole = tail.find('\0');
    has_prefix =
        has_prefix || (!tail.empty() && hole == std::string::npos && tail.size() < new_text.size());
    has_hole = has_hole || hole != std::string::npos;
  }
  EXPECT_GE(seen.size(), 8u);
  EXPECT_TRUE(has_prefix);
  EXPECT_TRUE(has_hole);
}

TEST(MemoryFiles, a_smaller_sector_tears_finer) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) sizes.insert(torn_append(seed, 16).size() % 512);
  EXPECT_GT(sizes.size(), 10u);
  sizes.clear();
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    sizes.insert(torn_append(seed, 512).size() % 512);
  EXPECT_LE(sizes.size(), 3u);  // nothing, a whole number of sectors, all of it
}

TEST(MemoryFiles, a_name_survives_once_its_folder_was_synced) {
  MemoryFiles files({.unsynced = Unsynced::lost});
  (void)synced_file(files);
  EXPECT_TRUE(files.rename("/log", "/old").is_ok());
  EXPECT_EQ(text_of(files, "/old"), old_text);
  files.crash();
  EXPECT_EQ(text_of(files), old_text);
  EXPECT_EQ(*files.list("/"), std::vector<std::string>{"log"});
  EXPECT_TRUE(files.rename("/log", "/old").is_ok());
  EXPECT_TRUE(files.sync_directory("/").is_ok());
  files.crash();
  EXPECT_EQ(*files.list("/"), std::vector<std::string>{"old"});
  EXPECT_TRUE(files.remove("/old").is_ok());
  files.crash();
  EXPECT_EQ(text_of(files, "/old"), old_text);
}

TEST(MemoryFiles, changes_of_a_folder_stay_up_to_a_point_and_a_rename_is_never_half_done) {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    MemoryFiles files({.seed = seed});
    (void)synced_file(files);
    EXPECT_TRUE(files.rename("/log", "/a").is_ok());
    EXPECT_TRUE(files.rename("/a", "/b").is_ok());
    EXPECT_TRUE(files.make_directory("/folder").is_ok());
    files.crash();
    seen.insert(*files.list("/"));
  }
  const std::set<std::vector<std::string>> expected{{"log"}, {"a"}, {"b"}, {"b", "folder"}};
  EXPECT_EQ(seen, expected);
}

TEST(MemoryFiles, a_folder_that_was_not_synced_goes_with_all_that_is_in_it) {
  MemoryFiles files({.unsynced = Unsynced::lost});
  EXPECT_TRUE(files.make_directory("/shop").is_ok());
  EXPECT_TRUE((*files.open("/shop/log", OpenMode::create))->sync().is_ok());
  EXPECT_TRUE(files.sync_directory("/shop").is_ok());
  files.crash();
  EXPECT_EQ(files.list("/shop").error().code(), Code::not_found);
}

TEST(MemoryFiles, files_and_locks_of_before_a_crash_are_dead) {
  MemoryFiles files;
  const auto file = synced_file(files);
  const auto lock = files.lock("/lock");
  EXPECT_TRUE(files.sync_directory("/").is_ok());
  files.crash();
  EXPECT_EQ(file->append("x").message(), "write /log: it was open when the machine crashed");
  EXPECT_EQ(file->sync().code(), Code::unavailable);
  EXPECT_EQ(file->size().error().code(), Code::unavailable);
  EXPECT_EQ(file->truncate(0).code(), Code::unavailable);
  std::string buffer(1, ' ');
  EXPECT_EQ(file->read_at(0, buffer).error().code(), Code::unavailable);
  EXPECT_TRUE(files.lock("/lock"));
  EXPECT_EQ(text_of(files), old_text);
}

TEST(MemoryFiles, a_failed_sync_loses_what_it_should_have_synced_for_good) {
  MemoryFiles files({.unsynced = Unsynced::kept});
  const auto file = synced_file(files);
  EXPECT_TRUE(file->append(new_text).is_ok());
  files.fail({.operation = FileOperation::sync});
  EXPECT_EQ(file->sync().message(), "sync /log: Input/output error");
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_EQ(text_of(files), old_text + new_text);  // until the power goes
  files.crash();
  EXPECT_EQ(text_of(files), old_text);
}

TEST(MemoryFiles, faults_meet_the_operation_the_path_and_the_time_they_are_meant_for) {
  MemoryFiles files;
  const auto log = *files.open("/log", OpenMode::create);
  const auto other = *files.open("/other", OpenMode::create);
  files.fail({.operation = FileOperation::write, .path = "/log", .after = 1, .times = 2});
  EXPECT_TRUE(other->append("x").is_ok());
  EXPECT_TRUE(log->append("x").is_ok());
  EXPECT_TRUE(log->sync().is_ok());
  EXPECT_EQ(log->append("x").code(), Code::data_loss);
  EXPECT_EQ(log->append("x").code(), Code::data_loss);
  EXPECT_TRUE(log->append("x").is_ok());
  files.fail({.path = "/other", .times = 100, .error = EACCES});
  EXPECT_EQ(files.open("/other", OpenMode::read).error().code(), Code::permission_denied);
  EXPECT_EQ(files.remove("/other").code(), Code::permission_denied);
  EXPECT_EQ(other->size().error().message(), "ask for the size of /other: Permission denied");
  files.clear_faults();
  EXPECT_TRUE(files.remove("/other").is_ok());
}

TEST(MemoryFiles, a_failed_write_leaves_a_part_that_truncate_takes_away) {
  std::set<std::uint64_t> parts;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryFiles files({.seed = seed});
    const auto file = synced_file(files);
    files.fail({.operation = FileOperation::write});
    EXPECT_FALSE(file->append(new_text).is_ok());
    parts.insert(*file->size() - old_text.size());
    EXPECT_EQ(text_of(files), old_text + new_text.substr(0, *file->size() - old_text.size()));
    EXPECT_TRUE(file->truncate(old_text.size()).is_ok());
    EXPECT_TRUE(file->append("!").is_ok());
    EXPECT_EQ(text_of(files), old_text + "!");
  }
  EXPECT_GT(parts.size(), 5u);
}

TEST(MemoryFiles, error_chance_is_how_often_anything_fails) {
  const auto failures = [](double chance) {
    MemoryFiles files({.error_chance = chance});
    int failed = 0;
    for (int i = 0; i < 200; ++i) failed += files.list("/") ? 0 : 1;
    return failed;
  };
  EXPECT_EQ(failures(0), 0);
  EXPECT_NEAR(failures(0.2), 40, 20);
  EXPECT_EQ(failures(1), 200);
}

TEST(MemoryFiles, capacity_bounds_all_files_and_what_does_not_fit_is_cut) {
  for (const std::uint64_t capacity : {10, 100}) {
    MemoryFiles files({.capacity = capacity});
    const auto a = *files.open("/a", OpenMode::create);
    const auto b = *files.open("/b", OpenMode::create);
    EXPECT_TRUE(a->append("12345678").is_ok());
    const Status status = b->append("12345");
    EXPECT_EQ(status.message(), capacity == 10 ? "write /b: No space left on device" : "");
    EXPECT_EQ(text_of(files, "/b"), capacity == 10 ? "12" : "12345");
    EXPECT_TRUE(a->write_at(0, "overwriting").is_ok() == (capacity == 100));
    EXPECT_EQ(b->truncate(1000).code(), Code::resource_exhausted);
    EXPECT_EQ(b->write_at(UINT64_MAX - 2, "far").code(), Code::resource_exhausted);
    EXPECT_TRUE(files.remove("/b").is_ok());
    EXPECT_GT(files.used(), 8u);  // still open
  }
}

TEST(MemoryFiles, used_counts_every_file_that_can_still_be_read) {
  MemoryFiles files({.unsynced = Unsynced::kept});
  auto file = synced_file(files);
  EXPECT_EQ(files.used(), 2000u);
  EXPECT_TRUE(files.rename("/log", "/moved").is_ok());
  EXPECT_EQ(files.used(), 2000u);
  EXPECT_TRUE(replace_file(files, "/moved", "short").is_ok());
  EXPECT_EQ(files.used(), 2005u);
  file.reset();
  EXPECT_EQ(files.used(), 5u);
  EXPECT_TRUE((*files.open("/moved", OpenMode::write))->truncate(3).is_ok());
  files.crash();
  EXPECT_EQ(files.used(), 3u);
}

TEST(MemoryFiles, replace_file_survives_a_crash_after_any_operation) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    bool completed = false;
    for (std::uint64_t after = 0; !completed; ++after) {
      MemoryFiles files({.seed = seed});
      ASSERT_TRUE(replace_file(files, "/current", old_text).is_ok());
      files.fail({.after = after, .times = UINT64_MAX});
      completed = replace_file(files, "/current", new_text).is_ok();
      files.clear_faults();
      files.crash();
      const std::string text = text_of(files, "/current");
      EXPECT_TRUE(text == new_text || (!completed && text == old_text)) << seed << " " << after;
      EXPECT_TRUE(replace_file(files, "/current", "fine again").is_ok());
    }
  }
}

TEST(MemoryFiles, max_listed_bounds_what_list_gives) {
  MemoryFiles files;
  for (std::size_t i = 0; i < max_listed; ++i) {
    ASSERT_TRUE(files.open("/" + std::to_string(i), OpenMode::create_new));
  }
  EXPECT_EQ(files.list("/")->size(), max_listed);
  EXPECT_TRUE(files.open("/one-more", OpenMode::create_new));
  EXPECT_EQ(files.list("/").error().code(), Code::resource_exhausted);
}

TEST(MemoryFiles, operations_are_counted) {
  MemoryFiles files;
  (void)synced_file(files);
  EXPECT_EQ(files.operations(), 4u);
  EXPECT_FALSE(files.list("/no"));
  EXPECT_EQ(files.operations(), 5u);
}

TEST(MemoryFiles, threads_use_it_at_the_same_time) {
  MemoryFiles files;
  std::vector<std::thread> threads;
  for (const std::string name : {"/a", "/b", "/c"}) {
    threads.emplace_back([&files, name] {
      for (int i = 0; i < 100; ++i) {
        const auto file = *files.open(name, OpenMode::create);
        EXPECT_TRUE(file->append("x").is_ok());
        EXPECT_TRUE(file->sync().is_ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(files.used(), 300u);
}

TEST(MemoryFiles, options_out_of_range_are_named) {
  EXPECT_DEATH(MemoryFiles({.sector = 0}), "MemoryFilesOptions::sector");
  EXPECT_DEATH(MemoryFiles({.error_chance = -1}), "MemoryFilesOptions::error_chance");
}

}  // namespace
}  // namespace parley
