#include "parley/base/testing/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace parley::testing {
namespace {

std::atomic<std::size_t> total_count{0};
std::atomic<std::size_t> total_bytes{0};

void* counted(std::size_t size, void* memory) {
  total_count.fetch_add(1, std::memory_order_relaxed);
  total_bytes.fetch_add(size, std::memory_order_relaxed);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

Allocations allocations() noexcept { return {total_count.load(), total_bytes.load()}; }

}  // namespace parley::testing

void* operator new(std::size_t size) {
  return parley::testing::counted(size, std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return parley::testing::counted(size,
                                  std::aligned_alloc(align, (size + align - 1) / align * align));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
