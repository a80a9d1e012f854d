// What rt::dump() shows of a scheduler.
#include <string>
#include <vector>

#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/stack_trace.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/label.h"

namespace parley::rt::impl {
namespace {

// A dump is read by people; stacks of more fibers than this would bury the rest.
constexpr std::size_t most_stacks_shown = 200;

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

std::string state_of(const Fiber& fiber, Instant now) {
  switch (fiber.state.load(std::memory_order_acquire)) {
    case FiberState::none:
      return "ended";
    case FiberState::runnable:
      return "runnable";
    case FiberState::running:
      return "running";
    case FiberState::parked:
      break;
  }
  std::string text = std::string("waits: ") + fiber.wait_reason.load(std::memory_order_relaxed) +
                     ", for " + milliseconds(now - fiber.since.load(std::memory_order_relaxed));
  const Instant until = fiber.wait_until.load(std::memory_order_relaxed);
  if (until != Instant::max()) text += ", at most " + milliseconds(until - now) + " more";
  return text;
}

}  // namespace

struct Glimpse {
  Frames frames;
  std::string labels;
};

// While it is read, a parked fiber counts as not settled yet, so nobody resumes it.
bool Scheduler::look_into(Fiber& fiber, Glimpse& glimpse) {
  if (!fiber.word.unsettle()) return false;
  trace_left(fiber.stack_pointer, glimpse.frames);
  for (const LabelNode* label = fiber.labels.load(std::memory_order_acquire); label != nullptr;
       label = label->outer) {
    glimpse.labels += std::string(", ") + label->key + "=" + label->value.get().data();
  }
  fiber.word.settle();
  return true;
}

std::string Scheduler::dump() {
  std::vector<Fiber*> fibers;
  stacks_.for_each([&](const Stack& stack) {
    Fiber* fiber = Fiber::of(stack);
    if (fiber->state.load(std::memory_order_acquire) != FiberState::none) fibers.push_back(fiber);
  });
  std::string text = std::to_string(fibers.size()) + " fibers on " + std::to_string(worker_count_) +
                     " workers, at most " + std::to_string(max_fibers_) +
                     (stacks_.guards() == GuardKind::region
                          ? "\n"
                          : " (stack guards by mprotect: vm.max_map_count bounds them)\n");
  const Instant time = now();
  std::size_t stacks_shown = 0;
  for (Fiber* fiber : fibers) {
    text += "  #" + std::to_string(fiber->id.load(std::memory_order_relaxed)) + " '" +
            fiber->name.get().data() + "' " + state_of(*fiber, time);
    Glimpse glimpse;
    const bool parked = stacks_shown < most_stacks_shown && look_into(*fiber, glimpse);
    text += glimpse.labels + "\n";
    if (parked) {
      ++stacks_shown;
      text += text_of_stack(glimpse.frames);
    }
  }
  return text;
}

}  // namespace parley::rt::impl
