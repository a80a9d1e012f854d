// Whether the calling fiber's stack takes a piece of work that would else have a stack of its own.
// Inside a fiber only.
//
//   if (rt::has_stack_for_another()) return run(work);   // a function call
//   return give_to_another_fiber(work);
#pragma once

namespace parley::rt {

// True when at least half of RuntimeOptions::stack_size is left. Compares two addresses.
[[nodiscard]] bool has_stack_for_another();

}  // namespace parley::rt
