// The fiber switch: leaves one stack and goes on where another was left. Private to rt.
//
// What it costs and what it saves depends on the machine and stands in switch_<machine>.S alone:
// the callee-saved registers, floating point ones and their control word included. The rest of
// what must follow a fiber (caught exceptions, errno, what sanitizers know) is its caller's.
//
//   void* other = first_frame(stack.top(), &enter, &argument);
//   void* value = parley_rt_switch(&mine, other, nullptr);   // back when somebody switches to mine
#pragma once

extern "C" {
// What a stack runs last: it must leave the stack, never to return to it.
using LastOfStack = void (*)(void*);

// Stores the callee-saved state on the current stack and its stack pointer in *save, goes on where
// `to` was left, and returns `value` there. `to` is what an earlier switch stored or what
// first_frame() returned, and may be used once.
void* parley_rt_switch(void** save, void* to, void* value);

void* parley_rt_first_frame(char* top, LastOfStack (*entry)(void*), void* argument);

// Calls trace(argument) on this stack, in a frame whose caller, to an unwinder, is the code that
// left the stack `stack_pointer` by parley_rt_switch: a stack trace taken in `trace` goes on there.
// Nobody may switch to that stack meanwhile.
void parley_rt_trace_left(void* stack_pointer, void (*trace)(void*), void* argument);

// What first_frame() goes on at. Never called: a name for those who walk the stack, which ends
// here.
void parley_rt_entry();
}

namespace parley::rt::impl {

// Prepares a stack that was never run: the first switch to what this returns calls entry(argument),
// with the floating point defaults of the ABI, whatever those of the caller; the value of that
// switch is lost. Then it jumps to what `entry` returned, with the same argument. Writes less than
// 256 bytes right below `top`, which is first rounded down to 16.
inline void* first_frame(char* top, LastOfStack (*entry)(void*), void* argument) {
  return parley_rt_first_frame(top, entry, argument);
}

}  // namespace parley::rt::impl
