// The switch itself, without scheduler: what must survive it, and what belongs to each stack. Also
// cross-built and run for every machine that Parley has a switch for (./dev aarch64).
#include "parley/rt/impl/switch.h"

#include <gtest/gtest.h>
#include <unwind.h>

#include <cxxabi.h>
#include <array>
#include <cfenv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "parley/rt/impl/sanitizer.h"

namespace parley::rt::impl {
namespace {

constexpr std::size_t stack_size = std::size_t{256} * 1024;

// Tells AddressSanitizer where a switch leads, and switches.
struct Place {
  void* pointer = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
};

// A function on a stack of its own, that goes on whenever it is resumed.
class Strand {
 public:
  using Body = std::function<void(Strand&)>;

  // `off` bytes of the stack's top are not used.
  explicit Strand(Body body, std::size_t off = 0)
      : body_(std::move(body)), stack_(std::make_unique<char[]>(stack_size)) {
    there_.bottom = stack_.get();
    there_.size = stack_size;
    there_.pointer = first_frame(stack_.get() + stack_size - off, &Strand::enter, this);
  }
  ~Strand() { EXPECT_TRUE(done_) << "a strand was left before it ended"; }
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  // Runs the body until it yields; returns what it yielded.
  void* resume(void* value = nullptr) {
    asan_leave(&here_.fake_stack, there_.bottom, there_.size);
    void* const yielded = parley_rt_switch(&here_.pointer, there_.pointer, value);
    asan_arrive(here_.fake_stack, nullptr, nullptr);
    return yielded;
  }
  // Back to who resumed it; returns what the next resume() brings.
  void* yield(void* value = nullptr) {
    asan_leave(&there_.fake_stack, here_.bottom, here_.size);
    void* const brought = parley_rt_switch(&there_.pointer, here_.pointer, value);
    asan_arrive(there_.fake_stack, &here_.bottom, &here_.size);
    return brought;
  }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool holds(const void* address) const {
    const auto* at = static_cast<const char*>(address);
    return at >= stack_.get() && at < stack_.get() + stack_size;
  }
  // Where the frame of the first function lay: the one frame whose alignment the compiler did not
  // choose.
  [[nodiscard]] const void* first_frame_address() const { return first_frame_address_; }
  // For those who switch by hand.
  Place& here() { return here_; }
  Place& there() { return there_; }

 private:
  static LastOfStack enter(void* self) {
    auto* strand = static_cast<Strand*>(self);
    strand->first_frame_address_ = __builtin_frame_address(0);
    asan_arrive(nullptr, &strand->here_.bottom, &strand->here_.size);
    strand->body_(*strand);
    return &Strand::leave_for_good;
  }
  static void leave_for_good(void* self) {
    auto* strand = static_cast<Strand*>(self);
    strand->done_ = true;
    asan_leave(nullptr, strand->here_.bottom, strand->here_.size);
    parley_rt_switch(&strand->there_.pointer, strand->here_.pointer, nullptr);
    __builtin_unreachable();
  }

  Body body_;
  std::unique_ptr<char[]> stack_;
  Place here_;   // who resumes
  Place there_;  // the strand
  const void* first_frame_address_ = nullptr;
  bool done_ = false;
};

void* number(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

TEST(Switch, goes_there_and_back_and_carries_a_value_each_way) {
  std::vector<void*> seen;
  Strand strand([&](Strand& self) {
    seen.push_back(self.yield(number(1)));
    seen.push_back(self.yield(number(2)));
  });
  EXPECT_EQ(strand.resume(number(10)), number(1)) << "the value of the first switch is lost";
  EXPECT_EQ(strand.resume(number(20)), number(2));
  EXPECT_EQ(strand.resume(number(30)), nullptr);
  EXPECT_TRUE(strand.done());
  EXPECT_EQ(seen, (std::vector<void*>{number(20), number(30)}));
}

TEST(Switch, keeps_the_locals_of_many_stacks_apart) {
  constexpr int count = 50;
  constexpr int rounds = 20;
  std::vector<std::unique_ptr<Strand>> strands;
  std::vector<long> sums(count);
  for (int i = 0; i < count; ++i) {
    strands.push_back(std::make_unique<Strand>([&sums, i](Strand& self) {
      long sum = 0;
      for (int round = 0; round < rounds; ++round) {
        sum += static_cast<long>(i) * round;
        self.yield();
      }
      sums[static_cast<std::size_t>(i)] = sum;
    }));
  }
  for (int round = 0; round <= rounds; ++round) {
    for (auto& strand : strands) strand->resume();
  }
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(sums[static_cast<std::size_t>(i)], static_cast<long>(i) * rounds * (rounds - 1) / 2);
  }
}

TEST(Switch, starts_on_an_aligned_frame_of_the_stack_it_was_given) {
  for (std::size_t off = 0; off < 16; ++off) {
    Strand strand([](Strand&) {}, off);
    strand.resume();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(strand.first_frame_address()) % 16, 0u) << off;
    EXPECT_TRUE(strand.holds(strand.first_frame_address()));
  }
}

// --- registers ----------------------------------------------------------------------------------

// All registers that a function must leave as they were.
#if defined(__x86_64__)
constexpr std::size_t register_count = 6;  // rbx rbp r12 r13 r14 r15
#elif defined(__aarch64__)
constexpr std::size_t register_count = 19;  // x19 .. x29, d8 .. d15
#else
#error "say here which registers a switch must keep on this machine"
#endif
using Registers = std::array<std::uint64_t, register_count>;

// Fills the registers from `in`, switches, and writes to `out` what they hold after it.
#if defined(__x86_64__)
[[gnu::noinline]] void switch_with(const Registers& in, Registers& out, void** save, void* to) {
  const std::uint64_t* from = in.data();
  std::uint64_t* into = out.data();
  void* value = nullptr;
  asm volatile(
      "subq $128, %%rsp\n\t"  // the red zone
      "pushq %%rbp\n\t"
      "pushq %[into]\n\t"
      "movq 0(%[from]), %%rbx\n\t"
      "movq 8(%[from]), %%rbp\n\t"
      "movq 16(%[from]), %%r12\n\t"
      "movq 24(%[from]), %%r13\n\t"
      "movq 32(%[from]), %%r14\n\t"
      "movq 40(%[from]), %%r15\n\t"
      "callq parley_rt_switch\n\t"
      "popq %%rcx\n\t"
      "movq %%rbx, 0(%%rcx)\n\t"
      "movq %%rbp, 8(%%rcx)\n\t"
      "movq %%r12, 16(%%rcx)\n\t"
      "movq %%r13, 24(%%rcx)\n\t"
      "movq %%r14, 32(%%rcx)\n\t"
      "movq %%r15, 40(%%rcx)\n\t"
      "popq %%rbp\n\t"
      "addq $128, %%rsp"
      : "+D"(save), "+S"(to), "+d"(value), [from] "+a"(from), [into] "+c"(into)
      :
      : "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
        "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "memory", "cc");
}
#else
[[gnu::noinline]] void switch_with(const Registers& in, Registers& out, void** save, void* to) {
  register void** x0 asm("x0") = save;
  register void* x1 asm("x1") = to;
  register void* x2 asm("x2") = nullptr;
  register const std::uint64_t* x3 asm("x3") = in.data();
  register std::uint64_t* x4 asm("x4") = out.data();
  asm volatile(
      "stp x29, x4, [sp, #-16]!\n\t"
      "ldp x19, x20, [x3, #0]\n\t"
      "ldp x21, x22, [x3, #16]\n\t"
      "ldp x23, x24, [x3, #32]\n\t"
      "ldp x25, x26, [x3, #48]\n\t"
      "ldp x27, x28, [x3, #64]\n\t"
      "ldr x29, [x3, #80]\n\t"
      "ldp d8, d9, [x3, #88]\n\t"
      "ldp d10, d11, [x3, #104]\n\t"
      "ldp d12, d13, [x3, #120]\n\t"
      "ldp d14, d15, [x3, #136]\n\t"
      "bl parley_rt_switch\n\t"
      "ldp x9, x10, [sp], #16\n\t"
      "stp x19, x20, [x10, #0]\n\t"
      "stp x21, x22, [x10, #16]\n\t"
      "stp x23, x24, [x10, #32]\n\t"
      "stp x25, x26, [x10, #48]\n\t"
      "stp x27, x28, [x10, #64]\n\t"
      "str x29, [x10, #80]\n\t"
      "stp d8, d9, [x10, #88]\n\t"
      "stp d10, d11, [x10, #104]\n\t"
      "stp d12, d13, [x10, #120]\n\t"
      "stp d14, d15, [x10, #136]\n\t"
      "mov x29, x9"
      : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4)
      :
      : "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19",
        "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2",
        "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
        "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
        "v30", "v31", "memory", "cc");
}
#endif

Registers registers_after(const Registers& in, void** save, void* to) {
  Registers out{};
  switch_with(in, out, save, to);
  return out;
}

Registers pattern(std::uint64_t seed) {
  Registers registers{};
  for (auto& value : registers) value = seed = seed * 6364136223846793005U + 1442695040888963407U;
  return registers;
}

// Two stacks fill every register with something else before each switch.
TEST(Switch, keeps_every_callee_saved_register) {
  constexpr std::uint64_t rounds = 10;
  std::uint64_t lost_there = 0;
  Strand strand([&](Strand& self) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const Registers mine = pattern(1000 + round);
      asan_leave(&self.there().fake_stack, self.here().bottom, self.here().size);
      const Registers after = registers_after(mine, &self.there().pointer, self.here().pointer);
      asan_arrive(self.there().fake_stack, &self.here().bottom, &self.here().size);
      if (after != mine) ++lost_there;
    }
  });
  for (std::uint64_t round = 0; round <= rounds; ++round) {
    const Registers mine = pattern(round);
    asan_leave(&strand.here().fake_stack, strand.there().bottom, strand.there().size);
    const Registers after = registers_after(mine, &strand.here().pointer, strand.there().pointer);
    asan_arrive(strand.here().fake_stack, nullptr, nullptr);
    EXPECT_EQ(after, mine) << round;
  }
  EXPECT_TRUE(strand.done());
  EXPECT_EQ(lost_there, 0u);
}

// --- floating point control ---------------------------------------------------------------------

// What the machine really does, not what the library remembers.
[[gnu::noinline]] double third() {
  volatile double one = 1;
  volatile double three = 3;
  return one / three;
}

TEST(Switch, keeps_the_rounding_mode_of_each_stack) {
  const double nearest = third();
  std::fesetround(FE_UPWARD);
  const double upward = third();
  ASSERT_NE(nearest, upward);
  std::vector<double> seen;
  std::vector<int> modes;
  Strand strand([&](Strand& self) {
    seen.push_back(third());
    modes.push_back(std::fegetround());
    std::fesetround(FE_DOWNWARD);
    self.yield();
    modes.push_back(std::fegetround());
  });
  strand.resume();
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  EXPECT_EQ(third(), upward);
  std::fesetround(FE_TONEAREST);
  strand.resume();
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  EXPECT_EQ(third(), nearest);
  EXPECT_EQ(seen, std::vector<double>{nearest}) << "a stack begins with the defaults of the ABI";
  EXPECT_EQ(modes, (std::vector<int>{FE_TONEAREST, FE_DOWNWARD}));
}

// --- exceptions ---------------------------------------------------------------------------------

[[gnu::noinline]] int throw_from(int depth, int& unwound) {  // NOLINT(misc-no-recursion)
  struct Counted {
    int& count;
    ~Counted() { ++count; }
  };
  const Counted counted{unwound};
  if (depth == 0) throw std::runtime_error("from deep below");
  return throw_from(depth - 1, unwound) + 1;
}

TEST(Switch, exceptions_are_thrown_and_caught_on_a_strand) {
  std::string caught;
  int unwound = 0;
  Strand strand([&](Strand& self) {
    try {
      (void)throw_from(30, unwound);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    self.yield();
    try {
      self.yield();  // an exception may also pass a frame that was switched from
      (void)throw_from(0, unwound);
    } catch (const std::runtime_error&) {
      caught += " again";
    }
  });
  for (int i = 0; i < 3; ++i) strand.resume();
  EXPECT_TRUE(strand.done());
  EXPECT_EQ(caught, "from deep below again");
  EXPECT_EQ(unwound, 32);
}

// What the C++ runtime keeps per thread (Itanium C++ ABI, exception handling, 2.2.2).
using EhGlobals = std::array<char, 16>;

void swap_eh_globals(EhGlobals& other) {
  EhGlobals mine;
  std::memcpy(mine.data(), abi::__cxa_get_globals(), mine.size());
  std::memcpy(static_cast<void*>(abi::__cxa_get_globals()), other.data(), other.size());
  other = mine;
}

TEST(Switch, strands_parked_in_catch_rethrow_their_own_exceptions) {
  struct Thrower {
    explicit Thrower(const char* text)
        : strand([this, text](Strand& self) {
            try {
              throw std::runtime_error(text);
            } catch (const std::runtime_error&) {
              self.yield();
              try {
                throw;
              } catch (const std::runtime_error& error) {
                seen = error.what();
              }
            }
          }) {}
    void resume() {
      swap_eh_globals(globals);
      strand.resume();
      swap_eh_globals(globals);
    }
    std::string seen;
    EhGlobals globals{};
    Strand strand;
  };
  Thrower first("first");
  Thrower second("second");
  for (int i = 0; i < 2; ++i) {
    first.resume();
    second.resume();
  }
  EXPECT_EQ(first.seen, "first");
  EXPECT_EQ(second.seen, "second");
  EXPECT_EQ(std::uncaught_exceptions(), 0);
}

// --- who walks the stack ------------------------------------------------------------------------

struct Walk {
  std::vector<std::uintptr_t> frames;
  _Unwind_Reason_Code end = _URC_NO_REASON;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* walk) {
  constexpr std::size_t too_many = 1'000;
  auto& frames = static_cast<Walk*>(walk)->frames;
  frames.push_back(_Unwind_GetIP(context));
  return frames.size() < too_many ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

[[gnu::noinline]] int walk_from(int depth, Walk& walk) {  // NOLINT(misc-no-recursion)
  if (depth == 0) {
    walk.end = _Unwind_Backtrace(&note_frame, &walk);
    return 0;
  }
  const int below = walk_from(depth - 1, walk);
  asm volatile("" ::: "memory");  // no loop, and no tail call
  return below + 1;
}

void expect_to_end_at_the_entry(const Walk& walk) {
  // The entry is a handful of instructions: what returns into it lies right behind its name.
  constexpr std::uintptr_t entry_bytes = 32;
  const auto entry = reinterpret_cast<std::uintptr_t>(&parley_rt_entry);
  EXPECT_EQ(walk.end, _URC_END_OF_STACK);
  ASSERT_GE(walk.frames.size(), 2u);
  // The unwinder shows the end as one more frame, at nowhere.
  EXPECT_EQ(walk.frames.back(), 0u);
  const std::uintptr_t outermost = walk.frames[walk.frames.size() - 2];
  EXPECT_GT(outermost, entry);
  EXPECT_LT(outermost, entry + entry_bytes);
}

constexpr int depth = 100;

TEST(Switch, a_backtrace_from_deep_below_ends_at_the_entry) {
  Walk fresh;
  Walk later;
  Strand strand([&](Strand& self) {
    (void)walk_from(depth, fresh);
    self.yield();
    (void)walk_from(depth, later);
  });
  strand.resume();
  strand.resume();
  for (const Walk* walk : {&fresh, &later}) {
    EXPECT_GT(walk->frames.size(), std::size_t{depth});
    expect_to_end_at_the_entry(*walk);
  }
}

[[gnu::noinline]] int yield_from(int left, Strand& strand) {  // NOLINT(misc-no-recursion)
  if (left == 0) {
    strand.yield();
    return 0;
  }
  const int below = yield_from(left - 1, strand);
  asm volatile("" ::: "memory");  // no loop, and no tail call
  return below + 1;
}

TEST(Switch, a_stack_that_was_left_can_be_walked_from_outside) {
  Strand strand([&](Strand& self) { (void)yield_from(depth, self); });
  strand.resume();
  Walk walk;
  parley_rt_trace_left(
      strand.there().pointer,
      [](void* to) { static_cast<Walk*>(to)->end = _Unwind_Backtrace(&note_frame, to); }, &walk);
  EXPECT_GT(walk.frames.size(), std::size_t{depth});
  expect_to_end_at_the_entry(walk);
  strand.resume();
  EXPECT_TRUE(strand.done()) << "and it goes on as if nothing had been";
}

}  // namespace
}  // namespace parley::rt::impl
