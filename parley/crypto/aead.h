// Sealing: authenticated encryption with associated data (AEAD), by AES-256-GCM (NIST SP 800-38D)
// or ChaCha20-Poly1305 (RFC 8439). A sealed message cannot be read without the key, and what was
// changed in it, or beside it in the associated data, is found out.
//
// An AeadKey may be used by any number of threads at once; none of them waits for another.
//
//   auto key = AeadKey::create(AeadAlgorithm::aes256_gcm, *secret);
//   auto sealed = key->seal_alone("order 7", Bytes::from(text));      // carries its own nonce
//   auto opened = key->open_alone("order 7", *sealed);
//
// A nonce must never serve twice with one key: who sees two such messages can read both and forge
// others. For messages between two sides take sealed_sequence.h, which counts; seal_alone() draws
// them; seal() is for who has a number that cannot come again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/crypto/secret.h"

namespace parley::crypto {

enum class AeadAlgorithm : std::uint8_t {
  aes256_gcm,         // where the processor has instructions for it, as all servers do
  chacha20_poly1305,  // quicker where it has none
};

// "aes-256-gcm", "chacha20-poly1305".
[[nodiscard]] std::string_view name_of(AeadAlgorithm algorithm) noexcept;

// Bytes of a key, and those that a sealed message is longer by.
inline constexpr std::size_t aead_key_bytes = 32;
inline constexpr std::size_t aead_tag_bytes = 16;

// 96 bits; other sizes weaken GCM.
struct Nonce {
  static constexpr std::size_t size = 12;
  std::array<char, size> bytes{};

  // invalid_argument unless there are 12 bytes.
  static Result<Nonce> from_bytes(std::string_view bytes);
  [[nodiscard]] std::string_view view() const& noexcept { return {bytes.data(), size}; }
  std::string_view view() const&& = delete;
};

// What one AeadKey does, counted by this object: other objects and processes with the same key are
// not seen. What goes beyond is resource_exhausted, and the key has to be changed.
struct AeadLimits {
  // Messages sealed. With 2^32 random nonces one comes twice with a chance of 2^-33 (SP 800-38D,
  // 8.3). At least 1 (a bug otherwise).
  std::uint64_t max_sealed = std::uint64_t{1} << 32;
  // Bytes of all messages sealed: 2^36 blocks of GCM, told from noise with a chance of 2^-57.
  std::uint64_t max_sealed_bytes = std::uint64_t{1} << 40;
  // Messages that were opened and were not sealed with this key (RFC 9001, 6.6, for the weaker of
  // the two algorithms). At least 1 (a bug otherwise).
  std::uint64_t max_forged = std::uint64_t{1} << 36;
  // One message, and its associated data. At most 1 GiB (a bug otherwise).
  std::size_t max_message_bytes = std::size_t{1} << 30;
};

class AeadKey {
 public:
  // `key` has 32 bytes, invalid_argument otherwise. unimplemented where libcrypto does not offer
  // the algorithm.
  static Result<AeadKey> create(AeadAlgorithm algorithm, const Secret& key,
                                const AeadLimits& limits = {});

  AeadKey(AeadKey&& other) noexcept;
  AeadKey& operator=(AeadKey&& other) noexcept;
  ~AeadKey();

  [[nodiscard]] AeadAlgorithm algorithm() const noexcept;

  // The message encrypted, with its tag behind it. `beside` is protected from change and not
  // contained; it may be empty. One pass over the pieces, into one new block.
  [[nodiscard]] Result<Bytes> seal(const Nonce& nonce, std::string_view beside,
                                   const Bytes& plain) const;
  // The same behind some bytes of the caller, which stay as they are: one block for both.
  [[nodiscard]] Result<Bytes> seal_behind(std::string_view front, const Nonce& nonce,
                                          std::string_view beside, const Bytes& plain) const;
  // The way back. data_loss when anything is not as it was sealed: nothing of the message is shown
  // then. Memory of a message that was opened is not wiped when it goes.
  [[nodiscard]] Result<Bytes> open(const Nonce& nonce, std::string_view beside,
                                   const Bytes& sealed) const;

  // The same with a random nonce in front of the message, which is 28 bytes longer then.
  [[nodiscard]] Result<Bytes> seal_alone(std::string_view beside, const Bytes& plain) const;
  [[nodiscard]] Result<Bytes> open_alone(std::string_view beside, const Bytes& sealed) const;

  // The same into memory of the caller, which is 16 bytes longer (seal_to) or shorter (open_to)
  // than the message and may begin at the same address: then it happens in place. Anything else
  // that overlaps, and another size, is a bug. When open_to() fails, `out` is zeros.
  [[nodiscard]] Status seal_to(const Nonce& nonce, std::string_view beside, std::string_view plain,
                               std::span<char> out) const;
  [[nodiscard]] Status open_to(const Nonce& nonce, std::string_view beside, std::string_view sealed,
                               std::span<char> out) const;

 private:
  struct State;
  explicit AeadKey(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace parley::crypto
