#include "parley/peer/impl/logging.h"

#include <utility>

#include "parley/base/guard.h"
#include "parley/rt/time.h"

namespace parley::impl {

void log_line(const PeerOptions& options, std::string_view line) {
  if (options.log) (void)guarded([&] { options.log(line); });
}

bool RequestLines::take(const PeerOptions& options, std::size_t& left_out) {
  const Instant now = rt::now();
  const bool is_first = logged_ == 0 && left_out_ == 0;
  if (is_first || now - began_ >= options.request_lines_period) {
    began_ = now;
    logged_ = 0;
  }
  if (logged_ >= options.max_request_lines) {
    ++left_out_;
    return false;
  }
  ++logged_;
  left_out = take_left_out();
  return true;
}

std::size_t RequestLines::take_left_out() { return std::exchange(left_out_, 0); }

}  // namespace parley::impl
