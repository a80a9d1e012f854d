// ParkWord: the one word in which a waiting fiber, those who would wake it and the worker that
// carries it off its stack agree. Private to rt.
//
// A fiber that is going to wait opens the word, puts its nodes where wakers find them, and leaves
// its stack; the worker that arrives on the next stack settles the word. A waker claims it: of all
// the wakers (a channel, a timer, a cancelled context) one wins; it hands over a value perhaps, and
// puts the fiber into a run queue. A claim that comes between open and settle waits for the settle,
// which is a few dozen instructions away: so a fiber is never in a run queue before it is off its
// stack, and parking needs no atomic read-modify-write.
//
//   running ── open ──> opening ── settle ──> parked ── claim ──> running (in a run queue)
//                          └── close ──> running
#pragma once

#include <cstdint>

#include "parley/rt/impl/atomics.h"
#include "parley/rt/impl/record_atomic.h"

namespace parley::rt::impl {

template <class Atomics>
class BasicParkWord {
 public:
  // By the fiber, before anybody can find it. A wait that is not cancellable refuses cancel claims.
  void open(bool cancellable) noexcept {
    word_.store(cancellable ? State::opening_cancellable : State::opening,
                std::memory_order_release);
  }
  // By the fiber, when it need not wait after all: claims fail from here on.
  void close() noexcept { word_.store(State::running, std::memory_order_release); }
  // By the fiber: it is about to park.
  [[nodiscard]] bool is_open() const noexcept {
    return word_.load(std::memory_order_relaxed) != State::running;
  }
  // By the worker, once the fiber is off its stack.
  void settle() noexcept {
    word_.store(word_.load(std::memory_order_relaxed) == State::opening ? State::parked
                                                                        : State::parked_cancellable,
                std::memory_order_release);
  }

  // By a waker that found the fiber under the lock under which it would have to be taken out first.
  // True for one waker a wait, which must put it into a run queue.
  [[nodiscard]] bool claim() noexcept { return claim_from(State::parked_cancellable, true); }
  // The same for a cancellation: also false when the wait cannot be cancelled.
  [[nodiscard]] bool claim_cancellable() noexcept {
    return claim_from(State::parked_cancellable, false);
  }

  // Takes a parked fiber back as if it had not left its stack yet, so that its stack can be read:
  // claims wait until it is settled again. False when it is not parked.
  [[nodiscard]] bool unsettle() noexcept {
    State parked = State::parked;
    if (word_.compare_exchange_strong(parked, State::opening, std::memory_order_acq_rel)) {
      return true;
    }
    parked = State::parked_cancellable;
    return word_.compare_exchange_strong(parked, State::opening_cancellable,
                                         std::memory_order_acq_rel);
  }

 private:
  enum class State : std::uint32_t {
    running,
    opening,
    opening_cancellable,
    parked,
    parked_cancellable,
  };

  bool claim_from(State cancellable, bool also_others) noexcept {
    constexpr int rounds_before_giving_way = 64;
    for (int round = 0;; ++round) {
      State word = word_.load(std::memory_order_acquire);
      if (word == cancellable || (also_others && word == State::parked)) {
        if (word_.compare_exchange_strong(word, State::running, std::memory_order_acq_rel)) {
          return true;
        }
        continue;
      }
      const bool settles_soon =
          word == State::opening_cancellable || (also_others && word == State::opening);
      if (!settles_soon) return false;
      if (round < rounds_before_giving_way) {
        Atomics::relax();
      } else {
        Atomics::give_way();
      }
    }
  }

  typename Atomics::template Atomic<State> word_{State::running};
};

using ParkWord = BasicParkWord<RecordAtomics>;

}  // namespace parley::rt::impl
