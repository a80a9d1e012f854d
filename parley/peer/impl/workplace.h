// Workplace: what a fiber needs while it reads and serves a session: memory that one session hands
// to the next, so that sessions at rest own none. Private to peer.
//
// Belongs to one fiber at a time; a peer keeps them in an rt::Pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/call_table.h"
#include "parley/peer/impl/read_buffer.h"
#include "parley/peer/router.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"

namespace parley::impl {

struct StreamCore;

// Whether a request may run.
enum class Verdict : std::uint8_t {
  run,
  closing,
  max_handlers,
  max_handler_bytes,
  max_fibers,
  too_late,
  max_streams,
  no_body,
  control,  // no request: something to answer at once
  taken     // nothing is left to do
};

// One message of a read, and what the lock's holder found out about it.
struct Arrived {
  wire::Message message;
  Instant came_at{};              // when it was read
  PendingCall* caller = nullptr;  // of a reply; null when nobody waits any more
  StreamCore* stream = nullptr;   // of an open that may run, which keeps it in the table
  Verdict verdict = Verdict::run;
  std::size_t in_use = 0;  // of the limit that the verdict names
  rt::Deadline deadline;   // the caller's
};
// Answers on their way to what will be sent, encoded.
struct Answers {
  std::string frames;
  std::size_t count = 0;  // handlers that have ended with them
  std::size_t held = 0;   // bytes that their requests held
};

struct Workplace {
  ReadBuffer buffer;
  std::vector<Arrived> arrived;
  Answers answers;
  Answer answer;  // of the call it is at
  Router::Recent recent;
};

}  // namespace parley::impl
