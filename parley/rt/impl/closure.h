// A callable on its way to a new fiber, type-erased without allocating: it is moved straight to the
// top of the fiber's stack and run there. Private to rt.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace parley::rt::impl {

struct Closure {
  std::size_t size;
  std::size_t alignment;
  void* from;
  void (*move_to)(void* to, void* from);
  void (*run_and_destroy)(void* at);
};

// `f` must live until the fiber has been created. It is moved from.
template <class F>
Closure closure_of(F& f) {
  static_assert(std::is_invocable_v<F&>, "a fiber runs a function without parameters");
  return {.size = sizeof(F),
          .alignment = alignof(F),
          .from = &f,
          .move_to = [](void* to, void* from) { new (to) F(std::move(*static_cast<F*>(from))); },
          .run_and_destroy =
              [](void* at) {
                F& it = *static_cast<F*>(at);
                it();
                it.~F();
              }};
}

// Runs the function of a first fiber: what it returned if that is an int, else 0.
template <class F>
int exit_code_of(F& main) {
  if constexpr (std::is_same_v<std::invoke_result_t<F&>, int>) {
    return main();
  } else {
    static_assert(std::is_void_v<std::invoke_result_t<F&>>, "the first fiber returns int or void");
    main();
    return 0;
  }
}

}  // namespace parley::rt::impl
