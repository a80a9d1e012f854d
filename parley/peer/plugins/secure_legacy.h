// secure_legacy: the secure plugin of Teleport's erpc, byte for byte, for talking with peers that
// know nothing else: bodies by AES-ECB, which shows what repeats and notices no change
// (crypto/legacy_ecb.h).
//
// DO NOT USE THIS TO PROTECT ANYTHING. Between peers of this library secure (secure.h) does.
//
// A plugin for any number of peers; its functions are called by fibers of any worker at once.
//
//   auto key = crypto::Secret::copy_of("cipherkey1234567");
//   auto shared = std::make_shared<const crypto::Secret>(*std::move(key));
//   parley::Peer peer({.plugins = {secure_legacy({.key = shared})}});
//   const CallOptions sealed{.metadata = {{"X-Secure", "true"}}};
//   auto sum = session.call<int>(sealed, "/till/add", 2);
#pragma once

#include <memory>

#include "parley/crypto/secret.h"
#include "parley/peer/plugin.h"

namespace parley {

struct SecureLegacyOptions {
  // 16, 24 or 32 bytes; another is invalid_argument of listen() and dial().
  std::shared_ptr<const crypto::Secret> key{};
  // Encrypt what is called and pushed here also where its metadata does not say "X-Secure: true".
  bool always = false;
};

// The body of a CALL or PUSH whose metadata says "X-Secure: true" is encrypted, and its answer,
// unless "X-Accept-Secure: false" is there; "X-Accept-Secure: true" asks for that of a CALL in
// clear.
// Bodies must be JSON or protobuf: unimplemented otherwise. What came with another key, or is no
// cipher text, is data_loss. Streams, metadata and errors go in clear; what is not encrypted is
// served.
Plugin secure_legacy(SecureLegacyOptions options);

}  // namespace parley
