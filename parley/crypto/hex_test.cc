#include "parley/crypto/hex.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

TEST(Hex, every_byte_goes_both_ways) {
  const std::string bytes = testing::counting(0, 256);
  std::string text = ">";
  append_hex(text, bytes);
  EXPECT_EQ(text, ">" + testing::to_hex(bytes));
  std::string back(256, 'x');
  ASSERT_TRUE(decode_hex(std::string_view(text).substr(1), back));
  EXPECT_EQ(back, bytes);
}

TEST(Hex, reads_lower_and_upper_case) {
  std::string bytes(3, '\0');
  ASSERT_TRUE(decode_hex("aBcDeF", bytes));
  EXPECT_EQ(bytes, testing::from_hex("abcdef"));
}

TEST(Hex, every_other_character_is_refused_in_every_place) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const bool is_digit = digits.find(c) != std::string_view::npos;
    for (std::size_t at = 0; at < 4; ++at) {
      std::string text = "0123";
      text[at] = c;
      std::string bytes(2, '\0');
      EXPECT_EQ(decode_hex(text, bytes), is_digit) << value << " at " << at;
      EXPECT_EQ(first_not_hex(text), is_digit ? text.size() : at) << value << " at " << at;
    }
  }
}

TEST(Hex, the_size_has_to_fit) {
  std::string bytes(2, '\0');
  EXPECT_FALSE(decode_hex("012", bytes));
  EXPECT_FALSE(decode_hex("012345", bytes));
  EXPECT_TRUE(decode_hex("", {}));
}

}  // namespace
}  // namespace parley::crypto
