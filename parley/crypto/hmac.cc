#include "parley/crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <string>

#include "parley/crypto/constant_time.h"
#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {

Result<Digest> hmac(HashAlgorithm algorithm, const Secret& key, std::string_view message) {
  Result<Hmac> code = Hmac::create(algorithm, key);
  if (!code) return code.error();
  code->update(message);
  return code->finish();
}

Result<Digest> hmac(HashAlgorithm algorithm, const Secret& key, const Bytes& message) {
  Result<Hmac> code = Hmac::create(algorithm, key);
  if (!code) return code.error();
  code->update(message);
  return code->finish();
}

Status verify_hmac(HashAlgorithm algorithm, const Secret& key, std::string_view message,
                   std::string_view code) {
  const Result<Digest> right = hmac(algorithm, key, message);
  if (!right) return right.error();
  if (equal_in_constant_time(right->bytes(), code)) return {};
  return {Code::unauthenticated,
          "the authentication code is wrong: the message was changed, or made with another key"};
}

void Hmac::Free::operator()(evp_mac_ctx_st* context) const noexcept { EVP_MAC_CTX_free(context); }

Result<Hmac> Hmac::create(HashAlgorithm algorithm, const Secret& key) {
  std::string name = impl::openssl_name(algorithm);
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC* const method = impl::hmac_method();
  std::unique_ptr<evp_mac_ctx_st, Free> context(method != nullptr ? EVP_MAC_CTX_new(method)
                                                                  : nullptr);
  if (context && EVP_MAC_init(context.get(), impl::unsigned_of(key.reveal()), key.size(),
                              params.data()) == 1) {
    return Hmac(std::move(context));
  }
  return impl::openssl_failed(Code::unimplemented, "libcrypto does not compute HMAC with " + name +
                                                       " here, as when it is told to keep to FIPS");
}

void Hmac::update(std::string_view part) {
  is_fine_ = is_fine_ && EVP_MAC_update(context_.get(), impl::unsigned_of(part), part.size()) == 1;
}

void Hmac::update(const Bytes& part) {
  for (std::size_t i = 0; i < part.piece_count(); ++i) update(part.piece(i));
}

Result<Digest> Hmac::finish() {
  std::array<char, Digest::max_size> bytes{};
  std::size_t size = 0;
  const bool is_right = is_fine_ && EVP_MAC_final(context_.get(), impl::unsigned_of(bytes.data()),
                                                  &size, bytes.size()) == 1;
  // Without a key: the one it has.
  is_fine_ = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
  if (is_right) return Digest({bytes.data(), size});
  return impl::openssl_failed(Code::internal, "an authentication code could not be computed");
}

}  // namespace parley::crypto
