#include "parley/crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string>

#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {
namespace {

constexpr std::size_t max_digests = 255;

OSSL_PARAM octets(const char* name, std::string_view bytes) {
  // Only read, whatever its type says.
  return OSSL_PARAM_construct_octet_string(
      name, const_cast<unsigned char*>(impl::unsigned_of(bytes)), bytes.size());
}

Status check(const Secret& material, const HkdfOptions& options) {
  const std::size_t most =
      std::min(Secret::max_bytes, max_digests * digest_size(options.algorithm));
  if (options.size == 0 || options.size > most) {
    return {Code::invalid_argument, "HKDF makes keys of 1 to " + std::to_string(most) +
                                        " bytes with this digest, not of " +
                                        std::to_string(options.size)};
  }
  if (options.info.size() > max_hkdf_info) {
    return {Code::invalid_argument, std::to_string(options.info.size()) +
                                        " bytes of info are more than max_hkdf_info (" +
                                        std::to_string(max_hkdf_info) + "): give their digest"};
  }
  if (material.empty()) {
    return {Code::invalid_argument, "HKDF was given an empty secret: nothing would be secret"};
  }
  return {};
}

Result<Secret> derive(int mode, const Secret& material, const HkdfOptions& options) {
  if (Status s = check(material, options); !s.is_ok()) return s;
  EVP_KDF* const method = impl::hkdf_method();
  const impl::KdfContextPtr context(method != nullptr ? EVP_KDF_CTX_new(method) : nullptr);
  std::string name = impl::openssl_name(options.algorithm);
  const std::array<OSSL_PARAM, 6> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      octets(OSSL_KDF_PARAM_KEY, material.reveal()),
      octets(OSSL_KDF_PARAM_SALT, options.salt),
      octets(OSSL_KDF_PARAM_INFO, options.info),
      OSSL_PARAM_construct_end()};
  Secret key = Secret::zeros(options.size);
  if (context && EVP_KDF_derive(context.get(), impl::unsigned_of(key.writable().data()), key.size(),
                                params.data()) == 1) {
    return key;
  }
  return impl::openssl_failed(Code::unimplemented,
                              "libcrypto does not derive keys by HKDF with " + name + " here");
}

}  // namespace

Result<Secret> hkdf(const Secret& material, const HkdfOptions& options) {
  return derive(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, material, options);
}

Result<Secret> hkdf_extract(const Secret& material, const HkdfOptions& options) {
  return derive(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, material,
                {.salt = options.salt,
                 .size = digest_size(options.algorithm),
                 .algorithm = options.algorithm});
}

Result<Secret> hkdf_expand(const Secret& key, const HkdfOptions& options) {
  return derive(EVP_KDF_HKDF_MODE_EXPAND_ONLY, key,
                {.info = options.info, .size = options.size, .algorithm = options.algorithm});
}

}  // namespace parley::crypto
