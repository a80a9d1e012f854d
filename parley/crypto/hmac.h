// HMAC (RFC 2104, FIPS 198-1): a code that shows who made a message, to those who share a key.
//
// The functions may be called from any thread; an Hmac belongs to one fiber at a time.
//
//   auto code = hmac(HashAlgorithm::sha256, key, message);
//   if (Status s = verify_hmac(HashAlgorithm::sha256, key, message, code_that_came); !s.is_ok())
//     return s;
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/crypto/digest.h"
#include "parley/crypto/secret.h"

struct evp_mac_ctx_st;

namespace parley::crypto {

// As long as the digest. Any size of key is taken; one shorter than the digest protects less.
// unimplemented where libcrypto does not offer the algorithm.
Result<Digest> hmac(HashAlgorithm algorithm, const Secret& key, std::string_view message);
// Piece by piece, without a copy.
Result<Digest> hmac(HashAlgorithm algorithm, const Secret& key, const Bytes& message);

// unauthenticated when `code` is not, to its last byte, the code of the message: also when it is
// the beginning of it. In constant time.
Status verify_hmac(HashAlgorithm algorithm, const Secret& key, std::string_view message,
                   std::string_view code);

// The code of a message that comes in parts.
class Hmac {
 public:
  // unimplemented as above.
  static Result<Hmac> create(HashAlgorithm algorithm, const Secret& key);

  Hmac(Hmac&& other) noexcept = default;
  Hmac& operator=(Hmac&& other) noexcept = default;
  ~Hmac() = default;

  void update(std::string_view part);
  void update(const Bytes& part);
  // Of all parts so far. Afterwards it begins anew, with the same key. internal when libcrypto
  // failed on the way.
  Result<Digest> finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  explicit Hmac(std::unique_ptr<evp_mac_ctx_st, Free> context) noexcept
      : context_(std::move(context)) {}

  bool is_fine_ = true;
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace parley::crypto
