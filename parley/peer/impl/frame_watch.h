// FrameWatch: until when what has begun to come must be there: a frame, a body in parts. And
// ReadTimes: when what came came. Private to peer.
//
// They belong to the fiber that reads.
//
//   watch.came();                            // a message
//   watch.look(decoder.mid_frame(), decoder.oldest_unfinished());
//   if (watch.deadline().is_over()) return watch.too_slow();
#pragma once

#include <algorithm>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/pollable.h"

namespace parley::impl {

class FrameWatch {
 public:
  explicit FrameWatch(Duration timeout) : timeout_(timeout) {}

  void came() { any_came_ = ever_came_ = true; }
  [[nodiscard]] bool has_ever_come() const { return ever_came_; }
  // Nothing more can be read of what has come so far. `oldest_unfinished`: a number for the body
  // that has been coming in parts for longest; 0: none.
  void look(bool is_mid_frame, std::uint64_t oldest_unfinished);
  // Never when nothing is awaited.
  [[nodiscard]] rt::Deadline deadline() const;
  [[nodiscard]] Status too_slow() const;

 private:
  const Duration timeout_;
  rt::Deadline frame_;
  rt::Deadline parts_;
  std::uint64_t oldest_unfinished_ = 0;
  bool any_came_ = false;  // since it was looked
  bool ever_came_ = false;
  bool was_mid_frame_ = false;
};

// The times of a read, which most reads are never asked for.
struct ReadTimes {
  // Before the read.
  void begin(const rt::Pollable* readiness) {
    told = readiness != nullptr && readiness->is_readable() ? readiness->readable_since()
                                                            : Instant::max();
    read = Instant();
  }
  // After it.
  void look() {
    if (read != Instant()) return;
    read = rt::now();
    came = std::min(told, read);
  }

  Instant told = Instant::max();  // when the poller told of it, if it did
  Instant read{};                 // when it was read: what was given a time has it from here
  // A session that is readable may wait long for its turn, and what came to it waits as well. When
  // within this wait it came nobody knows.
  Instant came{};
};

}  // namespace parley::impl
