// Small helpers of a session: sizes and texts. Private to peer. Pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <string>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/wire/message.h"

namespace parley::impl {

// What a request holds while it is served, in bytes.
std::size_t held_by(const wire::Message& request);

// Bytes of the other side for a log: they must not forge lines or drive a terminal.
std::string printable(std::string text);

// "20 ms".
std::string in_milliseconds(Duration duration);

// The status of an answer, for the caller. Only its own side can know not_sent and outcome_unknown
// of a call; in an answer they speak of one that the handler made: what to try is not the same.
Status as_answer(Status status);

}  // namespace parley::impl
