// A pre-shared key, and options of the secure plugin with it, for tests.
#pragma once

#include <memory>
#include <string>

#include "parley/crypto/secret.h"
#include "parley/peer/options.h"
#include "parley/peer/plugins/secure.h"

namespace parley::testing {

inline std::shared_ptr<const crypto::Secret> shared_key(char of = 'k') {
  return std::make_shared<const crypto::Secret>(*crypto::Secret::copy_of(std::string(32, of)));
}

inline SecureOptions with_key(char of = 'k') { return {.shared_key = shared_key(of)}; }

inline PeerOptions secured(SecureOptions options = with_key()) {
  return {.plugins = {secure(std::move(options))}};
}

}  // namespace parley::testing
