#include "parley/crypto/signature.h"

#include <algorithm>
#include <string>

#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {
namespace {

Status wrong_size(const char* what, std::size_t right, std::size_t size) {
  return {Code::invalid_argument, std::string(what) + " of Ed25519 has " + std::to_string(right) +
                                      " bytes, not " + std::to_string(size)};
}

Status no_ed25519() {
  return impl::openssl_failed(Code::unimplemented, "libcrypto makes no key of Ed25519 here");
}

}  // namespace

VerifyingKey::VerifyingKey(std::shared_ptr<evp_pkey_st> key, std::string_view bytes)
    : key_(std::move(key)) {
  std::ranges::copy(bytes, bytes_.begin());
}

Result<VerifyingKey> VerifyingKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != size) return wrong_size("a public key", size, bytes.size());
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, impl::unsigned_of(bytes),
                                     bytes.size()),
      impl::Freed<EVP_PKEY_free>());
  if (!key) return no_ed25519();
  return VerifyingKey(std::move(key), bytes);
}

Status VerifyingKey::verify(std::string_view message, std::string_view signature) const {
  const impl::DigestContextPtr context(EVP_MD_CTX_new());
  if (context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), impl::unsigned_of(signature), signature.size(),
                       impl::unsigned_of(message), message.size()) == 1) {
    return {};
  }
  return impl::openssl_failed(
      Code::unauthenticated,
      "the signature is wrong: the message was changed, or somebody else signed it");
}

Result<SigningKey> SigningKey::generate() {
  const Result<Secret> seed = Secret::random(VerifyingKey::size);
  if (!seed) return seed.error();
  return from_seed(*seed);
}

Result<SigningKey> SigningKey::from_seed(const Secret& seed) {
  if (seed.size() != VerifyingKey::size) {
    return wrong_size("a private key", VerifyingKey::size, seed.size());
  }
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, impl::unsigned_of(seed.reveal()),
                                      seed.size()),
      impl::Freed<EVP_PKEY_free>());
  std::array<char, VerifyingKey::size> bytes{};
  std::size_t size = bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), impl::unsigned_of(bytes.data()), &size) != 1) {
    return no_ed25519();
  }
  Result<VerifyingKey> public_key = VerifyingKey::from_bytes({bytes.data(), size});
  if (!public_key) return public_key.error();
  return SigningKey(std::move(key), *std::move(public_key));
}

Result<Signature> SigningKey::sign(std::string_view message) const {
  Signature signature;
  std::size_t size = Signature::size;
  const impl::DigestContextPtr context(EVP_MD_CTX_new());
  if (context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), impl::unsigned_of(signature.bytes_.data()), &size,
                     impl::unsigned_of(message), message.size()) == 1 &&
      size == Signature::size) {
    return signature;
  }
  return impl::openssl_failed(Code::internal, "libcrypto could not sign with a key of Ed25519");
}

}  // namespace parley::crypto
