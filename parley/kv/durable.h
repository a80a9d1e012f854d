// Durable: what makes a store survive: a folder with a snapshot of the tree and the log of all
// commands since. open_durable() reads both, and gives the tree and the CommandLog for a Store.
//
// A command is in the log before it is applied. What a crash may take back is a matter of the
// SyncPolicy; whatever it is, the tree found afterwards is one that was there: of all commands the
// first ones, none half, none left out. When the log has grown by snapshot_after_bytes, the tree is
// saved beside it while writes go on, and the log before it is let go.
//
// A sync that fails is for good: is_broken(), and the store refuses writes from then on. A full
// disk is not: those writes fail, for sure, and later ones may do better.
//
// open_durable() and the destructor are called inside a fiber. A CommandLog is for one fiber, the
// store's committer. Every call to the disk goes through rt::blocking(). `files` must outlive it.
//
//   RealFiles files;
//   auto durable = kv::open_durable(files, "/var/lib/shop", {.policy = kv::SyncPolicy::interval});
//   if (!durable) return durable.error();
//   kv::Store store(std::move(durable->tree), {}, std::move(durable->log));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/kv/command_log.h"
#include "parley/kv/tree.h"

namespace parley::kv {

enum class SyncPolicy : std::uint8_t {
  // A write is answered, and can be read, once it survives a crash of the machine.
  always,
  // At most sync_interval later: a crash of the machine takes back the writes since the last sync.
  // One of the process alone takes back none.
  interval,
  // When the system likes: a crash of the machine takes back any number of the last writes, but
  // none before the last snapshot. One of the process alone takes back none.
  never,
};

// "always", "interval", "never".
std::string_view name_of(SyncPolicy policy) noexcept;

struct DurableOptions {
  SyncPolicy policy = SyncPolicy::always;
  // Of SyncPolicy::interval. Positive.
  Duration sync_interval = std::chrono::milliseconds(100);
  // A snapshot is taken when the log behind the last one has so many bytes.
  std::uint64_t snapshot_after_bytes = std::uint64_t{64} << 20;
  // Of a snapshot. One that would be larger is not taken, and the log grows on; one that is larger
  // is not read: resource_exhausted.
  std::size_t max_snapshot_bytes = std::size_t{1} << 30;
  // Of a file of the log, and of one command in it: see LogOptions. A batch with a command that is
  // larger, with what belongs to it, is refused: StoreOptions::limits keep well below it.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  std::size_t max_record_bytes = std::size_t{16} << 20;
  TreeOptions tree{};
};

// What open_durable() did.
struct RecoveryReport {
  bool had_snapshot = false;
  // Commands that were replayed behind it.
  std::uint64_t commands = 0;
};

struct DurableStore {
  Tree tree;
  std::unique_ptr<CommandLog> log;
  RecoveryReport report{};
};

// Opens the store in `folder`, or begins one; the folder is made if the one above is there. It is
// locked until the CommandLog goes: failed_precondition, at once, when another process, or another
// store of this one, has it. data_loss names the file, the place and what to do when something is
// broken or missing that no crash can have taken: nothing was changed then. unimplemented when a
// newer version wrote it; resource_exhausted beyond max_snapshot_bytes; otherwise what the file
// system said. An option out of its range is a bug. Not ended by the context of the fiber.
Result<DurableStore> open_durable(Files& files, const std::string& folder,
                                  const DurableOptions& options = {});

}  // namespace parley::kv
