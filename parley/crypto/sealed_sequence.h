// Sealed sequences: the messages between two sides that share a secret, sealed one by one, so that
// each is opened at most once, in its place, by the other side only.
//
// Both sides derive a key for each direction. A message carries its number, and the nonce follows
// from that: none serves twice. After messages_per_key messages both go on with the next key and
// forget the one before: who learns a key later cannot read what was. The format is in
// docs/protocols/sealed.md.
//
// Sealing and opening may be done by any number of threads at once; none waits for another's
// encryption. Messages have to be opened in the order of their numbers, or not more than `window`
// places away from it.
//
//   auto agreed = mine->agree(*theirs);                        // key_agreement.h, or a shared key
//   auto sealed = derive_sequences(*agreed, {.side = Side::dialer, .salt = both_randoms});
//   auto message = sealed->sealing.seal(Bytes::from(text));    // to the other side
//   auto answer = sealed->opening.open(what_came);             // from it
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/crypto/aead.h"
#include "parley/crypto/secret.h"

namespace parley::crypto {

// One side is the one, the other the other.
enum class Side : std::uint8_t { dialer, listener };

// Both sides must have the same in algorithm, salt, context and messages_per_key, or the first
// message is not opened. What is out of its range is invalid_argument.
struct SequenceOptions {
  Side side = Side::dialer;
  AeadAlgorithm algorithm = AeadAlgorithm::aes256_gcm;
  // Random bytes of both sides, new for each pair of sequences; not secret. At least min_salt. With
  // a secret that serves more than once this is what keeps nonces apart: a side that did not add
  // its own random bytes can be led to use one twice.
  std::string salt{};
  // What both know of the connection: public keys, names, what was negotiated. At most max_context.
  std::string context{};
  // How many places from its own a message may be opened: 0 for one that comes in order, as over a
  // stream; more where fibers seal and send on their own. At most messages_per_key and max_window.
  std::size_t window = 0;
  // Messages after which the key changes. Together with max_message_bytes at most
  // max_bytes_per_key.
  std::uint64_t messages_per_key = 65'536;
  // A message before it is sealed, and what stands beside it. At least 1.
  std::size_t max_message_bytes = std::size_t{16} << 20;
  // Where it ends: a message more is resource_exhausted, on both sides. At least 1.
  std::uint64_t max_messages = std::uint64_t{1} << 48;
  // Messages that were not authentic: after so many nothing is opened any more
  // (resource_exhausted). At least 1.
  std::uint64_t max_forged = 1'000;

  static constexpr std::size_t min_salt = 16;
  static constexpr std::size_t max_context = 512;
  static constexpr std::size_t max_window = 65'536;
  // 2^36 blocks: GCM is told from noise with a chance of 2^-57 then.
  static constexpr std::uint64_t max_bytes_per_key = std::uint64_t{1} << 40;
};

// Bytes that a sealed message is longer by: its number and its tag.
inline constexpr std::size_t sequence_overhead = 8 + aead_tag_bytes;

struct SealedSequences;

// What one side sends.
class SealingSequence {
 public:
  SealingSequence(SealingSequence&& other) noexcept;
  SealingSequence& operator=(SealingSequence&& other) noexcept;
  ~SealingSequence();

  // The next message. `beside` is protected and not contained: the other side must name the same.
  // resource_exhausted for one that is too long, which takes no number, and beyond max_messages.
  [[nodiscard]] Result<Bytes> seal(const Bytes& plain, std::string_view beside = {});
  // Messages sealed so far.
  [[nodiscard]] std::uint64_t count() const;

 private:
  friend Result<SealedSequences> derive_sequences(const Secret& shared,
                                                  const SequenceOptions& options);
  struct State;
  explicit SealingSequence(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

// What the other side sends. A message that is refused changes nothing but the count of those.
class OpeningSequence {
 public:
  OpeningSequence(OpeningSequence&& other) noexcept;
  OpeningSequence& operator=(OpeningSequence&& other) noexcept;
  ~OpeningSequence();

  // data_loss when it was changed or is none of the other side's; already_exists when it has been
  // opened, or is too old to know; out_of_range when others should have come first;
  // resource_exhausted when it is too long, and beyond max_messages and max_forged. A connection
  // that keeps order is best closed after any of them.
  [[nodiscard]] Result<Bytes> open(const Bytes& sealed, std::string_view beside = {});
  // Messages opened so far.
  [[nodiscard]] std::uint64_t count() const;

 private:
  friend Result<SealedSequences> derive_sequences(const Secret& shared,
                                                  const SequenceOptions& options);
  struct State;
  explicit OpeningSequence(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

struct SealedSequences {
  SealingSequence sealing;
  OpeningSequence opening;
};

// Both directions of one side. `shared` is what X25519 gave, or a key both sides were given, as
// long as that is nothing one could guess; invalid_argument when it has fewer than 16 bytes.
Result<SealedSequences> derive_sequences(const Secret& shared, const SequenceOptions& options);

}  // namespace parley::crypto
