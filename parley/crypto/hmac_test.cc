#include "parley/crypto/hmac.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::from_hex;
using testing::in_pieces;
using testing::secret;

struct Vector {
  std::string key;
  std::string message;
  std::string sha256;
  std::string sha512;
};

// RFC 4231; its fifth case is cut short and stands below.
const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all{
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
       "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", ""},
      {testing::counting(1, 25), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", ""},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", ""},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2", ""}};
  return all;
}

TEST(HmacCode, is_what_rfc_4231_says) {
  for (const Vector& vector : vectors()) {
    const Secret key = secret(vector.key);
    EXPECT_EQ(hmac(HashAlgorithm::sha256, key, vector.message)->hex(), vector.sha256);
    if (vector.sha512.empty()) continue;
    EXPECT_EQ(hmac(HashAlgorithm::sha512, key, vector.message)->hex(), vector.sha512);
  }
  const Digest cut =
      *hmac(HashAlgorithm::sha256, secret(std::string(20, '\x0c')), "Test With Truncation");
  EXPECT_EQ(cut.hex().substr(0, 32), "a3b6167473100ee06e0c796c2955552b");
}

TEST(HmacCode, does_not_depend_on_how_the_message_is_cut) {
  const std::string message = testing::counting(3, 300);
  const Secret key = secret("key");
  const Digest whole = *hmac(HashAlgorithm::sha256, key, message);
  for (const std::size_t size : {1, 64, 299, 300}) {
    EXPECT_EQ(*hmac(HashAlgorithm::sha256, key, in_pieces(message, size)), whole) << size;
  }
}

TEST(HmacCode, begins_anew_with_the_same_key) {
  Hmac code = *Hmac::create(HashAlgorithm::sha256, secret("Jefe"));
  for (int i = 0; i < 2; ++i) {
    code.update("what do ya want ");
    code.update(Bytes::copy_of("for nothing?"));
    EXPECT_EQ(code.finish()->hex(), vectors()[1].sha256);
  }
}

TEST(HmacCode, an_empty_key_and_an_empty_message_are_taken) {
  EXPECT_EQ(hmac(HashAlgorithm::sha256, Secret(), "")->hex(),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HmacCode, is_verified_to_its_last_byte) {
  const Secret key = secret("Jefe");
  const std::string right(hmac(HashAlgorithm::sha256, key, "tea")->hex());
  const std::string code = from_hex(right);
  EXPECT_TRUE(verify_hmac(HashAlgorithm::sha256, key, "tea", code).is_ok());
  for (std::size_t bit = 0; bit < 8 * code.size(); ++bit) {
    std::string other = code;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(verify_hmac(HashAlgorithm::sha256, key, "tea", other).code(), Code::unauthenticated);
  }
  for (const std::string& other : {std::string(), code.substr(0, 31), code + code}) {
    EXPECT_EQ(verify_hmac(HashAlgorithm::sha256, key, "tea", other).code(), Code::unauthenticated);
  }
  EXPECT_EQ(verify_hmac(HashAlgorithm::sha256, key, "Tea", code).code(), Code::unauthenticated);
  EXPECT_EQ(verify_hmac(HashAlgorithm::sha256, secret("jefe"), "tea", code).code(),
            Code::unauthenticated);
}

}  // namespace
}  // namespace parley::crypto
