// SecureEnvelope: the messages of one connection, sealed (docs/protocols/secure.md). Private to
// peer.
//
// See Envelope: fibers of any worker at once; none waits for another's encryption.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "parley/base/status.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/peer/envelope.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

class SecureEnvelope final : public Envelope {
 public:
  // `is_always`: else only what its question's metadata asks for.
  SecureEnvelope(crypto::SealedSequences sequences, bool is_always, std::size_t most_bytes)
      : sequences_(std::move(sequences)), is_always_(is_always), most_bytes_(most_bytes) {}

  [[nodiscard]] Cover cover_of(const wire::Metadata& question) const override;
  [[nodiscard]] bool is_closed(const wire::Message& answer) const override;
  Status close(wire::Message& message, std::uint64_t place) override;
  Status open(wire::Message& message, std::uint64_t place) override;
  [[nodiscard]] std::size_t overhead() const override { return crypto::sequence_overhead; }

 private:
  crypto::SealedSequences sequences_;
  const bool is_always_;
  const std::size_t most_bytes_;
};

}  // namespace parley::impl
