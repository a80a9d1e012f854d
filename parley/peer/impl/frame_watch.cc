#include "parley/peer/impl/frame_watch.h"

#include <algorithm>
#include <utility>

#include "parley/peer/impl/words.h"

namespace parley::impl {
namespace {

// Bodies that begin within this part of the time are taken for one: the first then has so much
// longer.
constexpr int times_apart = 64;

}  // namespace

void FrameWatch::look(bool is_mid_frame, const InParts& in_parts) {
  const bool any_came = std::exchange(any_came_, false);
  if (!is_mid_frame) {
    frame_ = rt::Deadline::never();
  } else if (any_came || !was_mid_frame_) {
    frame_ = rt::Deadline::after(timeout_);
  }
  was_mid_frame_ = is_mid_frame;
  if (in_parts.oldest != 0 || !begun_.empty()) [[unlikely]]
    look_at_parts(in_parts);
}

// Each body has its own time, however many come beside it.
void FrameWatch::look_at_parts(const InParts& in_parts) {
  if (in_parts.oldest == 0) {
    begun_ = {};
    return;
  }
  std::erase_if(begun_, [&](const Begun& each) { return each.last < in_parts.oldest; });
  if (!begun_.empty() && begun_.back().last == in_parts.last) return;
  const Instant now = rt::now();
  if (begun_.empty() || now - begun_.back().since >= timeout_ / times_apart) {
    begun_.push_back({.since = now});
  }
  begun_.back().last = in_parts.last;
  begun_.back().until = rt::Deadline::after(timeout_, now);
}

rt::Deadline FrameWatch::deadline() const {
  return begun_.empty() ? frame_ : std::min(begun_.front().until, frame_);
}

Status FrameWatch::too_slow() const {
  return {Code::deadline_exceeded,
          "a message did not come whole within frame_timeout (" + in_milliseconds(timeout_) + ")"};
}

}  // namespace parley::impl
