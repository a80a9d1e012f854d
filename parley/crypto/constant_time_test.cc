#include "parley/crypto/constant_time.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::crypto {
namespace {

TEST(ConstantTime, agrees_with_an_ordinary_comparison) {
  const std::string text = "the key of the shop";
  EXPECT_TRUE(equal_in_constant_time(text, std::string(text)));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_TRUE(equal_in_constant_time({}, ""));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(equal_in_constant_time(text, other)) << i;
    EXPECT_FALSE(equal_in_constant_time(text, text.substr(0, i))) << i;
  }
}

TEST(ConstantTime, wiping_leaves_zeros) {
  std::string text = "secret";
  wipe(std::span(text).subspan(1, 4));
  EXPECT_EQ(text, std::string("s\0\0\0\0t", 6));
  wipe({});
}

}  // namespace
}  // namespace parley::crypto
