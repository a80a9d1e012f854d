#include "parley/crypto/legacy_ecb.h"

#include "parley/crypto/digest.h"
#include "parley/crypto/hex.h"
#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {
namespace {

constexpr std::size_t block = 16;

// Not fetched for good: who needs this does not need it fast.
const EVP_CIPHER* method_for(const Secret& key) {
  switch (key.size()) {
    case 16:
      return EVP_aes_128_ecb();
    case 24:
      return EVP_aes_192_ecb();
    case 32:
      return EVP_aes_256_ecb();
    default:
      return nullptr;
  }
}

Status too_long(std::size_t size) {
  return {Code::resource_exhausted, std::to_string(size) +
                                        " bytes are more than LegacyEcbKey::max_bytes (" +
                                        std::to_string(LegacyEcbKey::max_bytes) + ")"};
}

Status cannot_be_read() {
  return {Code::data_loss,
          "a text encrypted by AES-ECB cannot be read: it was damaged, or encrypted with another "
          "key"};
}

}  // namespace

Result<LegacyEcbKey> LegacyEcbKey::create(const Secret& key) {
  if (method_for(key) == nullptr) {
    return Status(Code::invalid_argument,
                  "a key of AES has 16, 24 or 32 bytes, not " + std::to_string(key.size()));
  }
  const Result<Digest> version = digest(HashAlgorithm::md5, key.reveal());
  if (!version) return version.error();
  return LegacyEcbKey(key.clone(), version->hex());
}

Result<std::string> LegacyEcbKey::encrypt(std::string_view plain) const {
  if (plain.size() > max_bytes) return too_long(plain.size());
  std::string out(plain.size() + block, '\0');
  unsigned char* const to = impl::unsigned_of(out.data());
  int size = 0;
  int rest = 0;
  const impl::CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_EncryptInit_ex2(context.get(), method_for(key_), impl::unsigned_of(key_.reveal()),
                          nullptr, nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), to, &size, impl::unsigned_of(plain),
                        static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), to + size, &rest) != 1) {
    return impl::openssl_failed(Code::internal, "libcrypto did not encrypt by AES-ECB");
  }
  out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  std::string hex;
  append_hex(hex, out);
  return hex;
}

Result<std::string> LegacyEcbKey::decrypt(std::string_view hex) const {
  if (hex.size() / 2 > max_bytes + block) return too_long(hex.size() / 2);
  if (hex.empty() || hex.size() % (2 * block) != 0) return cannot_be_read();
  std::string sealed(hex.size() / 2, '\0');
  if (!decode_hex(hex, sealed)) return cannot_be_read();
  std::string out(sealed.size() + block, '\0');
  unsigned char* const to = impl::unsigned_of(out.data());
  int size = 0;
  int rest = 0;
  const impl::CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (!context || EVP_DecryptInit_ex2(context.get(), method_for(key_),
                                      impl::unsigned_of(key_.reveal()), nullptr, nullptr) != 1) {
    return impl::openssl_failed(Code::internal, "libcrypto did not decrypt by AES-ECB");
  }
  if (EVP_DecryptUpdate(context.get(), to, &size, impl::unsigned_of(sealed),
                        static_cast<int>(sealed.size())) != 1 ||
      EVP_DecryptFinal_ex(context.get(), to + size, &rest) != 1) {
    (void)impl::openssl_failed(Code::data_loss, "");  // empties the queue
    return cannot_be_read();
  }
  out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return out;
}

}  // namespace parley::crypto
