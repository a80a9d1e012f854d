// Stacks for fibers: mapped memory with a guard at the low end, kept warm in a pool.
//
// One pool belongs to one worker; not thread-safe.
#pragma once

#include <cstddef>
#include <vector>

namespace parley::rt::impl {

// Larger than a page, so that a function whose frame is bigger than a page cannot step over it.
// It costs address space only.
inline constexpr std::size_t guard_bytes = 64 * 1024;

struct Stack {
  char* bottom = nullptr;  // lowest usable address; the guard lies right below
  std::size_t size = 0;    // usable bytes

  [[nodiscard]] char* top() const { return bottom + size; }
  // True when `address` lies in this stack's guard.
  [[nodiscard]] bool guards(const void* address) const {
    const auto* at = static_cast<const char*>(address);
    return bottom != nullptr && at >= bottom - guard_bytes && at < bottom;
  }
};

class StackPool {
 public:
  // `stack_size` is rounded up to whole pages. At most `max_idle` stacks wait for their next fiber;
  // more are unmapped.
  StackPool(std::size_t stack_size, std::size_t max_idle);
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // The warmest idle stack, or a new one; without bottom when the kernel gives no more memory or
  // mappings (errno tells).
  Stack take();
  void give_back(Stack stack);

  [[nodiscard]] std::size_t idle() const { return idle_.size(); }

 private:
  std::size_t stack_size_;
  std::size_t max_idle_;
  std::vector<Stack> idle_;
};

}  // namespace parley::rt::impl
