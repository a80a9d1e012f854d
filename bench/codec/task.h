// What is timed: one contestant at one bench, as a Task; and the Table of all there are.
//
//   for (const Row& row : table.rows) { ... row.make() ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::bench {

class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  // Does the operation and compares what came of it with what should. To be asked before a figure
  // is believed, and after it too: what is reused must not have gone astray.
  virtual Status prove() = 0;
  // Does the operation `ops` times; fails when one of them failed.
  virtual Status run(std::uint64_t ops) = 0;
  // Of the text that is written or read; known after prove().
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  // How often one operation has to ask for memory: what is built anew, and nothing beside it.
  [[nodiscard]] virtual std::uint64_t needed_allocations() const = 0;
};

struct Row {
  std::string bench;       // json.decode.order_reused
  std::string contestant;  // simdjson
  std::function<Result<std::unique_ptr<Task>>()> make;
};

struct Table {
  std::vector<Row> rows;
  std::map<std::string, std::string> versions;  // of the foreign contestants
  std::map<std::string, std::string> missing;   // those that could be here, and why they are not
};

// Tells the compiler that somebody looks at `object`, so that it has to be made.
template <class T>
void keep(const T& object) {
  asm volatile("" : : "r"(&object) : "memory");
}

}  // namespace parley::bench
