// TimerHeap: parked fibers ordered by deadline. Adding and removing cost O(log n); a fiber knows
// its place, so a wait that ends early leaves at once. One heap belongs to one worker.
#pragma once

#include <cstddef>
#include <vector>

#include "parley/rt/impl/fiber.h"

namespace parley::rt::impl {

class TimerHeap {
 public:
  [[nodiscard]] bool empty() const { return fibers_.empty(); }
  // The fiber with the earliest deadline.
  [[nodiscard]] Fiber& front() const { return *fibers_.front(); }
  // Orders by fiber.wait_deadline, which must not change while the fiber is in here.
  void add(Fiber& fiber);
  // Does nothing for a fiber that is not in here.
  void remove(Fiber& fiber);

 private:
  void place(std::size_t index, Fiber* fiber);
  void sift_up(std::size_t index, Fiber* fiber);
  void sift_down(std::size_t index, Fiber* fiber);

  std::vector<Fiber*> fibers_;
};

}  // namespace parley::rt::impl
