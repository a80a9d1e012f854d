// Envelope: what the messages of one connection travel in: sealed, most likely (plugins/secure.h).
// It is the last to touch what is sent and the first to touch what has come: after the transfer
// filters where the framing carries filtered bodies (parley), right before its encoder elsewhere.
//
// A plugin sets one for each connection, in after_dial and after_accept
// (EarlySession::set_envelope). From then on what later plugins exchange early, CALL, PUSH and
// OPEN, their answers, and DATA and END of streams go through it, whoever sends them: the session
// itself, when it refuses a call. What only steers the connection (CANCEL, CREDIT, PING, GO_AWAY)
// does not.
//
// Its functions are called by fibers of any worker at once, sometimes under the lock of the
// session: they must not wait.
//
//   class Rot13 final : public Envelope {
//     Cover cover_of(const wire::Metadata&) const override { return {true, true}; }
//     Status close(wire::Message& message, std::uint64_t) override { return turn(message.body); }
//     Status open(wire::Message& message, std::uint64_t) override { return turn(message.body); }
//     // and is_closed(), overhead()
//   };
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/base/status.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

class Envelope {
 public:
  Envelope() = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;
  virtual ~Envelope() = default;

  // Which messages of an exchange go through it.
  struct Cover {
    bool question = false;  // CALL, PUSH, OPEN, and then all that is said on the stream
    bool answer = false;    // REPLY
  };
  // By the metadata of the question: what its sender gave it; before it is opened, what it
  // travelled with.
  [[nodiscard]] virtual Cover cover_of(const wire::Metadata& question) const = 0;
  // Of an answer that need not be covered, as it has come: whether it is.
  [[nodiscard]] virtual bool is_closed(const wire::Message& answer) const = 0;

  // Makes of a message what travels instead. Its seq (which not every framing has in a PUSH), type
  // and method stay as they are. An OPEN, and an END, has no body: all it carries is in its
  // metadata. `place`: how many messages the same side said on this stream before; 0 elsewhere. An
  // error ends what the message belongs to.
  virtual Status close(wire::Message& message, std::uint64_t place) = 0;
  // The way back, of what came from anybody. Of a CALL, PUSH or OPEN an error is the answer, and no
  // plugin or handler sees the message; of an answer it is what the caller gets; of a message on a
  // stream, what the stream ends with; of END, and where the session was not there yet, the session
  // ends with it.
  virtual Status open(wire::Message& message, std::uint64_t place) = 0;
  // By how much the body of a message on a stream gets longer.
  [[nodiscard]] virtual std::size_t overhead() const = 0;
};

}  // namespace parley
