// X25519 (RFC 7748): two sides that never met agree on a secret that who listens does not learn.
// Who the other side is, it does not show: sign the public keys (signature.h), know them before,
// or mix a shared key in.
//
// An X25519Pair may be used by any number of threads at once; a public key is a value.
//
//   auto mine = X25519Pair::generate();
//   send(mine->public_key().bytes());
//   auto theirs = X25519PublicKey::from_bytes(received);
//   auto agreed = mine->agree(*theirs);       // the same on both sides: into hkdf(), never a key
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/crypto/secret.h"

struct evp_pkey_st;

namespace parley::crypto {

class X25519PublicKey {
 public:
  static constexpr std::size_t size = 32;

  // invalid_argument unless there are 32 of them. Which of them are no good is seen by agree().
  static Result<X25519PublicKey> from_bytes(std::string_view bytes);

  // Valid as long as this object.
  [[nodiscard]] std::string_view bytes() const& noexcept { return {bytes_.data(), size}; }
  std::string_view bytes() const&& = delete;
  friend bool operator==(const X25519PublicKey& a, const X25519PublicKey& b) = default;

 private:
  X25519PublicKey() = default;

  std::array<char, size> bytes_{};
};

class X25519Pair {
 public:
  // A new one; use it for one agreement, and let it go: what was sent under it stays closed
  // then. unavailable when there is no randomness.
  static Result<X25519Pair> generate();
  // The pair of this private key: 32 bytes, invalid_argument otherwise.
  static Result<X25519Pair> from_secret(const Secret& private_key);

  X25519Pair(X25519Pair&& other) noexcept = default;
  X25519Pair& operator=(X25519Pair&& other) noexcept = default;
  ~X25519Pair() = default;

  [[nodiscard]] const X25519PublicKey& public_key() const noexcept { return public_key_; }

  // 32 bytes that both sides get. They are not evenly random: derive keys from them, with both
  // public keys in the salt or the info. invalid_argument for one of the few public keys that
  // give everybody the same result (RFC 7748, 6.1).
  [[nodiscard]] Result<Secret> agree(const X25519PublicKey& theirs) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  using Key = std::unique_ptr<evp_pkey_st, Free>;
  X25519Pair(Key key, X25519PublicKey public_key) noexcept
      : key_(std::move(key)), public_key_(public_key) {}

  Key key_;
  X25519PublicKey public_key_;
};

}  // namespace parley::crypto
