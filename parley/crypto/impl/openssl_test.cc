#include "parley/crypto/impl/openssl.h"

#include <openssl/err.h>

#include "parley/crypto/aead.h"
#include "parley/crypto/key_agreement.h"
#include "parley/crypto/legacy_ecb.h"
#include "parley/crypto/signature.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto::impl {
namespace {

TEST(Openssl, what_it_says_about_a_failure_becomes_the_cause) {
  ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
  ERR_raise(ERR_LIB_EVP, ERR_R_INTERNAL_ERROR);
  const Status status = openssl_failed(Code::internal, "it failed");
  EXPECT_EQ(status.message(), "it failed");
  EXPECT_EQ(status.cause(), "malloc failure; internal error");
  EXPECT_EQ(openssl_failed(Code::internal, "it failed").cause(), "");
}

// The next to look into the queue of this thread is TLS, of another connection.
TEST(Openssl, no_failure_leaves_anything_in_the_queue) {
  const auto is_empty = [] { return ERR_peek_error() == 0; };
  const AeadKey key =
      AeadKey::create(AeadAlgorithm::aes256_gcm, Secret::zeros(aead_key_bytes)).value();
  EXPECT_FALSE(key.open_alone("", Bytes::from(std::string(40, 'x'))));
  EXPECT_TRUE(is_empty());
  const LegacyEcbKey legacy = LegacyEcbKey::create(testing::secret("cipherkey1234567")).value();
  EXPECT_FALSE(legacy.decrypt(std::string(64, '0')));
  EXPECT_TRUE(is_empty());
  const X25519Pair pair = X25519Pair::generate().value();
  EXPECT_FALSE(pair.agree(X25519PublicKey::from_bytes(std::string(32, '\0')).value()));
  EXPECT_TRUE(is_empty());
  const SigningKey signing = SigningKey::generate().value();
  EXPECT_FALSE(signing.public_key().verify("tea", std::string(64, 's')).is_ok());
  EXPECT_FALSE(signing.public_key().verify("tea", "").is_ok());
  EXPECT_TRUE(is_empty());
}

}  // namespace
}  // namespace parley::crypto::impl
