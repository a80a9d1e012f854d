#include "parley/rt/testing/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace parley::rt::testing {
namespace {

std::atomic<std::size_t> count{0};

void* counted(void* memory) {
  count.fetch_add(1, std::memory_order_relaxed);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

std::size_t allocations() noexcept { return count.load(std::memory_order_relaxed); }

}  // namespace parley::rt::testing

void* operator new(std::size_t size) {
  return parley::rt::testing::counted(std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return parley::rt::testing::counted(
      std::aligned_alloc(align, (size + align - 1) / align * align));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
