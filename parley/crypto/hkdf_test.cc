#include "parley/crypto/hkdf.h"

#include "parley/crypto/hmac.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::counting;
using testing::secret;
using testing::secret_hex;
using testing::to_hex;

std::string hex_of(const Result<Secret>& key) {
  EXPECT_TRUE(key) << key.error();
  return to_hex(key->reveal());
}

// RFC 5869, appendix A, cases 1 to 3.
TEST(Hkdf, is_what_rfc_5869_says) {
  const Secret material = secret(std::string(22, '\x0b'));
  const std::string salt = counting(0, 13);
  const std::string info = counting(0xf0, 10);
  EXPECT_EQ(hex_of(hkdf_extract(material, {.salt = salt})),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(hex_of(hkdf(material, {.salt = salt, .info = info, .size = 42})),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hex_of(hkdf(secret(counting(0, 80)),
                        {.salt = counting(0x60, 80), .info = counting(0xb0, 80), .size = 82})),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hex_of(hkdf(material, {.size = 42})),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, the_two_steps_are_the_whole) {
  const Secret material = secret("what was agreed on");
  for (const auto algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha512}) {
    const Secret key = *hkdf_extract(material, {.salt = "salt", .algorithm = algorithm});
    EXPECT_EQ(key.size(), digest_size(algorithm));
    const HkdfOptions options{.salt = "salt", .info = "i", .size = 100, .algorithm = algorithm};
    EXPECT_EQ(*hkdf_expand(key, options), *hkdf(material, options));
  }
}

// The definition, by HMAC: RFC 5869, 2.2 and 2.3.
TEST(Hkdf, is_built_of_hmac_as_the_rfc_defines_it) {
  const Secret key = *hkdf_extract(secret("material"), {.salt = "salt"});
  EXPECT_TRUE(key.equals(hmac(HashAlgorithm::sha256, secret("salt"), "material")->bytes()));
  std::string text;
  std::string last;
  for (char i = 1; i <= 3; ++i) {
    last = std::string(hmac(HashAlgorithm::sha256, key, last + "info" + i)->hex());
    last = testing::from_hex(last);
    text += last;
  }
  EXPECT_TRUE(hkdf_expand(key, {.info = "info", .size = 90})->equals(text.substr(0, 90)));
}

TEST(Hkdf, every_option_gives_another_key) {
  const Secret material = secret("material");
  const Secret one = *hkdf(material, {.salt = "a", .info = "b"});
  EXPECT_EQ(one.size(), 32u);
  EXPECT_EQ(one, *hkdf(material, {.salt = "a", .info = "b"}));
  EXPECT_FALSE(one == *hkdf(material, {.salt = "b", .info = "b"}));
  EXPECT_FALSE(one == *hkdf(material, {.salt = "a", .info = "a"}));
  EXPECT_FALSE(one ==
               *hkdf(material, {.salt = "a", .info = "b", .algorithm = HashAlgorithm::sha512}));
  EXPECT_FALSE(one == *hkdf(secret("Material"), {.salt = "a", .info = "b"}));
}

TEST(Hkdf, what_is_out_of_range_is_refused) {
  const Secret material = secret("material");
  const auto code = [&](const HkdfOptions& options) {
    return hkdf(material, options).error().code();
  };
  EXPECT_EQ(code({.size = 0}), Code::invalid_argument);
  EXPECT_EQ(code({.size = 4096}), Code::ok);
  EXPECT_EQ(code({.size = 4097}), Code::invalid_argument);
  EXPECT_EQ(code({.size = 255 * 16, .algorithm = HashAlgorithm::md5}), Code::ok);
  EXPECT_EQ(code({.size = 255 * 16 + 1, .algorithm = HashAlgorithm::md5}), Code::invalid_argument);
  const std::string info(max_hkdf_info + 1, 'i');
  EXPECT_EQ(code({.info = std::string_view(info).substr(1)}), Code::ok);
  EXPECT_EQ(code({.info = info}), Code::invalid_argument);
  EXPECT_EQ(hkdf(Secret(), {}).error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace parley::crypto
