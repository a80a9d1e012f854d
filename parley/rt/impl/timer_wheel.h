// TimerWheel: the timers of one worker. Adding and removing cost O(1), however many there are; they
// fire in the order of their times, exact to the nanosecond. A hierarchical timing wheel (Varghese
// and Lauck, 1987, scheme 7) whose levels are the base-64 digits of the time. Thread-safe: other
// workers remove from it, and fire what is due when its owner is busy. Private to rt.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "parley/base/clock.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

class TimerWheel;

// Something with a time. Belongs to whoever armed it and must be out of its wheel when it goes.
struct Timer : ListNode {
  Instant at{};
  // Called by the worker, under no lock, after `claim` (if any) said yes.
  void (*fire)(Timer& timer) = nullptr;
  // Called under the wheel's lock, while the timer cannot go away: false when it is too late to
  // fire. Null: always fire.
  bool (*claim)(Timer& timer) = nullptr;

  // Called instead when the wheel goes first. Null: nothing.
  void (*abandon)(Timer& timer) = nullptr;

  // The one it was added to last; null again once it was removed, has fired or its wheel has gone,
  // but for one with a claim, which may be in another when it has fired.
  std::atomic<TimerWheel*> wheel{nullptr};
  std::uint16_t place = 0;

  // Of a patient timer, changed by TimerWheel::want() only: when it shall fire, `at` or later;
  // Instant::max(): not at all. Then it may be in its wheel all the same, where nobody sees it.
  Instant wanted = Instant::max();
  bool is_patient = false;  // said once, before it is used
};

class TimerWheel {
 public:
  explicit TimerWheel(Instant start) : base_(ticks(start)) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // `timer` must not be in a wheel.
  void add(Timer& timer);
  // True when the timer was still waiting and is now out; false when it has fired or is firing.
  static bool remove(Timer& timer);

  // A patient timer, by its owner, whether it is in a wheel or not: it shall fire at `at`, from
  // this wheel. Who waits again and again, each time until later, and is mostly woken before, pays
  // for the wheel only when the first of those times has come: until then the timer stays where it
  // is.
  void want(Timer& timer, Instant at);
  // The same: it shall not fire. When this returns it does not, or has fired.
  static void want_no_more(Timer& timer);

  // Fires the timers due at `now`, earliest first, and no more than `most` of them: the others stay
  // due. Returns how many it took out.
  static constexpr std::uint32_t all = ~std::uint32_t{0};
  std::uint32_t fire_due(Instant now, std::uint32_t most = all);

  // The time of the earliest timer, or a little before it; Instant::max() without timers.
  [[nodiscard]] Instant next();
  // A time before which nothing is due. Cheap.
  [[nodiscard]] bool has_due(Instant now) const noexcept {
    return earliest_.load(std::memory_order_relaxed) <= ticks(now);
  }

 private:
  static constexpr unsigned bits_per_level = 6;
  static constexpr unsigned slots_per_level = 1U << bits_per_level;
  static constexpr unsigned levels = 11;  // 66 bits
  static constexpr std::uint16_t due_place = levels * slots_per_level;
  static constexpr std::uint64_t never = ~std::uint64_t{0};

  static std::uint64_t ticks(Instant at) noexcept {
    const auto count = at.time_since_epoch().count();
    return count < 0 ? 0 : static_cast<std::uint64_t>(count);
  }

  struct Slot {
    unsigned level = levels;
    unsigned index = 0;
    std::uint64_t start = never;
  };

  void place(Timer& timer);
  bool place_patient();
  void take_out(Timer& timer);
  [[nodiscard]] Slot first_slot() const;
  [[nodiscard]] std::uint64_t earliest();
  Timer* pop_due(std::uint64_t now);

  SpinLock lock_;
  std::uint64_t base_;  // every timer in a slot is later than this
  std::atomic<std::uint64_t> earliest_{never};
  std::array<std::uint64_t, levels> used_{};  // a bit for each slot that holds something
  std::array<List<Timer>, levels * slots_per_level> slots_;
  List<Timer> due_;
};

}  // namespace parley::rt::impl
