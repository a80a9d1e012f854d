// The keys of one direction of sealed sequences, one after the other. Private to crypto.
//
// docs/protocols/sealed.md has the derivation. A Link does not change: any thread may use it.
#pragma once

#include <cstdint>
#include <memory>

#include "parley/base/result.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/crypto/secret.h"

namespace parley::crypto::impl {

struct SequenceKey {
  AeadKey key;
  Nonce start;

  // The nonce of a message: its number laid over the start.
  [[nodiscard]] Nonce nonce_of(std::uint64_t number) const;
};

struct Link {
  // What the next link follows from. Nothing leads back.
  Secret secret;
  // Shared with those that are at work with it.
  std::shared_ptr<const SequenceKey> key;
};

// The first link of what `sealer` seals. invalid_argument when the secret is empty, unimplemented
// where libcrypto lacks something.
Result<Link> first_link(const Secret& shared, Side sealer, const SequenceOptions& options);
Result<Link> next_link(const Link& link, const SequenceOptions& options);

// invalid_argument when an option is out of its range.
Status check_options(const SequenceOptions& options);

}  // namespace parley::crypto::impl
