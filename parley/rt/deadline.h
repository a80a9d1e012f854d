// Deadline: the moment after which waiting is pointless, or never. A plain value.
//
// `after` reads the clock of the runtime the caller runs in (the real one outside a fiber), so a
// test with a ManualClock owns every deadline.
//
//   channel.receive(rt::Deadline::after(std::chrono::seconds(2)));
#pragma once

#include <algorithm>
#include <compare>

#include "parley/base/clock.h"

namespace parley::rt {

// The time of the runtime's clock; of the real clock outside a fiber.
[[nodiscard]] Instant now() noexcept;
// The same a moment ago, for less: Clock::recently().
[[nodiscard]] Instant recently() noexcept;

class Deadline {
 public:
  // Never.
  constexpr Deadline() noexcept = default;
  [[nodiscard]] static constexpr Deadline never() noexcept { return {}; }
  [[nodiscard]] static constexpr Deadline at(Instant instant) noexcept { return Deadline(instant); }
  // From now. A delay too long for the clock is never; a negative one is already over.
  [[nodiscard]] static Deadline after(Duration delay) noexcept;
  // The same for who has just asked for the time.
  [[nodiscard]] static constexpr Deadline after(Duration delay, Instant now) noexcept {
    return delay > Instant::max() - now ? never() : at(now + delay);
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return at_ == Instant::max(); }
  [[nodiscard]] bool is_over() const noexcept { return !is_never() && now() >= at_; }
  // Instant::max() for never.
  [[nodiscard]] constexpr Instant instant() const noexcept { return at_; }

  // The earlier of two deadlines is the smaller one.
  friend constexpr auto operator<=>(Deadline, Deadline) noexcept = default;

 private:
  constexpr explicit Deadline(Instant at) noexcept : at_(at) {}

  Instant at_ = Instant::max();
};

}  // namespace parley::rt
