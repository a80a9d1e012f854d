// What the end of a call is to its caller. Private to peer.
//
// Pure, safe anywhere.
#pragma once

#include <utility>

#include "parley/base/result.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

// The status of an answer, for the caller. Only its own side can know not_sent and outcome_unknown
// of a call; in an answer they speak of one that the handler made: what to try is not the same.
Status as_answer(Status status);
// The same where `says_not_sent`: the framing says not_sent of calls that were refused unrun, and
// the other side has made a handler's own an answer already.
Status as_told(Status status, bool says_not_sent);

// The error in the reply, if it has one, as the caller's side says it. The reply's metadata goes to
// `metadata`, if that is not null.
inline Status settle(wire::Message& reply, wire::Metadata* metadata, bool says_not_sent) {
  if (metadata != nullptr) *metadata = std::move(reply.metadata);
  return reply.status.is_ok() ? Status() : as_told(std::move(reply.status), says_not_sent);
}
// Makes the error in the reply, if it has one, the result, as the caller's side says it. The
// reply's metadata goes to `metadata`, if that is not null.
void settle(Result<wire::Message>& reply, wire::Metadata* metadata, bool says_not_sent);

}  // namespace parley::impl
