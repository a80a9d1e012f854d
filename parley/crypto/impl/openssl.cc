#include "parley/crypto/impl/openssl.h"

#include <openssl/err.h>

#include <utility>

namespace parley::crypto::impl {

// A fetched method is never given back: it is wanted until the end, and at the end libcrypto itself
// may be gone before us.
const EVP_MD* digest_method(HashAlgorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  if (algorithm == HashAlgorithm::sha256) return sha256;
  if (algorithm == HashAlgorithm::sha512) return sha512;
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  return md5;
}

EVP_MAC* hmac_method() {
  static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return method;
}

EVP_KDF* hkdf_method() {
  static EVP_KDF* const method = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  return method;
}

const EVP_CIPHER* aes_256_gcm_method() {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return method;
}

const EVP_CIPHER* chacha20_poly1305_method() {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  return method;
}

const char* openssl_name(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256:
      return "SHA2-256";
    case HashAlgorithm::sha512:
      return "SHA2-512";
    case HashAlgorithm::md5:
      break;
  }
  return "MD5";
}

Status openssl_failed(Code code, std::string message) {
  std::string cause;
  // The queue itself holds at most ERR_NUM_ERRORS (16) entries.
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!cause.empty()) cause += "; ";
    cause += reason != nullptr ? reason : "error " + std::to_string(error);
  }
  Status status(code, std::move(message));
  return cause.empty() ? status : status.with_cause(std::move(cause));
}

}  // namespace parley::crypto::impl
