#include "parley/peer/impl/frame_watch.h"

#include <utility>

#include "parley/peer/impl/words.h"

namespace parley::impl {

void FrameWatch::look(bool is_mid_frame, std::uint64_t oldest_unfinished) {
  const bool any_came = std::exchange(any_came_, false);
  if (!is_mid_frame) {
    frame_ = rt::Deadline::never();
  } else if (any_came || !was_mid_frame_) {
    frame_ = rt::Deadline::after(timeout_);
  }
  was_mid_frame_ = is_mid_frame;
  if (oldest_unfinished != std::exchange(oldest_unfinished_, oldest_unfinished)) {
    parts_ = oldest_unfinished == 0 ? rt::Deadline::never() : rt::Deadline::after(timeout_);
  }
}

rt::Deadline FrameWatch::deadline() const {
  return parts_.instant() < frame_.instant() ? parts_ : frame_;
}

Status FrameWatch::too_slow() const {
  return {Code::deadline_exceeded,
          "a message did not come whole within frame_timeout (" + in_milliseconds(timeout_) + ")"};
}

}  // namespace parley::impl
