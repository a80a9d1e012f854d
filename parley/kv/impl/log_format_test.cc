#include "parley/kv/impl/log_format.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::kv::impl {
namespace {

TEST(LogFormat, a_segment_begins_with_bytes_that_will_not_change) {
  const std::string head = encode(SegmentHead{.first = 0x0102, .synced = 0x0101});
  EXPECT_EQ(head.substr(0, 28),
            std::string("parleykv\1\0\0\0\2\1\0\0\0\0\0\0\1\1\0\0\0\0\0\0", 28));
  const auto back = decode_segment_head(head);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->version, log_version);
  EXPECT_EQ(back->first, 0x0102U);
  EXPECT_EQ(back->synced, 0x0101U);
}

TEST(LogFormat, a_record_has_a_checksum_of_all_of_it) {
  std::string record;
  append_record(record, 7, 5, "tea");
  EXPECT_EQ(record.size(), record_head_bytes + 3);
  EXPECT_TRUE(is_whole(record));
  const RecordHead head = decode_record_head(record);
  EXPECT_EQ(head.length, 3U);
  EXPECT_EQ(head.number, 7U);
  EXPECT_EQ(head.synced, 5U);
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string changed = record;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(is_whole(changed)) << bit;
  }
  for (std::size_t size = 0; size < record.size(); ++size) {
    ASSERT_FALSE(is_whole(record.substr(0, size))) << size;
  }
  EXPECT_FALSE(is_whole(std::string(record_head_bytes, '\0'))) << "a hole in a file is no record";
}

TEST(LogFormat, a_changed_bit_of_what_begins_a_file_is_data_loss) {
  const std::string segment = encode(SegmentHead{.first = 3, .synced = 2});
  const std::string snapshot = encode(SnapshotHead{.last = 9, .length = 4, .crc = 77});
  const auto back = decode_snapshot_head(snapshot);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->last, 9U);
  EXPECT_EQ(back->length, 4U);
  EXPECT_EQ(back->crc, 77U);
  EXPECT_EQ(decode_segment_head(snapshot).error().code(), Code::data_loss);
  for (std::size_t bit = 0; bit < segment_head_bytes * 8; ++bit) {
    std::string changed = segment;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(decode_segment_head(changed).error().code(), Code::data_loss) << bit;
    changed = snapshot;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(decode_snapshot_head(changed).error().code(), Code::data_loss) << bit;
  }
}

}  // namespace
}  // namespace parley::kv::impl
