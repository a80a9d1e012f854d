#include "parley/wire/filters/zstd.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/wire/filters/checksums.h"
#include "parley/wire/filters/testing/compression_cases.h"

namespace parley::wire {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::applied;
using testing::error_of;
using testing::mixed_text;
using testing::roomy;

TEST(Zstd, below_its_threshold_content_is_stored) {
  const auto filter = zstd_filter({.min_bytes = 6});
  EXPECT_EQ(to_hex(applied(*filter, "hello")), "28b52ffd240529000068656c6c6fa36d9f88");
  EXPECT_EQ(to_hex(applied(*filter, "")), "28b52ffd240001000099e9d851");
}

TEST(Zstd, what_was_stored_and_is_damaged_is_data_loss) {
  const std::string sent = applied(*zstd_filter(), "hello, hello");
  for (std::size_t at = 9; at < sent.size(); ++at) {  // behind the headers
    std::string came = sent;
    came[at] = static_cast<char>(came[at] ^ 1);
    const Status status = error_of(*zstd_filter(), came);
    EXPECT_EQ(status.code(), Code::data_loss) << at;
    EXPECT_NE(status.message().find("checksum"), std::string::npos) << status;
  }
}

TEST(Zstd, its_program_reads_what_we_write_and_the_other_way_round) {
  const parley::testing::Witness witness;
  if (witness.ask("zstd --version").code != 0) GTEST_SKIP() << "there is no zstd here";
  for (const std::size_t size : {0U, 5U, 300U, 70'000U, 300'000U}) {
    for (const std::size_t min_bytes : {0U, 1'000'000U}) {
      const std::string text = mixed_text(size);
      witness.write("ours.zst", applied(*zstd_filter({.min_bytes = min_bytes}), text));
      (void)witness.output_of("zstd -q -f -d " + witness.path("ours.zst") + " -o " +
                              witness.path("text"));
      EXPECT_TRUE(witness.read("text") == text) << size;
      (void)witness.output_of("zstd -q -f -9 " + witness.path("text") + " -o " +
                              witness.path("theirs.zst"));
      const auto back = zstd_filter()->undo(Bytes::from(witness.read("theirs.zst")), roomy);
      ASSERT_TRUE(back) << back.error();
      EXPECT_TRUE(*back == text) << size;
    }
  }
}

TEST(Zstd, a_wrong_checksum_is_data_loss) {
  std::string sent = applied(*zstd_filter({.min_bytes = 0}), "hello, hello, hello");
  sent.back() = static_cast<char>(sent.back() ^ 1);
  const Status status = error_of(*zstd_filter(), sent);
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_NE(status.message().find("checksum"), std::string::npos) << status;
}

TEST(Zstd, what_is_no_zstd_is_data_loss) {
  const Status status = error_of(*zstd_filter(), "{\"a\":1}");
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_NE(status.message().find("what came is damaged or no zstd: "), std::string::npos);
}

TEST(Zstd, what_grows_beyond_the_limit_is_refused_to_the_byte) {
  for (const std::size_t size : {300U, 100'000U}) {
    const std::string sent = applied(*zstd_filter({.min_bytes = 0}), std::string(size, 'x'));
    EXPECT_TRUE(zstd_filter()->undo(Bytes::copy_of(sent), {.bytes = size, .name = "max"}));
    const Status status =
        error_of(*zstd_filter(), sent, {.bytes = size - 1, .name = "max_message"});
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_NE(status.message().find("more comes out than max_message allows"), std::string::npos);
  }
}

TEST(Zstd, a_bomb_never_holds_much_more_than_the_limit) {
  // Of level 1, whose window fits the limit: it is what comes out that is too much.
  static const std::string bomb = applied(*zstd_filter({.level = 1}), std::string(50 << 20U, '\0'));
  ASSERT_LT(bomb.size(), 60'000U);
  const std::size_t held = parley::testing::most_held_by([] {
    const Status status = error_of(*zstd_filter(), bomb, {.bytes = 1 << 20U, .name = "max"});
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_NE(status.message().find("more comes out than max allows"), std::string::npos) << status;
  });
  EXPECT_GT(held, 1U << 20U);
  EXPECT_LT(held, (1U << 20U) + (1U << 18U));
}

TEST(Zstd, a_header_alone_claims_no_window_beyond_the_limit) {
  // No content size, a window of 128 MiB.
  const Status status = error_of(*zstd_filter(), from_hex("28b52ffd 00 88 010000"),
                                 {.bytes = 1 << 20U, .name = "max"});
  EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
  EXPECT_NE(status.message().find("it takes a window of 134217728 bytes, which does not fit what "
                                  "max allows (1048576 bytes)"),
            std::string::npos)
      << status;
}

TEST(Zstd, within_a_pipe_a_window_has_to_fit_what_the_whole_pipe_may_make) {
  Filters filters;
  filters.add(zstd_filter()).add(crc32c_filter());
  const auto undone = [&](const Bytes& came, std::size_t most) {
    return undo_filters(&filters, FilterPipe("cz"), came, {.bytes = most, .name = "max"});
  };
  // "hello" and its checksum, stored, with a window of 2 MiB.
  const Bytes hello = Bytes::from(from_hex("28b52ffd 00 58 490000 68656c6c6f 9a71bb4c"));
  EXPECT_EQ(undone(hello, 2 << 20U).value(), "hello");
  EXPECT_EQ(undone(hello, 1 << 20U).error().code(), Code::resource_exhausted);
  // What is as large as the limit fits, with its checksum too.
  const std::string full = mixed_text(65'536);
  const auto sent = apply_filters(&filters, FilterPipe("cz"), Bytes::copy_of(full));
  const auto back = undone(*sent, full.size());
  ASSERT_TRUE(back) << back.error();
  EXPECT_TRUE(*back == full);
}

TEST(Zstd, a_frame_is_judged_alike_however_it_was_cut) {
  const FilterLimit limit{.bytes = 100'000, .name = "max"};
  // Stored, of a known size: 300 bytes with a window of 128 MiB, 2,000 in a block beyond their
  // window of 1 KiB.
  const std::string wide = from_hex("28b52ffd 40 88 2c00 610900") + std::string(300, 'x');
  const std::string narrow = from_hex("28b52ffd 40 00 d006 813e00") + std::string(2000, 'x');
  EXPECT_EQ(error_of(*zstd_filter(), wide, limit).code(), Code::resource_exhausted);
  EXPECT_EQ(error_of(*zstd_filter(), narrow, limit).code(), Code::data_loss);
  for (const std::string& frame : {wide, narrow}) {
    const Status whole = error_of(*zstd_filter(), frame, limit);
    for (std::size_t piece = 1; piece < frame.size(); ++piece) {
      const auto cut = zstd_filter()->undo(testing::in_pieces(frame, piece), limit);
      ASSERT_FALSE(cut) << piece;
      EXPECT_EQ(cut.error().message(), whole.message()) << piece;
    }
  }
}

}  // namespace
}  // namespace parley::wire
