#include "parley/crypto/key_agreement.h"

#include <algorithm>
#include <string>

#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {

Result<X25519PublicKey> X25519PublicKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != size) {
    return Status(Code::invalid_argument,
                  "a public key of X25519 has 32 bytes, not " + std::to_string(bytes.size()));
  }
  X25519PublicKey key;
  std::ranges::copy(bytes, key.bytes_.begin());
  return key;
}

void X25519Pair::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

Result<X25519Pair> X25519Pair::generate() {
  const Result<Secret> private_key = Secret::random(X25519PublicKey::size);
  if (!private_key) return private_key.error();
  return from_secret(*private_key);
}

Result<X25519Pair> X25519Pair::from_secret(const Secret& private_key) {
  if (private_key.size() != X25519PublicKey::size) {
    return Status(Code::invalid_argument, "a private key of X25519 has 32 bytes, not " +
                                              std::to_string(private_key.size()));
  }
  Key key(EVP_PKEY_new_raw_private_key_ex(
      nullptr, "X25519", nullptr, impl::unsigned_of(private_key.reveal()), private_key.size()));
  std::array<char, X25519PublicKey::size> bytes{};
  std::size_t size = bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), impl::unsigned_of(bytes.data()), &size) != 1) {
    return impl::openssl_failed(Code::unimplemented, "libcrypto makes no key of X25519 here");
  }
  const Result<X25519PublicKey> public_key = X25519PublicKey::from_bytes({bytes.data(), size});
  if (!public_key) return public_key.error();
  return X25519Pair(std::move(key), *public_key);
}

Result<Secret> X25519Pair::agree(const X25519PublicKey& theirs) const {
  const impl::KeyPtr other(EVP_PKEY_new_raw_public_key_ex(
      nullptr, "X25519", nullptr, impl::unsigned_of(theirs.bytes()), X25519PublicKey::size));
  const impl::KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (!other || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1) {
    return impl::openssl_failed(Code::internal, "libcrypto does not take a public key of X25519");
  }
  Secret agreed = Secret::zeros(X25519PublicKey::size);
  std::size_t size = agreed.size();
  const bool is_derived =
      EVP_PKEY_derive(context.get(), impl::unsigned_of(agreed.writable().data()), &size) == 1;
  // libcrypto refuses zeros itself; we do not depend on it.
  if (!is_derived || agreed == Secret::zeros(X25519PublicKey::size)) {
    return impl::openssl_failed(
        Code::invalid_argument,
        "their public key of X25519 gives everybody the same secret: it was chosen to do harm");
  }
  return agreed;
}

}  // namespace parley::crypto
