#include "parley/kv/impl/segment_reader.h"

#include <algorithm>

namespace parley::kv::impl {
namespace {

constexpr std::size_t window_bytes = std::size_t{256} << 10;

}  // namespace

Result<std::string_view> SegmentReader::window(std::uint64_t offset, std::size_t count) {
  const std::uint64_t end = begin_ + buffer_.size();
  const std::uint64_t wanted = std::min<std::uint64_t>(size_, offset + count);
  if (offset >= wanted) return std::string_view();
  if (offset < begin_ || wanted > end) {
    const std::uint64_t left = size_ - offset;
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(left, std::max<std::size_t>(count, window_bytes)));
    buffer_.resize(size);
    begin_ = offset;
    const auto got = file_.read_at(offset, buffer_);
    if (!got) {
      buffer_.clear();
      return got.error();
    }
    buffer_.resize(*got);
  }
  return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - begin_), count);
}

Result<SegmentRecord> SegmentReader::record_at(std::uint64_t offset) {
  SegmentRecord record;
  auto bytes = window(offset, record_head_bytes);
  if (!bytes) return bytes.error();
  if (bytes->size() < record_head_bytes) {
    record.wrong = "the file ends within a record";
    return record;
  }
  record.head = decode_record_head(*bytes);
  if (record.head.length == 0 || record.head.length > max_record_bytes_) {
    record.wrong = "its length makes no sense";
    return record;
  }
  record.bytes = record_head_bytes + record.head.length;
  bytes = window(offset, static_cast<std::size_t>(record.bytes));
  if (!bytes) return bytes.error();
  if (bytes->size() < record.bytes) {
    record.wrong = "the file ends within a record";
  } else if (!is_whole(*bytes)) {
    record.wrong = "its checksum is wrong";
  } else {
    record.content = bytes->substr(record_head_bytes);
  }
  return record;
}

Result<std::optional<RecordHead>> SegmentReader::find_record(std::uint64_t offset,
                                                             std::uint64_t least_number,
                                                             std::uint64_t least_synced) {
  for (; offset + record_head_bytes < size_; ++offset) {
    const auto bytes = window(offset, record_head_bytes);
    if (!bytes) return bytes.error();
    if (bytes->size() < record_head_bytes) break;
    const RecordHead head = decode_record_head(*bytes);
    // Of a number that cannot be here there are too many to compute the checksum of each.
    const bool may_be = head.length != 0 && head.length <= max_record_bytes_ &&
                        head.length <= size_ - offset - record_head_bytes &&
                        head.number >= least_number && head.number - least_number <= size_ &&
                        head.synced >= least_synced && head.synced < head.number;
    if (!may_be) continue;
    const auto record = record_at(offset);
    if (!record) return record.error();
    if (record->wrong.empty()) return std::optional(record->head);
  }
  return std::optional<RecordHead>();
}

Result<SegmentHead> SegmentReader::head() {
  const auto bytes = window(0, segment_head_bytes);
  if (!bytes) return bytes.error();
  if (bytes->size() < segment_head_bytes) {
    return Status(Code::data_loss, "it is too short for what begins it");
  }
  return decode_segment_head(*bytes);
}

}  // namespace parley::kv::impl
