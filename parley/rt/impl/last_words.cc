#include "parley/rt/impl/last_words.h"

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include "parley/base/assert.h"
#include "parley/base/guard.h"
#include "parley/rt/impl/say.h"
#include "parley/rt/impl/stack_trace.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

// To read symbols and put names together.
constexpr std::ptrdiff_t stack_needed = std::ptrdiff_t{32} * 1024;

std::once_flag installed;
std::terminate_handler terminate_before = nullptr;

void tell_of_fiber(const Frames& frames) {
  const Worker* worker = Worker::current();
  const Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr) return;
  const std::string name = "fiber #" + std::to_string(fiber->id.load(std::memory_order_relaxed)) +
                           " '" + fiber->name.get().data() + "'";
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  if (here - fiber->stack.bottom < stack_needed) {
    say("parley: in " + name + ", with too little of its stack left to show it\n");
  } else {
    say("parley: in " + name + ":\n" + text_of_stack(frames));
  }
}

void after_assertion() {
  silence_others();
  Frames frames;
  trace_here(frames);
  tell_of_fiber(frames);
}

// The exception has not been unwound: nothing catches it, so its stack is still there.
[[noreturn]] void on_terminate() {
  silence_others();
  Frames frames;
  trace_here(frames);
  // What throws here would end the program before it has said what was thrown at first.
  (void)guarded([&frames] { tell_of_fiber(frames); });
  if (terminate_before != nullptr) terminate_before();
  std::abort();
}

}  // namespace

void install_last_words() {
  std::call_once(installed, [] {
    tell_after_assertion(&after_assertion);
    terminate_before = std::set_terminate(&on_terminate);
  });
}

}  // namespace parley::rt::impl
