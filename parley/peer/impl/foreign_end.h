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

namespace parley {
class Context;
}  // namespace parley

namespace parley::impl {

struct ForeignEnd {
  std::vector<Bytes> sent;   // by the handler, at most its credit
  std::size_t next = 0;      // of those
  bool has_ended = false;    // the handler
  bool is_given_up = false;  // by the other side, or at its deadline
  Status status;             // how it ended, either way
  wire::Metadata metadata;
  rt::Cond there;  // one of those, the head, or the end

  // What its handler has set before its first words is to travel before them.
  Context* context = nullptr;   // of the handler, whose fiber it belongs to
  std::uint64_t handler = 0;    // the number of that fiber
  bool has_head = false;        // it has sent or received, and `head` is what was set before
  bool is_head_wanted = false;  // it waits for the other side, which may wait for the head
  wire::Metadata head;
  // Of what lies here and there, what the stream's credit does not cover (Streams).
  std::uint64_t came_beyond = 0;
  std::uint64_t sent_beyond = 0;
  rt::Cond may_give;  // the handler has read, or it is over
  // Those who wait for the session's room for messages of this stream, each way. They wake as well
  // when the stream has room of its own: what they want beyond its credit has become less.
  int waits_to_give = 0;
  int waits_to_send = 0;
};

}  // namespace parley::impl
