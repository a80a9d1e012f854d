#include "parley/rt/impl/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>

#include "parley/rt/impl/cures.h"
#include "parley/rt/impl/sanitizer.h"

namespace parley::rt::impl {
namespace {

// MADV_GUARD_INSTALL, which the headers of older systems do not know.
constexpr int guard_install = 102;

// Stacks in a slab: enough that a hundred thousand fibers need a thousand mappings only.
constexpr std::size_t stacks_per_slab = 64;

std::size_t stride_of(std::size_t stack_class) { return guard_bytes + stack_size_of(stack_class); }

// NORESERVE: a stack is mostly address space; only touched pages count.
char* map(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // A huge page under a stack would make the first touch cost two megabytes.
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

bool install_guard(char* at, GuardKind kind) {
  if (!cure_guard) return true;
  return kind == GuardKind::region ? ::madvise(at, guard_bytes, guard_install) == 0
                                   : ::mprotect(at, guard_bytes, PROT_NONE) == 0;
}

}  // namespace

GuardKind best_guard_kind() {
  if (!use_guard_regions) return GuardKind::mprotect;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* probe = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return GuardKind::mprotect;
  const bool works = ::madvise(probe, page, guard_install) == 0;
  ::munmap(probe, page);
  return works ? GuardKind::region : GuardKind::mprotect;
}

std::size_t most_stacks(GuardKind kind) {
  if (kind == GuardKind::region) return std::numeric_limits<std::size_t>::max();
  std::size_t mappings = 65'530;
  std::ifstream("/proc/sys/vm/max_map_count") >> mappings;
  // Two a stack; some are the program's own.
  constexpr std::size_t of_the_program = 2'000;
  return (std::max(mappings, 2 * of_the_program) - of_the_program) / 2;
}

std::string words_on_mprotect() {
  return "this kernel has no guard regions (Linux 6.13), so stacks are guarded by mprotect and "
         "vm.max_map_count allows " +
         std::to_string(most_stacks(GuardKind::mprotect)) +
         " of them. Raise it (sysctl vm.max_map_count) by two for each fiber more";
}

StackDepot::StackDepot(std::size_t max_idle, GuardKind guards)
    : max_idle_(max_idle), guards_(guards) {}

StackDepot::~StackDepot() {
  for (const Slab& slab : slabs_) ::munmap(slab.memory, slab.bytes);
}

bool StackDepot::open_slab(std::size_t stack_class) {
  const std::size_t bytes = stride_of(stack_class) * stacks_per_slab;
  char* memory = map(bytes);
  if (memory == nullptr) return false;
  slabs_.push_back({memory, bytes, stack_class, 0});
  classes_[stack_class].open_slab = slabs_.size();
  reserved_bytes_ += bytes;
  return true;
}

Stack StackDepot::make(std::size_t stack_class) {
  Class& of_size = classes_[stack_class];
  if (of_size.open_slab == 0 && !open_slab(stack_class)) return {};
  Slab& slab = slabs_[of_size.open_slab - 1];
  char* guard = slab.memory + slab.stacks * stride_of(stack_class);
  if (!install_guard(guard, guards_)) return {};
  if (++slab.stacks == stacks_per_slab) of_size.open_slab = 0;
  return {guard + guard_bytes, stack_size_of(stack_class)};
}

void StackDepot::take(std::size_t stack_class, std::size_t count, std::vector<Stack>& out) {
  const std::lock_guard lock(mutex_);
  Class& of_size = classes_[stack_class];
  for (std::vector<Stack>* from : {&of_size.cold, &of_size.warm}) {
    // Cold ones only when there are no warm ones.
    if (from == &of_size.cold && !of_size.warm.empty()) continue;
    while (count > 0 && !from->empty()) {
      if (from == &of_size.warm) idle_bytes_ -= from->back().size;
      out.push_back(from->back());
      from->pop_back();
      --count;
    }
  }
  while (count-- > 0) {
    const Stack stack = make(stack_class);
    if (stack.bottom == nullptr) return;
    out.push_back(stack);
  }
}

void StackDepot::give_back(std::size_t stack_class, const Stack& stack) {
  const std::lock_guard lock(mutex_);
  Class& of_size = classes_[stack_class];
  if (of_size.warm.size() < max_idle_) {
    of_size.warm.push_back(stack);
    idle_bytes_ += stack.size;
    return;
  }
  ::madvise(stack.bottom, stack.size, MADV_DONTNEED);
  of_size.cold.push_back(stack);
}

void StackDepot::for_each(const std::function<void(const Stack&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (const Slab& slab : slabs_) {
    for (std::size_t i = 0; i < slab.stacks; ++i) {
      visit({slab.memory + i * stride_of(slab.stack_class) + guard_bytes,
             stack_size_of(slab.stack_class)});
    }
  }
}

StackCache::~StackCache() {
  for (std::size_t of_size = 0; of_size < stack_classes; ++of_size) {
    for (const Stack& stack : stacks_[of_size]) depot_.give_back(of_size, stack);
  }
}

Stack StackCache::take(std::size_t stack_class) {
  std::vector<Stack>& own = stacks_[stack_class];
  if (own.empty()) depot_.take(stack_class, batch, own);
  if (own.empty()) return {};
  const Stack stack = own.back();
  own.pop_back();
  return stack;
}

void StackCache::give_back(const Stack& stack) {
  asan_clean_stack(stack.bottom, stack.size);
  const std::size_t stack_class = stack_class_of(stack.size);
  std::vector<Stack>& own = stacks_[stack_class];
  own.push_back(stack);
  if (own.size() <= most) return;
  // The coldest go.
  for (std::size_t i = 0; i < batch; ++i) depot_.give_back(stack_class, own[i]);
  own.erase(own.begin(), own.begin() + batch);
}

}  // namespace parley::rt::impl
