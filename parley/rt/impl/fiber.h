// Fiber: one stackful coroutine: its stack, what must be swapped when it runs, and what it waits
// for. It lives at the top of its own stack. Private to rt.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/rt/impl/closure.h"
#include "parley/rt/impl/fiber_name.h"
#include "parley/rt/impl/park_word.h"
#include "parley/rt/impl/record_atomic.h"
#include "parley/rt/impl/stack.h"
#include "parley/rt/impl/switch.h"
#include "parley/rt/impl/timer_wheel.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/impl/wake.h"

namespace parley::rt {
class DeferredContext;
class OnPark;
class Scope;
}  // namespace parley::rt

namespace parley::rt::impl {

class Scheduler;
struct ContextNode;
struct LabelNode;

enum class FiberState : std::uint8_t { none, runnable, running, parked };

// The C++ runtime keeps the exceptions being handled in 16 bytes per thread (Itanium C++ ABI,
// exception handling, 2.2.2). Two fibers parked inside `catch` would share them; so each has its
// own.
struct EhGlobals {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

struct FiberTimer : Timer {
  Fiber* fiber = nullptr;
};

class Fiber {
 public:
  // Builds a fiber at the top of `stack`, with `closure` moved there and ready to be switched to.
  static Fiber* create(const Stack& stack, std::string_view name, const Closure& closure);
  // Where create() puts the fiber of a stack. The memory is there as long as the stack is mapped;
  // a fiber is there while its state is not none.
  static Fiber* of(const Stack& stack);

  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Waiting and waking.
  ParkWord word;
  std::atomic<bool> cancel_requested{false};  // its context has ended
  Wake wake = Wake::ready;                    // by who claimed the word, before waking
  FiberTimer timer;                           // of its deadline, a patient one
  OnPark* on_park = nullptr;                  // what to call before it leaves its stack to wait

  // Switching.
  void* stack_pointer = nullptr;  // while not running
  EhGlobals eh_globals;           // while not running
  int saved_errno = 0;            // while not running
  void* asan_fake_stack = nullptr;
  void* tsan_fiber = nullptr;
  Fiber* queue_next = nullptr;  // in the queue of the scheduler
  void* last_worker = nullptr;  // null until it has run
  unsigned passed_over = 0;     // for forced migration, in tests
  std::uint64_t nth = 0;        // that its scope has started
  unsigned os_locks = 0;        // mutexes of the operating system it holds; see os_locks.h

  // Whose it is.
  Scheduler* scheduler = nullptr;
  Scope* scope = nullptr;
  ContextNode* context = nullptr;
  DeferredContext* deferred_context = nullptr;  // takes its place when it is asked for
  FiberNode context_node;                       // among the fibers of its context
  Stack stack;
  void* closure_at = nullptr;
  void (*run_and_destroy)(void* at) = nullptr;

  // What dumps show; read by other threads while the fiber runs, and while the record is made anew
  // for the next one. A reader that finds the same id, not 0, before and after has read of one
  // fiber: the id is stored last when a fiber begins and cleared first when it ends.
  RecordAtomic<std::uint64_t> id{0};
  RecordAtomic<FiberState> state{FiberState::none};
  FiberName name;
  RecordAtomic<const char*> wait_reason{""};
  RecordAtomic<Instant> since{};             // when it parked
  RecordAtomic<Instant> wait_until{};        // Instant::max(): no deadline
  RecordAtomic<LabelNode*> labels{nullptr};  // the innermost

 private:
  Fiber(const Stack& own, std::string_view name);
};

// Stacks lie at multiples of large powers of two: without a shift of its own in each, what all
// fibers touch at a switch would share a few sets of the cache, and a load would wait for another
// fiber's store whose address has the same low 12 bits.
inline constexpr std::size_t fiber_shifts = 16;
inline constexpr std::size_t fiber_shift_bytes = 64;
inline std::size_t shift_of(const Stack& stack) {
  return reinterpret_cast<std::uintptr_t>(stack.bottom) / guard_bytes % fiber_shifts *
         fiber_shift_bytes;
}

}  // namespace parley::rt::impl

extern "C" {
LastOfStack parley_rt_fiber_main(void* fiber);
[[noreturn]] void parley_rt_fiber_last(void* fiber);
}
