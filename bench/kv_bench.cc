// Writes to a store by 64 fibers, each with a key of its own, or reads of one key: how many there
// are in a while, and what they cost in CPU time of the whole process.
//
//   kv_bench memory|never|interval|always|read SECONDS FOLDER
//   {"operations":120000,"cpu_us":4100000,"seconds":3.0,"mean_batch":60.1}
//
// FOLDER is where the three with a disk keep their store, under a name that is not there yet.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "load.h"
#include "parley/base/files.h"
#include "parley/kv/durable.h"
#include "parley/kv/store.h"
#include "parley/rt/runtime.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "window.h"

namespace parley::bench {
namespace {

constexpr std::size_t writers = 64;
constexpr std::size_t readers = 4;
constexpr std::size_t reads_at_a_time = 1'000;
constexpr Duration warmup = std::chrono::milliseconds(300);

struct Outcome {
  std::uint64_t operations = 0;
  double cpu_us = 0;
  double seconds = 0;
  double mean_batch = 0;
};

// Each on a cache line of its own.
struct alignas(64) Count {
  std::uint64_t value = 0;
};

kv::Command write_of(std::size_t writer, std::uint64_t number) {
  kv::Command command;
  command.path = "/bench/" + std::to_string(writer);
  command.value = std::to_string(number) + std::string(100, 'v');
  return command;
}

Result<std::unique_ptr<kv::Store>> open(Files& files, std::string_view mode,
                                        const std::string& folder) {
  for (const auto policy :
       {kv::SyncPolicy::always, kv::SyncPolicy::interval, kv::SyncPolicy::never}) {
    if (name_of(policy) != mode) continue;
    auto durable = kv::open_durable(files, folder, {.policy = policy});
    if (!durable) return durable.error();
    return std::make_unique<kv::Store>(std::move(durable->tree), kv::StoreOptions(),
                                       std::move(durable->log));
  }
  return std::make_unique<kv::Store>();
}

// Runs until the scope is cancelled.
Status write_on(kv::Store& store, std::size_t writer, Count& count) {
  for (std::uint64_t number = 0; !rt::Context::current().is_done(); ++number) {
    if (const auto done = store.write(write_of(writer, number)); !done) return done.error();
    ++count.value;
  }
  return {};
}

Status read_on(kv::Store& store, Count& count) {
  while (!rt::Context::current().is_done()) {
    for (std::size_t i = 0; i < reads_at_a_time; ++i) {
      if (const auto event = store.get("/bench/0"); !event) return event.error();
    }
    count.value += reads_at_a_time;
    rt::yield();
  }
  return {};
}

Result<Outcome> measure(std::string_view mode, Duration length, const std::string& folder) {
  RealFiles files;
  auto store = open(files, mode, folder);
  if (!store) return store.error();
  if (const auto first = (*store)->write(write_of(0, 0)); !first) return first.error();
  const bool reads = mode == "read";
  std::array<Count, writers> counts{};
  const auto sum = [&] {
    std::uint64_t all = 0;
    for (const Count& count : counts) all += count.value;
    return all;
  };
  Outcome outcome;
  Status failed;
  rt::Scope scope(rt::OnExit::cancel);
  for (std::size_t i = 0; i < (reads ? readers : writers); ++i) {
    scope.go("load", [&, i] {
      const Status status =
          reads ? read_on(**store, counts.at(i)) : write_on(**store, i, counts.at(i));
      const bool is_end = status.code() == Code::not_sent || status.code() == Code::outcome_unknown;
      if (!status.is_ok() && !(is_end && rt::Context::current().is_done())) failed = status;
    });
  }
  if (Status s = rt::sleep(warmup); !s.is_ok()) return s;
  const auto cpu = cpu_time_of(0);
  const Instant begin = now();
  const std::uint64_t before = sum();
  const kv::StoreCounts counted = (*store)->counts();
  if (Status s = rt::sleep(length); !s.is_ok()) return s;
  const auto cpu_then = cpu_time_of(0);
  if (!cpu || !cpu_then) return Status(Code::unavailable, "the process has no CPU clock");
  outcome.operations = sum() - before;
  outcome.cpu_us = std::chrono::duration<double, std::micro>(*cpu_then - *cpu).count();
  outcome.seconds = std::chrono::duration<double>(now() - begin).count();
  const kv::StoreCounts then = (*store)->counts();
  if (then.batches != counted.batches) {
    outcome.mean_batch = static_cast<double>(then.commands - counted.commands) /
                         static_cast<double>(then.batches - counted.batches);
  }
  scope.cancel();
  scope.join();
  if (!failed.is_ok()) return failed;
  if (Status s = (*store)->stop(); !s.is_ok()) return s;
  return outcome;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const std::string_view mode = argc == 4 ? argv[1] : "";
  const double seconds = argc == 4 ? std::strtod(argv[2], nullptr) : 0;
  const bool is_known = mode == "memory" || mode == "never" || mode == "interval" ||
                        mode == "always" || mode == "read";
  if (!is_known || !(seconds > 0 && seconds <= 3600)) {
    return bench::usage_error(Status(Code::invalid_argument,
                                     "kv_bench memory|never|interval|always|read SECONDS FOLDER: "
                                     "more than 0 seconds, at most 3600"));
  }
  const std::chrono::duration<double> length(seconds);
  rt::Runtime runtime({.workers = 1});
  int code = 0;
  runtime.run([&] {
    const auto outcome =
        bench::measure(mode, std::chrono::duration_cast<Duration>(length), argv[3]);
    if (!outcome) {
      code = bench::run_error(outcome.error());
      return;
    }
    std::printf("{\"operations\":%llu,\"cpu_us\":%.0f,\"seconds\":%.3f,\"mean_batch\":%.1f}\n",
                static_cast<unsigned long long>(outcome->operations), outcome->cpu_us,
                outcome->seconds, outcome->mean_batch);
  });
  return code;
}
