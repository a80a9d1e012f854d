// How the log and the snapshot of a store look as bytes: what begins a file, what begins a record.
// Numbers have their lowest byte first. Pure functions; every byte may come from a broken disk.
//
//   segment   "parleykv" | version u32 | first u64 | synced u64 | crc u32 of those before | records
//   record    length u32 | crc u32 | number u64 | synced u64 | `length` bytes
//   snapshot  "parleysn" | version u32 | last u64 | length u64 | crc u32 of the content
//             | crc u32 of those before | `length` bytes
//
// The crc of a record is over all of it but the crc itself. `synced` is the number of the last
// record that was known to be safe when this was written: what is broken at or before it was not
// torn by a crash, but damaged later. What begins a file has this form in all versions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::kv::impl {

inline constexpr std::uint32_t log_version = 1;
inline constexpr std::uint32_t snapshot_version = 1;
inline constexpr std::size_t segment_head_bytes = 32;
inline constexpr std::size_t record_head_bytes = 24;
inline constexpr std::size_t snapshot_head_bytes = 36;

struct SegmentHead {
  std::uint32_t version = log_version;
  std::uint64_t first = 0;  // number of its first record
  std::uint64_t synced = 0;
};

struct RecordHead {
  std::uint32_t length = 0;
  std::uint32_t crc = 0;
  std::uint64_t number = 0;
  std::uint64_t synced = 0;
};

struct SnapshotHead {
  std::uint32_t version = snapshot_version;
  std::uint64_t last = 0;  // number of the last record that is part of it
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
};

std::string encode(const SegmentHead& head);
std::string encode(const SnapshotHead& head);
// Of at least *_head_bytes bytes. data_loss, with no word of where: the caller knows.
Result<SegmentHead> decode_segment_head(std::string_view bytes);
Result<SnapshotHead> decode_snapshot_head(std::string_view bytes);

// Appends a record. `content` has at least one byte and at most 4 GiB - 1.
void append_record(std::string& out, std::uint64_t number, std::uint64_t synced,
                   std::string_view content);
// Of record_head_bytes bytes; says nothing of whether they make sense.
RecordHead decode_record_head(std::string_view bytes);
// Whether `record`, head and content, is as it was written.
bool is_whole(std::string_view record);

// Numbers, lowest byte first; for command_code.h as well.
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
std::uint32_t u32_at(std::string_view bytes, std::size_t at);
std::uint64_t u64_at(std::string_view bytes, std::size_t at);

}  // namespace parley::kv::impl
