#include "parley/crypto/impl/aead_cipher.h"

#include <array>
#include <utility>

namespace parley::crypto::impl {

std::unique_ptr<AeadCipher> AeadCipher::create(AeadAlgorithm algorithm, const Secret& key,
                                               Direction direction) {
  const EVP_CIPHER* const method =
      algorithm == AeadAlgorithm::aes256_gcm ? aes_256_gcm_method() : chacha20_poly1305_method();
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  const int is_sealing = direction == Direction::sealing ? 1 : 0;
  // A nonce of 96 bits is what both begin with.
  if (method == nullptr || !context ||
      EVP_CipherInit_ex2(context.get(), method, unsigned_of(key.reveal()), nullptr, is_sealing,
                         nullptr) != 1) {
    return nullptr;
  }
  return std::unique_ptr<AeadCipher>(new AeadCipher(std::move(context)));
}

bool AeadCipher::begin(const Nonce& nonce, std::string_view beside) {
  if (EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, unsigned_of(nonce.view()), -1,
                         nullptr) != 1) {
    return false;
  }
  int size = 0;
  return beside.empty() || EVP_CipherUpdate(context_.get(), nullptr, &size, unsigned_of(beside),
                                            static_cast<int>(beside.size())) == 1;
}

bool AeadCipher::update(std::string_view part, char* out) {
  int size = 0;
  return part.empty() || (EVP_CipherUpdate(context_.get(), unsigned_of(out), &size,
                                           unsigned_of(part), static_cast<int>(part.size())) == 1 &&
                          static_cast<std::size_t>(size) == part.size());
}

bool AeadCipher::finish_sealing(char* tag) {
  std::array<unsigned char, aead_tag_bytes> rest{};  // nothing is left: neither works in blocks
  int size = 0;
  return EVP_CipherFinal_ex(context_.get(), rest.data(), &size) == 1 && size == 0 &&
         EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                             static_cast<int>(aead_tag_bytes), tag) == 1;
}

bool AeadCipher::finish_opening(std::string_view tag) {
  std::array<char, aead_tag_bytes> expected{};  // libcrypto asks for memory it could write to
  tag.copy(expected.data(), expected.size());
  std::array<unsigned char, aead_tag_bytes> rest{};
  int size = 0;
  return tag.size() == aead_tag_bytes &&
         EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG,
                             static_cast<int>(aead_tag_bytes), expected.data()) == 1 &&
         EVP_CipherFinal_ex(context_.get(), rest.data(), &size) == 1 && size == 0;
}

}  // namespace parley::crypto::impl
