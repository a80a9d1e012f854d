#include "parley/peer/impl/secure_hello.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace parley::impl {
namespace {

using crypto::Secret;

const SecureTerms terms{.messages_per_key = 65'536};

SecureIdentity with_key(char of) {
  Secret key = Secret::copy_of(std::string(32, of)).value();
  Secret proof = proof_key_of(key).value();
  return {.shared_key = std::move(key), .proof_key = std::move(proof)};
}

crypto::X25519Pair pair() { return crypto::X25519Pair::generate().value(); }

SecureHello hello(const SecureIdentity& identity, std::string_view before = {}) {
  return SecureHello::make(terms, identity, pair().public_key(), before).value();
}

TEST(SecureHello, what_is_made_is_parsed) {
  SecureIdentity both = with_key('k');
  both.own_key = crypto::SigningKey::generate().value();
  for (const bool is_always : {true, false}) {
    const SecureTerms said{.algorithm = crypto::AeadAlgorithm::chacha20_poly1305,
                           .is_always = is_always,
                           .messages_per_key = 0x0102030405060708};
    const SecureHello made = SecureHello::make(said, both, pair().public_key(), {}).value();
    const SecureHello read = SecureHello::parse(made.bytes).value();
    EXPECT_EQ(read.terms, said);
    EXPECT_EQ(read.random, made.random);
    EXPECT_EQ(read.public_key, made.public_key);
    EXPECT_EQ(read.proof, made.proof);
    EXPECT_EQ(read.identity, both.own_key->public_key().bytes());
    EXPECT_EQ(read.signature, made.signature);
  }
}

TEST(SecureHello, its_bytes_are_those_of_the_page) {
  const SecureHello made = hello(SecureIdentity());
  std::string expected("PSE1\x04\x01\0\0\0\0\0\x01\0\0", 14);
  EXPECT_EQ(made.bytes, expected + made.random + made.public_key);
  EXPECT_EQ(made.bytes.size(), 78U);
}

TEST(SecureHello, what_is_cut_longer_or_unknown_is_none) {
  SecureIdentity both = with_key('k');
  both.own_key = crypto::SigningKey::generate().value();
  const std::string bytes = hello(both).bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(SecureHello::parse(bytes.substr(0, size)).error().code(), Code::invalid_argument);
  }
  EXPECT_FALSE(SecureHello::parse(bytes + "x"));
  for (const auto& [at, to] : {std::pair{0, 'x'}, {4, '\x0f'}, {5, '\0'}, {5, '\3'}}) {
    std::string changed = bytes;
    changed[static_cast<std::size_t>(at)] = to;
    EXPECT_FALSE(SecureHello::parse(changed)) << at;
  }
}

TEST(SecureHello, each_byte_of_it_is_proved_with_the_key) {
  for (const bool is_signed : {false, true}) {
    SecureIdentity dialer = is_signed ? SecureIdentity() : with_key('k');
    SecureIdentity listener = is_signed ? SecureIdentity() : with_key('k');
    if (is_signed) {
      dialer.own_key = crypto::SigningKey::generate().value();
      listener.trusted = {dialer.own_key->public_key()};
    }
    const std::string bytes = hello(dialer).bytes;
    EXPECT_TRUE(check_hello(*SecureHello::parse(bytes), listener, terms, {}).is_ok());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      const auto read = SecureHello::parse(changed);
      if (!read) continue;
      EXPECT_EQ(check_hello(*read, listener, terms, {}).code(), Code::unauthenticated) << i;
    }
  }
}

TEST(SecureHello, an_answer_is_to_one_question_only) {
  const SecureIdentity shop = with_key('k');
  const SecureHello first = hello(shop);
  const SecureHello answer = hello(shop, first.bytes);
  EXPECT_TRUE(check_hello(answer, shop, terms, first.bytes).is_ok());
  EXPECT_EQ(check_hello(answer, shop, terms, hello(shop).bytes).code(), Code::unauthenticated);
  // Nor is a question an answer, sent back to who asked.
  EXPECT_EQ(check_hello(first, shop, terms, first.bytes).code(), Code::unauthenticated);
}

TEST(SecureHello, both_sides_have_the_same_keys_and_nobody_else) {
  const SecureIdentity shop = with_key('k');
  const auto dialer = pair();
  const auto listener = pair();
  const SecureHello first = SecureHello::make(terms, shop, dialer.public_key(), {}).value();
  const SecureHello second =
      SecureHello::make(terms, shop, listener.public_key(), first.bytes).value();
  crypto::SequenceOptions options;
  auto mine = derive_secure(dialer, second, first, second, shop, options).value();
  options.side = crypto::Side::listener;
  auto theirs = derive_secure(listener, first, first, second, shop, options).value();
  const Bytes sealed = mine.sealing.seal(Bytes::copy_of("tea"), "beside").value();
  EXPECT_EQ(theirs.opening.open(sealed, "beside").value(), "tea");
  // Who has the shared key, and listened, but neither private key.
  auto other = derive_secure(pair(), first, first, second, shop, options).value();
  EXPECT_FALSE(other.opening.open(sealed, "beside"));
  // Who stood in between without the shared key.
  auto keyless = derive_secure(listener, first, first, second, SecureIdentity(), options).value();
  EXPECT_FALSE(keyless.opening.open(sealed, "beside"));
}

}  // namespace
}  // namespace parley::impl
