// Enclosing: where the messages of a Connection go into its Envelope and out of it. Private to
// peer.
//
// Sessions without an envelope do not come here, but for what is said to be for both.
#pragma once

#include <cstdint>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/outgoing.h"
#include "parley/peer/impl/streams.h"
#include "parley/peer/impl/workplace.h"
#include "parley/rt/on_park.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

struct Enclosing {
  // A CALL or PUSH, through its filters too, once it is known what is spoken.
  static Status close_question(Connection& connection, Outgoing& out);
  // One that the session sends by itself, without filters; also under the lock. For both.
  static Status close_own(const Connection& connection, wire::Message& question);
  // What came for it, so that its filters can be undone; an answer that cannot be opened becomes an
  // error. For both. `question`: the metadata the call was made with.
  static void open_answer(const Connection& connection, const wire::Metadata& question,
                          wire::Message& reply);

  // An answer that nobody waits for any more: only that it has come is noted. For both.
  static void open_late(const Connection& connection, wire::Message& reply);

  // A request that is served. For both.
  static Status open_question(Connection& connection, wire::Message& request, rt::OnPark& waits);
  // What answers it, through its filters too; the session is cut when that is not possible.
  // `request.value`: of an OPEN, how many messages were sent on the stream. For both, but the
  // filters are then left to others.
  static void close_reply(Connection& connection, const wire::Message& request, Answer& answer,
                          Outgoing& reply, rt::OnPark& waits);
  // A REPLY, or the END by who served the stream. `place`: of END. For both; also under the lock.
  static Status close_answer(const Connection& connection, const wire::Metadata& question,
                             wire::Message& answer, std::uint64_t place = 0);
  // Of requests that will not be run, before they are let go of: one that cannot be opened is told
  // that, and nothing else. Its number may be that of a call that runs: who sends that again must
  // not get an answer about it. For both.
  static void check_refused(const Connection& connection, Arrived& arrived);
  // The answer to one that is not run.
  static Status close_refusal(const Connection& connection, wire::Message& answer);

  // Streams, for both. OPEN, under the lock: whether what is said on it is enclosed.
  static Result<bool> close_open(const Connection& connection, wire::Message& open);
  static bool is_enclosed(const Connection& connection, const wire::Message& open);
  static std::size_t cost_beside(const Connection& connection, const StreamCore& core);
  static Status close_data(const Connection& connection, const StreamCore& core,
                           wire::Message& message);
  // The END of who opened it, under the lock.
  static Status close_end(const Connection& connection, const StreamCore& core, wire::Message& end);
  // A DATA that has come, under the lock: not when it is read, for it may lie longer than an
  // envelope remembers. One that cannot be opened becomes one whose body is refused.
  static void open_data(const Connection& connection, wire::Message& message);
  // An END that has come, under the lock. The error is one of the session.
  static Status open_end(const Connection& connection, wire::Message& message);

  // What passes before a session is there. For both.
  static Status close_early(const Connection& connection, wire::Message& message);
  static Status open_early(const Connection& connection, wire::Message& message);
};

}  // namespace parley::impl
