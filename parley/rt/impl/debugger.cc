#include "parley/rt/impl/debugger.h"

#include <cstddef>
#include <mutex>

#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/label.h"

namespace parley::rt::impl {

// Each a place within its object, in bytes, but where said otherwise.
struct DebuggerLayout {
  std::uint64_t guard_bytes = 0;     // of each stack
  std::uint64_t smallest_stack = 0;  // the size of stacks of class 0; each class doubles it

  std::uint64_t slab_memory = 0;
  std::uint64_t slab_class = 0;
  std::uint64_t slab_stacks = 0;
  std::uint64_t slab_size = 0;  // of a slab

  // Where a fiber begins, below the top of its stack; and one of so many shifts further below it,
  // each of so many bytes: the bottom of the stack, divided by guard_bytes, tells which.
  std::uint64_t fiber_below_top = 0;
  std::uint64_t fiber_shifts = 0;
  std::uint64_t fiber_shift_bytes = 0;
  std::uint64_t fiber_id = 0;     // 0: there is no fiber
  std::uint64_t fiber_state = 0;  // a byte: 1 runnable, 2 running, 3 parked
  std::uint64_t fiber_name = 0;   // a text that ends with a zero
  std::uint64_t fiber_wait_reason = 0;
  std::uint64_t fiber_since = 0;  // nanoseconds
  std::uint64_t fiber_labels = 0;
  std::uint64_t fiber_stack_pointer = 0;

  std::uint64_t label_key = 0;
  std::uint64_t label_value = 0;
  std::uint64_t label_outer = 0;

  std::uint64_t worker_running = 0;
  std::uint64_t worker_thread_id = 0;   // 4 bytes
  std::uint64_t worker_coarse_now = 0;  // nanoseconds
};

static_assert(static_cast<int>(FiberState::runnable) == 1);
static_assert(static_cast<int>(FiberState::running) == 2);
static_assert(static_cast<int>(FiberState::parked) == 3);

// Changed with everything that the script would have to know.
constexpr std::uint64_t debugger_version = 1;

struct DebuggerTable {
  std::uint64_t version = debugger_version;
  DebuggerEntry* first = nullptr;
  DebuggerLayout layout;
};

// Knows the private parts of those it describes.
struct DebuggerView {
  template <class Object, class Part>
  static std::uint64_t place(const Object& object, const Part& part) {
    return static_cast<std::uint64_t>(reinterpret_cast<const char*>(&part) -
                                      reinterpret_cast<const char*>(&object));
  }

  static void describe(const Worker& worker, const Fiber& fiber, DebuggerLayout& layout) {
    layout.guard_bytes = guard_bytes;
    layout.smallest_stack = smallest_stack;
    const StackDepot::Slab slab;
    layout.slab_memory = place(slab, slab.memory);
    layout.slab_class = place(slab, slab.stack_class);
    layout.slab_stacks = place(slab, slab.stacks);
    layout.slab_size = sizeof slab;
    layout.fiber_below_top = static_cast<std::uint64_t>(fiber.stack.top() - shift_of(fiber.stack) -
                                                        reinterpret_cast<const char*>(&fiber));
    layout.fiber_shifts = fiber_shifts;
    layout.fiber_shift_bytes = fiber_shift_bytes;
    layout.fiber_id = place(fiber, fiber.id);
    layout.fiber_state = place(fiber, fiber.state);
    layout.fiber_name = place(fiber, fiber.name);
    layout.fiber_wait_reason = place(fiber, fiber.wait_reason);
    layout.fiber_since = place(fiber, fiber.since);
    layout.fiber_labels = place(fiber, fiber.labels);
    layout.fiber_stack_pointer = place(fiber, fiber.stack_pointer);
    const LabelNode label;
    layout.label_key = place(label, label.key);
    layout.label_value = place(label, label.value);
    layout.label_outer = place(label, label.outer);
    layout.worker_running = place(worker, worker.running_);
    layout.worker_thread_id = place(worker, worker.thread_id_);
    layout.worker_coarse_now = place(worker, worker.coarse_now_);
  }

  static const void* slabs(const Scheduler& scheduler) { return &scheduler.stacks_.slabs_; }
  static const void* workers(const Scheduler& scheduler) { return scheduler.workers_.data(); }
};

namespace {

SharedSpinLock lock;

}  // namespace
}  // namespace parley::rt::impl

// The debugger finds it by this name.
extern "C" {
[[gnu::used]] parley::rt::impl::DebuggerTable parley_rt_debugger;
}

namespace parley::rt::impl {

DebuggerEntry::DebuggerEntry(Scheduler& scheduler, const Fiber& fiber)
    : slabs_(DebuggerView::slabs(scheduler)),
      workers_(DebuggerView::workers(scheduler)),
      worker_count_(scheduler.worker_count()),
      max_fibers_(scheduler.max_fibers()) {
  const std::lock_guard guard(lock);
  DebuggerView::describe(scheduler.worker(0), fiber, parley_rt_debugger.layout);
  next_ = parley_rt_debugger.first;
  parley_rt_debugger.first = this;
}

DebuggerEntry::~DebuggerEntry() {
  const std::lock_guard guard(lock);
  DebuggerEntry** at = &parley_rt_debugger.first;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
}

}  // namespace parley::rt::impl
