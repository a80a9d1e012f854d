#include "parley/kv/impl/log_format.h"

#include "parley/base/crc32c.h"

namespace parley::kv::impl {
namespace {

constexpr std::string_view segment_magic = "parleykv";
constexpr std::string_view snapshot_magic = "parleysn";
constexpr std::size_t crc_at = 4;
constexpr std::size_t behind_crc = 8;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return value;
}

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

std::uint32_t crc_of(std::string_view record) {
  return crc32c(record.substr(behind_crc), crc32c(record.substr(0, crc_at)));
}

// What begins a file is as it was written.
Status check_head(std::string_view head, std::string_view magic, std::string_view what) {
  if (head.substr(0, magic.size()) != magic) {
    return {Code::data_loss, "it does not begin as " + std::string(what) + " does"};
  }
  const std::size_t end = head.size() - sizeof(std::uint32_t);
  if (crc32c(head.substr(0, end)) != u32_at(head, end)) {
    return {Code::data_loss, "the checksum of its first bytes is wrong"};
  }
  return {};
}

}  // namespace

void append_u32(std::string& out, std::uint32_t value) { append_number(out, value, 4); }
void append_u64(std::string& out, std::uint64_t value) { append_number(out, value, 8); }

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number_at(bytes, at, 4));
}
std::uint64_t u64_at(std::string_view bytes, std::size_t at) { return number_at(bytes, at, 8); }

std::string encode(const SegmentHead& head) {
  std::string out(segment_magic);
  append_u32(out, head.version);
  append_u64(out, head.first);
  append_u64(out, head.synced);
  append_u32(out, crc32c(out));
  return out;
}

std::string encode(const SnapshotHead& head) {
  std::string out(snapshot_magic);
  append_u32(out, head.version);
  append_u64(out, head.last);
  append_u64(out, head.length);
  append_u32(out, head.crc);
  append_u32(out, crc32c(out));
  return out;
}

Result<SegmentHead> decode_segment_head(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, segment_head_bytes);
  if (Status s = check_head(head, segment_magic, "a log of kv"); !s.is_ok()) return s;
  return SegmentHead{
      .version = u32_at(head, 8), .first = u64_at(head, 12), .synced = u64_at(head, 20)};
}

Result<SnapshotHead> decode_snapshot_head(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, snapshot_head_bytes);
  if (Status s = check_head(head, snapshot_magic, "a snapshot of kv"); !s.is_ok()) return s;
  return SnapshotHead{.version = u32_at(head, 8),
                      .last = u64_at(head, 12),
                      .length = u64_at(head, 20),
                      .crc = u32_at(head, 28)};
}

void append_record(std::string& out, std::uint64_t number, std::uint64_t synced,
                   std::string_view content) {
  const std::size_t begin = out.size();
  append_u32(out, static_cast<std::uint32_t>(content.size()));
  append_u32(out, 0);
  append_u64(out, number);
  append_u64(out, synced);
  out += content;
  std::string crc;
  append_u32(crc, crc_of(std::string_view(out).substr(begin)));
  out.replace(begin + crc_at, crc.size(), crc);
}

RecordHead decode_record_head(std::string_view bytes) {
  return {.length = u32_at(bytes, 0),
          .crc = u32_at(bytes, crc_at),
          .number = u64_at(bytes, behind_crc),
          .synced = u64_at(bytes, 16)};
}

bool is_whole(std::string_view record) {
  return record.size() >= record_head_bytes &&
         record.size() == record_head_bytes + u32_at(record, 0) &&
         crc_of(record) == u32_at(record, crc_at);
}

}  // namespace parley::kv::impl
