// Scope: owns fibers. Every fiber is started in a scope and none outlives it: the destructor joins.
//
// A scope belongs to the fiber that made it; its fibers run under a context of their own, a child
// of that fiber's, which cancel() ends. go() and cancel() are thread-safe and may be called by any
// fiber of the runtime.
//
//   rt::Scope scope;
//   for (const Order& order : orders) scope.go("order", [&order] { place(order); });
//   scope.join();            // or simply the end of the block
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/rt/context.h"
#include "parley/rt/impl/closure.h"
#include "parley/rt/impl/wait_list.h"

extern "C" [[noreturn]] void parley_rt_fiber_last(void* fiber);

namespace parley::rt {

namespace impl {
class Job;
class Scheduler;
class Worker;
}  // namespace impl

// What a fiber can be given beyond its function.
struct FiberOptions {
  // Bytes of stack, rounded up to a power of two from 16 KiB to 8 MiB. 0:
  // RuntimeOptions::stack_size.
  std::size_t stack_size = 0;
};

// What a scope does with fibers still running when its block ends.
enum class OnExit {
  join,    // waits for them: for work that is to be finished
  cancel,  // cancels their context, then waits: for servants of the block (readers, tickers)
};

class Scope {
 public:
  explicit Scope(OnExit on_exit = OnExit::join);
  // The same, but its fibers' context is a child of `parent`: for an object that owns fibers and
  // whose life its destructor ends, not the context of whoever made it.
  explicit Scope(const Context& parent, OnExit on_exit = OnExit::join);
  // Waits for every fiber; see OnExit. Not ended by the context of the calling fiber.
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Starts a fiber that runs `f()`, which is moved to it. `name` (cut at 40 bytes) is what dumps
  // and errors show. The fiber runs when the caller next waits, or at once on another worker. At
  // RuntimeOptions::max_fibers this waits for a fiber to end. An exception that leaves `f` ends the
  // program.
  template <class F>
  void go(std::string_view name, F&& f, const FiberOptions& options = {}) {
    auto function = std::decay_t<F>(std::forward<F>(f));
    start(name, impl::closure_of(function), options, true);
  }

  // The same without waiting: false, and `f` is dropped, at max_fibers.
  template <class F>
  [[nodiscard]] bool try_go(std::string_view name, F&& f, const FiberOptions& options = {}) {
    auto function = std::decay_t<F>(std::forward<F>(f));
    return start(name, impl::closure_of(function), options, false);
  }

  // Waits until no fiber of this scope is left. Those started meanwhile are waited for as well.
  void join();

  // Ends the context of this scope's fibers, those started later included.
  void cancel() const { cancel_(); }
  void cancel(Status cause) const { cancel_(std::move(cause)); }

  // The context its fibers run under.
  [[nodiscard]] const Context& context() const { return context_; }
  // Fibers started here and not yet ended.
  [[nodiscard]] std::size_t running() const;

 private:
  friend void ::parley_rt_fiber_last(void* fiber);
  friend class impl::Scheduler;
  friend class impl::Job;

  Scope(OnExit on_exit, std::pair<Context, Cancel> context);
  bool start(std::string_view name, const impl::Closure& closure, const FiberOptions& options,
             bool may_wait);
  void adopt(impl::Fiber& fiber);
  void count_one_more();
  void count_one_less();
  static void fiber_ended(Scope& scope, impl::Fiber& fiber, impl::Worker& worker);

  OnExit on_exit_;
  Context context_;
  Cancel cancel_;
  // All under the lock of the context's node, which an ending fiber takes anyway.
  std::size_t running_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t started_before_join_ = 0;
  impl::WaitList joiners_;
  std::atomic<std::uint32_t> jobs_{0};  // Timers and DoneCalls that may start a fiber
};

}  // namespace parley::rt
