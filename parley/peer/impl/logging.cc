#include "parley/peer/impl/logging.h"

#include "parley/base/guard.h"
#include "parley/rt/time.h"

namespace parley::impl {

void log_line(const PeerOptions& options, std::string_view line) {
  if (options.log) (void)guarded([&] { options.log(line); });
}

bool RequestLines::take(const PeerOptions& options, std::size_t& left_out) {
  const Instant now = rt::now();
  Instant began = began_.load();
  const bool is_over = began == Instant::min() || now - began >= options.request_lines_period;
  if (is_over && began_.compare_exchange_strong(began, now)) asked_ = 0;
  if (asked_++ >= options.max_request_lines) {
    ++left_out_;
    return false;
  }
  left_out = take_left_out();
  return true;
}

std::size_t RequestLines::take_left_out() { return left_out_.exchange(0); }

}  // namespace parley::impl
