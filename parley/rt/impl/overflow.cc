#include "parley/rt/impl/overflow.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

#include "parley/rt/impl/say.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

// Enough for the handlers, for a stack trace taken in one, and for a debugger's or sanitizer's.
constexpr std::size_t signal_stack_bytes = std::size_t{64} * 1024;

// The handlers of the process are one; runtimes come and go on several threads. They are installed
// by the first and stay: for faults outside a guard they only pass on.
std::once_flag installed;
struct sigaction segv_before;
struct sigaction bus_before;

// Only async-signal-safe calls from here on.
void say_number(std::size_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  say({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
}

void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& before = signal == SIGBUS ? bus_before : segv_before;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    // The instruction faults again when this returns, now with the usual effect.
    ::signal(signal, SIG_DFL);
  }
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const Worker* worker = Worker::current();
  const Fiber* fiber = worker == nullptr ? nullptr : worker->running();
  if (fiber == nullptr || !fiber->stack.guards(info->si_addr)) {
    pass_on(signal, info, context);
    return;
  }
  say("parley: stack overflow in fiber '");
  say(fiber->name.get().data());
  say("': its ");
  say_number(fiber->stack.size / 1024);
  say(" KiB are used up. Look for deep recursion or large local arrays, or give it more with "
      "scope.go(name, f, {.stack_size = ...}) or RuntimeOptions::stack_size\n");
  ::abort();
}

void install() {
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGSEGV, &action, &segv_before);
  ::sigaction(SIGBUS, &action, &bus_before);
}

}  // namespace

FaultStack::FaultStack() : stack_(std::make_unique<char[]>(signal_stack_bytes)) {
  std::call_once(installed, install);
  stack_t mine{};
  mine.ss_sp = stack_.get();
  mine.ss_size = signal_stack_bytes;
  ::sigaltstack(&mine, &stack_before_);
}

FaultStack::~FaultStack() {
  // The kernel refuses a too small size even when it only switches the stack off.
  if ((stack_before_.ss_flags & SS_DISABLE) != 0) stack_before_.ss_size = signal_stack_bytes;
  ::sigaltstack(&stack_before_, nullptr);
}

}  // namespace parley::rt::impl
