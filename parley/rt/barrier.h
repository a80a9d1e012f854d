// Barrier: fibers that work in steps wait for each other at the end of each. Reusable: when all
// have come it opens, and the next round begins. Thread-safe among the fibers of one runtime.
//
//   rt::Barrier step_done(4);
//   scope.go("part", [&] { while (compute_step()) if (!step_done.wait()) return; });
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/base/result.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class Barrier {
 public:
  // For so many fibers; none is a bug.
  explicit Barrier(std::size_t parties);
  // A bug while a fiber waits here.
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits for all parties. How many had come before the caller in this round: one of them gets 0,
  // and the last, which opens the barrier, parties() - 1.
  //
  // deadline_exceeded, or the context's status, when that came first; the barrier is broken then,
  // because this round can no longer be complete: all that wait in it, and all that come later, get
  // aborted, until reset().
  Result<std::size_t> wait(Deadline deadline = {});

  // Begins a new round. Whoever waits in the old one gets aborted.
  void reset();

  [[nodiscard]] std::size_t parties() const { return parties_; }
  [[nodiscard]] bool is_broken() const;
  // Rounds that were completed.
  [[nodiscard]] std::uint64_t generation() const;

 private:
  struct Waiter;

  void let_out(impl::WaitList& woken, bool complete);

  const std::size_t parties_;
  mutable impl::SpinLock lock_;
  std::size_t arrived_ = 0;
  std::uint64_t generation_ = 0;
  bool broken_ = false;
  impl::WaitList waiters_;
};

}  // namespace parley::rt
