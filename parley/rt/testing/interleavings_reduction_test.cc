// The search leaves out what differs in nothing: so with and without that it must see the same
// outcomes, whatever the program.
#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parley/rt/testing/checked_atomics.h"

namespace parley::rt::testing {
namespace {

using Flag = CheckedAtomic<int>;
using Order = std::memory_order;

enum class Kind : std::uint8_t {
  load,
  store,
  exchange,
  compare_exchange,
  full_fence,
  light_fence,
  heavy_fence,
  guarded_add,
  wait,
};

struct Instruction {
  Kind kind = Kind::load;
  std::size_t place = 0;
  Order order = Order::relaxed;
  int value = 0;
};

using Program = std::vector<std::vector<Instruction>>;
using Outcome = std::vector<int>;  // what each instruction read, and what is left

constexpr std::size_t places = 2;

class RandomPrograms {
 public:
  explicit RandomPrograms(unsigned seed) : random_(seed) {}

  Program next(std::size_t threads, std::size_t length) {
    Program program(threads);
    int value = 0;
    for (auto& thread : program) {
      for (std::size_t i = 0; i < length; ++i) thread.push_back(instruction(++value));
    }
    // At most one waits, for any change of what it has looked at: the others will end.
    if (below(3) == 0) program[0].back() = {Kind::wait, below(places), Order::acquire, 0};
    return program;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  Instruction instruction(int value) {
    constexpr std::array kinds = {
        Kind::load,        Kind::load,       Kind::load,        Kind::store,
        Kind::store,       Kind::store,      Kind::exchange,    Kind::compare_exchange,
        Kind::guarded_add, Kind::full_fence, Kind::light_fence, Kind::heavy_fence};
    const Kind kind = kinds[below(kinds.size())];
    constexpr std::array loads = {Order::relaxed, Order::acquire, Order::seq_cst};
    constexpr std::array stores = {Order::relaxed, Order::release, Order::seq_cst};
    const auto& orders = kind == Kind::load ? loads : stores;
    return {kind, below(places), orders[below(orders.size())], value};
  }

  std::minstd_rand random_;
};

struct Memory {
  std::array<Flag, places> flags;
  CheckedLock lock;
};

// Returns what it read.
int perform(const Instruction& instruction, Memory& memory) {
  Flag& flag = memory.flags[instruction.place];
  int was = 0;
  switch (instruction.kind) {
    case Kind::load:
      return flag.load(instruction.order);
    case Kind::store:
      flag.store(instruction.value, instruction.order);
      break;
    case Kind::exchange:
      return flag.exchange(instruction.value, instruction.order);
    case Kind::compare_exchange:
      (void)flag.compare_exchange_strong(was, instruction.value, instruction.order);
      return was;
    case Kind::full_fence:
      CheckedAtomics::full_fence();
      break;
    case Kind::light_fence:
      CheckedAtomics::light_fence();
      break;
    case Kind::heavy_fence:
      CheckedAtomics::heavy_fence();
      break;
    case Kind::guarded_add: {
      const std::lock_guard guard(memory.lock);
      was = flag.load(Order::relaxed);
      flag.store(was + 1, instruction.order);
      return was;
    }
    case Kind::wait:
      while ((was = flag.load(instruction.order)) == 0) CheckedAtomics::relax();
      return was;
  }
  return 0;
}

struct Seen {
  std::set<Outcome> outcomes;
  std::uint64_t runs = 0;
  bool complete = false;
  bool failed = false;
};

Seen outcomes_of(const Program& program, bool reduction) {
  Seen seen;
  InterleavingOptions options;
  options.reduction = reduction;
  options.stale_reads = 4;
  options.max_runs = 20'000;
  const auto report = explore(options, [&](Interleaving& run) {
    auto& memory = run.make<Memory>();
    auto& outcome = run.make<std::vector<Outcome>>(program.size());
    for (std::size_t t = 0; t < program.size(); ++t) {
      run.go(std::to_string(t), [&, t] {
        for (const auto& one : program[t]) outcome[t].push_back(perform(one, memory));
      });
    }
    run.finally([&] {
      Outcome all;
      for (const auto& one : outcome) all.insert(all.end(), one.begin(), one.end());
      for (auto& flag : memory.flags) all.push_back(flag.load());
      seen.outcomes.insert(all);
    });
  });
  seen.runs = report.runs;
  seen.complete = report.complete;
  seen.failed = report.failure.has_value();
  return seen;
}

std::string text_of(const Program& program) {
  constexpr std::array kinds = {"load",       "store",       "exchange",    "compare_exchange",
                                "full_fence", "light_fence", "heavy_fence", "guarded_add",
                                "wait"};
  std::string text;
  for (const auto& thread : program) {
    text += "\nthread:";
    for (const auto& one : thread) {
      text += std::string(" ") + kinds[static_cast<std::size_t>(one.kind)] + " " + "xy"[one.place] +
              " order " + std::to_string(static_cast<int>(one.order)) + " value " +
              std::to_string(one.value) + ";";
    }
  }
  return text;
}

TEST(InterleavingsReduction, loses_no_outcome_of_random_programs) {
  RandomPrograms programs(20'26);
  std::uint64_t runs = 0;
  std::uint64_t reduced_runs = 0;
  std::size_t compared = 0;
  for (int i = 0; i < 400; ++i) {
    const Program program = i % 2 == 0 ? programs.next(2, 3) : programs.next(3, 2);
    const Seen all = outcomes_of(program, false);
    const Seen reduced = outcomes_of(program, true);
    ASSERT_EQ(all.failed, reduced.failed) << "program " << i;
    // One that waits for ever, or is too much to be run without the reduction.
    if (all.failed || !all.complete) continue;
    ASSERT_TRUE(reduced.complete) << "program " << i;
    ASSERT_EQ(all.outcomes, reduced.outcomes) << "program " << i << text_of(program);
    ++compared;
    runs += all.runs;
    reduced_runs += reduced.runs;
  }
  EXPECT_GT(compared, 300U);
  EXPECT_LT(reduced_runs * 3, runs);
  RecordProperty("runs", std::to_string(runs));
  RecordProperty("reduced_runs", std::to_string(reduced_runs));
}

}  // namespace
}  // namespace parley::rt::testing
