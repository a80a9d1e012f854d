// What a WebSocket does unasked: it leaves when its server drains, and wakes who reads it without a
// fiber at rest.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "parley/http/websocket.h"
#include "parley/rt/pollable.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// What could not be said is tried again after so long.
constexpr Duration again = std::chrono::milliseconds(50);
// Readers are woken together, so that one look at all of them serves many.
constexpr Duration longest_step = std::chrono::seconds(1);

Instant round_up(Instant instant, Duration step) {
  if (instant >= Instant::max() - step) return Instant::max();
  return Instant((instant.time_since_epoch() / step + 1) * step);
}

}  // namespace

void WebSocket::leave_with(std::shared_ptr<Draining> draining) {
  if (draining != nullptr) join(std::move(draining));
}

void WebSocket::on_drain(std::function<bool(Draining& draining)> leave) {
  const std::shared_ptr<Draining> draining = this->draining();
  if (draining == nullptr) return;
  Attended::leave();
  if (!goes_away_) leave_ = std::move(leave);
  join(draining, rests_until_);
}

Instant WebSocket::attend(Instant now, bool drains) {
  if (!drains) return wake_reader(now);
  if (leave_ == nullptr) return go_away(now);
  if (!has_left_) has_left_ = leave_(*draining());
  return has_left_ ? wake_reader(now) : now + again;
}

Instant WebSocket::go_away(Instant now) {
  const bool is_first = !goes_away_.exchange(true);
  if (is_first) leave_until_ = rt::Deadline::after(options_.close_timeout).instant();
  if (closed_) return Instant::max();
  if (!is_first && now >= leave_until_) {
    close();
    return Instant::max();
  }
  return say_goodbye() ? leave_until_ : std::min(leave_until_, now + again);
}

// False while it has not left: somebody writes, or the other side takes nothing.
bool WebSocket::say_goodbye() {
  if (!writing_.try_lock()) return false;
  const std::lock_guard lock(writing_, std::adopt_lock);
  if (cut_) return true;
  if (!close_sent_.exchange(true)) {
    std::string frame;
    (void)writer_.close(close_code::going_away, {}, frame);
    unsent_ += frame;
  }
  while (!unsent_.empty()) {
    const auto size = stream_->write_some(unsent_, rt::Deadline::after(Duration::zero()));
    if (!size) break;
    unsent_.erase(0, *size);
  }
  has_unsent_ = !unsent_.empty();
  return unsent_.empty();
}

// Nothing came, and until then there is nothing to do.
void WebSocket::rest(Instant now) {
  if (draining() == nullptr) return;
  const Instant until = next_look(now);
  if (until < rests_until_.exchange(until)) attend_at(until);
}

Instant WebSocket::wake_reader(Instant now) {
  const Duration step =
      std::clamp<Duration>(options_.ping_interval / 8, std::chrono::milliseconds(1), longest_step);
  const Instant until = rests_until_;
  if (now < until) return round_up(until, step);
  if (rt::Pollable* const readiness = stream_->readiness()) readiness->tell_readable();
  return round_up(now, step);
}

}  // namespace parley::http
