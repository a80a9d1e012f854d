// The Parley side of `./dev bench rt`: one scenario a run, so that nothing of another is left over.
//
//   rt_bench NAME OPS      does OPS operations, prints {"ops":N,"cpu_us":N,"check":N}
//
// CPU time is that of the process around the measured operations, after an eighth of them as
// warm-up. How many workers there are is for the driver to say, by the cpus it lets the process
// use.
#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "../load.h"
#include "parley/rt/runtime.h"
#include "reading.h"
#include "scenarios.h"
#include "special.h"

namespace parley::bench {
namespace {

struct Named {
  std::string_view name;
  Scenario run;
};

constexpr std::array scenarios{
    Named{"spawn_join", spawn_join},
    Named{"spawn_join_batch", spawn_join_batch},
    Named{"yield", yield},
    Named{"tree", tree},
    Named{"pingpong_same", pingpong_same},
    Named{"pingpong_cross", pingpong_cross},
    Named{"buffered_1_1", buffered_1_1},
    Named{"buffered_n_n", buffered_n_n},
    Named{"select_2", select_2},
    Named{"select_8", select_8},
    Named{"mutex", mutex},
    Named{"mutex_contended", mutex_contended},
    Named{"rwmutex", rwmutex},
    Named{"rwmutex_rare", rwmutex_rare},
    Named{"timers_fire", timers_fire},
    Named{"timers_cancel", timers_cancel},
};

constexpr std::size_t one_for_each_cpu = 0;

struct Special {
  std::string_view name;
  Result<std::string> (*run)(std::uint64_t ops);
  std::size_t workers = one_for_each_cpu;
};

constexpr std::array special{
    Special{"parked", parked},
    Special{"skew", skew},
    // What is without stealing: the others could as well not be there.
    Special{"skew_one_worker", skew, 1},
};

constexpr std::uint64_t warm_up_share = 8;

Result<std::uint64_t> count_of(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0) {
    return Status(Code::invalid_argument,
                  "OPS is a whole number above 0, not \"" + std::string(text) + "\"");
  }
  return count;
}

std::string measure(Scenario run, std::uint64_t ops) {
  run(ops / warm_up_share + warm_up_share);
  const std::uint64_t begin = used_cpu_us();
  const std::uint64_t answer = run(ops);
  const std::uint64_t cpu = used_cpu_us() - begin;
  return R"({"ops":)" + std::to_string(ops) + R"(,"cpu_us":)" + std::to_string(cpu) +
         R"(,"check":)" + std::to_string(answer) + "}";
}

Result<std::string> run_named(std::string_view name, std::uint64_t ops) {
  for (const Named& one : scenarios) {
    if (one.name == name) return measure(one.run, ops);
  }
  for (const Special& one : special) {
    if (one.name == name) return one.run(ops);
  }
  return Status(Code::not_found, "no scenario \"" + std::string(name) + "\"");
}

std::size_t workers_of(std::string_view name) {
  for (const Special& one : special) {
    if (one.name == name) return one.workers;
  }
  return one_for_each_cpu;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  if (argc != 3) {
    return bench::usage_error(Status(Code::invalid_argument, "usage: rt_bench NAME OPS"));
  }
  const Result<std::uint64_t> ops = bench::count_of(argv[2]);
  if (!ops) return bench::usage_error(ops.error());
  rt::RuntimeOptions options;
  options.workers = bench::workers_of(argv[1]);
  return rt::Runtime(options).run([&ops, name = argv[1]] {
    const Result<std::string> line = bench::run_named(name, *ops);
    if (!line) return bench::run_error(line.error());
    std::puts(line->c_str());
    return 0;
  });
}
