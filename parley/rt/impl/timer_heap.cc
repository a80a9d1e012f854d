#include "parley/rt/impl/timer_heap.h"

namespace parley::rt::impl {

void TimerHeap::place(std::size_t index, Fiber* fiber) {
  fibers_[index] = fiber;
  fiber->heap_index = index;
}

void TimerHeap::add(Fiber& fiber) {
  fibers_.push_back(&fiber);
  sift_up(fibers_.size() - 1, &fiber);
}

void TimerHeap::remove(Fiber& fiber) {
  const std::size_t hole = fiber.heap_index;
  if (hole == Fiber::not_in_heap) return;
  fiber.heap_index = Fiber::not_in_heap;
  Fiber* last = fibers_.back();
  fibers_.pop_back();
  if (last == &fiber) return;
  const bool smaller = hole > 0 && last->wait_deadline < fibers_[(hole - 1) / 2]->wait_deadline;
  if (smaller) {
    sift_up(hole, last);
  } else {
    sift_down(hole, last);
  }
}

void TimerHeap::sift_up(std::size_t index, Fiber* fiber) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (fibers_[parent]->wait_deadline <= fiber->wait_deadline) break;
    place(index, fibers_[parent]);
    index = parent;
  }
  place(index, fiber);
}

void TimerHeap::sift_down(std::size_t index, Fiber* fiber) {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= fibers_.size()) break;
    if (child + 1 < fibers_.size() &&
        fibers_[child + 1]->wait_deadline < fibers_[child]->wait_deadline) {
      ++child;
    }
    if (fiber->wait_deadline <= fibers_[child]->wait_deadline) break;
    place(index, fibers_[child]);
    index = child;
  }
  place(index, fiber);
}

}  // namespace parley::rt::impl
