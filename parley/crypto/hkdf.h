// HKDF (RFC 5869): keys out of a secret that is no key yet, such as what X25519 agreed on, and
// several keys out of one. Not for passwords: what can be guessed is guessed at the same speed
// afterwards.
//
// Pure functions: safe everywhere.
//
//   auto key = hkdf(*agreed, {.salt = both_nonces, .info = "shop orders 1", .size = 32});
#pragma once

#include <cstddef>
#include <string_view>

#include "parley/base/result.h"
#include "parley/crypto/digest.h"
#include "parley/crypto/secret.h"

namespace parley::crypto {

// libcrypto 3.0 takes no more.
inline constexpr std::size_t max_hkdf_info = 1024;

// Views are for the call only.
struct HkdfOptions {
  // Need not be secret; a fresh one gives unrelated keys out of the same secret. May be empty.
  std::string_view salt{};
  // What the key is for: another text gives an unrelated key.
  std::string_view info{};
  // Bytes of the key: 1 to 255 digests, and no more than Secret::max_bytes.
  std::size_t size = 32;
  HashAlgorithm algorithm = HashAlgorithm::sha256;
};

// Both steps. invalid_argument when an option is out of its range or `material` is empty;
// unimplemented where libcrypto does not offer it.
Result<Secret> hkdf(const Secret& material, const HkdfOptions& options);

// The first step: one key of the size of the digest. Reads `salt` and `algorithm`.
Result<Secret> hkdf_extract(const Secret& material, const HkdfOptions& options);
// The second: `key` is what the first step gave, or as good a key. Reads all but `salt`.
Result<Secret> hkdf_expand(const Secret& key, const HkdfOptions& options);

}  // namespace parley::crypto
