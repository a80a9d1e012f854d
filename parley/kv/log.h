// Log: records, numbered from 1 on, appended to files in a folder and made safe by a sync; what a
// crash left of them is read back when it is opened. Knows nothing of what the records mean.
//
// The records are in segments, files "log-<number of the first record>", a new one begun when one
// is full. Each record has a checksum, and names the last record that was safe when it was written.
// So what is broken can be told apart at the next opening:
// - records that were not synced when the machine crashed may be torn: the log is cut before the
//   first of them that is not whole, and goes on from there;
// - anything else that is broken or missing was safe once. Nothing is cut then: data_loss names the
//   file and the place. (Damage within the last records that were synced together looks as a torn
//   end does, and is cut; not after an orderly end, which begins a new segment.)
// Of a log that is never synced (LogOptions::syncs) a crash leaves the first records, any number.
//
// For one thread at a time; calls block their thread for as long as the disk takes. Only one Log
// may be open in a folder, for which durable.h holds a lock.
//
//   auto log = Log::open(files, "/var/lib/shop", snapshot.last, {}, [&](auto, auto record) {
//     return apply(record);
//   });
//   (*log)->append(records);
//   (*log)->sync();                        // now they survive
//   (*log)->remove_up_to(snapshot.last);
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::kv {

namespace impl {
class LogRecovery;
}

inline constexpr std::size_t max_read_record_bytes = std::size_t{64} << 20;

struct LogOptions {
  // When a segment has so many bytes, the next record begins another. It is exceeded by what was
  // appended last.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  // Of one record, at most 4 GiB - 1. Lowering it does not change what a log has: those of up to
  // max_read_record_bytes are read all the same.
  std::size_t max_record_bytes = std::size_t{16} << 20;
  // False: records are never synced, and the names and heads of the files still are.
  bool syncs = true;
};

class Log {
 public:
  // What is done with a record when the log is opened; its error ends that.
  using Take = std::function<Status(std::uint64_t number, std::string_view record)>;

  // Opens the log in `folder`, which is there, or begins one. Hands `take` each record behind
  // `after`, in order, all of which are safe then, with syncs or without; cuts off a torn end; and
  // removes files of which `after` says that they are needed no more.
  // data_loss: what was safe is broken or missing; unimplemented: a newer version wrote it. Nothing
  // was changed in the folder then. Errors of the file system as they are, and that of `take`.
  static Result<std::unique_ptr<Log>> open(Files& files, std::string folder, std::uint64_t after,
                                           const LogOptions& options, const Take& take);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Appends the records, which get the numbers behind last(). invalid_argument for an empty one or
  // one over max_record_bytes; resource_exhausted when the disk is full: none was appended then,
  // for sure, and a later append may do better. An error to begin a new segment is the same.
  // Any other error is for good: status() has it, and all that follows is refused with it. Some of
  // these records may be found at the next opening: those that come first.
  Status append(std::span<const std::string> records);
  // Returns when all records survive a crash. An error is for good, as above, and what was not safe
  // before may be lost. Does nothing without LogOptions::syncs.
  Status sync();
  // Makes the next record the first of a segment, so that a snapshot of all before lets go of whole
  // files. Syncs what is before. After an error the log goes on as it was, unless status() says
  // otherwise.
  Status begin_segment();
  // Removes the segments that have only records up to this number; never the last one. An error
  // leaves some of them, and does no harm.
  Status remove_up_to(std::uint64_t number);

  // The number of the last record, 0 at first, and of the last that is safe.
  [[nodiscard]] std::uint64_t last() const { return last_; }
  [[nodiscard]] std::uint64_t synced() const { return synced_; }
  // Bytes of all segments.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::size_t segments() const { return segments_.size(); }
  // Not ok when the log refuses everything: data_loss.
  [[nodiscard]] const Status& status() const { return broken_; }

  // "FOLDER/log-00000000000000000001".
  static std::string segment_path(const std::string& folder, std::uint64_t first);

 private:
  friend class impl::LogRecovery;
  Log(Files& files, std::string folder, const LogOptions& options)
      : files_(files), folder_(std::move(folder)), options_(options) {}

  Status make_segment(std::uint64_t first);
  Status undo_append(std::uint64_t size, const Status& why);
  Status give_up(std::string_view what, const Status& why);

  Files& files_;
  const std::string folder_;
  const LogOptions options_;
  std::map<std::uint64_t, std::uint64_t> segments_;  // first record: bytes; the last is open
  std::unique_ptr<File> file_;
  std::uint64_t last_ = 0;
  std::uint64_t synced_ = 0;
  std::string writing_;
  Status broken_;
};

}  // namespace parley::kv
