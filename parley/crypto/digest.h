// Digests: SHA-256 and SHA-512 (FIPS 180-4), and MD5 for those who already speak it.
//
// The functions may be called from any thread. A Hasher belongs to one fiber at a time; a Digest is
// a value.
//
//   auto sum = digest(HashAlgorithm::sha256, file_content);
//   if (!sum) return sum.error();
//   log(sum->hex());
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"

struct evp_md_ctx_st;

namespace parley::crypto {

enum class HashAlgorithm : std::uint8_t {
  sha256,
  sha512,
  // Broken: who wants can make two messages with the same one. For names and checksums that old
  // peers expect, never to protect anything.
  md5,
};

// 32, 64, 16.
[[nodiscard]] std::size_t digest_size(HashAlgorithm algorithm) noexcept;

class Digest {
 public:
  static constexpr std::size_t max_size = 64;

  // Empty.
  Digest() noexcept = default;
  // A copy of at most max_size bytes; more is a bug.
  explicit Digest(std::string_view bytes);

  // Valid as long as this object.
  [[nodiscard]] std::string_view bytes() const& noexcept { return {bytes_.data(), size_}; }
  std::string_view bytes() const&& = delete;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // In lower case.
  [[nodiscard]] std::string hex() const;

  // In constant time, since a digest may be a message's authentication code.
  friend bool operator==(const Digest& a, const Digest& b) noexcept;

 private:
  std::array<char, max_size> bytes_{};
  std::uint8_t size_ = 0;
};

// unimplemented where libcrypto does not offer the algorithm, as MD5 when it keeps to FIPS.
Result<Digest> digest(HashAlgorithm algorithm, std::string_view content);
// Piece by piece, without a copy.
Result<Digest> digest(HashAlgorithm algorithm, const Bytes& content);

// A digest of content that comes in parts.
class Hasher {
 public:
  // unimplemented as above.
  static Result<Hasher> create(HashAlgorithm algorithm);

  Hasher(Hasher&& other) noexcept = default;
  Hasher& operator=(Hasher&& other) noexcept = default;
  ~Hasher() = default;

  void update(std::string_view part);
  void update(const Bytes& part);
  // Of all parts so far. Afterwards it begins anew. internal when libcrypto failed on the way.
  Result<Digest> finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  explicit Hasher(HashAlgorithm algorithm, std::unique_ptr<evp_md_ctx_st, Free> context) noexcept
      : algorithm_(algorithm), context_(std::move(context)) {}

  HashAlgorithm algorithm_;
  bool is_fine_ = true;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace parley::crypto
