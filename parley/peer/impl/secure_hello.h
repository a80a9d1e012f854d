// What two sides say to agree on keys, and what they then have (docs/protocols/secure.md). Private
// to peer.
//
// Values; pure functions, safe anywhere. A SecureIdentity is not changed once it is shared.
//
//   SecureHello mine = *SecureHello::make(terms, identity, pair.public_key(), {});      // dials
//   auto theirs = SecureHello::parse(answer);
//   if (Status s = check_hello(*theirs, Side::accepted, identity, terms, mine.bytes); ...)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/key_agreement.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/crypto/secret.h"
#include "parley/crypto/signature.h"
#include "parley/peer/options.h"

namespace parley::impl {

// What both sides must have the same.
struct SecureTerms {
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::aes256_gcm;
  bool is_always = true;  // every message is sealed
  std::uint64_t messages_per_key = 0;
  friend bool operator==(const SecureTerms&, const SecureTerms&) = default;
};

// Who this side is, and whom it trusts.
struct SecureIdentity {
  crypto::Secret shared_key{};  // empty: none
  crypto::Secret proof_key{};   // made of it
  std::optional<crypto::SigningKey> own_key{};
  std::vector<crypto::VerifyingKey> trusted{};  // empty: no signature is asked for
};

struct SecureHello {
  static constexpr std::size_t random_bytes = 32;
  static constexpr std::size_t proof_bytes = 32;

  SecureTerms terms{};
  std::string random{};
  std::string public_key{};
  std::string proof{};     // of the shared key; empty: none
  std::string identity{};  // the key of the signature; empty: none
  std::string signature{};
  // As it travels.
  std::string bytes{};

  // `before`: the hello it answers; empty: it is the first.
  static Result<SecureHello> make(const SecureTerms& terms, const SecureIdentity& identity,
                                  const crypto::X25519PublicKey& public_key,
                                  std::string_view before);
  // invalid_argument when it is none.
  static Result<SecureHello> parse(std::string_view bytes);
};

// Whether that came from somebody who is trusted and wants the same. unauthenticated, or
// failed_precondition when only the terms are others.
Status check_hello(const SecureHello& theirs, const SecureIdentity& identity,
                   const SecureTerms& terms, std::string_view before);

// The key to prove with that one has a shared key.
Result<crypto::Secret> proof_key_of(const crypto::Secret& shared_key);

// The keys of the connection, of both hellos.
Result<crypto::SealedSequences> derive_secure(const crypto::X25519Pair& mine,
                                              const SecureHello& theirs, const SecureHello& first,
                                              const SecureHello& second,
                                              const SecureIdentity& identity,
                                              crypto::SequenceOptions options);

}  // namespace parley::impl
