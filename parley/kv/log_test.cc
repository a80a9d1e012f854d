#include "parley/kv/log.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/memory_files.h"
#include "parley/base/random.h"
#include "parley/base/testing/allocations.h"
#include "parley/kv/impl/log_format.h"

namespace parley::kv {
namespace {

using Records = std::vector<std::string>;

const std::string folder = "/store";
const std::string first_path = Log::segment_path(folder, 1);
constexpr std::size_t most_bytes = 1 << 20;
constexpr std::uint64_t for_ever = std::numeric_limits<std::uint64_t>::max();

// A log that was opened, and what was in it.
struct Opened {
  std::unique_ptr<Log> log;
  Records records{};
  Status status{};
};

Opened open(Files& files, const LogOptions& options = {}, std::uint64_t after = 0) {
  Opened opened;
  std::uint64_t next = after + 1;
  const auto take = [&](std::uint64_t number, std::string_view record) {
    EXPECT_EQ(number, next++);
    opened.records.emplace_back(record);
    return Status();
  };
  auto log = Log::open(files, folder, after, options, take);
  if (log) {
    opened.log = *std::move(log);
    EXPECT_EQ(opened.log->last(), next - 1);
    EXPECT_EQ(opened.log->synced(), next - 1);
  } else {
    opened.status = log.error();
  }
  return opened;
}

std::unique_ptr<MemoryFiles> disk(const MemoryFilesOptions& options = {}) {
  auto files = std::make_unique<MemoryFiles>(options);
  EXPECT_TRUE(files->make_directory(folder).is_ok());
  EXPECT_TRUE(files->sync_directory("/").is_ok());
  return files;
}

void put(Log& log, const Records& records) {
  EXPECT_TRUE(log.append(records).is_ok());
  EXPECT_TRUE(log.sync().is_ok());
}

Records numbered(std::size_t from, std::size_t to) {
  Records records;
  for (std::size_t i = from; i <= to; ++i) records.push_back("record " + std::to_string(i));
  return records;
}

void change_byte(Files& files, const std::string& path, std::size_t at) {
  std::string content = *read_file(files, path, most_bytes);
  content[at] = static_cast<char>(content[at] ^ 1);
  EXPECT_TRUE(replace_file(files, path, content).is_ok());
}

TEST(Log, what_was_appended_comes_back_in_order) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    ASSERT_TRUE(log.status.is_ok()) << log.status;
    put(*log.log, numbered(1, 3));
    put(*log.log, numbered(4, 4));
  }
  {
    const Opened log = open(*files);
    EXPECT_EQ(log.records, numbered(1, 4));
    put(*log.log, numbered(5, 5));
  }
  EXPECT_EQ(open(*files).records, numbered(1, 5));
}

TEST(Log, a_full_segment_is_followed_by_another) {
  const auto files = disk();
  for (const std::uint64_t bytes : {std::uint64_t{100}, std::uint64_t{10'000}}) {
    const auto one = disk();
    const Opened log = open(*one, {.segment_bytes = bytes});
    for (std::size_t i = 1; i <= 20; ++i) put(*log.log, numbered(i, i));
    EXPECT_EQ(log.log->segments(), bytes == 100 ? 7U : 1U);
    EXPECT_EQ(open(*one).records, numbered(1, 20));
  }
}

TEST(Log, a_snapshot_lets_go_of_whole_segments) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 10));
    ASSERT_TRUE(log.log->begin_segment().is_ok());
    ASSERT_TRUE(log.log->begin_segment().is_ok()) << "it has no record yet";
    put(*log.log, numbered(11, 12));
    ASSERT_TRUE(log.log->remove_up_to(9).is_ok());
    EXPECT_EQ(log.log->segments(), 2U);
    ASSERT_TRUE(log.log->remove_up_to(10).is_ok());
    EXPECT_EQ(log.log->segments(), 1U);
    ASSERT_TRUE(log.log->remove_up_to(12).is_ok());
    EXPECT_EQ(log.log->segments(), 1U) << "never the last one";
  }
  EXPECT_EQ(open(*files, {}, 10).records, numbered(11, 12));
  const Opened without = open(*files);
  EXPECT_EQ(without.status.code(), Code::data_loss);
  EXPECT_NE(without.status.message().find("there is no snapshot"), std::string::npos)
      << without.status;
}

TEST(Log, files_that_a_snapshot_made_needless_are_removed_when_it_is_opened) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 10));
    ASSERT_TRUE(log.log->begin_segment().is_ok());
    put(*log.log, numbered(11, 12));
  }
  const Opened log = open(*files, {}, 10);
  EXPECT_EQ(log.records, numbered(11, 12));
  EXPECT_EQ(*files->list(folder), Records{"log-00000000000000000011"});
}

TEST(Log, a_missing_file_is_data_loss_and_says_how_to_go_on) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    for (std::size_t i = 1; i <= 4; ++i) {
      put(*log.log, numbered(i, i));
      ASSERT_TRUE(log.log->begin_segment().is_ok());
    }
  }
  ASSERT_TRUE(files->remove(Log::segment_path(folder, 3)).is_ok());
  const Opened broken = open(*files);
  EXPECT_EQ(broken.status.code(), Code::data_loss);
  EXPECT_NE(broken.status.message().find("those from 3 on are nowhere"), std::string::npos)
      << broken.status;

  ASSERT_TRUE(files->remove(Log::segment_path(folder, 4)).is_ok());
  ASSERT_TRUE(files->remove(Log::segment_path(folder, 5)).is_ok());
  EXPECT_EQ(open(*files).records, numbered(1, 2));
  const Opened missing = open(*files, {}, 4);
  EXPECT_EQ(missing.status.code(), Code::data_loss);
  EXPECT_NE(missing.status.message().find("make an empty file"), std::string::npos);
  ASSERT_TRUE(replace_file(*files, Log::segment_path(folder, 5), "").is_ok());
  EXPECT_TRUE(open(*files, {}, 4).status.is_ok());
}

TEST(Log, damage_before_what_was_safe_is_told_with_file_and_place_and_nothing_is_cut) {
  const auto files = disk();
  {
    const Opened log = open(*files, {.segment_bytes = 200});
    for (std::size_t i = 1; i <= 12; ++i) put(*log.log, numbered(i, i));
  }
  const std::size_t record = impl::record_head_bytes + numbered(1, 1).front().size();
  const Records names = *files->list(folder);
  ASSERT_EQ(names.size(), 2U);
  const std::string whole = *read_file(*files, first_path, most_bytes);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    change_byte(*files, first_path, at);
    const Opened broken = open(*files);
    ASSERT_EQ(broken.status.code(), Code::data_loss) << at;
    const std::size_t head = impl::segment_head_bytes;
    const std::size_t place = at < head ? 0 : head + (at - head) / record * record;
    const std::string said = first_path + ", byte " + std::to_string(place) + ":";
    ASSERT_NE(broken.status.message().find(said), std::string::npos) << broken.status;
    ASSERT_EQ(*files->list(folder), names);
    change_byte(*files, first_path, at);
  }
  EXPECT_EQ(open(*files).records, numbered(1, 12));
  // And as the advice says.
  change_byte(*files, first_path, impl::segment_head_bytes + 2 * record);
  ASSERT_TRUE(
      replace_file(*files, first_path, whole.substr(0, impl::segment_head_bytes + 2 * record))
          .is_ok());
  ASSERT_TRUE(files->remove(folder + "/" + names[1]).is_ok());
  EXPECT_EQ(open(*files).records, numbered(1, 2));
}

TEST(Log, damage_before_the_last_sync_is_told_from_a_torn_end_within_a_file) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    for (std::size_t i = 1; i <= 5; ++i) put(*log.log, numbered(i, i));
  }
  const std::string whole = *read_file(*files, first_path, most_bytes);
  const std::size_t record = impl::record_head_bytes + numbered(1, 1).front().size();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ASSERT_TRUE(replace_file(*files, first_path, whole).is_ok());
    change_byte(*files, first_path, at);
    const Opened log = open(*files);
    // Nothing behind the last record says that it was safe.
    if (at >= whole.size() - record) {
      ASSERT_EQ(log.records, numbered(1, 4)) << at << log.status;
    } else {
      ASSERT_EQ(log.status.code(), Code::data_loss) << at;
    }
  }
}

TEST(Log, damage_at_the_end_of_a_file_is_told_by_what_begins_the_next_one) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 2));
    ASSERT_TRUE(log.log->begin_segment().is_ok());
  }
  change_byte(*files, first_path, *files->size_of(first_path) - 1);
  const Opened broken = open(*files);
  EXPECT_EQ(broken.status.code(), Code::data_loss);
  EXPECT_NE(broken.status.message().find("was begun when records up to 2 were safe"),
            std::string::npos)
      << broken.status;
}

TEST(Log, cut_anywhere_in_its_last_file_it_has_the_records_before_and_goes_on) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    for (std::size_t i = 1; i <= 5; ++i) put(*log.log, numbered(i, i));
  }
  const std::string whole = *read_file(*files, first_path, most_bytes);
  const std::size_t record = impl::record_head_bytes + numbered(1, 1).front().size();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(replace_file(*files, first_path, whole.substr(0, size)).is_ok());
    const std::size_t head = impl::segment_head_bytes;
    const std::size_t left = size < head ? 0 : (size - head) / record;
    {
      const Opened log = open(*files);
      ASSERT_EQ(log.records, numbered(1, left)) << size;
      put(*log.log, numbered(left + 1, left + 1));
    }
    ASSERT_EQ(open(*files).records, numbered(1, left + 1)) << size;
  }
}

TEST(Log, of_a_newer_version_is_refused_and_says_so) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 2));
  }
  const impl::SegmentHead head{.version = 2, .first = 3, .synced = 2};
  const std::string path = Log::segment_path(folder, 3);
  ASSERT_TRUE(replace_file(*files, path, impl::encode(head)).is_ok());
  const Opened log = open(*files);
  EXPECT_EQ(log.status.code(), Code::unimplemented);
  EXPECT_EQ(log.status.message(),
            "/store/log-00000000000000000003 is of version 2, and this program reads up to "
            "version 1: use the one that wrote it, or a newer one");
}

TEST(Log, a_record_of_no_bytes_or_of_too_many_is_refused_and_nothing_is_appended) {
  const auto files = disk();
  const Opened log = open(*files, {.max_record_bytes = 10});
  EXPECT_EQ(log.log->append(Records{"good", ""}).code(), Code::invalid_argument);
  EXPECT_EQ(log.log->append(Records{"good", "eleven byte"}).code(), Code::invalid_argument);
  EXPECT_EQ(log.log->last(), 0U);
  EXPECT_TRUE(log.log->append(Records{"good"}).is_ok());
  EXPECT_EQ(open(*files).records, Records{"good"});
  EXPECT_EQ(open(*files, {.max_record_bytes = 3}).records, Records{"good"}) << "once taken";
}

TEST(Log, what_a_full_disk_refused_never_comes_back_and_the_log_goes_on) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const auto files = disk({.seed = seed, .capacity = 2'000, .sector = 16});
    Records kept;
    {
      const Opened log = open(*files);
      put(*log.log, kept = numbered(1, 5));
      const auto filler = files->open("/filler", OpenMode::create);
      ASSERT_TRUE((*filler)->append(std::string(1'700, 'x')).is_ok());
      const Status full = log.log->append(numbered(100, 120));
      ASSERT_EQ(full.code(), Code::resource_exhausted) << full;
      ASSERT_TRUE(log.log->status().is_ok());
      if (seed % 2 == 0) {
        ASSERT_TRUE((*filler)->truncate(0).is_ok());
        put(*log.log, numbered(6, 8));
        kept = numbered(1, 8);
      }
    }
    files->crash();
    ASSERT_EQ(open(*files).records, kept) << seed;
  }
}

TEST(Log, a_sync_that_failed_is_for_good) {
  const auto files = disk({.unsynced = Unsynced::lost});
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 2));
    files->fail({.operation = FileOperation::sync, .path = first_path});
    ASSERT_TRUE(log.log->append(numbered(3, 4)).is_ok());
    const Status status = log.log->sync();
    EXPECT_EQ(status.code(), Code::data_loss);
    EXPECT_NE(status.message().find("behind record 2 may be lost"), std::string::npos) << status;
    EXPECT_EQ(log.log->sync(), status);
    EXPECT_EQ(log.log->append(numbered(5, 5)), status);
    EXPECT_EQ(log.log->begin_segment(), status);
    EXPECT_EQ(log.log->synced(), 2U);
  }
  files->crash();
  EXPECT_EQ(open(*files).records, numbered(1, 2));
}

// As a kernel does: what a failed sync dropped can still be read, and the next sync says ok.
TEST(Log, what_a_failed_sync_dropped_is_written_again_by_the_next_process) {
  const auto files = disk({.unsynced = Unsynced::lost});
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 2));
    files->fail({.operation = FileOperation::sync, .path = first_path});
    ASSERT_TRUE(log.log->append(numbered(3, 4)).is_ok());
    EXPECT_EQ(log.log->sync().code(), Code::data_loss);
  }
  {
    const Opened log = open(*files);
    EXPECT_EQ(log.records, numbered(1, 4));
    put(*log.log, numbered(5, 5));
  }
  files->crash();
  EXPECT_EQ(open(*files).records, numbered(1, 5));
}

TEST(Log, a_write_that_failed_is_for_good_unless_the_disk_was_full) {
  for (const int error : {EIO, ENOSPC}) {
    const auto files = disk();
    const Opened log = open(*files);
    files->fail({.operation = FileOperation::write, .error = error});
    EXPECT_FALSE(log.log->append(numbered(1, 1)).is_ok());
    EXPECT_EQ(log.log->append(numbered(1, 1)).is_ok(), error == ENOSPC);
  }
}

TEST(Log, a_segment_that_could_not_be_begun_leaves_the_log_as_it_was) {
  for (const FileOperation what : {FileOperation::open, FileOperation::write, FileOperation::sync,
                                   FileOperation::sync_directory}) {
    for (const bool is_removed : {true, false}) {
      const auto files = disk();
      {
        const Opened log = open(*files);
        put(*log.log, numbered(1, 3));
        const std::string path = Log::segment_path(folder, 4);
        const bool of_folder = what == FileOperation::sync_directory;
        files->fail({.operation = what, .path = of_folder ? folder : path});
        if (!is_removed) files->fail({.operation = FileOperation::remove, .path = path});
        ASSERT_FALSE(log.log->begin_segment().is_ok());
        ASSERT_TRUE(log.log->status().is_ok());
        put(*log.log, numbered(4, 6));
      }
      files->clear_faults();
      files->crash();
      for (std::size_t to = 6; to <= 8; ++to) {
        const Opened log = open(*files);
        ASSERT_EQ(log.records, numbered(1, to)) << log.status;
        put(*log.log, numbered(to + 1, to + 1));
      }
    }
  }
}

TEST(Log, goes_on_in_a_segment_whose_name_was_not_safe_yet) {
  const auto files = disk({.unsynced = Unsynced::lost});
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 3));
    files->fail({.operation = FileOperation::sync_directory, .path = folder});
    files->fail({.operation = FileOperation::remove});
    ASSERT_FALSE(log.log->begin_segment().is_ok());
  }
  {
    const Opened log = open(*files);
    EXPECT_EQ(log.log->segments(), 2U);
    put(*log.log, numbered(4, 5));
  }
  files->crash();
  EXPECT_EQ(open(*files).records, numbered(1, 5));
}

// --- crashes
// --------------------------------------------------------------------------------------

struct Trial {
  Records written{};         // in their order, what was tried last included
  std::size_t safe = 0;      // so many of them were synced
  std::size_t after = 0;     // so many of them a snapshot has
  std::size_t appended = 0;  // so many were not refused
  bool ended = false;
};

// Appends, syncs, begins and removes segments, until an operation fails.
Trial appended_until_a_fault(Files& files, const LogOptions& options, std::uint64_t seed,
                             std::size_t sync_every) {
  Trial trial;
  Random random(seed);
  const Opened opened = open(files, options);
  if (!opened.status.is_ok()) return trial;
  for (std::size_t step = 1; step <= 12; ++step) {
    Records batch;
    for (std::uint64_t n = random.between(1, 3); n > 0; --n) {
      batch.push_back(std::to_string(trial.written.size() + batch.size()) +
                      std::string(random.below(700), 'x'));
    }
    trial.written.insert(trial.written.end(), batch.begin(), batch.end());
    if (!opened.log->append(batch).is_ok()) return trial;
    trial.appended = trial.written.size();
    if (step % sync_every == 0 && !opened.log->sync().is_ok()) return trial;
    trial.safe = static_cast<std::size_t>(opened.log->synced());
    if (step != 6) continue;
    if (!opened.log->begin_segment().is_ok()) return trial;
    if (options.syncs) trial.safe = trial.written.size();
    // A snapshot is safe now.
    trial.after = trial.written.size();
    trial.safe = trial.after;
    if (!opened.log->remove_up_to(trial.after).is_ok()) return trial;
  }
  trial.ended = true;
  return trial;
}

void crash_after_every_operation(const LogOptions& options, std::size_t sync_every) {
  for (const Unsynced unsynced : {Unsynced::lost, Unsynced::torn, Unsynced::kept}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      for (std::uint64_t operations = 0;; ++operations) {
        const auto files = disk({.seed = seed * 1'000 + operations, .unsynced = unsynced});
        files->fail({.after = operations, .times = for_ever});
        const Trial before = appended_until_a_fault(*files, options, seed, sync_every);
        files->clear_faults();
        files->crash();
        Records first;
        for (int again = 0; again < 2; ++again) {
          const Opened found = open(*files, options, before.after);
          ASSERT_TRUE(found.status.is_ok())
              << found.status << " seed " << seed << " operation " << operations;
          const std::size_t count = before.after + found.records.size();
          ASSERT_GE(count, before.safe) << "seed " << seed << " operation " << operations;
          ASSERT_LE(count, before.written.size());
          const auto from = before.written.begin() + static_cast<std::ptrdiff_t>(before.after);
          const Records expected(from, before.written.begin() + static_cast<std::ptrdiff_t>(count));
          ASSERT_EQ(found.records, expected) << "seed " << seed << " operation " << operations;
          if (again == 1) {
            ASSERT_EQ(found.records, first) << "what was read once is safe";
          }
          first = found.records;
          files->crash();
        }
        if (before.ended) break;
      }
    }
  }
}

TEST(LogCrash, after_any_operation_leaves_all_that_was_synced_and_nothing_half) {
  crash_after_every_operation({.segment_bytes = 1'500}, 1);
}

TEST(LogCrash, between_syncs_leaves_the_first_of_the_records_behind_the_last_sync) {
  crash_after_every_operation({.segment_bytes = 1'500}, 4);
}

TEST(LogCrash, of_a_log_that_is_never_synced_leaves_the_first_of_its_records) {
  crash_after_every_operation({.segment_bytes = 1'500, .syncs = false}, 1);
}

TEST(LogCrash, while_it_is_opened_leaves_what_the_first_crash_left) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (std::uint64_t operations = 0;; ++operations) {
      const LogOptions options{.segment_bytes = 1'500, .syncs = false};
      const auto files = disk({.seed = seed});
      const Trial before = appended_until_a_fault(*files, options, seed, 1);
      ASSERT_TRUE(before.ended);
      files->crash();
      files->fail({.after = operations, .times = for_ever});
      const bool opened = open(*files, options, before.after).status.is_ok();
      files->clear_faults();
      files->crash();
      const Opened found = open(*files, options, before.after);
      ASSERT_TRUE(found.status.is_ok()) << found.status;
      const auto from = before.written.begin() + static_cast<std::ptrdiff_t>(before.after);
      ASSERT_LE(found.records.size(), before.written.size() - before.after);
      const Records expected(from, from + static_cast<std::ptrdiff_t>(found.records.size()));
      ASSERT_EQ(found.records, expected);
      if (opened) break;
    }
  }
}

TEST(LogCrash, after_the_log_was_opened_again_takes_back_nothing_that_was_found) {
  const auto files = disk({.unsynced = Unsynced::lost});
  const LogOptions options{.segment_bytes = 100, .syncs = false};
  {
    const Opened log = open(*files, options);
    for (std::size_t i = 1; i <= 9; ++i) ASSERT_TRUE(log.log->append(numbered(i, i)).is_ok());
    ASSERT_GT(log.log->segments(), 2U);
  }
  EXPECT_EQ(open(*files, options).records, numbered(1, 9)) << "only the process has ended";
  files->crash();
  EXPECT_EQ(open(*files, options).records, numbered(1, 9));
}

TEST(Log, a_hundred_thousand_records_are_read_in_bounded_memory) {
  static constexpr std::size_t count = 100'000;
  static std::unique_ptr<MemoryFiles> files;
  files = disk();
  const LogOptions options{.segment_bytes = std::uint64_t{4} << 20};
  {
    const Opened log = open(*files, options);
    Records batch(1'000);
    for (std::size_t i = 0; i < count; i += batch.size()) {
      for (std::size_t n = 0; n < batch.size(); ++n) {
        batch[n] = std::to_string(i + n + 1) + std::string(100, 'x');
      }
      put(*log.log, batch);
    }
    EXPECT_GT(log.log->segments(), 2U);
  }
  const auto read = [] {
    std::uint64_t sum = 0;
    const auto take = [&](std::uint64_t number, std::string_view record) {
      sum +=
          static_cast<std::uint64_t>(record.substr(0, record.find('x')) == std::to_string(number));
      return Status();
    };
    ASSERT_TRUE(Log::open(*files, folder, 0, {}, take));
    EXPECT_EQ(sum, count);
  };
  EXPECT_LT(testing::most_held_by(read), std::size_t{1} << 20);
  files.reset();
}

TEST(Log, an_error_of_who_takes_the_records_names_the_place) {
  const auto files = disk();
  {
    const Opened log = open(*files);
    put(*log.log, numbered(1, 2));
  }
  const auto refuse = [](std::uint64_t number, std::string_view) {
    return number == 1 ? Status() : Status(Code::data_loss, "no command");
  };
  EXPECT_EQ(Log::open(*files, folder, 0, {}, refuse).error().message(),
            first_path + ", byte 64: no command");
}

}  // namespace
}  // namespace parley::kv
