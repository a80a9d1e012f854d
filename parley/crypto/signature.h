// Ed25519 (RFC 8032): signatures that anybody who knows the public key can check, and only who has
// the private key can make.
//
// Keys may be used by any number of threads at once.
//
//   auto key = SigningKey::from_seed(*secret);
//   auto signature = key->sign(message);
//   if (Status s = key->public_key().verify(message, signature->bytes()); !s.is_ok()) return s;
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/crypto/secret.h"

struct evp_pkey_st;

namespace parley::crypto {

class Signature {
 public:
  static constexpr std::size_t size = 64;
  // Valid as long as this object.
  [[nodiscard]] std::string_view bytes() const& noexcept { return {bytes_.data(), size}; }
  std::string_view bytes() const&& = delete;
  friend bool operator==(const Signature& a, const Signature& b) = default;

 private:
  friend class SigningKey;
  std::array<char, size> bytes_{};
};

// Checks signatures. A copy shares the key.
class VerifyingKey {
 public:
  static constexpr std::size_t size = 32;

  // invalid_argument unless there are 32 bytes. That they are a key is seen when one is used.
  static Result<VerifyingKey> from_bytes(std::string_view bytes);

  // Valid as long as this object.
  [[nodiscard]] std::string_view bytes() const& noexcept { return {bytes_.data(), size}; }
  std::string_view bytes() const&& = delete;

  // unauthenticated when this is not a signature of the message by the owner of this key.
  [[nodiscard]] Status verify(std::string_view message, std::string_view signature) const;

 private:
  VerifyingKey(std::shared_ptr<evp_pkey_st> key, std::string_view bytes);

  std::shared_ptr<evp_pkey_st> key_;
  std::array<char, size> bytes_{};
};

// Makes signatures; the same message gets the same one each time. A copy shares the key.
class SigningKey {
 public:
  // unavailable when there is no randomness.
  static Result<SigningKey> generate();
  // The key of this seed (what RFC 8032 calls the private key): 32 bytes, invalid_argument
  // otherwise.
  static Result<SigningKey> from_seed(const Secret& seed);

  [[nodiscard]] const VerifyingKey& public_key() const noexcept { return public_key_; }

  // internal when libcrypto fails.
  [[nodiscard]] Result<Signature> sign(std::string_view message) const;

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> key, VerifyingKey public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}

  std::shared_ptr<evp_pkey_st> key_;
  VerifyingKey public_key_;
};

}  // namespace parley::crypto
