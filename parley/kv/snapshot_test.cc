#include "parley/kv/snapshot.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/memory_files.h"
#include "parley/kv/impl/log_format.h"

namespace parley::kv {
namespace {

const std::string path = "/snapshot";
constexpr std::size_t roomy = 1'000;

std::string content_of(Files& files) { return *read_file(files, path, roomy); }

TEST(Snapshot, comes_back_with_the_number_it_stands_for) {
  MemoryFiles files;
  EXPECT_EQ(read_snapshot(files, path, roomy).error().code(), Code::not_found);
  ASSERT_TRUE(write_snapshot(files, path, 7, "the state").is_ok());
  ASSERT_TRUE(write_snapshot(files, path, 9, "the next").is_ok());
  files.crash();
  const auto snapshot = read_snapshot(files, path, roomy);
  ASSERT_TRUE(snapshot) << snapshot.error();
  EXPECT_EQ(snapshot->last, 9U);
  EXPECT_EQ(snapshot->state, "the next");
}

TEST(Snapshot, that_was_cut_anywhere_or_changed_is_data_loss_with_its_path) {
  MemoryFiles files;
  ASSERT_TRUE(write_snapshot(files, path, 7, "the state").is_ok());
  const std::string whole = content_of(files);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(replace_file(files, path, whole.substr(0, size)).is_ok());
    const Status status = read_snapshot(files, path, roomy).error();
    ASSERT_EQ(status.code(), Code::data_loss) << size;
    ASSERT_NE(status.message().find(path), std::string::npos) << status;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_TRUE(replace_file(files, path, changed).is_ok());
    ASSERT_EQ(read_snapshot(files, path, roomy).error().code(), Code::data_loss) << bit;
  }
  ASSERT_TRUE(replace_file(files, path, whole + "x").is_ok());
  EXPECT_EQ(read_snapshot(files, path, roomy).error().code(), Code::data_loss);
}

TEST(Snapshot, of_a_newer_version_is_refused_and_says_so) {
  MemoryFiles files;
  const impl::SnapshotHead head{.version = 2, .last = 7, .length = 0};
  ASSERT_TRUE(replace_file(files, path, impl::encode(head)).is_ok());
  const Status status = read_snapshot(files, path, roomy).error();
  EXPECT_EQ(status.code(), Code::unimplemented);
  EXPECT_EQ(status.message(),
            "the snapshot /snapshot is of version 2, and this program reads up "
            "to version 1: use the one that wrote it, or a newer one");
}

TEST(Snapshot, larger_than_allowed_is_not_read) {
  MemoryFiles files;
  ASSERT_TRUE(write_snapshot(files, path, 7, "the state").is_ok());
  EXPECT_TRUE(read_snapshot(files, path, 9));
  EXPECT_EQ(read_snapshot(files, path, 8).error().code(), Code::resource_exhausted);
}

}  // namespace
}  // namespace parley::kv
