// For tests of Store: a date that a test's clock moves, and a log that does as it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/kv/store.h"
#include "parley/kv/testing/at.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::kv::testing {

// From `start` on, as fast as the clock of the runtime. Inside a fiber only.
inline StoreOptions dated(StoreOptions options = {}) {
  options.wall = [began = rt::now()] { return start + (rt::now() - began); };
  return options;
}

// A step that suits times to live, which are long.
inline void in_virtual_time(const std::function<void()>& body) {
  rt::testing::in_virtual_time(body, std::chrono::milliseconds(2));
}

// What a test sees of a log that a store owns; touch it while the committer waits, or with one
// worker.
struct LogBook {
  std::vector<std::vector<Command>> batches{};
  std::vector<std::uint64_t> indexes{};
  // Asked in each append(); ok keeps the batch.
  std::function<Status()> answer = [] { return Status(); };
  bool broken = false;
  Status applied{};
  std::size_t applied_calls = 0;
  Status closed{};
  std::size_t close_calls = 0;
};

class BookedLog final : public CommandLog {
 public:
  explicit BookedLog(LogBook& book) : book_(book) {}

  Status append(std::span<const Command> batch, std::uint64_t index) override {
    if (Status status = book_.answer(); !status.is_ok()) return status;
    book_.batches.emplace_back(batch.begin(), batch.end());
    book_.indexes.push_back(index);
    return {};
  }
  [[nodiscard]] bool is_broken() const override { return book_.broken; }
  Status applied(const Tree& /*tree*/) override {
    ++book_.applied_calls;
    return book_.applied;
  }
  Status close() override {
    ++book_.close_calls;
    return book_.closed;
  }

 private:
  LogBook& book_;
};

// "set /a 1": action, key and value; an error as told(); "nothing" when there is none yet.
inline std::string next_of(Watcher& watcher) {
  const auto event = watcher.next(rt::Deadline::at(rt::now()));
  if (!event && event.error().code() == Code::deadline_exceeded) return "nothing";
  if (!event && !error_of(event.error())) return std::string(name_of(event.error().code()));
  if (!event) return told(event.error());
  std::string text = std::string(name_of((*event)->action)) + " " + (*event)->node.key;
  if ((*event)->node.value) text += " " + *(*event)->node.value;
  return text;
}

inline Watcher watching(Store& store, std::string_view path, WatchOptions options = {}) {
  auto watcher = store.watch(path, options);
  EXPECT_TRUE(watcher) << watcher.error();
  return *std::move(watcher);
}

// The event of a write that must succeed.
inline Event done(Store& store, const Command& command) {
  auto event = store.write(command);
  if (!event) {
    ADD_FAILURE() << command.path << ": " << event.error();
    return {};
  }
  return **event;
}

}  // namespace parley::kv::testing
