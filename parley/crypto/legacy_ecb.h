// LegacyEcbKey: what the secure plugin of Teleport's erpc does to a body, for talking with peers
// that know nothing else.
//
// DO NOT USE THIS TO PROTECT ANYTHING. AES in ECB mode without a code of authentication:
// - equal blocks of 16 bytes look equal, so structure shows through, and so does every repetition;
// - whoever is in between can change, reorder, cut and replay bodies, and nobody notices;
// - the "version" is the MD5 of the key: it tells who has guessed the key that he has.
// For everything else there are sealed_sequence.h and aead.h.
//
// A key may be used by any number of threads at once.
//
//   auto key = LegacyEcbKey::create(*secret);
//   body.cipherversion = key->cipher_version();
//   body.ciphertext = *key->encrypt(plain);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/crypto/secret.h"

namespace parley::crypto {

class LegacyEcbKey {
 public:
  // Of a plain text; more is resource_exhausted.
  static constexpr std::size_t max_bytes = std::size_t{64} << 20;

  // 16, 24 or 32 bytes (AES-128, -192, -256), invalid_argument otherwise. unimplemented where
  // libcrypto has no MD5.
  static Result<LegacyEcbKey> create(const Secret& key);

  // The MD5 of the key in lower case hex, by which erpc's peers tell keys apart.
  [[nodiscard]] const std::string& cipher_version() const noexcept { return cipher_version_; }

  // PKCS#5 padding to whole blocks, AES-ECB, lower case hex: 32 characters for each 16 bytes and
  // for what is left of them, none included.
  [[nodiscard]] Result<std::string> encrypt(std::string_view plain) const;
  // The way back, of lower or upper case. data_loss when it is no hex, no whole blocks, or the
  // padding is wrong; one message for all, since the padding tells an attacker who asks often
  // what the text was.
  [[nodiscard]] Result<std::string> decrypt(std::string_view hex) const;

 private:
  LegacyEcbKey(Secret key, std::string cipher_version)
      : key_(std::move(key)), cipher_version_(std::move(cipher_version)) {}

  Secret key_;
  std::string cipher_version_;
};

}  // namespace parley::crypto
