// Which numbered messages have come, within a window: each is taken once. Private to crypto.
//
// One fiber at a time; the owner holds a lock.
//
//   ReplayWindow window(64);
//   if (window.judge(number) == Arrival::fresh && is_authentic) window.take(number);
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::crypto::impl {

enum class Arrival : std::uint8_t {
  fresh,
  again,     // it has come
  too_late,  // it is so old that nobody knows
  too_far,   // so many before it have not come
};

class ReplayWindow {
 public:
  // How many places a message may be away from where it belongs. 0: none.
  explicit ReplayWindow(std::size_t places) : taken_(places) {}

  [[nodiscard]] Arrival judge(std::uint64_t number) const;
  // Only for what is fresh.
  void take(std::uint64_t number);
  // The lowest number above all that have come.
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }

 private:
  std::vector<bool> taken_;  // of [next_ - places, next_), each at number % places
  std::uint64_t next_ = 0;
};

}  // namespace parley::crypto::impl
