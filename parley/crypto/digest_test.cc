#include "parley/crypto/digest.h"

#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::from_hex;
using testing::in_pieces;

std::string hex_of(HashAlgorithm algorithm, std::string_view content) {
  const Result<Digest> sum = digest(algorithm, content);
  EXPECT_TRUE(sum) << sum.error();
  return sum->hex();
}

// FIPS 180-4's examples and, for MD5, RFC 1321's.
TEST(Digest, is_what_the_standards_say) {
  EXPECT_EQ(hex_of(HashAlgorithm::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(HashAlgorithm::sha256, ""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(
      hex_of(HashAlgorithm::sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(HashAlgorithm::sha256, std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(hex_of(HashAlgorithm::sha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(hex_of(HashAlgorithm::md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_of(HashAlgorithm::md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Digest, has_the_size_of_its_algorithm) {
  for (const auto algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha512, HashAlgorithm::md5}) {
    EXPECT_EQ(digest(algorithm, "x")->size(), digest_size(algorithm));
    EXPECT_EQ(hex_of(algorithm, "x").size(), 2 * digest_size(algorithm));
  }
}

TEST(Digest, does_not_depend_on_how_the_content_is_cut) {
  const std::string content = testing::counting(1, 1000);
  for (const auto algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha512, HashAlgorithm::md5}) {
    const Digest whole = *digest(algorithm, content);
    for (const std::size_t size : {1, 63, 64, 65, 999, 1000}) {
      EXPECT_EQ(*digest(algorithm, in_pieces(content, size)), whole) << size;
      Hasher hasher = *Hasher::create(algorithm);
      hasher.update(std::string_view(content).substr(0, size));
      hasher.update(Bytes::copy_of(std::string_view(content).substr(size)));
      EXPECT_EQ(*hasher.finish(), whole) << size;
    }
  }
}

TEST(Digest, a_hasher_begins_anew_after_it_has_finished) {
  Hasher hasher = *Hasher::create(HashAlgorithm::sha256);
  EXPECT_EQ(*hasher.finish(), *digest(HashAlgorithm::sha256, ""));
  hasher.update("abc");
  EXPECT_EQ(*hasher.finish(), *digest(HashAlgorithm::sha256, "abc"));
  EXPECT_EQ(*hasher.finish(), *digest(HashAlgorithm::sha256, Bytes()));
}

TEST(Digest, two_are_equal_when_all_bytes_are) {
  const Digest sum = *digest(HashAlgorithm::sha256, "abc");
  EXPECT_EQ(sum, Digest(sum.bytes()));
  std::string other(sum.bytes());
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_FALSE(sum == Digest(other));
  EXPECT_FALSE(sum == Digest(sum.bytes().substr(0, 31)));
  EXPECT_FALSE(sum == Digest());
}

}  // namespace
}  // namespace parley::crypto
