#include "parley/rt/impl/fiber.h"

#include <algorithm>
#include <cstddef>
#include <new>

#include "parley/base/assert.h"

namespace parley::rt::impl {
namespace {

char* align_down(char* at, std::size_t alignment) {
  const auto value = reinterpret_cast<std::uintptr_t>(at);
  return at - (value % alignment);
}

// What parley_rt_switch pops from a stack it has never left: fp control, r15..r12, rbx, rbp, and
// the address to go on at.
struct FirstFrame {
  std::uint32_t mxcsr;
  std::uint16_t fpu_control;
  std::uint16_t zero;
  void* r15;
  void* r14;
  void* r13;
  void* r12;
  void* rbx;
  void* rbp;
  void (*address)();
};
static_assert(sizeof(FirstFrame) == 64);

// The floating point defaults of the ABI: all exceptions masked, round to nearest, 64-bit mantissa.
constexpr std::uint32_t default_mxcsr = 0x1f80;
constexpr std::uint16_t default_fpu_control = 0x037f;

}  // namespace

Fiber::Fiber(const Stack& own, std::string_view name) : stack(own) {
  name_size_ = std::min(name.size(), name_capacity);
  // A name may come from another process (the method it calls); dumps go to terminals.
  std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(name_size_),
                 name_.begin(), [](char byte) {
                   return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f ? '?' : byte;
                 });
  run_node.fiber = all_node.fiber = context_node.fiber = this;
}

Fiber* Fiber::create(const Stack& stack, std::string_view name, const Closure& closure) {
  char* at = align_down(stack.top() - sizeof(Fiber), alignof(Fiber));
  auto* fiber = new (at) Fiber(stack, name);

  at = align_down(at - closure.size, std::max<std::size_t>(closure.alignment, 16));
  PARLEY_ASSERT(at > stack.bottom + stack.size / 2,
                "what a new fiber captures fills half its stack: capture a pointer instead");
  closure.move_to(at, closure.from);
  fiber->closure_at = at;
  fiber->run_and_destroy = closure.run_and_destroy;

  // parley_rt_entry is jumped to, not called, and itself calls: the ABI wants rsp 16-aligned there.
  at = align_down(at, 16) - sizeof(FirstFrame);
  new (at) FirstFrame{.mxcsr = default_mxcsr,
                      .fpu_control = default_fpu_control,
                      .zero = 0,
                      .r15 = nullptr,
                      .r14 = nullptr,
                      .r13 = nullptr,
                      .r12 = fiber,
                      .rbx = nullptr,
                      .rbp = nullptr,
                      .address = &parley_rt_entry};
  fiber->stack_pointer = at;
  return fiber;
}

}  // namespace parley::rt::impl
