// SegmentReader: the records of one file of the log, in bounded memory: a window that moves over
// the file, as large as the largest record or 256 KiB. For one thread; the file outlives it.
//
//   SegmentReader reader(*file, size, options.max_record_bytes);
//   auto record = reader.record_at(offset);
//   if (record && record->wrong.empty()) take(record->content);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/kv/impl/log_format.h"

namespace parley::kv::impl {

struct SegmentRecord {
  RecordHead head;
  std::string_view content;  // until the next call
  std::uint64_t bytes = 0;   // head and content
  std::string_view wrong;    // why there is none; empty when there is one
};

class SegmentReader {
 public:
  SegmentReader(File& file, std::uint64_t size, std::size_t max_record_bytes)
      : file_(file), size_(size), max_record_bytes_(max_record_bytes) {}

  // What stands at `offset`, which is before the end of the file. Errors are those of reading.
  Result<SegmentRecord> record_at(std::uint64_t offset);
  // The first whole record at or behind `offset`, if any, with such a number and that says of so
  // many records at least that they were safe. For telling a torn end from damage: looks at every
  // byte.
  Result<std::optional<RecordHead>> find_record(std::uint64_t offset, std::uint64_t least_number,
                                                std::uint64_t least_synced);
  // What begins the file; data_loss when it is too short or not as it was written.
  Result<SegmentHead> head();

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  // Bytes from `offset` on: `count`, or as many as there are.
  Result<std::string_view> window(std::uint64_t offset, std::size_t count);

  File& file_;
  const std::uint64_t size_;
  const std::size_t max_record_bytes_;
  std::string buffer_;
  std::uint64_t begin_ = 0;  // where in the file the buffer begins
};

}  // namespace parley::kv::impl
