#include "parley/crypto/key_agreement.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::from_hex;
using testing::secret_hex;
using testing::to_hex;

X25519Pair pair_of(std::string_view hex) {
  return X25519Pair::from_secret(secret_hex(hex)).value();
}
X25519PublicKey public_of(std::string_view hex) {
  return X25519PublicKey::from_bytes(from_hex(hex)).value();
}
std::string agreed(std::string_view scalar, std::string_view point) {
  const auto result = pair_of(scalar).agree(public_of(point));
  EXPECT_TRUE(result) << result.error();
  return to_hex(result->reveal());
}

TEST(X25519, multiplies_as_rfc_7748_says) {
  EXPECT_EQ(agreed("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                   "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agreed("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                   "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, multiplies_a_thousand_times_as_rfc_7748_says) {
  std::string scalar = "09" + std::string(62, '0');
  std::string point = scalar;
  for (int i = 1; i <= 1000; ++i) {
    point = std::exchange(scalar, agreed(scalar, point));
    if (i == 1) {
      EXPECT_EQ(scalar, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(scalar, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, both_sides_agree_as_rfc_7748_says) {
  const X25519Pair alice =
      pair_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const X25519Pair bob =
      pair_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(to_hex(alice.public_key().bytes()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob.public_key().bytes()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const std::string shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(to_hex(alice.agree(bob.public_key())->reveal()), shared);
  EXPECT_EQ(to_hex(bob.agree(alice.public_key())->reveal()), shared);
}

TEST(X25519, new_pairs_agree_and_are_not_alike) {
  const X25519Pair one = X25519Pair::generate().value();
  const X25519Pair two = X25519Pair::generate().value();
  const X25519Pair three = X25519Pair::generate().value();
  EXPECT_FALSE(one.public_key() == two.public_key());
  EXPECT_EQ(one.agree(two.public_key()).value(), two.agree(one.public_key()).value());
  EXPECT_FALSE(one.agree(two.public_key()).value() == one.agree(three.public_key()).value());
}

// The points of low order in every way to write them that X25519 tells apart: 0, 1, the two of
// order 8, p - 1, p, p + 1. All of them give zeros with any key.
TEST(X25519, a_public_key_that_gives_everybody_the_same_is_refused) {
  const X25519Pair mine = X25519Pair::generate().value();
  const std::string ff(60, 'f');
  for (const std::string& point :
       {std::string(64, '0'), "01" + std::string(62, '0'),
        std::string("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        std::string("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        "ec" + ff + "7f", "ed" + ff + "7f", "ee" + ff + "7f"}) {
    const auto result = mine.agree(public_of(point));
    EXPECT_EQ(result.error().code(), Code::invalid_argument) << point;
  }
  // And the pair goes on.
  EXPECT_TRUE(mine.agree(X25519Pair::generate()->public_key()));
}

TEST(X25519, keys_have_32_bytes) {
  for (const std::size_t size : {0, 31, 33}) {
    const std::string bytes(size, 'k');
    EXPECT_EQ(X25519PublicKey::from_bytes(bytes).error().code(), Code::invalid_argument);
    EXPECT_EQ(X25519Pair::from_secret(testing::secret(bytes)).error().code(),
              Code::invalid_argument);
  }
}

}  // namespace
}  // namespace parley::crypto
