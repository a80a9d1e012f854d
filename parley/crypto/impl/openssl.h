// Owners for what libcrypto allocates, the algorithms it is asked for, and its error queue turned
// into a Status. Private to crypto.
//
// The queue belongs to a thread: take it right after the call that failed, before anything that may
// park.
#pragma once

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/crypto/digest.h"

namespace parley::crypto::impl {

template <auto release>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};

using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// What libcrypto was asked for once and gave, shared by all threads for as long as the program
// runs; asking each time costs more than hashing a small message. Null: it does not have it.
const EVP_MD* digest_method(HashAlgorithm algorithm);
EVP_MAC* hmac_method();
EVP_KDF* hkdf_method();
const EVP_CIPHER* aes_256_gcm_method();
const EVP_CIPHER* chacha20_poly1305_method();

// The name libcrypto knows it by.
const char* openssl_name(HashAlgorithm algorithm);

// `code` with `message`, and as the cause what the calling thread's queue holds, which is emptied.
// libcrypto's reasons name functions and sizes, never keys.
Status openssl_failed(Code code, std::string message);

inline const unsigned char* unsigned_of(std::string_view bytes) {
  // libcrypto takes null for "as before" in places, so there is always an address.
  return reinterpret_cast<const unsigned char*>(bytes.data() == nullptr ? "" : bytes.data());
}
inline unsigned char* unsigned_of(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

}  // namespace parley::crypto::impl
