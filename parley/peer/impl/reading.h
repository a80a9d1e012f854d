// Reading: what the reader of a Connection has at hand, and nobody else. Private to peer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/peer/impl/frame_watch.h"
#include "parley/peer/impl/workplace.h"
#include "parley/wire/framing.h"

namespace parley::impl {

struct Reading {
  explicit Reading(Duration frame_timeout) : watch(frame_timeout) {}

  std::unique_ptr<wire::Decoder> decoder;  // null until it is known what is spoken
  Bytes begin;                             // what came until then
  Arrivals left;                           // by a reader that waits: the next one goes on with them
  Answers left_answers;
  bool gathers = true;  // answers: nobody has to wait for room
  std::uint64_t handlers_started = 0;
  ReadTimes times;           // of what was read last
  bool may_be_more = false;  // messages in the decoder
  bool is_over = false;      // nothing can come any more
  Status why_over;           // ok: the other side has finished in order
  std::string why_going;     // what it said about that before
  FrameWatch watch;
  Instant alarm{};  // the last that was set
};

}  // namespace parley::impl
