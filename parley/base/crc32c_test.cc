#include "parley/base/crc32c.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/random.h"

namespace parley {
namespace {

TEST(Crc32c, is_that_of_the_rfc) {
  // RFC 3720, B.4, and the check value of the CRC catalogue.
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, goes_on_where_another_ended) {
  Random random(7);
  std::string text(300, '\0');
  for (char& c : text) c = static_cast<char>(random.next());
  const std::uint32_t whole = crc32c(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view view = text;
    ASSERT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), whole) << cut;
  }
}

TEST(Crc32c, of_each_changed_bit_is_another) {
  const std::string text = "nothing here is as it was";
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_NE(crc32c(changed), crc32c(text)) << bit;
  }
}

}  // namespace
}  // namespace parley
