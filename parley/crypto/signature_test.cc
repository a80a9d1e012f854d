#include "parley/crypto/signature.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::from_hex;
using testing::secret_hex;
using testing::to_hex;

// RFC 8032, 7.1, cases 1 to 3.
TEST(Ed25519, signs_as_rfc_8032_says) {
  struct Vector {
    const char* seed;
    const char* public_key;
    const char* message;
    const char* signature;
  };
  for (const Vector& vector :
       {Vector{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
               "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
               "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
               "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        Vector{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
               "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
               "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        Vector{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
               "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
               "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
               "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}}) {
    const SigningKey key = SigningKey::from_seed(secret_hex(vector.seed)).value();
    EXPECT_EQ(to_hex(key.public_key().bytes()), vector.public_key);
    const Signature signature = key.sign(from_hex(vector.message)).value();
    EXPECT_EQ(to_hex(signature.bytes()), vector.signature);
    const VerifyingKey known = VerifyingKey::from_bytes(from_hex(vector.public_key)).value();
    EXPECT_TRUE(known.verify(from_hex(vector.message), from_hex(vector.signature)).is_ok());
  }
}

TEST(Ed25519, a_changed_bit_anywhere_is_refused) {
  const SigningKey key = SigningKey::generate().value();
  const std::string message = "two pounds of tea";
  const Signature made = key.sign(message).value();
  const std::string signature(made.bytes());
  ASSERT_TRUE(key.public_key().verify(message, signature).is_ok());
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string other = signature;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(key.public_key().verify(message, other).code(), Code::unauthenticated) << bit;
  }
  for (std::size_t at = 0; at < message.size(); ++at) {
    std::string other = message;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_EQ(key.public_key().verify(other, signature).code(), Code::unauthenticated) << at;
  }
  for (const std::string& other :
       {std::string(), signature.substr(0, 63), signature + '\0', signature + signature}) {
    EXPECT_EQ(key.public_key().verify(message, other).code(), Code::unauthenticated);
  }
  // The same message gets the same signature.
  EXPECT_EQ(key.sign(message).value(), made);
}

// RFC 8032, 5.1.7: S above the order of the group would be a second signature of the same message.
TEST(Ed25519, a_signature_written_in_another_way_is_refused) {
  const SigningKey key = SigningKey::generate().value();
  std::string signature(key.sign("tea")->bytes());
  const std::string order =
      from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  int carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned char>(signature[32 + i]) + static_cast<unsigned char>(order[i]);
    signature[32 + i] = static_cast<char>(carry);
    carry >>= 8;
  }
  EXPECT_EQ(key.public_key().verify("tea", signature).code(), Code::unauthenticated);
}

TEST(Ed25519, another_key_is_refused) {
  const SigningKey one = SigningKey::generate().value();
  const SigningKey two = SigningKey::generate().value();
  const Signature signature = one.sign("tea").value();
  EXPECT_EQ(two.public_key().verify("tea", signature.bytes()).code(), Code::unauthenticated);
  const VerifyingKey copy = one.public_key();
  EXPECT_TRUE(copy.verify("tea", signature.bytes()).is_ok());
}

TEST(Ed25519, keys_have_32_bytes_and_one_that_is_no_point_verifies_nothing) {
  for (const std::size_t size : {0, 31, 33, 64}) {
    const std::string bytes(size, 'k');
    EXPECT_EQ(VerifyingKey::from_bytes(bytes).error().code(), Code::invalid_argument);
    EXPECT_EQ(SigningKey::from_seed(testing::secret(bytes)).error().code(), Code::invalid_argument);
  }
  const VerifyingKey no_point = VerifyingKey::from_bytes("\x02" + std::string(31, '\0')).value();
  const Signature signature = SigningKey::generate()->sign("tea").value();
  EXPECT_EQ(no_point.verify("tea", signature.bytes()).code(), Code::unauthenticated);
}

}  // namespace
}  // namespace parley::crypto
