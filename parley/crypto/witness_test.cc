// Debian's openssl program and node.js as foreign witnesses.
#include "parley/base/testing/witness.h"

#include "parley/base/base64.h"
#include "parley/base/random.h"
#include "parley/crypto/digest.h"
#include "parley/crypto/hkdf.h"
#include "parley/crypto/hmac.h"
#include "parley/crypto/key_agreement.h"
#include "parley/crypto/legacy_ecb.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/crypto/signature.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using parley::testing::Witness;
using testing::from_hex;
using testing::secret;
using testing::to_hex;

std::string random_text(Random& random, std::size_t most) {
  std::string text(random.below(most + 1), '\0');
  for (char& c : text) c = static_cast<char>(random.next());
  return text;
}

bool is_there(const Witness& witness) { return witness.ask("openssl version").code == 0; }
constexpr const char* no_openssl = "there is no openssl program to ask";

TEST(CryptoWitness, openssl_computes_the_same_digests_and_codes) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  Random random(1);
  for (int i = 0; i < 4; ++i) {
    const std::string text = random_text(random, 5000);
    const std::string key = random_text(random, 200) + "k";
    for (const auto& [algorithm, name] :
         {std::pair{HashAlgorithm::sha256, "sha256"}, std::pair{HashAlgorithm::sha512, "sha512"},
          std::pair{HashAlgorithm::md5, "md5"}}) {
      const std::string dgst = std::string("openssl dgst -r -") + name;
      EXPECT_EQ(witness.output_of(dgst, text), digest(algorithm, text)->hex() + " *stdin\n");
      EXPECT_EQ(witness.output_of(dgst + " -mac HMAC -macopt hexkey:" + to_hex(key), text),
                hmac(algorithm, secret(key), text)->hex() + " *stdin\n");
    }
  }
}

TEST(CryptoWitness, openssl_derives_the_same_keys) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  Random random(2);
  for (int i = 0; i < 6; ++i) {
    const std::string material = random_text(random, 100) + "m";
    const std::string salt = random_text(random, 60) + "s";
    const std::string info = random_text(random, 300) + "i";
    const std::size_t size = random.between(1, 300);
    const Secret key = hkdf(secret(material), {.salt = salt, .info = info, .size = size}).value();
    witness.write("ours", key.reveal());
    EXPECT_EQ(witness
                  .ask("openssl kdf -binary -keylen " + std::to_string(size) +
                       " -kdfopt digest:SHA256 -kdfopt hexkey:" + to_hex(material) +
                       " -kdfopt hexsalt:" + to_hex(salt) + " -kdfopt hexinfo:" + to_hex(info) +
                       " HKDF | cmp - ours")
                  .code,
              0);
  }
}

// A key as RFC 8410 writes it: what stands before its 32 bytes does not depend on them.
std::string private_der(std::string_view oid_byte, std::string_view key) {
  return from_hex("302e020100300506032b65") + std::string(oid_byte) + from_hex("04220420") +
         std::string(key);
}
std::string public_der(std::string_view oid_byte, std::string_view key) {
  return from_hex("302a300506032b65") + std::string(oid_byte) + from_hex("032100") +
         std::string(key);
}

TEST(CryptoWitness, openssl_agrees_on_the_same_secret_by_x25519) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  witness.write("theirs.der", "");
  EXPECT_EQ(witness
                .ask("openssl genpkey -algorithm X25519 -outform DER -out theirs.der && "
                     "openssl pkey -inform DER -in theirs.der -pubout -outform DER -out pub.der")
                .code,
            0);
  const std::string their_public = witness.read("pub.der");
  ASSERT_EQ(their_public.size(), 44u);
  const X25519Pair mine = X25519Pair::generate().value();
  witness.write("mine.der", public_der("\x6e", mine.public_key().bytes()));
  const Secret agreed =
      mine.agree(X25519PublicKey::from_bytes(their_public.substr(12)).value()).value();
  witness.write("ours", agreed.reveal());
  EXPECT_EQ(witness.output_of("openssl pkeyutl -derive -keyform DER -inkey theirs.der "
                              "-peerform DER -peerkey mine.der | cmp - ours"),
            "");
}

TEST(CryptoWitness, openssl_verifies_our_signatures_and_we_its) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  const Secret seed = Secret::random(32).value();
  const SigningKey key = SigningKey::from_seed(seed).value();
  const std::string message = "two pounds of tea";
  witness.write("message", message);
  witness.write("private.der", private_der("\x70", seed.reveal()));
  witness.write("public.der", public_der("\x70", key.public_key().bytes()));
  const Signature signature = key.sign(message).value();
  witness.write("signature", signature.bytes());
  const auto verified = witness.ask(
      "openssl pkeyutl -verify -pubin -keyform DER -inkey public.der "
      "-rawin -in message -sigfile signature");
  EXPECT_EQ(verified.code, 0) << verified.out << verified.said;
  const auto signed_there = witness.ask(
      "openssl pkeyutl -sign -keyform DER -inkey private.der "
      "-rawin -in message -out theirs");
  EXPECT_EQ(signed_there.code, 0) << signed_there.said;
  EXPECT_TRUE(key.public_key().verify(message, witness.read("theirs")).is_ok());
}

TEST(CryptoWitness, openssl_reads_and_writes_legacy_bodies) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  Random random(3);
  for (const std::size_t size : {16, 24, 32}) {
    const std::string key_bytes = testing::counting(static_cast<unsigned>(size), size);
    const LegacyEcbKey key = LegacyEcbKey::create(secret(key_bytes)).value();
    const std::string enc =
        "openssl enc -aes-" + std::to_string(8 * size) + "-ecb -K " + to_hex(key_bytes);
    for (int i = 0; i < 3; ++i) {
      const std::string text = random_text(random, 200);
      const std::string hex = key.encrypt(text).value();
      EXPECT_EQ(witness.output_of(enc + " -d", from_hex(hex)), text);
      EXPECT_EQ(to_hex(witness.output_of(enc, text)), hex);
    }
    EXPECT_EQ(witness.output_of("openssl dgst -r -md5", key_bytes),
              key.cipher_version() + " *stdin\n");
  }
}

// The openssl program refuses AEAD; but what GCM encrypts with is AES in counter mode from 2 on,
// and its tag of associated data alone is a GMAC.
TEST(CryptoWitness, openssl_decrypts_what_we_seal_by_its_parts) {
  const Witness witness;
  if (!is_there(witness)) GTEST_SKIP() << no_openssl;
  const std::string key_bytes = testing::counting(7, 32);
  const std::string nonce_bytes = testing::counting(100, 12);
  const Nonce nonce = Nonce::from_bytes(nonce_bytes).value();
  const std::string text = testing::counting(9, 1000);
  const auto sealed_by = [&](AeadAlgorithm algorithm, std::string_view beside,
                             std::string_view plain) {
    const AeadKey key = AeadKey::create(algorithm, secret(key_bytes)).value();
    return key.seal(nonce, beside, Bytes::copy_of(plain))->to_string();
  };
  const std::string gcm = sealed_by(AeadAlgorithm::aes256_gcm, "beside", text);
  EXPECT_EQ(witness.output_of("openssl enc -d -aes-256-ctr -K " + to_hex(key_bytes) + " -iv " +
                                  to_hex(nonce_bytes) + "00000002",
                              gcm.substr(0, text.size())),
            text);
  const std::string chacha = sealed_by(AeadAlgorithm::chacha20_poly1305, "beside", text);
  EXPECT_EQ(witness.output_of("openssl enc -d -chacha20 -K " + to_hex(key_bytes) + " -iv 01000000" +
                                  to_hex(nonce_bytes),
                              chacha.substr(0, text.size())),
            text);
  EXPECT_EQ(to_hex(witness.output_of(
                "openssl mac -binary -cipher AES-256-GCM -macopt hexkey:" + to_hex(key_bytes) +
                    " -macopt hexiv:" + to_hex(nonce_bytes) + " -in witness.in GMAC",
                "what stands beside")),
            to_hex(sealed_by(AeadAlgorithm::aes256_gcm, "what stands beside", "")));
}

// node.js with a program that was written from docs/protocols/sealed.md alone.
TEST(CryptoWitness, node_seals_and_opens_sequences_from_their_page) {
  const Witness witness;
  if (witness.node_with("crypto").empty()) GTEST_SKIP() << "there is no node to ask";
  Random random(4);
  std::vector<std::string> questions;
  std::vector<std::string> answers;
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::aes256_gcm, AeadAlgorithm::chacha20_poly1305}) {
    for (const Side side : {Side::dialer, Side::listener}) {
      const std::string shared = random_text(random, 40) + std::string(16, 's');
      SequenceOptions options;
      options.side = side;
      options.algorithm = algorithm;
      options.salt = random_text(random, 40) + std::string(16, 's');
      options.context = random_text(random, 40);
      options.messages_per_key = random.between(1, 5);
      SealedSequences sequences = derive_sequences(secret(shared), options).value();
      for (int number = 0; number < 12; ++number) {
        const std::string plain = random_text(random, 300);
        const std::string beside = random_text(random, 30);
        const std::string sealed =
            to_hex(sequences.sealing.seal(Bytes::copy_of(plain), beside)->to_string());
        const std::string question =
            R"({"algorithm":")" + std::string(name_of(algorithm)) + R"(","side":")" +
            (side == Side::dialer ? "dialer" : "listener") + R"(","shared":")" + to_hex(shared) +
            R"(","salt":")" + to_hex(options.salt) + R"(","context":")" + to_hex(options.context) +
            R"(","per_key":)" + std::to_string(options.messages_per_key) + R"(,"number":)" +
            std::to_string(number) + R"(,"beside":")" + to_hex(beside) + R"(",)";
        questions.push_back(question + R"("plain":")" + to_hex(plain) + R"("})");
        answers.push_back(sealed);
        questions.push_back(question + R"("sealed":")" + sealed + R"("})");
        answers.push_back(to_hex(plain));
        std::string other = sealed;
        other.back() = other.back() == '0' ? '1' : '0';
        questions.push_back(question + R"("sealed":")" + other + R"("})");
        answers.push_back("no");
      }
    }
  }
  EXPECT_EQ(
      witness.lines_of("node '" PARLEY_SOURCE_DIR "/parley/crypto/sealed_reference.js'", questions),
      answers);
}

}  // namespace
}  // namespace parley::crypto
