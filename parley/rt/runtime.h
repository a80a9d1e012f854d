// Runtime: the worker that runs fibers. `parley::run(f)` is all most programs need.
//
// A fiber is a function with a stack of its own that gives way when it waits: code reads as if it
// blocked, and a thousand of them share one thread. Everything in parley::rt that can wait is
// called inside a fiber only; trying it elsewhere ends the program with a message that says so.
//
//   int main() {
//     return parley::run([] {
//       rt::Scope scope;
//       scope.go("hello", [] { std::puts("from a fiber"); });
//     });
//   }
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "parley/base/clock.h"
#include "parley/rt/impl/closure.h"

namespace parley::rt {

struct RuntimeOptions {
  // Bytes of stack of each fiber, mapped at once and paid for as touched. Running over its end
  // stops the program with a message naming the fiber.
  std::size_t stack_size = std::size_t{256} * 1024;
  // Fibers alive at once. At the limit Scope::go waits for one to end and Scope::try_go refuses.
  // Two mappings a fiber: Linux allows 65,530 a process (vm.max_map_count).
  std::size_t max_fibers = 30'000;
  // Stacks kept mapped for the next fiber; more are given back to the kernel.
  std::size_t max_idle_stacks = 1'024;
  // Every deadline and sleep of the runtime reads this clock. Null: the real one.
  const Clock* clock = nullptr;
};

class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  ~Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Runs `main` as the first fiber on the calling thread and returns when it and every fiber it
  // started are done: what `main` returned if that is an int, else 0. One run at a time per thread.
  template <class F>
  int run(F&& main) {
    int code = 0;
    auto body = [&main, &code] {
      if constexpr (std::is_same_v<std::invoke_result_t<F&>, int>) {
        code = main();
      } else {
        static_assert(std::is_void_v<std::invoke_result_t<F&>>,
                      "the first fiber returns int or void");
        main();
      }
    };
    run_closure(impl::closure_of(body));
    return code;
  }

 private:
  void run_closure(const impl::Closure& closure);

  RuntimeOptions options_;
  RealClock real_clock_;
};

// Every fiber of the calling thread's runtime: number, name, state, what it waits for and how long.
// Callable anywhere; "no runtime on this thread" where there is none.
std::string dump();

}  // namespace parley::rt

namespace parley {

// Runs `main` as the first fiber of a Runtime with default options. See Runtime::run.
template <class F>
int run(F&& main) {
  return rt::Runtime().run(std::forward<F>(main));
}

}  // namespace parley
