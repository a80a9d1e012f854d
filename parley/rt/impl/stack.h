// Stacks for fibers: mapped memory in size classes, each with a guard at its low end, kept warm.
//
// A StackDepot serves one runtime and is thread-safe; each worker has a StackCache before it.
// Stacks lie side by side in slabs. Their guards are guard regions of the kernel (Linux 6.13,
// madvise(2), MADV_GUARD_INSTALL), which cost no mapping each; before that they are mprotect()ed,
// two mappings a stack, so that vm.max_map_count bounds the number of fibers.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace parley::rt::impl {

// Larger than a page, so that a function whose frame is bigger than a page cannot step over it.
// It costs address space only.
inline constexpr std::size_t guard_bytes = 64 * 1024;

// Sizes are powers of two.
inline constexpr std::size_t smallest_stack = std::size_t{16} * 1024;
inline constexpr std::size_t largest_stack = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t stack_classes = 10;

// The class of stacks of at least `size` bytes; the largest one for more.
constexpr std::size_t stack_class_of(std::size_t size) {
  const std::size_t rounded = std::bit_ceil(std::clamp(size, smallest_stack, largest_stack));
  return static_cast<std::size_t>(std::countr_zero(rounded) - std::countr_zero(smallest_stack));
}
constexpr std::size_t stack_size_of(std::size_t stack_class) {
  return smallest_stack << stack_class;
}

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

enum class GuardKind {
  region,    // MADV_GUARD_INSTALL
  mprotect,  // older kernels
};

// What this kernel offers.
GuardKind best_guard_kind();
// How many stacks can be mapped with these guards; a large number for guard regions.
std::size_t most_stacks(GuardKind kind);
// For people: what the fallback costs, and what to do about it.
std::string words_on_mprotect();

class StackDepot {
 public:
  // At most `max_idle` stacks of each size keep their memory while they wait for a fiber; that of
  // more goes back to the kernel.
  StackDepot(std::size_t max_idle, GuardKind guards);
  ~StackDepot();
  StackDepot(const StackDepot&) = delete;
  StackDepot& operator=(const StackDepot&) = delete;

  // Adds up to `count` stacks to `out`, the warmest last; none when the kernel gives no more.
  void take(std::size_t stack_class, std::size_t count, std::vector<Stack>& out);
  void give_back(std::size_t stack_class, const Stack& stack);

  // Calls visit(stack) for every stack there is, used or not. Not for a stack that is being mapped.
  void for_each(const std::function<void(const Stack&)>& visit);

  [[nodiscard]] GuardKind guards() const { return guards_; }
  // Address space in use, guards included; and the usable bytes of the stacks that wait here with
  // their memory.
  [[nodiscard]] std::size_t reserved_bytes() const {
    return reserved_bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t idle_bytes() const {
    return idle_bytes_.load(std::memory_order_relaxed);
  }

 private:
  friend struct DebuggerView;

  struct Slab {
    char* memory = nullptr;
    std::size_t bytes = 0;
    std::size_t stack_class = 0;
    std::size_t stacks = 0;  // made so far
  };
  struct Class {
    std::vector<Stack> warm;
    std::vector<Stack> cold;
    std::size_t open_slab = 0;  // index + 1; 0: none
  };

  [[nodiscard]] Stack make(std::size_t stack_class);
  bool open_slab(std::size_t stack_class);

  const std::size_t max_idle_;
  const GuardKind guards_;
  std::mutex mutex_;
  std::vector<Slab> slabs_;
  std::array<Class, stack_classes> classes_;
  // Written under the lock, read without it.
  std::atomic<std::size_t> reserved_bytes_{0};
  std::atomic<std::size_t> idle_bytes_{0};
};

// One worker's own few, without a lock.
class StackCache {
 public:
  explicit StackCache(StackDepot& depot) : depot_(depot) {}
  ~StackCache();
  StackCache(const StackCache&) = delete;
  StackCache& operator=(const StackCache&) = delete;

  // Without bottom when the kernel gives no more memory or mappings.
  Stack take(std::size_t stack_class);
  void give_back(const Stack& stack);

 private:
  static constexpr std::size_t most = 64;
  static constexpr std::size_t batch = 32;

  StackDepot& depot_;
  std::array<std::vector<Stack>, stack_classes> stacks_;
};

}  // namespace parley::rt::impl
