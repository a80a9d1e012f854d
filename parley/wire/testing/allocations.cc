#include "parley/wire/testing/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace parley::wire::testing {
namespace {

std::atomic<std::size_t> total_count{0};
std::atomic<std::size_t> total_bytes{0};

}  // namespace

Allocations allocations() noexcept { return {total_count.load(), total_bytes.load()}; }

}  // namespace parley::wire::testing

void* operator new(std::size_t size) {
  parley::wire::testing::total_count.fetch_add(1, std::memory_order_relaxed);
  parley::wire::testing::total_bytes.fetch_add(size, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
