#include "parley/base/testing/allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace parley::testing {
namespace {

std::atomic<std::size_t> total_count{0};
std::atomic<std::size_t> total_bytes{0};
std::atomic<std::size_t> held_bytes{0};
std::atomic<std::size_t> most_held{0};

void* counted(std::size_t size, void* memory) {
  total_count.fetch_add(1, std::memory_order_relaxed);
  total_bytes.fetch_add(size, std::memory_order_relaxed);
  if (memory == nullptr) std::abort();
  const std::size_t more = malloc_usable_size(memory);
  const std::size_t held = held_bytes.fetch_add(more, std::memory_order_relaxed) + more;
  std::size_t most = most_held.load(std::memory_order_relaxed);
  while (held > most && !most_held.compare_exchange_weak(most, held, std::memory_order_relaxed)) {}
  return memory;
}

void release(void* memory) {
  if (memory == nullptr) return;
  held_bytes.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

Allocations allocations() noexcept { return {total_count.load(), total_bytes.load()}; }

std::size_t most_held_by(void (*run)()) {
  const std::size_t before = held_bytes.load();
  most_held.store(before);
  run();
  return most_held.load() - before;
}

}  // namespace parley::testing

void* operator new(std::size_t size) {
  return parley::testing::counted(size, std::malloc(size == 0 ? 1 : size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return parley::testing::counted(size,
                                  std::aligned_alloc(align, (size + align - 1) / align * align));
}

void operator delete(void* memory) noexcept { parley::testing::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { parley::testing::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { parley::testing::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  parley::testing::release(memory);
}
