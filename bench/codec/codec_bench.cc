// The program behind `./dev bench codec`: one contestant at one bench in a process of its own, so
// that nothing of another is left over.
//
//   codec_bench --list                      which there are, the peers' versions, what is missing
//   codec_bench BENCH CONTESTANT CPU_MS     one line: what an operation costs
//
// The answer is compared before and after timing. CPU time is user + system of this process, around
// as many operations as take about CPU_MS, after an eighth of that as warm-up; 0 is one operation.
#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "../load.h"
#include "../window.h"
#include "counting_new.h"
#include "json.h"
#include "msgpack_rows.h"
#include "protobuf_rows.h"

namespace parley::bench {
namespace {

constexpr std::uint32_t max_cpu_ms = 60'000;

struct Entry {
  std::string bench;
  std::string contestant;
};

struct Listing {
  std::vector<Entry> entries;
  std::map<std::string, std::string> versions;
  std::map<std::string, std::string> missing;
};

struct Measured {
  std::uint64_t ops = 0;
  double cpu_ns = 0;       // for each operation
  double allocations = 0;  // for each operation
  std::uint64_t needed_allocations = 0;
  std::uint64_t bytes = 0;
  bool proven = false;
};

Table all_contestants() {
  Table table;
  add_own_json(table);
  add_own_hot_json(table);
  add_rapidjson(table);
  add_simdjson(table);
  add_own_msgpack(table);
  add_msgpack_cxx(table);
  add_own_protobuf(table);
  add_libprotobuf(table);
  return table;
}

Result<double> cpu_ns_of(Task& task, std::uint64_t ops) {
  const Result<Duration> begin = cpu_time_of(0);
  Status status = task.run(ops);
  if (!status.is_ok()) return status;
  const Result<Duration> end = cpu_time_of(0);
  if (!begin || !end) return begin ? end.error() : begin.error();
  return static_cast<double>((*end - *begin).count());
}

// Warms up for an eighth of `wanted_ns`; how many operations take `wanted_ns`.
Result<std::uint64_t> operations_in(Task& task, double wanted_ns) {
  for (std::uint64_t ops = 1;; ops *= 2) {
    const Result<double> took = cpu_ns_of(task, ops);
    if (!took) return took.error();
    if (*took * 8 >= wanted_ns) {
      return static_cast<std::uint64_t>(static_cast<double>(ops) * wanted_ns / (*took + 1)) + 1;
    }
  }
}

Result<Measured> measure(Task& task, std::uint32_t cpu_ms) {
  Status proven = task.prove();
  if (!proven.is_ok()) return proven;
  const Result<std::uint64_t> ops = operations_in(task, cpu_ms * 1e6);
  if (!ops) return ops.error();
  const std::uint64_t before = allocations_so_far();
  const Result<double> took = cpu_ns_of(task, *ops);
  if (!took) return took.error();
  const std::uint64_t allocations = allocations_so_far() - before;
  proven = task.prove();
  if (!proven.is_ok()) return proven;
  return Measured{.ops = *ops,
                  .cpu_ns = *took / static_cast<double>(*ops),
                  .allocations = static_cast<double>(allocations) / static_cast<double>(*ops),
                  .needed_allocations = task.needed_allocations(),
                  .bytes = task.bytes(),
                  .proven = true};
}

Result<std::uint32_t> cpu_ms_of(std::string_view text) {
  std::uint32_t cpu_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu_ms);
  if (error != std::errc() || end != text.data() + text.size() || cpu_ms > max_cpu_ms) {
    return Status(Code::invalid_argument, "CPU_MS is a whole number up to " +
                                              std::to_string(max_cpu_ms) + ", not \"" +
                                              std::string(text) + "\"");
  }
  return cpu_ms;
}

Result<std::string> run_named(std::string_view bench, std::string_view contestant,
                              std::uint32_t cpu_ms) {
  for (const Row& row : all_contestants().rows) {
    if (row.bench != bench || row.contestant != contestant) continue;
    const Result<std::unique_ptr<Task>> task = row.make();
    if (!task) return task.error();
    const Result<Measured> measured = measure(**task, cpu_ms);
    if (!measured) return measured.error();
    return codec::encode_json(*measured);
  }
  return Status(Code::not_found, "no contestant \"" + std::string(contestant) + "\" at \"" +
                                     std::string(bench) + "\"; codec_bench --list names all");
}

Result<std::string> list() {
  Table table = all_contestants();
  Listing listing{
      .entries = {}, .versions = std::move(table.versions), .missing = std::move(table.missing)};
  for (Row& row : table.rows) {
    listing.entries.push_back({std::move(row.bench), std::move(row.contestant)});
  }
  return codec::encode_json(listing);
}

int print(const Result<std::string>& line) {
  if (!line) return run_error(line.error());
  std::puts(line->c_str());
  return 0;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  if (argc == 2 && std::string_view(argv[1]) == "--list") return bench::print(bench::list());
  if (argc != 4) {
    return bench::usage_error(
        Status(Code::invalid_argument, "usage: codec_bench --list | BENCH CONTESTANT CPU_MS"));
  }
  const Result<std::uint32_t> cpu_ms = bench::cpu_ms_of(argv[3]);
  if (!cpu_ms) return bench::usage_error(cpu_ms.error());
  return bench::print(bench::run_named(argv[1], argv[2], *cpu_ms));
}
