#include "parley/rt/impl/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace parley::rt::impl {

TimerWheel::~TimerWheel() {
  while (Timer* timer = pop_due(never - 1)) {
    timer->wheel.store(nullptr, std::memory_order_relaxed);
    if (timer->abandon != nullptr) timer->abandon(*timer);
  }
}

// A patient timer goes to where it is wanted by now, or leaves.
void TimerWheel::place(Timer& timer) {
  if (timer.is_patient) {
    if (timer.wanted == Instant::max()) {
      timer.wheel.store(nullptr, std::memory_order_release);
      return;
    }
    timer.at = timer.wanted;
  }
  const std::uint64_t at = ticks(timer.at);
  if (at <= base_) {
    timer.place = due_place;
    due_.push_back(timer);
    return;
  }
  // The highest digit in which the time differs from now says how far away it is.
  const unsigned level =
      (63U - static_cast<unsigned>(std::countl_zero(at ^ base_))) / bits_per_level;
  const auto slot = static_cast<unsigned>(at >> (level * bits_per_level)) & (slots_per_level - 1);
  timer.place = static_cast<std::uint16_t>(level * slots_per_level + slot);
  slots_[timer.place].push_back(timer);
  used_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::take_out(Timer& timer) {
  timer.unlink();
  if (timer.place == due_place || !slots_[timer.place].empty()) return;
  used_[timer.place / slots_per_level] &= ~(std::uint64_t{1} << (timer.place % slots_per_level));
}

void TimerWheel::add(Timer& timer) {
  const std::lock_guard lock(lock_);
  timer.wheel.store(this, std::memory_order_relaxed);
  place(timer);
  const std::uint64_t at = ticks(timer.at);
  if (at < earliest_.load(std::memory_order_relaxed)) {
    earliest_.store(at, std::memory_order_relaxed);
  }
}

void TimerWheel::want(Timer& timer, Instant at) {
  TimerWheel* const in = timer.wheel.load(std::memory_order_acquire);
  if (in != this && in != nullptr) remove(timer);
  const std::lock_guard lock(lock_);
  timer.wanted = at;
  if (in == this && timer.is_linked()) {
    if (timer.at <= at) return;
    take_out(timer);
  }
  timer.wheel.store(this, std::memory_order_relaxed);
  place(timer);
  if (ticks(at) < earliest_.load(std::memory_order_relaxed)) {
    earliest_.store(ticks(at), std::memory_order_relaxed);
  }
}

void TimerWheel::want_no_more(Timer& timer) {
  TimerWheel* const in = timer.wheel.load(std::memory_order_acquire);
  if (in == nullptr) return;
  const std::lock_guard lock(in->lock_);
  timer.wanted = Instant::max();
}

bool TimerWheel::remove(Timer& timer) {
  TimerWheel* wheel = timer.wheel.load(std::memory_order_acquire);
  if (wheel == nullptr) return false;
  const std::lock_guard lock(wheel->lock_);
  if (!timer.is_linked()) return false;
  wheel->take_out(timer);
  timer.wheel.store(nullptr, std::memory_order_relaxed);
  return true;
}

// Slots of a lower level lie before those of a higher one, and within a level in the order of their
// numbers: a timer shares all digits above its level with base_, and its own digit is larger.
TimerWheel::Slot TimerWheel::first_slot() const {
  for (unsigned level = 0; level < levels; ++level) {
    if (used_[level] == 0) continue;
    const auto index = static_cast<unsigned>(std::countr_zero(used_[level]));
    const unsigned shift = level * bits_per_level;
    const unsigned above = shift + bits_per_level;
    const std::uint64_t prefix = above >= 64 ? 0 : base_ >> above << above;
    return {level, index, prefix | (std::uint64_t{index} << shift)};
  }
  return {};
}

std::uint64_t TimerWheel::earliest() {
  if (!due_.empty()) return base_;
  const Slot slot = first_slot();
  if (slot.level == 0 || slot.level == levels) return slot.start;
  // A look into a short slot saves a wake-up that would only move its timers down a level.
  constexpr int looked_at = 64;
  int seen = 0;
  std::uint64_t least = never;
  slots_[slot.level * slots_per_level + slot.index].for_each([&](const Timer& timer) {
    if (++seen <= looked_at) least = std::min(least, ticks(timer.at));
  });
  return seen > looked_at ? slot.start : least;
}

// Of the timers that come first: puts the patient ones where they are wanted. True when there were
// any.
bool TimerWheel::place_patient() {
  const Slot slot = first_slot();
  if (due_.empty() && slot.level == levels) return false;
  List<Timer>& first = due_.empty() ? slots_[slot.level * slots_per_level + slot.index] : due_;
  bool any = false;
  first.for_each([&](Timer& timer) {
    if (!timer.is_patient || timer.wanted == timer.at) return;
    take_out(timer);
    place(timer);
    any = true;
  });
  return any;
}

Instant TimerWheel::next() {
  const std::lock_guard lock(lock_);
  while (place_patient()) {}
  const std::uint64_t at = earliest();
  earliest_.store(at, std::memory_order_relaxed);
  return at == never ? Instant::max() : Instant(Duration(static_cast<Duration::rep>(at)));
}

// Moves the timers of passed slots down, level by level, until one is due.
Timer* TimerWheel::pop_due(std::uint64_t now) {
  for (;;) {
    if (!due_.empty()) {
      Timer& timer = due_.pop_front();
      // Another worker, whose clock said more than `now`, may have got so far.
      if (!timer.is_patient || ticks(timer.wanted) <= std::max(now, base_)) return &timer;
      place(timer);
      continue;
    }
    const Slot slot = first_slot();
    if (slot.start > now) return nullptr;
    base_ = slot.start;
    used_[slot.level] &= ~(std::uint64_t{1} << slot.index);
    List<Timer>& passed = slots_[slot.level * slots_per_level + slot.index];
    while (!passed.empty()) place(passed.pop_front());
  }
}

std::uint32_t TimerWheel::fire_due(Instant time, std::uint32_t most) {
  const std::uint64_t now = ticks(time);
  std::uint32_t count = 0;
  lock_.lock();
  while (Timer* timer = count < most ? pop_due(now) : nullptr) {
    ++count;
    if (timer->claim == nullptr) {
      timer->wheel.store(nullptr, std::memory_order_relaxed);
    } else if (!timer->claim(*timer)) {
      continue;
    }
    lock_.unlock();
    timer->fire(*timer);
    lock_.lock();
  }
  // No slot begins before `now` any more, so it can be the base of all that is added from here on.
  if (count < most) base_ = std::max(base_, now);
  earliest_.store(earliest(), std::memory_order_relaxed);
  lock_.unlock();
  return count;
}

}  // namespace parley::rt::impl
