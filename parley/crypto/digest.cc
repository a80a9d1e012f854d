#include "parley/crypto/digest.h"

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/crypto/constant_time.h"
#include "parley/crypto/hex.h"
#include "parley/crypto/impl/openssl.h"

namespace parley::crypto {

std::size_t digest_size(HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case HashAlgorithm::sha256:
      return 32;
    case HashAlgorithm::sha512:
      return 64;
    case HashAlgorithm::md5:
      break;
  }
  return 16;
}

Digest::Digest(std::string_view bytes) : size_(static_cast<std::uint8_t>(bytes.size())) {
  PARLEY_ASSERT(bytes.size() <= max_size, "no digest is that long");
  std::ranges::copy(bytes, bytes_.begin());
}

std::string Digest::hex() const {
  std::string text;
  append_hex(text, bytes());
  return text;
}

bool operator==(const Digest& a, const Digest& b) noexcept {
  return equal_in_constant_time(a.bytes(), b.bytes());
}

Result<Digest> digest(HashAlgorithm algorithm, std::string_view content) {
  Result<Hasher> hasher = Hasher::create(algorithm);
  if (!hasher) return hasher.error();
  hasher->update(content);
  return hasher->finish();
}

Result<Digest> digest(HashAlgorithm algorithm, const Bytes& content) {
  Result<Hasher> hasher = Hasher::create(algorithm);
  if (!hasher) return hasher.error();
  hasher->update(content);
  return hasher->finish();
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Result<Hasher> Hasher::create(HashAlgorithm algorithm) {
  const EVP_MD* const method = impl::digest_method(algorithm);
  std::unique_ptr<evp_md_ctx_st, Free> context(EVP_MD_CTX_new());
  if (method != nullptr && context && EVP_DigestInit_ex2(context.get(), method, nullptr) == 1) {
    return Hasher(algorithm, std::move(context));
  }
  return impl::openssl_failed(Code::unimplemented, std::string("libcrypto does not compute ") +
                                                       impl::openssl_name(algorithm) +
                                                       " here, as when it is told to keep to FIPS");
}

void Hasher::update(std::string_view part) {
  is_fine_ = is_fine_ && EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1;
}

void Hasher::update(const Bytes& part) {
  for (std::size_t i = 0; i < part.piece_count(); ++i) update(part.piece(i));
}

Result<Digest> Hasher::finish() {
  std::array<char, Digest::max_size> bytes{};
  const bool is_right =
      is_fine_ && EVP_DigestFinal_ex(context_.get(), impl::unsigned_of(bytes.data()), nullptr) == 1;
  is_fine_ = EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1;
  if (is_right) return Digest({bytes.data(), digest_size(algorithm_)});
  return impl::openssl_failed(Code::internal, "a digest could not be computed");
}

}  // namespace parley::crypto
