// RunRing: the runnable fibers of one worker, in order. The owner adds and takes, at either end;
// any other worker steals the older half. As the local run queue of Go's scheduler
// (runtime/proc.go, runqput, runqget, runqgrab), but for pop_newest. Private to rt.
//
// Who takes from the front moves the head by an exchange, which fails when somebody else did. What
// is taken from the back would go unnoticed by a thief that has looked already: so that changes the
// head as well, in a part of it that counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

template <class Atomics, class Item, std::uint32_t slots>
class BasicRunRing {
  static_assert((slots & (slots - 1)) == 0, "the slot of a place is cut out of its low bits");

 public:
  static constexpr std::uint32_t capacity = slots;

  // Owner. False when it is full.
  [[nodiscard]] bool push(Item* item) noexcept {
    const std::uint32_t head = place_of(head_.load(std::memory_order_acquire));
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head >= slots) return false;
    slots_[tail % slots].store(item, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Owner. Null when it is empty.
  [[nodiscard]] Item* pop() noexcept {
    for (;;) {
      std::uint64_t head = head_.load(std::memory_order_acquire);
      if (place_of(head) == tail_.load(std::memory_order_relaxed)) return nullptr;
      Item* item = slots_[head % slots].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, moved(head, 1), std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return item;
      }
    }
  }

  // Owner. The one that was pushed last. Null when it is empty.
  [[nodiscard]] Item* pop_newest() noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (place_of(head) == tail) return nullptr;
    Item* item = slots_[(tail - 1) % slots].load(std::memory_order_relaxed);
    tail_.store(tail - 1, std::memory_order_release);
    while (place_of(head) != tail) {
      // A thief that has read the old tail fails from here on; one that reads this sees the new.
      if (head_.compare_exchange_weak(head, head + one_from_back, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return item;
      }
    }
    tail_.store(tail, std::memory_order_relaxed);  // a thief was faster, and nothing is left
    return nullptr;
  }

  // Owner of a ring that nobody steals from.
  [[nodiscard]] Item* pop_alone() noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (place_of(head) == tail_.load(std::memory_order_relaxed)) return nullptr;
    Item* item = slots_[head % slots].load(std::memory_order_relaxed);
    head_.store(moved(head, 1), std::memory_order_relaxed);
    return item;
  }

  // Any thread: takes half of what is here, rounded up and at most `out.size()`, oldest first.
  // Returns how many.
  template <std::size_t size>
  [[nodiscard]] std::uint32_t steal(std::array<Item*, size>& out) noexcept {
    for (;;) {
      std::uint64_t head = head_.load(std::memory_order_acquire);
      const std::uint32_t tail = tail_.load(std::memory_order_acquire);
      const std::uint32_t here = tail - place_of(head);
      // The head before the tail: the owner is about to find out that a thief took the newest.
      if (static_cast<std::int32_t>(here) <= 0) return 0;
      if (here > slots) continue;  // head and tail were read at different times
      std::uint32_t count = here - here / 2;
      if (count > size) count = size;
      for (std::uint32_t i = 0; i < count; ++i) {
        out[i] = slots_[(head + i) % slots].load(std::memory_order_relaxed);
      }
      if (head_.compare_exchange_weak(head, moved(head, count), std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        return count;
      }
    }
  }

  // Any thread; true a moment ago.
  [[nodiscard]] std::uint32_t size() const noexcept {
    const std::uint32_t head = place_of(head_.load(std::memory_order_acquire));
    const std::uint32_t size = tail_.load(std::memory_order_acquire) - head;
    if (static_cast<std::int32_t>(size) < 0) return 0;
    return size > slots ? slots : size;
  }

 private:
  // The head: the place of the oldest item in the low half, which goes round; in the high half, how
  // often one was taken from the back.
  static constexpr std::uint64_t one_from_back = std::uint64_t{1} << 32U;
  static constexpr std::uint32_t place_of(std::uint64_t head) noexcept {
    return static_cast<std::uint32_t>(head);
  }
  static constexpr std::uint64_t moved(std::uint64_t head, std::uint32_t by) noexcept {
    return (head & ~(one_from_back - 1)) | static_cast<std::uint32_t>(place_of(head) + by);
  }

  alignas(64) typename Atomics::template Atomic<std::uint64_t> head_{0};
  alignas(64) typename Atomics::template Atomic<std::uint32_t> tail_{0};
  std::array<typename Atomics::template Atomic<Item*>, slots> slots_{};
};

}  // namespace parley::rt::impl
