// Tree: the state machine of the store: nodes, times to live, index, history. It has no threads,
// no clock and no I/O; the same commands give the same tree, always. Users hold a Store (store.h),
// which puts a lock, a log and watchers around it.
//
// Not thread-safe: const functions may run beside each other, apply() only alone.
//
//   kv::Tree tree;
//   auto applied = tree.apply({.kind = kv::CommandKind::set, .path = "/a", .value = "1"});
//   Result<kv::EventRef> event = tree.get("/a", {}, now);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/kv/command.h"
#include "parley/kv/event.h"
#include "parley/kv/statistics.h"

namespace parley::kv {

struct TreeOptions {
  // Events kept for watchers that ask for the past. At least 1.
  std::size_t max_history = 1'000;
  // Bytes of these; the last one stays, however large.
  std::size_t max_history_bytes = std::size_t{64} << 20;
  // Nodes that one get() returns; more are resource_exhausted.
  std::size_t max_listed = 100'000;
  // Bytes of what recover() reads. Beyond: resource_exhausted.
  std::size_t max_saved_bytes = std::size_t{1} << 30;
};

struct GetOptions {
  // All that is below, instead of the children alone.
  bool recursive = false;
};

struct Applied {
  // What the writer is told. Null for an `expire` with nothing to take away.
  EventRef event;
  // All that changed, one by one: each has an index of its own.
  std::vector<Change> changes;
};

class Tree {
 public:
  // An empty one at index 0: a root that has no time to live and cannot be written.
  explicit Tree(const TreeOptions& options = {});
  ~Tree();
  Tree(Tree&& other) noexcept;
  Tree& operator=(Tree&& other) noexcept;

  // Makes the change, or fails with a kv::Error and changes nothing, not even the index (counters
  // do count it). Also invalid_argument for what can be no command, see check(). Node names that
  // begin with '_' are hidden: left out where children are listed, found by their path.
  Result<Applied> apply(const Command& command);

  // The node at that path, and if it is a folder its children, by name. `now` is what times to live
  // are counted from. Fails with key_not_found, not_a_dir, or resource_exhausted (max_listed).
  [[nodiscard]] Result<EventRef> get(std::string_view path, GetOptions options, WallTime now) const;

  // Of the history the first event from index `since` on that concerns a watcher of that path; null
  // when there is none yet. history_cleared when what came since is no longer all there.
  [[nodiscard]] Result<EventRef> scan(std::string_view path, bool recursive,
                                      std::uint64_t since) const;

  // How many changes there were.
  [[nodiscard]] std::uint64_t index() const;
  // Nodes, the root not counted.
  [[nodiscard]] std::size_t nodes() const;
  // How many nodes that path lacks, itself included.
  [[nodiscard]] std::size_t missing(std::string_view path) const;
  // When the next node is to go by itself.
  [[nodiscard]] std::optional<WallTime> next_expiration() const;
  // Without gets and watchers, which a tree does not see.
  [[nodiscard]] const Statistics& statistics() const;
  [[nodiscard]] const TreeOptions& options() const;

  // All of it as JSON: nodes, index, history, counters. resource_exhausted beyond max_saved_bytes.
  [[nodiscard]] Result<std::string> save() const;
  // The tree that save() was called on, but for its options. What is overdue is still there: it
  // goes with the next `expire`. data_loss for anything that save() cannot have written, and what
  // is wrong with it.
  static Result<Tree> recover(std::string_view saved, const TreeOptions& options = {});

 private:
  struct State;
  explicit Tree(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace parley::kv
