#include "parley/kv/impl/log_recovery.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace parley::kv::impl {
namespace {

constexpr std::string_view prefix = "log-";
constexpr std::size_t digits = 20;

// The number in the name of a segment; nothing for another name.
std::optional<std::uint64_t> first_in(std::string_view name) {
  if (name.size() != prefix.size() + digits || name.substr(0, prefix.size()) != prefix) return {};
  name.remove_prefix(prefix.size());
  std::uint64_t first = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), first);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || first == 0) return {};
  return first;
}

}  // namespace

std::string LogRecovery::path_of(std::uint64_t first) const {
  return Log::segment_path(log_.folder_, first);
}

Result<std::unique_ptr<File>> LogRecovery::open(std::uint64_t first, OpenMode mode) const {
  return log_.files_.open(path_of(first), mode);
}

std::size_t LogRecovery::max_record_bytes() const {
  return std::max(log_.options_.max_record_bytes, max_read_record_bytes);
}

Status LogRecovery::run() {
  log_.last_ = after_;
  log_.synced_ = after_;
  if (Status s = find_segments(); !s.is_ok()) return s;
  if (Status s = read_segments(); !s.is_ok()) return s;
  if (broken_) {
    if (Status s = check_that_it_was_torn(); !s.is_ok()) return s;
    // From here on nothing was safe.
    for (const auto& [first, bytes] : found_) {
      const bool goes = first > broken_->segment ||
                        (first == broken_->segment && broken_->offset < segment_head_bytes);
      if (goes) dropped_.insert(first);
    }
  }
  if (Status s = remove_dropped(); !s.is_ok()) return s;
  return go_on();
}

Status LogRecovery::find_segments() {
  auto names = log_.files_.list(log_.folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto first = first_in(name);
    if (!first) continue;
    if (*first <= after_) {
      dropped_.insert(*first);
      continue;
    }
    const auto size = log_.files_.size_of(path_of(*first));
    if (!size) return size.error();
    found_[*first] = *size;
  }
  const bool is_new = after_ == 0 && found_.empty();
  if (is_new || (!found_.empty() && found_.begin()->first == after_ + 1)) return {};
  const std::string path = path_of(after_ + 1);
  if (after_ == 0) {
    return {Code::data_loss, "the log in " + log_.folder_ + " begins with record " +
                                 std::to_string(found_.begin()->first) +
                                 ", and there is no snapshot of those before: restore the file "
                                 "\"snapshot\", or " +
                                 path + " and those behind it"};
  }
  return {Code::data_loss, "the log behind the snapshot is missing: restore " + path +
                               ". If it is lost for good, or the snapshot alone is to be used, "
                               "make an empty file of that name"};
}

Status LogRecovery::read_segments() {
  for (const auto& [first, bytes] : found_) {
    const std::uint64_t expected = log_.last_ + 1;
    if (first < expected) {
      if (Status s = check_leftover(first); !s.is_ok()) return s;
      dropped_.insert(first);
      continue;
    }
    if (first > expected) {
      broken_ =
          BrokenPlace{.segment = first,
                      .offset = 0,
                      .why = "it begins with record " + std::to_string(first) +
                             ", and those from " + std::to_string(expected) + " on are nowhere"};
      return {};
    }
    if (Status s = read_segment(first); !s.is_ok()) return s;
    if (broken_) return {};
  }
  return {};
}

// Of a segment that could not be made, or not removed again.
Status LogRecovery::check_leftover(std::uint64_t first) const {
  const auto file = open(first, OpenMode::read);
  if (!file) return file.error();
  SegmentReader reader(**file, found_.at(first), max_record_bytes());
  const auto record = reader.find_record(0, first, 0);
  if (!record) return record.error();
  if (!*record) return {};
  return {Code::data_loss, path_of(first) + " has record " + std::to_string((*record)->number) +
                               ", which another file of the log has as well: move one of them "
                               "out of the folder. Nothing was changed in it"};
}

Status LogRecovery::read_segment(std::uint64_t first) {
  const auto file = open(first, OpenMode::read);
  if (!file) return file.error();
  SegmentReader reader(**file, found_.at(first), max_record_bytes());
  const auto head = reader.head();
  if (!head && head.error().code() != Code::data_loss) return head.error();
  if (head && head->version > log_version) return too_new(first, head->version);
  if (!head || head->first != first) {
    const std::string why = head ? "its name is that of another file" : head.error().message();
    broken_ = BrokenPlace{.segment = first, .offset = 0, .why = why};
    return {};
  }
  return read_records(first, reader);
}

Status LogRecovery::read_records(std::uint64_t first, SegmentReader& reader) {
  for (std::uint64_t offset = segment_head_bytes; offset < reader.size();) {
    const auto record = reader.record_at(offset);
    if (!record) return record.error();
    const std::uint64_t expected = log_.last_ + 1;
    if (!record->wrong.empty() || record->head.number != expected) {
      std::string why(record->wrong);
      if (why.empty()) why = "it is record " + std::to_string(record->head.number);
      broken_ = BrokenPlace{.segment = first, .offset = offset, .why = std::move(why)};
      return {};
    }
    if (Status s = take_(expected, record->content); !s.is_ok()) {
      return s.with_context(path_of(first) + ", byte " + std::to_string(offset));
    }
    log_.last_ = expected;
    offset += record->bytes;
  }
  return {};
}

Status LogRecovery::check_that_it_was_torn() {
  const std::uint64_t expected = log_.last_ + 1;
  for (auto it = found_.find(broken_->segment); it != found_.end(); ++it) {
    const std::uint64_t first = it->first;
    if (first > broken_->segment || first > expected) {
      if (Status s = check_segment_behind(first); !s.is_ok()) return s;
      continue;
    }
    const auto file = open(first, OpenMode::read);
    if (!file) return file.error();
    SegmentReader reader(**file, it->second, max_record_bytes());
    // A head was safe before any record came behind it.
    const bool by_head = broken_->offset == 0;
    const Status found = by_head ? look_for(reader, 0, first, 0, first)
                                 : look_for(reader, broken_->offset, expected, expected, first);
    if (!found.is_ok()) return found;
  }
  return {};
}

Status LogRecovery::check_segment_behind(std::uint64_t first) const {
  const auto file = open(first, OpenMode::read);
  if (!file) return file.error();
  SegmentReader reader(**file, found_.at(first), max_record_bytes());
  const auto head = reader.head();
  if (!head && head.error().code() != Code::data_loss) return head.error();
  if (head && head->version > log_version) return too_new(first, head->version);
  if (head && head->synced > log_.last_) {
    return damaged(path_of(first) + " was begun when records up to " +
                   std::to_string(head->synced) + " were safe");
  }
  return look_for(reader, 0, first, log_.last_ + 1, first);
}

Status LogRecovery::look_for(SegmentReader& reader, std::uint64_t offset,
                             std::uint64_t least_number, std::uint64_t least_synced,
                             std::uint64_t segment) const {
  const auto record = reader.find_record(offset, least_number, least_synced);
  if (!record) return record.error();
  if (!*record) return {};
  return damaged("record " + std::to_string((*record)->number) + " in " + path_of(segment) +
                 " was written when it was safe");
}

Status LogRecovery::damaged(const std::string& evidence) const {
  const std::string path = path_of(broken_->segment);
  const std::string next = std::to_string(log_.last_ + 1);
  const std::string offset = std::to_string(broken_->offset);
  return {Code::data_loss,
          "the log is damaged at " + path + ", byte " + offset + ": " + broken_->why + ". Record " +
              next + " is missing, and no crash did that: " + evidence +
              ". Nothing was changed; restore the folder from a copy. To do without record " +
              next + " and all behind it: truncate -s " + offset + " " + path +
              ", and remove the files of the log behind it"};
}

Status LogRecovery::too_new(std::uint64_t first, std::uint32_t version) const {
  return {Code::unimplemented, path_of(first) + " is of version " + std::to_string(version) +
                                   ", and this program reads up to version " +
                                   std::to_string(log_version) +
                                   ": use the one that wrote it, or a newer one"};
}

// The last ones first, so that those left after a crash are still the first ones. What comes back
// at one is still nothing, until the log goes on: go_on() syncs the folder.
Status LogRecovery::remove_dropped() {
  for (auto it = dropped_.rbegin(); it != dropped_.rend(); ++it) {
    if (Status s = log_.files_.remove(path_of(*it)); !s.is_ok()) return s;
    found_.erase(*it);
  }
  return {};
}

Status LogRecovery::write_again(File& file, std::uint64_t size) {
  constexpr std::uint64_t at_once = 128 * 1024;
  constexpr std::uint64_t between_syncs = 4 * at_once;  // as much as the system has to keep of it
  std::string part;
  for (std::uint64_t at = 0; at < size; at += part.size()) {
    part.resize(static_cast<std::size_t>(std::min(size - at, at_once)));
    const auto got = file.read_at(at, part);
    if (!got) return got.error();
    part.resize(*got);
    if (part.empty()) return {Code::data_loss, file.path() + " became shorter while it was read"};
    if (Status s = file.write_at(at, part); !s.is_ok()) return s;
    if ((at + part.size()) % between_syncs != 0) continue;
    if (Status s = file.sync(); !s.is_ok()) return s;
  }
  return {};
}

// All that was read is made safe, for it may have been written by a process that was killed: others
// are going to see it now. Written again, because after a sync that failed the kernel takes for
// clean what never reached the disk (fsync(2), EIO): a sync alone would say ok.
Status LogRecovery::go_on() {
  for (auto& [first, bytes] : found_) {
    auto file = open(first, OpenMode::write);
    if (!file) return file.error();
    if (broken_ && broken_->segment == first) {
      if (Status s = (*file)->truncate(broken_->offset); !s.is_ok()) return s;
      bytes = broken_->offset;
    }
    if (Status s = write_again(**file, bytes); !s.is_ok()) return s;
    if (Status s = (*file)->sync(); !s.is_ok()) return s;
    log_.segments_[first] = bytes;
    log_.file_ = *std::move(file);
  }
  // Their names as well, and that others are gone.
  if (Status s = log_.files_.sync_directory(log_.folder_); !s.is_ok()) return s;
  log_.synced_ = log_.last_;
  return log_.segments_.empty() ? log_.make_segment(log_.last_ + 1) : Status();
}

}  // namespace parley::kv::impl
