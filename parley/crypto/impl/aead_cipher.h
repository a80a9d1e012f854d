// One libcrypto context for sealing or for opening, ready with its key. Private to crypto.
//
// One fiber at a time. Any call may be the first of a message again after one that failed.
#pragma once

#include <memory>
#include <string_view>

#include "parley/crypto/aead.h"
#include "parley/crypto/impl/openssl.h"

namespace parley::crypto::impl {

enum class Direction : std::uint8_t { sealing, opening };

class AeadCipher {
 public:
  // Null when libcrypto does not offer the algorithm. The key has the right size.
  static std::unique_ptr<AeadCipher> create(AeadAlgorithm algorithm, const Secret& key,
                                            Direction direction);

  // A message begins.
  bool begin(const Nonce& nonce, std::string_view beside);
  // The next part of it, at most 1 GiB; writes as many bytes.
  bool update(std::string_view part, char* out);
  // Ends a message that was sealed, and writes its tag.
  bool finish_sealing(char* tag);
  // Ends a message that was opened: whether all of it is as it was sealed.
  bool finish_opening(std::string_view tag);

 private:
  explicit AeadCipher(CipherContextPtr context) : context_(std::move(context)) {}

  CipherContextPtr context_;
};

}  // namespace parley::crypto::impl
