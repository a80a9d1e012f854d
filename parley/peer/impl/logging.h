// Logging: the way to PeerOptions::log. Private to peer. Fiber-safe as far as that log is.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/peer/options.h"

namespace parley::impl {

// A line for the log of a peer, if it has one. What that throws ends here: the line is lost, and
// nothing else.
void log_line(const PeerOptions& options, std::string_view line);

// What a session may still log about requests (PeerOptions::max_request_lines). Any fiber may ask;
// without a lock, which those of a flood would wait for.
class RequestLines {
 public:
  // Whether one more may be logged now, which is counted if not. `left_out`: how many were not
  // since that was asked last.
  bool take(const PeerOptions& options, std::size_t& left_out);
  std::size_t take_left_out();

 private:
  std::atomic<Instant> began_{Instant::min()};  // the period
  std::atomic<std::size_t> asked_ = 0;          // in it
  std::atomic<std::size_t> left_out_ = 0;
};

}  // namespace parley::impl
