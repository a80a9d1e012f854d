// A fiber that runs over the end of its stack hits the guard below it. This turns the signal that
// follows into a message that names the fiber. Private to rt.
#pragma once

#include <csignal>
#include <memory>

namespace parley::rt::impl {

// While alive, signals of this thread are handled on a stack of their own, and a fault in a
// fiber's guard is reported and aborts; any other goes to the handler that was there before.
class FaultStack {
 public:
  FaultStack();
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  std::unique_ptr<char[]> stack_;
  stack_t stack_before_{};
};

}  // namespace parley::rt::impl
