#include "parley/crypto/random_bytes.h"

#include <gtest/gtest.h>

#include <set>

namespace parley::crypto {
namespace {

TEST(RandomBytes, come_in_the_size_asked_for_and_never_twice) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto bytes = random_bytes(16);
    ASSERT_TRUE(bytes) << bytes.error();
    EXPECT_EQ(bytes->size(), 16u);
    EXPECT_TRUE(seen.insert(*bytes).second);
  }
  EXPECT_EQ(random_bytes(0).value(), "");
}

TEST(RandomBytes, fill_all_of_the_span_and_nothing_else) {
  // That a byte stays 0 thirty times has a chance of 2^-240.
  std::string ever(10, '\0');
  for (int i = 0; i < 30; ++i) {
    std::string bytes(12, '\0');
    ASSERT_TRUE(fill_random(std::span(bytes).subspan(1, 10)).is_ok());
    EXPECT_EQ(bytes.front(), '\0');
    EXPECT_EQ(bytes.back(), '\0');
    for (std::size_t at = 0; at < ever.size(); ++at) {
      ever[at] = static_cast<char>(ever[at] | bytes[at + 1]);
    }
  }
  EXPECT_EQ(ever.find('\0'), std::string::npos);
}

TEST(RandomBytes, each_bit_is_set_half_of_the_time) {
  const std::string bytes = random_bytes(max_random_bytes).value();
  std::array<int, 8> set{};
  for (const char byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) set[bit] += byte >> bit & 1;
  }
  // Ten standard deviations (512 each) of 2^20 throws.
  for (const int count : set) EXPECT_NEAR(count, 1 << 19, 5120);
}

TEST(RandomBytes, more_than_the_limit_at_once_is_refused) {
  EXPECT_EQ(random_bytes(max_random_bytes + 1).error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace parley::crypto
