#include "parley/wire/filters/checksums.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/hex.h"

namespace parley::wire {
namespace {

using parley::testing::to_hex;

const FilterLimit roomy{.bytes = 10'000, .name = "max_message"};

Bytes applied(const Filter& filter, Bytes content) {
  Result<Bytes> bytes = filter.apply(std::move(content));
  EXPECT_TRUE(bytes) << bytes.error();
  return *bytes;
}

TEST(Checksums, md5_stands_behind_the_content) {
  EXPECT_EQ(to_hex(applied(*md5_filter(), Bytes::copy_of("abc")).to_string()),
            to_hex("abc") + "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Checksums, crc32c_stands_behind_the_content_big_endian) {
  // The check value of the CRC catalogue.
  EXPECT_EQ(to_hex(applied(*crc32c_filter(), Bytes::copy_of("123456789")).to_string()),
            to_hex("123456789") + "e3069283");
}

TEST(Checksums, come_off_again_and_the_content_is_not_copied) {
  for (const auto& filter : {md5_filter(), crc32c_filter()}) {
    for (const std::string_view text : {"", "x", "content"}) {
      const Bytes content = Bytes::copy_of(text);
      const auto back = filter->undo(applied(*filter, content), roomy);
      ASSERT_TRUE(back) << back.error();
      EXPECT_EQ(*back, text);
      if (text.empty()) continue;
      EXPECT_EQ(back->piece(0).data(), content.piece(0).data());
    }
  }
}

TEST(Checksums, a_changed_bit_anywhere_is_data_loss) {
  for (const auto& filter : {md5_filter(), crc32c_filter()}) {
    const std::string sent = applied(*filter, Bytes::copy_of("content")).to_string();
    for (std::size_t bit = 0; bit < 8 * sent.size(); ++bit) {
      std::string came = sent;
      came[bit / 8] = static_cast<char>(came[bit / 8] ^ 1 << bit % 8);
      const auto undone = filter->undo(Bytes::from(came), roomy);
      ASSERT_FALSE(undone) << bit;
      EXPECT_EQ(undone.error().code(), Code::data_loss);
      EXPECT_NE(undone.error().message().find("the checksum is wrong"), std::string::npos);
    }
  }
}

TEST(Checksums, what_is_cut_or_has_more_behind_it_is_data_loss) {
  for (const auto& filter : {md5_filter(), crc32c_filter()}) {
    const std::string sent = applied(*filter, Bytes::copy_of("content")).to_string();
    for (std::size_t size = 0; size < sent.size(); ++size) {
      const auto undone = filter->undo(Bytes::copy_of(sent.substr(0, size)), roomy);
      ASSERT_FALSE(undone) << size;
      EXPECT_EQ(undone.error().code(), Code::data_loss);
    }
    EXPECT_EQ(filter->undo(Bytes::from(sent + "!"), roomy).error().code(), Code::data_loss);
  }
  EXPECT_EQ(crc32c_filter()->undo(Bytes::copy_of("123"), roomy).error().message(),
            "3 bytes have no room for a checksum of 4");
}

TEST(Checksums, the_limit_is_of_what_remains) {
  const Bytes sent = applied(*crc32c_filter(), Bytes::copy_of("12345678"));
  EXPECT_TRUE(crc32c_filter()->undo(sent, {.bytes = 8, .name = "max"}));
  EXPECT_EQ(crc32c_filter()->undo(sent, {.bytes = 7, .name = "max"}).error().code(),
            Code::resource_exhausted);
}

}  // namespace
}  // namespace parley::wire
