// A snapshot: the whole state of a store in one file, and which records of the log are part of it.
// It replaces the one before in one step, so that a crash leaves the old one or the new one. Plain
// functions that block their thread for as long as the disk takes.
//
//   if (Status s = write_snapshot(files, "/var/lib/shop/snapshot", log.last(), tree.save()); ...)
//   auto snapshot = read_snapshot(files, "/var/lib/shop/snapshot", max_snapshot_bytes);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::kv {

struct Snapshot {
  std::uint64_t last = 0;  // number of the last record of the log that is part of it
  std::string state;
};

// Writes `path`.new, syncs it and renames it. After an error the old one or the new one is there.
Status write_snapshot(Files& files, const std::string& path, std::uint64_t last,
                      std::string_view state);

// not_found when there is none; data_loss when it is not as it was written, which no crash does;
// unimplemented when a newer version wrote it; resource_exhausted when the state has more than
// `max_bytes` bytes.
Result<Snapshot> read_snapshot(Files& files, const std::string& path, std::size_t max_bytes);

}  // namespace parley::kv
