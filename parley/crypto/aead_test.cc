#include "parley/crypto/aead.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::from_hex;
using testing::in_pieces;
using testing::nonce_hex;
using testing::secret;
using testing::secret_hex;
using testing::to_hex;

constexpr std::array algorithms{AeadAlgorithm::aes256_gcm, AeadAlgorithm::chacha20_poly1305};

struct Vector {
  AeadAlgorithm algorithm;
  std::string key;
  std::string nonce;
  std::string beside;
  std::string plain;
  std::string sealed;
};

// McGrew and Viega's cases 13 to 16 of GCM (the submission to NIST), and RFC 8439, 2.8.2.
const std::vector<Vector>& vectors() {
  static const std::string zeros(64, '0');
  static const std::string gcm_key(
      "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  static const std::string gcm_text(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255");
  static const std::string gcm_sealed(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad");
  static const std::vector<Vector> all{
      {AeadAlgorithm::aes256_gcm, zeros, zeros.substr(0, 24), "", "",
       "530f8afbc74536b9a963b4f1c4cb738b"},
      {AeadAlgorithm::aes256_gcm, zeros, zeros.substr(0, 24), "", zeros.substr(0, 32),
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      {AeadAlgorithm::aes256_gcm, gcm_key, "cafebabefacedbaddecaf888", "", gcm_text,
       gcm_sealed + "b094dac5d93471bdec1a502270e3cc6c"},
      {AeadAlgorithm::aes256_gcm, gcm_key, "cafebabefacedbaddecaf888",
       "feedfacedeadbeeffeedfacedeadbeefabaddad2", gcm_text.substr(0, 120),
       gcm_sealed.substr(0, 120) + "76fc6ece0f4e1768cddf8853bb2d551b"},
      {AeadAlgorithm::chacha20_poly1305,
       "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
       "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
       to_hex("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
              "future, sunscreen would be it."),
       "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
       "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
       "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
       "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"}};
  return all;
}

AeadKey key_of(AeadAlgorithm algorithm, const AeadLimits& limits = {}) {
  return AeadKey::create(algorithm, secret(testing::counting(1, 32)), limits).value();
}

Code open_code(const AeadKey& key, const Nonce& nonce, std::string_view beside,
               std::string_view sealed) {
  return key.open(nonce, beside, Bytes::copy_of(sealed)).error().code();
}

TEST(Aead, is_what_the_standards_say_in_any_pieces) {
  for (const Vector& vector : vectors()) {
    const AeadKey key = AeadKey::create(vector.algorithm, secret_hex(vector.key)).value();
    const Nonce nonce = nonce_hex(vector.nonce);
    const std::string beside = from_hex(vector.beside);
    const std::string plain = from_hex(vector.plain);
    const std::string sealed = from_hex(vector.sealed);
    for (const std::size_t size : {1, 7, 16, 17, 1000}) {
      const auto ours = key.seal(nonce, beside, in_pieces(plain, size));
      ASSERT_TRUE(ours) << ours.error();
      EXPECT_EQ(to_hex(ours->to_string()), vector.sealed) << size;
      EXPECT_LE(ours->piece_count(), 1u);
      const auto back = key.open(nonce, beside, in_pieces(sealed, size));
      ASSERT_TRUE(back) << back.error();
      EXPECT_EQ(*back, plain) << size;
    }
  }
}

TEST(Aead, works_into_memory_of_the_caller_and_in_place) {
  for (const Vector& vector : vectors()) {
    const AeadKey key = AeadKey::create(vector.algorithm, secret_hex(vector.key)).value();
    const Nonce nonce = nonce_hex(vector.nonce);
    const std::string beside = from_hex(vector.beside);
    const std::string plain = from_hex(vector.plain);
    std::string out(plain.size() + aead_tag_bytes, '\0');
    ASSERT_TRUE(key.seal_to(nonce, beside, plain, out).is_ok());
    EXPECT_EQ(to_hex(out), vector.sealed);
    std::string back(plain.size(), '\0');
    ASSERT_TRUE(key.open_to(nonce, beside, out, back).is_ok());
    EXPECT_EQ(back, plain);

    std::string place = plain + std::string(aead_tag_bytes, '\0');
    ASSERT_TRUE(
        key.seal_to(nonce, beside, std::string_view(place).substr(0, plain.size()), place).is_ok());
    EXPECT_EQ(place, out);
    ASSERT_TRUE(
        key.open_to(nonce, beside, place, std::span(place).subspan(0, plain.size())).is_ok());
    EXPECT_EQ(place.substr(0, plain.size()), plain);
  }
}

TEST(Aead, a_changed_bit_anywhere_is_data_loss_and_shows_nothing) {
  for (const AeadAlgorithm algorithm : algorithms) {
    const AeadKey key = key_of(algorithm);
    const Nonce nonce = nonce_hex("000102030405060708090a0b");
    const std::string sealed = key.seal(nonce, "beside", Bytes::copy_of("message"))->to_string();
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
      std::string other = sealed;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      EXPECT_EQ(open_code(key, nonce, "beside", other), Code::data_loss) << bit;
      std::string out(other.size() - aead_tag_bytes, 'x');
      EXPECT_EQ(key.open_to(nonce, "beside", other, out).code(), Code::data_loss);
      EXPECT_EQ(out, std::string(out.size(), '\0'));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      EXPECT_EQ(open_code(key, nonce, "beside", sealed.substr(0, size)), Code::data_loss);
    }
    EXPECT_EQ(open_code(key, nonce, "beside", sealed + 'x'), Code::data_loss);
    EXPECT_EQ(key.open_to(nonce, "beside", "short", {}).code(), Code::data_loss);
    // And the key is as good as before.
    EXPECT_EQ(*key.open(nonce, "beside", Bytes::copy_of(sealed)), "message");
  }
}

TEST(Aead, another_nonce_key_algorithm_or_associated_data_is_data_loss) {
  const Nonce nonce = nonce_hex("000102030405060708090a0b");
  for (const AeadAlgorithm algorithm : algorithms) {
    const AeadKey key = key_of(algorithm);
    const std::string sealed = key.seal(nonce, "beside", Bytes::copy_of("message"))->to_string();
    EXPECT_EQ(open_code(key, nonce_hex("000102030405060708090a0c"), "beside", sealed),
              Code::data_loss);
    for (const std::string_view beside : {"", "besid", "beside ", "Beside"}) {
      EXPECT_EQ(open_code(key, nonce, beside, sealed), Code::data_loss) << beside;
    }
    const AeadKey other = AeadKey::create(algorithm, secret(testing::counting(2, 32))).value();
    EXPECT_EQ(open_code(other, nonce, "beside", sealed), Code::data_loss);
    for (const AeadAlgorithm instead : algorithms) {
      EXPECT_EQ(open_code(key_of(instead), nonce, "beside", sealed),
                instead == algorithm ? Code::ok : Code::data_loss);
    }
  }
}

TEST(Aead, a_nonce_has_12_bytes_and_a_key_32) {
  for (const std::size_t size : {0, 8, 11, 13, 16}) {
    EXPECT_EQ(Nonce::from_bytes(std::string(size, 'n')).error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(Nonce::from_bytes("twelve bytes")->view(), "twelve bytes");
  for (const AeadAlgorithm algorithm : algorithms) {
    for (const std::size_t size : {0, 16, 31, 33}) {
      EXPECT_EQ(AeadKey::create(algorithm, secret(std::string(size, 'k'))).error().code(),
                Code::invalid_argument);
    }
  }
}

TEST(Aead, empty_and_large_messages_go_both_ways) {
  for (const AeadAlgorithm algorithm : algorithms) {
    const AeadKey key = key_of(algorithm);
    const Nonce nonce;
    for (const std::size_t size : {0, 1, 15, 16, 17, 65'537, 5'000'000}) {
      const std::string text(size, 't');
      for (const std::string_view beside : {std::string_view(), std::string_view("beside")}) {
        const auto sealed = key.seal(nonce, beside, in_pieces(text, 100'003));
        ASSERT_TRUE(sealed) << sealed.error();
        EXPECT_EQ(sealed->size(), size + aead_tag_bytes);
        const auto back = key.open(nonce, beside, *sealed);
        ASSERT_TRUE(back) << back.error();
        EXPECT_TRUE(*back == text) << size;
      }
    }
  }
}

TEST(Aead, a_message_alone_carries_a_nonce_that_does_not_come_again) {
  for (const AeadAlgorithm algorithm : algorithms) {
    const AeadKey key = key_of(algorithm);
    const Bytes text = Bytes::copy_of("a token");
    const Bytes one = *key.seal_alone("for tea", text);
    const Bytes two = *key.seal_alone("for tea", text);
    EXPECT_EQ(one.size(), Nonce::size + text.size() + aead_tag_bytes);
    EXPECT_FALSE(one.slice(0, Nonce::size) == two.slice(0, Nonce::size));
    EXPECT_EQ(*key.open_alone("for tea", one), text);
    EXPECT_EQ(*key.open_alone("for tea", two), text);
    EXPECT_EQ(key.open_alone("for coffee", one).error().code(), Code::data_loss);
    for (std::size_t size = 0; size < one.size(); ++size) {
      EXPECT_EQ(key.open_alone("for tea", one.slice(0, size)).error().code(), Code::data_loss);
    }
    const auto by_hand = key.open(Nonce::from_bytes(one.slice(0, Nonce::size).to_string()).value(),
                                  "for tea", one.slice(Nonce::size, one.size()));
    EXPECT_EQ(*by_hand, text);
  }
}

TEST(Aead, what_stands_in_front_stays_as_it_is) {
  const AeadKey key = key_of(AeadAlgorithm::aes256_gcm);
  const Bytes text = Bytes::copy_of("text");
  const Bytes sealed = *key.seal_behind("front", Nonce(), "", text);
  EXPECT_EQ(sealed.slice(0, 5), "front");
  EXPECT_EQ(sealed.slice(5, sealed.size()), *key.seal(Nonce(), "", text));
  EXPECT_EQ(sealed.piece_count(), 1u);
}

TEST(AeadLimits, messages_and_bytes_end_a_key) {
  const Bytes text = Bytes::copy_of("0123456789");
  const AeadKey two = key_of(AeadAlgorithm::aes256_gcm, {.max_sealed = 2});
  const AeadKey three = key_of(AeadAlgorithm::aes256_gcm, {.max_sealed = 3});
  const AeadKey bytes = key_of(AeadAlgorithm::aes256_gcm, {.max_sealed_bytes = 25});
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(two.seal_alone("", text));
    EXPECT_TRUE(three.seal_alone("", text));
    EXPECT_TRUE(bytes.seal_alone("", text));
  }
  EXPECT_EQ(two.seal_alone("", text).error().code(), Code::resource_exhausted);
  EXPECT_TRUE(three.seal_alone("", text));
  EXPECT_EQ(three.seal_alone("", text).error().code(), Code::resource_exhausted);
  const Status full = bytes.seal_alone("", text).error();
  EXPECT_EQ(full.code(), Code::resource_exhausted);
  EXPECT_NE(full.message().find("max_sealed_bytes (25)"), std::string::npos) << full;
  // What was refused does not count, as a message neither.
  const AeadKey either =
      key_of(AeadAlgorithm::aes256_gcm, {.max_sealed = 1, .max_sealed_bytes = 5});
  EXPECT_FALSE(either.seal_alone("", text));
  EXPECT_TRUE(either.seal_alone("", text.slice(0, 5)));
  EXPECT_TRUE(bytes.seal_alone("", text.slice(0, 5)));
  EXPECT_FALSE(bytes.seal_alone("", text.slice(0, 1)));
  EXPECT_TRUE(bytes.seal_alone("", Bytes()));
  // Opening goes on.
  const Bytes sealed = *key_of(AeadAlgorithm::aes256_gcm).seal_alone("", text);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(two.open_alone("", sealed));
}

TEST(AeadLimits, a_message_and_what_stands_beside_it_have_a_longest_size) {
  for (const std::size_t most : {4, 5}) {
    const AeadKey key = key_of(AeadAlgorithm::chacha20_poly1305, {.max_message_bytes = most});
    const Code expected = most == 5 ? Code::ok : Code::resource_exhausted;
    EXPECT_EQ(key.seal_alone("", Bytes::copy_of("12345")).error().code(), expected);
    EXPECT_EQ(key.seal_alone("12345", Bytes()).error().code(), expected);
    const AeadKey other = key_of(AeadAlgorithm::chacha20_poly1305);
    EXPECT_EQ(key.open_alone("", *other.seal_alone("", Bytes::copy_of("12345"))).error().code(),
              expected);
    EXPECT_EQ(key.open_alone("12345", *other.seal_alone("12345", Bytes())).error().code(),
              expected);
  }
}

TEST(AeadLimits, forged_messages_end_a_key) {
  const Bytes text = Bytes::copy_of("text");
  const Bytes sealed = *key_of(AeadAlgorithm::aes256_gcm).seal_alone("", text);
  for (const std::uint64_t most : {1, 3}) {
    const AeadKey key = key_of(AeadAlgorithm::aes256_gcm, {.max_forged = most});
    for (std::uint64_t i = 0; i < most; ++i) {
      EXPECT_TRUE(key.open_alone("", sealed));
      EXPECT_EQ(key.open_alone("x", sealed).error().code(), Code::data_loss);
    }
    EXPECT_EQ(key.open_alone("", sealed).error().code(), Code::resource_exhausted);
    EXPECT_TRUE(key.seal_alone("", text));
  }
}

TEST(AeadDeathTest, sizes_that_do_not_fit_and_memory_that_overlaps_are_bugs) {
  const AeadKey key = key_of(AeadAlgorithm::aes256_gcm);
  std::string memory(100, '\0');
  const std::span<char> all(memory);
  const std::string_view text(memory);
  EXPECT_DEATH((void)key.seal_to({}, "", text.substr(0, 10), all.subspan(0, 25)),
               "16 bytes longer");
  EXPECT_DEATH((void)key.open_to({}, "", text.substr(0, 30), all.subspan(50, 15)),
               "16 bytes shorter");
  EXPECT_DEATH((void)key.seal_to({}, "", text.substr(0, 10), all.subspan(1, 26)), "in place");
  EXPECT_DEATH((void)key.open_to({}, "", text.substr(1, 26), all.subspan(0, 10)), "in place");
  EXPECT_DEATH((void)AeadKey::create(AeadAlgorithm::aes256_gcm, Secret::zeros(32),
                                     {.max_message_bytes = (std::size_t{1} << 30) + 1}),
               "1 GiB");
}

}  // namespace
}  // namespace parley::crypto
