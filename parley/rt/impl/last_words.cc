#include "parley/rt/impl/last_words.h"

#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include "parley/base/assert.h"
#include "parley/rt/impl/service_thread.h"
#include "parley/rt/impl/stack_trace.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

std::once_flag installed;
std::terminate_handler terminate_before = nullptr;

// The exception has not been unwound: nothing catches it, so its stack is still there.
void tell_fiber() {
  const Worker* worker = Worker::current();
  const Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr) return;
  Frames frames;
  trace_here(frames);
  say("parley: in fiber #" + std::to_string(fiber->id.load(std::memory_order_relaxed)) + " '" +
      fiber->name.get().data() + "':\n" + text_of_stack(frames));
}

[[noreturn]] void on_terminate() {
  tell_fiber();
  if (terminate_before != nullptr) terminate_before();
  std::abort();
}

}  // namespace

void install_last_words() {
  std::call_once(installed, [] {
    tell_after_assertion(&tell_fiber);
    terminate_before = std::set_terminate(&on_terminate);
  });
}

}  // namespace parley::rt::impl
