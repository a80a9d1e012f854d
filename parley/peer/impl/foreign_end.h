// ForeignEnd: what lies between the handler of a stream and who speaks another protocol: messages
// on their way out, and the handler's end. What comes lies in the StreamCore, as of any stream.
// Private to peer; see Foreign.
//
// Guarded by the lock of the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/rt/cond.h"
#include "parley/wire/metadata.h"

namespace parley::impl {

struct ForeignEnd {
  std::vector<Bytes> sent;   // by the handler, at most its credit
  std::size_t next = 0;      // of those
  bool has_ended = false;    // the handler
  bool is_given_up = false;  // by the other side, or at its deadline
  Status status;             // how it ended, either way
  wire::Metadata metadata;
  rt::Cond there;  // one of those, or the end
  // Of what lies here and there, what the stream's credit does not cover (Streams).
  std::uint64_t came_beyond = 0;
  std::uint64_t sent_beyond = 0;
  rt::Cond may_give;  // the handler has read, or it is over
};

}  // namespace parley::impl
