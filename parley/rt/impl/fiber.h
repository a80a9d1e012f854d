// Fiber: one stackful coroutine: its stack, what must be swapped when it runs, and what it waits
// for. It lives at the top of its own stack. Private to rt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/closure.h"
#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/stack.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {
class Scope;
}

namespace parley::rt::impl {

class Scheduler;

// Why a parked fiber runs again.
enum class Wake : std::uint8_t {
  ready,      // what it waited for happened
  deadline,   // its deadline, or its context's, passed
  cancelled,  // its context was cancelled
};

enum class FiberState : std::uint8_t { runnable, running, parked };

// The C++ runtime keeps the exceptions being handled in 16 bytes per thread (Itanium C++ ABI,
// exception handling, 2.2.2). Two fibers parked inside `catch` would share them; so each has its
// own.
struct EhGlobals {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

class Fiber {
 public:
  static constexpr std::size_t name_capacity = 40;
  static constexpr std::size_t not_in_heap = static_cast<std::size_t>(-1);

  // Builds a fiber at the top of `stack`, with `closure` moved there and ready to be switched to.
  static Fiber* create(const Stack& stack, std::string_view name, const Closure& closure);

  [[nodiscard]] std::string_view name() const { return {name_.data(), name_size_}; }

  void* stack_pointer = nullptr;  // while not running
  EhGlobals eh_globals;           // while not running
  int saved_errno = 0;            // while not running
  void* asan_fake_stack = nullptr;

  Scheduler* scheduler = nullptr;
  Scope* scope = nullptr;
  std::shared_ptr<ContextNode> context;
  Stack stack;
  void* closure_at = nullptr;
  void (*run_and_destroy)(void* at) = nullptr;
  std::uint64_t id = 0;

  FiberState state = FiberState::runnable;
  Wake wake = Wake::ready;
  const char* wait_reason = "";
  Instant since{};  // when it parked
  Deadline wait_deadline;
  std::size_t heap_index = not_in_heap;  // place in the timer heap while it has a deadline

  WaitNode run_node;      // run queue
  WaitNode all_node;      // every fiber of the runtime
  WaitNode context_node;  // waiters of its context
  WaitNode* wait_node = nullptr;

 private:
  Fiber(const Stack& own, std::string_view name);

  std::array<char, name_capacity> name_{};
  std::size_t name_size_ = 0;
};

}  // namespace parley::rt::impl

extern "C" {
void* parley_rt_switch(void** save, void* to, void* value);
void parley_rt_entry();
[[noreturn]] void parley_rt_fiber_main(parley::rt::impl::Fiber* fiber);
}
