#include <cstdio>

#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/wait_group.h"
#include "reading.h"
#include "special.h"

namespace parley::bench {
namespace {

constexpr std::uint64_t warm_up_fibers = 64;

// Starts `count` fibers that wait for `over` and returns when they do.
void park(rt::Scope& scope, rt::WaitGroup& parked, rt::Event& over, std::uint64_t count) {
  parked.add(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    scope.go("parked", [&parked, &over] {
      parked.done();
      (void)over.wait();  // not cancelled, no deadline
    });
  }
  (void)parked.wait();
}

}  // namespace

Result<std::string> parked(std::uint64_t fibers) {
  rt::Event over;
  rt::WaitGroup waiting;
  rt::Scope scope;
  park(scope, waiting, over, warm_up_fibers);
  const Result<Memory> before = memory_of_this_process();
  park(scope, waiting, over, fibers);
  const Result<Memory> after = memory_of_this_process();
  over.set();
  scope.join();
  if (!before) return before.error();
  if (!after) return after.error();
  const auto each = [fibers](std::uint64_t from, std::uint64_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / static_cast<double>(fibers);
  };
  char line[128];
  std::snprintf(
      line, sizeof line, R"({"ops":%llu,"bytes":%.0f,"page_table_bytes":%.0f,"check":%llu})",
      static_cast<unsigned long long>(fibers), each(before->resident_bytes, after->resident_bytes),
      each(before->page_table_bytes, after->page_table_bytes),
      static_cast<unsigned long long>(fibers));
  return std::string(line);
}

}  // namespace parley::bench
