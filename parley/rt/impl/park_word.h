// ParkWord: the one word in which a waiting fiber, those who would wake it and the worker that
// carries it off its stack agree. Private to rt.
//
// A fiber that is going to wait opens the word, puts its nodes where wakers find them, and leaves
// its stack; the worker then settles the word. A waker claims it: of all the wakers (a channel, a
// timer, a cancelled context) one wins. The winner does its work, hands over a value perhaps, and
// wakes. Whichever comes last of wake() and settle() puts the fiber into a run queue, so a fiber
// never runs on two stacks' worth of workers at once.
//
//   running ── open ──> open ── settle ──> parked ── claim ──> left ── wake ──> (queued)
//                        └── claim ──> claimed ── settle ──> left
//                                         └───── wake ─────> woken ── settle ──> (queued)
#pragma once

#include <cstdint>

#include "parley/rt/impl/atomics.h"

namespace parley::rt::impl {

template <class Atomics>
class BasicParkWord {
 public:
  // Names one wait of one fiber, so that a claim for an earlier one fails.
  using Ticket = std::uint64_t;

  // By the fiber, before anybody can find it. A wait that is not cancellable refuses cancel claims.
  Ticket open(bool cancellable) noexcept {
    const std::uint64_t next = (word_.load(std::memory_order_relaxed) & ~flags) + one_wait;
    const std::uint64_t word = next | state_open | (cancellable ? cancellable_flag : 0);
    word_.store(word, std::memory_order_release);
    return next;
  }
  // By a waker that knows the wait to be the one it means (it holds the lock under which the
  // fiber would have to leave first). True for one waker a wait; it must call wake() afterwards.
  [[nodiscard]] bool claim() noexcept { return claim_if(any_ticket, false); }
  // The same for a cancellation: also false when the wait cannot be cancelled.
  [[nodiscard]] bool claim_cancellable() noexcept { return claim_if(any_ticket, true); }
  // The same, and only if the wait is still the one of `ticket`.
  [[nodiscard]] bool claim_cancellable(Ticket ticket) noexcept { return claim_if(ticket, true); }

  // By who claimed. True: the caller puts the fiber into a run queue.
  [[nodiscard]] bool wake() noexcept {
    std::uint64_t word = word_.load(std::memory_order_acquire);
    if ((word & state_mask) == state_left) return true;
    return !word_.compare_exchange_strong(word, with(word, state_woken), std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  // By the worker, once the fiber is off its stack. True: it was woken meanwhile, and the caller
  // puts it into a run queue. After false the fiber may already be running elsewhere.
  [[nodiscard]] bool settle() noexcept {
    std::uint64_t word = word_.load(std::memory_order_acquire);
    for (;;) {
      const std::uint64_t state = word & state_mask;
      if (state == state_woken) return true;
      const std::uint64_t next = state == state_open ? state_parked : state_left;
      // seq_cst: the caller looks at the fiber's cancel flag next, and whoever sets that flag then
      // looks here; one of the two must see the other.
      if (word_.compare_exchange_weak(word, with(word, next), std::memory_order_seq_cst)) {
        return false;
      }
    }
  }

  // Takes a parked fiber back as if it had not left its stack yet, so that its stack can be read:
  // wakers leave it alone until it is settled again. False when it is not parked.
  [[nodiscard]] bool unsettle() noexcept {
    std::uint64_t word = word_.load(std::memory_order_acquire);
    return (word & state_mask) == state_parked &&
           word_.compare_exchange_strong(word, with(word, state_open), std::memory_order_acq_rel);
  }

  // By the fiber's worker, before settle(): the ticket open() returned.
  [[nodiscard]] Ticket ticket() const noexcept {
    return word_.load(std::memory_order_relaxed) & ~flags;
  }

  [[nodiscard]] bool is_waiting() const noexcept {
    const std::uint64_t state = word_.load(std::memory_order_acquire) & state_mask;
    return state == state_open || state == state_parked;
  }

 private:
  static constexpr std::uint64_t state_mask = 7;
  static constexpr std::uint64_t cancellable_flag = 8;
  static constexpr std::uint64_t flags = 15;
  static constexpr std::uint64_t one_wait = 16;
  static constexpr std::uint64_t any_ticket = ~std::uint64_t{0};

  static constexpr std::uint64_t state_open = 1;
  static constexpr std::uint64_t state_parked = 2;
  static constexpr std::uint64_t state_claimed = 3;
  static constexpr std::uint64_t state_left = 4;
  static constexpr std::uint64_t state_woken = 5;

  static std::uint64_t with(std::uint64_t word, std::uint64_t state) noexcept {
    return (word & ~state_mask) | state;
  }

  bool claim_if(Ticket ticket, bool only_cancellable) noexcept {
    std::uint64_t word = word_.load(std::memory_order_seq_cst);
    for (;;) {
      const std::uint64_t state = word & state_mask;
      if (state != state_open && state != state_parked) return false;
      if (only_cancellable && (word & cancellable_flag) == 0) return false;
      if (ticket != any_ticket && (word & ~flags) != ticket) return false;
      const std::uint64_t next = state == state_open ? state_claimed : state_left;
      if (word_.compare_exchange_weak(word, with(word, next), std::memory_order_seq_cst)) {
        return true;
      }
    }
  }

  typename Atomics::template Atomic<std::uint64_t> word_{0};
};

using ParkWord = BasicParkWord<RealAtomics>;

}  // namespace parley::rt::impl
