#include "parley/rt/impl/stack_trace.h"

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "parley/rt/impl/symbols.h"
#include "parley/rt/impl/worker.h"

#if defined(__x86_64__)
extern "C" void parley_rt_trace_left(void* stack_pointer, void (*trace)(void*), void* argument);
#endif

namespace parley::rt::impl {
namespace {

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* argument) {
  auto& frames = *static_cast<Frames*>(argument);
  const auto address = _Unwind_GetIP(context);
  if (address == 0 || frames.count == frames.at.size()) return _URC_END_OF_STACK;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the unwinder gives numbers
  frames.at[frames.count++] = reinterpret_cast<void*>(address);
  return _URC_NO_REASON;
}

// One question at a time, from any thread to any worker.
struct Question {
  enum State : int { idle, asked, answered };

  std::mutex one_at_a_time;
  std::atomic<int> state{idle};
  std::atomic<int> thread{0};
  std::uint64_t id = 0;
  FiberName::Text name{};
  Frames frames;
};

Question question;
std::once_flag installed;
bool can_ask = false;

// Leaves out the frames of the handler. The kernel knows where the fiber was interrupted; one more
// than that, because what is shown is the byte before an address, as for return addresses.
void begin_at_interruption(Frames& frames, [[maybe_unused]] const void* context) {
  std::uintptr_t interrupted = 0;
#if defined(__x86_64__)
  interrupted = static_cast<std::uintptr_t>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  interrupted = static_cast<const ucontext_t*>(context)->uc_mcontext.pc;
#endif
  void** const end = frames.at.data() + frames.count;
  void** const first = std::find_if(frames.at.data(), end, [interrupted](const void* frame) {
    return reinterpret_cast<std::uintptr_t>(frame) == interrupted;
  });
  if (first == end) return;
  *first = static_cast<char*>(*first) + 1;
  frames.count =
      static_cast<std::size_t>(std::copy(first, end, frames.at.data()) - frames.at.data());
}

void answer(int /*signal*/, siginfo_t* /*info*/, void* context) {
  const Worker* worker = Worker::current();
  if (worker == nullptr || question.thread.load(std::memory_order_acquire) != worker->thread_id()) {
    return;
  }
  int expected = Question::asked;
  if (!question.state.compare_exchange_strong(expected, Question::idle)) return;
  question.id = 0;
  question.frames.count = 0;
  if (const Fiber* fiber = worker->running(); fiber != nullptr) {
    question.id = fiber->id.load(std::memory_order_relaxed);
    question.name = fiber->name.get();
    trace_here(question.frames);
    begin_at_interruption(question.frames, context);
  }
  question.state.store(Question::answered, std::memory_order_release);
}

void install() {
  struct sigaction before{};
  if (::sigaction(SIGURG, nullptr, &before) != 0) return;
  const bool is_ours_to_take = (before.sa_flags & SA_SIGINFO) == 0 &&
                               (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN);
  if (!is_ours_to_take) return;
  struct sigaction action{};
  action.sa_sigaction = &answer;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  can_ask = ::sigaction(SIGURG, &action, nullptr) == 0;
}

}  // namespace

void trace_here(Frames& frames) {
  frames.count = 0;
  _Unwind_Backtrace(&add_frame, &frames);
}

void trace_left([[maybe_unused]] void* stack_pointer, Frames& frames) {
  frames.count = 0;
#if defined(__x86_64__)
  parley_rt_trace_left(stack_pointer, [](void* to) { _Unwind_Backtrace(&add_frame, to); }, &frames);
#endif
}

RunningFiber trace_running_fiber(Worker& worker) {
  std::call_once(installed, install);
  RunningFiber fiber;
  if (!can_ask) return fiber;
  const std::lock_guard lock(question.one_at_a_time);
  question.thread.store(worker.thread_id(), std::memory_order_release);
  question.state.store(Question::asked, std::memory_order_release);
  ::syscall(SYS_tgkill, ::getpid(), worker.thread_id(), SIGURG);
  // A thread that is not scheduled cannot answer; the question is taken back then.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (question.state.load(std::memory_order_acquire) != Question::answered) {
    int expected = Question::asked;
    if (std::chrono::steady_clock::now() > give_up &&
        question.state.compare_exchange_strong(expected, Question::idle)) {
      return fiber;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  fiber = {question.id, question.name.data(), question.frames};
  question.state.store(Question::idle, std::memory_order_relaxed);
  return fiber;
}

namespace {

// What a fiber's stack begins and ends with when the runtime shows it, not the fiber's own doing.
constexpr std::array<std::string_view, 14> innermost = {"parley::rt::impl::trace_",
                                                        "parley_rt_trace_left",
                                                        "parley::rt::impl::Worker::",
                                                        "parley::rt::impl::Parking::park",
                                                        "parley::rt::impl::(anonymous",
                                                        "parley::assertion_failed",
                                                        "__cxxabiv1::__terminate",
                                                        "std::terminate",
                                                        "(libstdc++",
                                                        "__gxx_personality_v0",
                                                        "(libgcc_s",
                                                        "_Unwind_",
                                                        "__cxa_throw",
                                                        "parley::rt::impl::wait_in"};
constexpr std::array<std::string_view, 4> outermost = {"parley_rt_entry", "parley_rt_fiber_main",
                                                       "parley::rt::impl::Fiber::run_and_destroy",
                                                       "parley::rt::impl::closure_of"};

bool begins_with_one_of(std::span<const std::string_view> names, std::string_view symbol) {
  return std::ranges::any_of(names, [&](auto name) { return symbol.starts_with(name); });
}

}  // namespace

std::string text_of_stack(const Frames& frames) {
  std::vector<std::string> symbols;
  for (std::size_t i = 0; i < frames.count; ++i) {
    // A return address is the one after the call, which may belong to the next function already.
    symbols.push_back(symbol_at(static_cast<char*>(frames.at[i]) - 1));
  }
  std::size_t first = 0;
  std::size_t end = symbols.size();
  while (end > 0 && begins_with_one_of(outermost, symbols[end - 1])) --end;
  while (first < end && begins_with_one_of(innermost, symbols[first])) ++first;
  std::string text;
  for (std::size_t i = first; i < end; ++i) text += "      " + symbols[i] + "\n";
  return text;
}

}  // namespace parley::rt::impl
