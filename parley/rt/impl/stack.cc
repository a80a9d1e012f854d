#include "parley/rt/impl/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"

namespace parley::rt::impl {
namespace {

std::size_t whole_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

Stack map_stack(std::size_t size) {
  // NORESERVE: a stack is mostly address space; only touched pages count.
  void* memory = ::mmap(nullptr, guard_bytes + size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return {};
  if (cure_guard && ::mprotect(memory, guard_bytes, PROT_NONE) != 0) {
    ::munmap(memory, guard_bytes + size);
    return {};
  }
  return {static_cast<char*>(memory) + guard_bytes, size};
}

void unmap_stack(const Stack& stack) {
  ::munmap(stack.bottom - guard_bytes, guard_bytes + stack.size);
}

}  // namespace

StackPool::StackPool(std::size_t stack_size, std::size_t max_idle)
    : stack_size_(whole_pages(stack_size)), max_idle_(max_idle) {}

StackPool::~StackPool() {
  for (const Stack& stack : idle_) unmap_stack(stack);
}

Stack StackPool::take() {
  if (idle_.empty()) return map_stack(stack_size_);
  const Stack stack = idle_.back();
  idle_.pop_back();
  return stack;
}

void StackPool::give_back(Stack stack) {
  asan_clean_stack(stack.bottom, stack.size);
  if (idle_.size() < max_idle_) {
    idle_.push_back(stack);
  } else {
    unmap_stack(stack);
  }
}

}  // namespace parley::rt::impl
