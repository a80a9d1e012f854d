// Store: the watchable tree for many fibers. Writes are gathered: one fiber, the committer, takes
// all that wait, has the log keep them (command_log.h), applies them, tells the watchers and wakes
// the writers. So nobody reads what a crash could take back, as far as the log keeps what it says;
// and with many writers one sync of the disk does for all of them. Without a log it is in memory.
//
// Nodes whose time has come go by themselves, at most expiry_granularity late, and before any write
// that comes after.
//
// Thread-safe among the fibers of one runtime; made and destroyed inside a fiber.
//
//   kv::Store store;
//   auto event = store.write({.kind = kv::CommandKind::create, .path = "/a", .value = "1"});
//   if (auto now = store.get("/a")) use((*now)->node.value);
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/kv/command.h"
#include "parley/kv/command_log.h"
#include "parley/kv/event.h"
#include "parley/kv/statistics.h"
#include "parley/kv/tree.h"
#include "parley/kv/watch.h"
#include "parley/rt/deadline.h"

namespace parley::kv {

// Beyond a limit a call fails with resource_exhausted, and nothing has happened.
struct StoreOptions {
  CommandLimits limits{};
  // In all. A batch may go over it by what it removes and makes again.
  std::size_t max_nodes = 1'000'000;
  std::size_t max_watchers = 10'000;
  // Events that wait for one watcher; one more ends it. At least 1.
  std::size_t max_queued_events = 100;
  // Writes that wait for the committer, and their bytes.
  std::size_t max_waiting = 10'000;
  std::size_t max_waiting_bytes = std::size_t{64} << 20;
  // Of one batch, for which the log is asked once. One command fits, however large. At least 1.
  std::size_t max_batch = 1'000;
  std::size_t max_batch_bytes = std::size_t{8} << 20;
  // Between two rounds of taking away what is overdue. Must be positive.
  Duration expiry_granularity = std::chrono::milliseconds(100);
  // The date, which times to live are counted by. Empty: the machine's.
  std::function<WallTime()> wall{};
};

struct StoreCounts {
  std::uint64_t batches = 0;
  std::uint64_t commands = 0;  // those that failed included
  std::uint64_t largest_batch = 0;
  std::uint64_t refused_waiting = 0;  // max_waiting, max_waiting_bytes
  std::uint64_t refused_nodes = 0;    // max_nodes
  std::uint64_t overflowed_watchers = 0;
  std::uint64_t failed_saves = 0;  // CommandLog::applied()
};

class Store {
 public:
  // With what `tree` has already, as recovered by who made `log` (null: none).
  explicit Store(Tree tree = Tree(), const StoreOptions& options = {},
                 std::unique_ptr<CommandLog> log = nullptr);
  // As stop().
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Makes the change, and returns what it was; `now` is filled in. Fails with a kv::Error
  // (error.h), and then changed nothing; with what check() says; and with resource_exhausted.
  // When the deadline or the context of the caller ends first: not_sent, if it was taken back and
  // has not happened; outcome_unknown, if it is on its way. When the log fails: its error, if the
  // command was not kept; outcome_unknown, if nobody knows. Then, and from then on, the store takes
  // no writes (data_loss) while reads go on. unavailable once it stops. `expire` is not for users:
  // invalid_argument.
  Result<EventRef> write(Command command, rt::Deadline deadline = {});

  // As Tree::get(). Neither deadline nor cancellation ends it: it waits for a change to be applied
  // at most.
  Result<EventRef> get(std::string_view path, GetOptions options = {});

  // As watch.h tells. history_cleared, if `since` is too long ago; unavailable once it stops.
  Result<Watcher> watch(std::string_view path, const WatchOptions& options = {});

  [[nodiscard]] std::uint64_t index() const;
  // The date as this store has it: for expirations.
  [[nodiscard]] WallTime wall() const;
  [[nodiscard]] Statistics statistics() const;
  [[nodiscard]] StoreCounts counts() const;
  // As Tree::save(), while reads go on and writes wait.
  [[nodiscard]] Result<std::string> save() const;
  [[nodiscard]] const StoreOptions& options() const;
  // Ok while writes are taken; else why not.
  [[nodiscard]] Status status() const;

  // Takes no more writes, finishes those that wait, ends the watchers and closes the log; returns
  // what that said. Reads go on. By one fiber; again it returns the same.
  Status stop();

 private:
  class Committer;

  std::unique_ptr<Committer> committer_;
};

}  // namespace parley::kv
