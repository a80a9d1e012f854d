#include "parley/crypto/legacy_ecb.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::secret;
using testing::secret_hex;
using testing::to_hex;

LegacyEcbKey key_of(std::string_view bytes) { return LegacyEcbKey::create(secret(bytes)).value(); }

// FIPS 197, appendix C: the block 00112233...; behind it stands a block of padding.
TEST(LegacyEcb, encrypts_blocks_as_fips_197_says) {
  const std::string block = testing::from_hex("00112233445566778899aabbccddeeff");
  for (const auto& [size, sealed] : {std::pair{16, "69c4e0d86a7b0430d8cdb78070b4c55a"},
                                     std::pair{24, "dda97ca4864cdfe06eaf70a0ec0d7191"},
                                     std::pair{32, "8ea2b7ca516745bfeafc49904b496089"}}) {
    const LegacyEcbKey key = key_of(testing::counting(0, static_cast<std::size_t>(size)));
    const std::string hex = key.encrypt(block).value();
    EXPECT_EQ(hex.size(), 64u);
    EXPECT_EQ(hex.substr(0, 32), sealed);
    EXPECT_EQ(key.decrypt(hex).value(), block);
  }
}

TEST(LegacyEcb, a_key_is_known_by_its_md5) {
  EXPECT_EQ(key_of("0123456789abcdef").cipher_version(), "4032af8d61035123906e58e067140cc5");
}

TEST(LegacyEcb, texts_of_any_size_go_both_ways_in_whole_blocks) {
  const LegacyEcbKey key = key_of("cipherkey1234567");
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string text = testing::counting(5, size);
    const std::string hex = key.encrypt(text).value();
    EXPECT_EQ(hex.size(), (size / 16 + 1) * 32);
    EXPECT_EQ(key.decrypt(hex).value(), text);
    std::string upper = hex;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(key.decrypt(upper).value(), text);
  }
}

// What is wrong with it, and why the header warns.
TEST(LegacyEcb, equal_blocks_look_equal) {
  const std::string hex = key_of("cipherkey1234567").encrypt(std::string(32, 'x')).value();
  EXPECT_EQ(hex.substr(0, 32), hex.substr(32, 32));
}

TEST(LegacyEcb, whatever_is_wrong_is_told_in_the_same_words) {
  const LegacyEcbKey key = key_of("cipherkey1234567");
  const std::string hex = key.encrypt("a text of more than one block").value();
  std::string no_digit = hex;
  no_digit[3] = 'g';
  const Status first = key.decrypt("").error();
  EXPECT_EQ(first.code(), Code::data_loss);
  for (const std::string& other :
       {no_digit, hex.substr(1), hex.substr(2), hex.substr(0, 32), std::string(64, '0')}) {
    EXPECT_EQ(key.decrypt(other).error(), first) << other;
  }
  EXPECT_EQ(key_of("another key 4567").decrypt(hex).error(), first);
  EXPECT_TRUE(key.decrypt(hex));
}

TEST(LegacyEcb, keys_of_other_sizes_and_texts_too_long_are_refused) {
  for (const std::size_t size : {0, 15, 17, 31, 33, 64}) {
    EXPECT_EQ(LegacyEcbKey::create(secret(std::string(size, 'k'))).error().code(),
              Code::invalid_argument);
  }
  const LegacyEcbKey key = key_of("cipherkey1234567");
  EXPECT_EQ(key.encrypt(std::string(LegacyEcbKey::max_bytes + 1, 't')).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(key.decrypt(std::string(2 * LegacyEcbKey::max_bytes + 64, '0')).error().code(),
            Code::resource_exhausted);
}

}  // namespace
}  // namespace parley::crypto
