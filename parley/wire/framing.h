// Framing and Decoder: what every byte format implements. Sans-I/O: a framing turns messages into
// bytes and a decoder turns bytes into messages; who moves the bytes is not their business.
//
// A Framing is immutable and may be shared by threads. A Decoder belongs to one fiber at a time.
//
//   Status status = framing.encode(message, out);
//
//   decoder->feed(std::move(chunk));            // whatever a read brought
//   for (;;) {
//     Result<std::optional<Message>> next = decoder->next();
//     if (!next) return next.error();           // the connection is lost
//     if (!*next) break;                        // read more
//     handle(std::move(**next));
//   }
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/message.h"

namespace parley::wire {

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  // Hands over the next bytes of the stream, cut anywhere. Call next() until it returns nothing
  // before feeding again: what waits here is bounded only by what is fed in between. A chunk of one
  // piece is kept, not copied; bodies that lie in it whole will share its block.
  virtual void feed(Bytes chunk) = 0;
  // The same with bytes that must be copied because the caller keeps them.
  void feed(std::string_view chunk) { feed(Bytes::copy_of(chunk)); }

  // The next message, or nothing when it needs more bytes. After an error the decoder is dead: it
  // lets go of everything it holds, ignores what is fed and returns the same error again.
  virtual Result<std::optional<Message>> next() = 0;

  // How many fed bytes no message has used yet.
  [[nodiscard]] virtual std::size_t buffered() const noexcept = 0;
  // True when bytes of a frame have come whose message next() has not returned: when next() has
  // just returned nothing, the stream must not end here.
  [[nodiscard]] bool mid_frame() const noexcept { return buffered() > 0; }
};

class Framing {
 public:
  Framing() = default;
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;
  virtual ~Framing() = default;

  // "raw": the name in configuration, logs and docs/protocols/.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  // Appends the whole frame to `out`. On an error `out` is what it was before: the message cannot
  // be carried by this format (invalid_argument) or is beyond a limit of it (resource_exhausted).
  virtual Status encode(const Message& message, std::string& out) const = 0;

  // The same for large bodies: appends what precedes the body to `out` and sets `tail` to what must
  // be sent right behind it, sharing the body's blocks. A format that cannot keep the body apart
  // puts everything into `out` and leaves `tail` empty. On an error both are what they were.
  virtual Status encode_apart(const Message& message, std::string& out, Bytes& tail) const = 0;

  // A decoder for one connection's incoming bytes.
  [[nodiscard]] virtual std::unique_ptr<Decoder> make_decoder() const = 0;
};

}  // namespace parley::wire
