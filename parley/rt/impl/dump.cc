// What rt::dump() shows of a scheduler, and what the runtime has to say by itself.
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/stack_trace.h"
#include "parley/rt/impl/worker.h"
#include "parley/rt/label.h"

namespace parley::rt::impl {
namespace {

// A dump is read by people; stacks of more fibers than this would bury the rest.
constexpr std::size_t most_stacks_shown = 200;

// What is waited for all workers together to tell what they run. One that is not scheduled is shown
// without its stack.
constexpr Duration patience_with_workers = std::chrono::seconds(1);

// One fiber, as it was at one moment.
struct Glimpse {
  std::uint64_t id = 0;
  FiberName::Text name{};
  FiberState state = FiberState::none;
  const char* wait_reason = "";
  Instant since{};
  Instant wait_until{};
  std::string labels;
  Frames frames;
};

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

std::string state_of(const Glimpse& glimpse, Instant now) {
  switch (glimpse.state) {
    case FiberState::none:
      return "ended";
    case FiberState::runnable:
      return "runnable";
    case FiberState::running:
      return "running";
    case FiberState::parked:
      break;
  }
  const Duration age = std::max(now - glimpse.since, Duration::zero());
  std::string text = std::string("waits: ") + glimpse.wait_reason + ", for " + milliseconds(age);
  if (glimpse.wait_until != Instant::max()) {
    text += ", at most " + milliseconds(glimpse.wait_until - now) + " more";
  }
  return text;
}

void read_record(const Fiber& fiber, Glimpse& glimpse) {
  glimpse.name = fiber.name.get();
  glimpse.state = fiber.state.load(std::memory_order_acquire);
  glimpse.wait_reason = fiber.wait_reason.load(std::memory_order_acquire);
  glimpse.since = fiber.since.load(std::memory_order_acquire);
  glimpse.wait_until = fiber.wait_until.load(std::memory_order_acquire);
}

// While it is read, a parked fiber counts as not settled yet, so nobody resumes it.
bool look_into_parked(Fiber& fiber, bool with_stack, Glimpse& glimpse) {
  if (!fiber.word.unsettle()) return false;
  glimpse.id = fiber.id.load(std::memory_order_acquire);
  read_record(fiber, glimpse);
  if (with_stack) trace_left(fiber.stack_pointer, glimpse.frames);
  for (const LabelNode* label = fiber.labels.load(std::memory_order_acquire); label != nullptr;
       label = label->outer) {
    glimpse.labels += std::string(", ") + label->key + "=" + label->value.get().data();
  }
  fiber.word.settle();
  return true;
}

// Nothing of a record that has no fiber, or changes hands all the time.
std::optional<Glimpse> look_at(Fiber& fiber, bool with_stack) {
  constexpr int attempts = 3;
  for (int i = 0; i < attempts; ++i) {
    Glimpse glimpse;
    if (look_into_parked(fiber, with_stack, glimpse)) return glimpse;
    glimpse.id = fiber.id.load(std::memory_order_acquire);
    if (glimpse.id == 0) return {};
    read_record(fiber, glimpse);
    if (fiber.id.load(std::memory_order_acquire) == glimpse.id) return glimpse;
  }
  return {};
}

// The stacks of the fibers that run, by the number of the fiber.
std::map<std::uint64_t, Frames> running_stacks(Scheduler& scheduler) {
  std::map<std::uint64_t, Frames> stacks;
  const Instant give_up = RealClock().now() + patience_with_workers;
  for (std::size_t i = 0; i < scheduler.worker_count(); ++i) {
    Worker& worker = scheduler.worker(i);
    const Fiber* fiber = worker.running();
    if (fiber == nullptr || RealClock().now() >= give_up) continue;
    if (&worker == Worker::current()) {
      trace_here(stacks[fiber->id.load(std::memory_order_relaxed)]);
    } else if (const RunningFiber seen = trace_running_fiber(worker); seen.id != 0) {
      stacks[seen.id] = seen.frames;
    }
  }
  return stacks;
}

}  // namespace

void tell_of_lower_limit(std::size_t wanted) {
  std::fprintf(stderr, "parley: max_fibers cannot be %zu: %s\n", wanted,
               words_on_mprotect().c_str());
}

void Scheduler::tell_of_limit() {
  if (!limited_by_guards_ || told_of_limit_.exchange(true, std::memory_order_relaxed)) return;
  std::fprintf(stderr, "parley: %zu fibers are alive, the most there can be: %s\n", max_fibers_,
               words_on_mprotect().c_str());
}

std::string Scheduler::dump() {
  const auto running = running_stacks(*this);
  std::vector<Fiber*> records;
  stacks_.for_each([&](const Stack& stack) {
    Fiber* fiber = Fiber::of(stack);
    if (fiber->id.load(std::memory_order_acquire) != 0) records.push_back(fiber);
  });
  std::vector<Glimpse> fibers;
  std::size_t stacks_taken = 0;
  for (Fiber* record : records) {
    auto glimpse = look_at(*record, stacks_taken < most_stacks_shown);
    if (!glimpse) continue;
    if (const auto stack = running.find(glimpse->id);
        stack != running.end() && glimpse->state == FiberState::running) {
      glimpse->frames = stack->second;
    }
    if (glimpse->frames.count > 0) ++stacks_taken;
    fibers.push_back(*std::move(glimpse));
  }
  std::sort(fibers.begin(), fibers.end(),
            [](const Glimpse& a, const Glimpse& b) { return a.id < b.id; });

  std::string text =
      std::to_string(fibers.size()) + " fibers on " + std::to_string(worker_count_) +
      " workers, at most " + std::to_string(max_fibers_) +
      (stacks_.guards() == GuardKind::region ? "\n" : "; " + words_on_mprotect() + "\n");
  const Instant time = now();
  for (const Glimpse& fiber : fibers) {
    text += "  #" + std::to_string(fiber.id) + " '" + fiber.name.data() + "' " +
            state_of(fiber, time) + fiber.labels + "\n" + text_of_stack(fiber.frames);
  }
  return text;
}

}  // namespace parley::rt::impl
