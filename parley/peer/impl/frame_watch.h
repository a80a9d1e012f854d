// FrameWatch: until when what has begun to come must be there: a frame, a body in parts. And
// ReadTimes: when what came came. Private to peer.
//
// They belong to the fiber that reads.
//
//   watch.came();                            // a message
//   watch.look(decoder.mid_frame(), {decoder.oldest_unfinished(), decoder.last_in_parts()});
//   if (watch.deadline().is_over()) return watch.too_slow();
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

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
  // Bodies in parts, by the numbers of wire::Decoder: the oldest that is unfinished, if it is not
  // 0, and the last that has begun.
  struct InParts {
    std::uint64_t oldest = 0;
    std::uint64_t last = 0;
  };
  // Nothing more can be read of what has come so far.
  void look(bool is_mid_frame, const InParts& in_parts);
  // Never when nothing is awaited.
  [[nodiscard]] rt::Deadline deadline() const;
  [[nodiscard]] Status too_slow() const;

 private:
  // Bodies that began at about the same time, up to that number.
  struct Begun {
    std::uint64_t last = 0;
    Instant since{};
    rt::Deadline until{};
  };
  void look_at_parts(const InParts& in_parts);

  const Duration timeout_;
  rt::Deadline frame_;
  // In the order in which they began: of those before the first all are whole. A few more than
  // times_apart at most, since the first of them has timeout_.
  std::vector<Begun> begun_;
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
