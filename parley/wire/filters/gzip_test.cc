#include "parley/wire/filters/gzip.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/filters/testing/compression_cases.h"

namespace parley::wire {
namespace {

using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::applied;
using testing::error_of;
using testing::mixed_text;
using testing::roomy;

// "hello" by Go's compress/gzip, which erpc uses, at its level 5.
constexpr std::string_view go_hello =
    "1f8b08000000000000ff ca48cdc9c907040000ffff 86a61036 05000000";

TEST(Gzip, makes_text_smaller_and_noise_hardly_larger) {
  const std::string text(100'000, 'x');
  EXPECT_LT(applied(*gzip_filter(), text).size(), 500U);
  std::mt19937 random(3);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_LT(applied(*gzip_filter(), noise).size(), 100'100U);
}

TEST(Gzip, below_its_threshold_content_is_stored) {
  const auto filter = gzip_filter({.min_bytes = 6});
  EXPECT_EQ(to_hex(applied(*filter, "hello")),
            "1f8b08000000000000ff"
            "010500faff"
            "68656c6c6f"
            "86a61036"
            "05000000");
  const std::string six(6, 'x');
  EXPECT_EQ(applied(*filter, six).find(six), std::string::npos);
}

TEST(Gzip, reads_what_go_writes) {
  const auto back = gzip_filter()->undo(Bytes::from(from_hex(go_hello)), roomy);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(*back, "hello");
}

TEST(Gzip, goes_by_the_id_it_is_given) {
  EXPECT_EQ(gzip_filter()->id(), 'g');
  EXPECT_EQ(gzip_filter({.id = 'G'})->id(), 'G');
}

TEST(Gzip, a_wrong_checksum_is_data_loss) {
  std::string sent = applied(*gzip_filter({.min_bytes = 0}), "hello, hello, hello");
  sent[sent.size() - 8] ^= 1;  // of the CRC
  const Status crc = error_of(*gzip_filter(), sent);
  EXPECT_EQ(crc.code(), Code::data_loss);
  EXPECT_NE(crc.message().find("incorrect data check"), std::string::npos) << crc;
  sent[sent.size() - 8] ^= 1;
  sent[sent.size() - 4] ^= 1;  // of the length
  EXPECT_NE(error_of(*gzip_filter(), sent).message().find("incorrect length check"),
            std::string::npos);
}

TEST(Gzip, what_is_no_gzip_is_data_loss) {
  const Status status = error_of(*gzip_filter(), "{\"a\":1}");
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_EQ(status.message(), "what came is damaged or no gzip: incorrect header check");
}

TEST(Gzip, an_error_behind_the_end_says_so) {
  const std::string sent = applied(*gzip_filter(), "hello");
  EXPECT_EQ(error_of(*gzip_filter(), sent + std::string(4, '\0')).message(),
            "what came is damaged or no gzip behind its end: incorrect header check");
}

TEST(Gzip, what_grows_beyond_the_limit_is_refused_to_the_byte) {
  const std::string sent = applied(*gzip_filter(), std::string(100'000, 'x'));
  EXPECT_TRUE(gzip_filter()->undo(Bytes::copy_of(sent), {.bytes = 100'000, .name = "max"}));
  const Status status = error_of(*gzip_filter(), sent, {.bytes = 99'999, .name = "max_message"});
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(status.message(),
            "more comes out than max_message allows (99999 bytes): send less at once or raise the "
            "limit");
  // Though the last member alone is small.
  const std::string members = applied(*gzip_filter(), "123") + applied(*gzip_filter(), "456");
  EXPECT_EQ(error_of(*gzip_filter(), members, {.bytes = 5, .name = "max"}).code(),
            Code::resource_exhausted);
}

TEST(Gzip, a_bomb_never_holds_much_more_than_the_limit) {
  static const std::string bomb = applied(*gzip_filter({.level = 9}), std::string(50 << 20U, '\0'));
  ASSERT_LT(bomb.size(), 60'000U);
  const std::size_t held = parley::testing::most_held_by([] {
    EXPECT_EQ(error_of(*gzip_filter(), bomb, {.bytes = 1 << 20U, .name = "max"}).code(),
              Code::resource_exhausted);
  });
  EXPECT_LT(held, (1U << 20U) + 4 * bomb.size());
}

TEST(Gzip, a_small_content_keeps_little_memory) {
  const auto back = gzip_filter()->undo(Bytes::from(from_hex(go_hello)), roomy);
  EXPECT_LE(back->first_block()->capacity(), 16U);
}

}  // namespace
}  // namespace parley::wire
