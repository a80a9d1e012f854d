#include "parley/kv/log.h"

#include <iterator>
#include <limits>
#include <optional>
#include <vector>

#include "parley/base/assert.h"
#include "parley/kv/impl/log_format.h"
#include "parley/kv/impl/log_recovery.h"

namespace parley::kv {

std::string Log::segment_path(const std::string& folder, std::uint64_t first) {
  constexpr std::size_t digits = 20;  // of the largest number
  const std::string number = std::to_string(first);
  return folder + "/log-" + std::string(digits - number.size(), '0') + number;
}

Result<std::unique_ptr<Log>> Log::open(Files& files, std::string folder, std::uint64_t after,
                                       const LogOptions& options, const Take& take) {
  PARLEY_ASSERT(options.max_record_bytes <= std::numeric_limits<std::uint32_t>::max(),
                "LogOptions::max_record_bytes: at most 4 GiB - 1");
  std::unique_ptr<Log> log(new Log(files, std::move(folder), options));
  impl::LogRecovery recovery(*log, after, take);
  if (Status s = recovery.run(); !s.is_ok()) return s;
  return log;
}

std::uint64_t Log::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [first, bytes] : segments_) sum += bytes;
  return sum;
}

Status Log::give_up(std::string_view what, const Status& why) {
  broken_ = Status(Code::data_loss,
                   std::string(what) + " failed, so " + file_->path() +
                       " takes nothing more: what "
                       "is behind record " +
                       std::to_string(synced_) +
                       " may be lost at a crash. Look "
                       "at the disk, then open the store again: it finds out what is there")
                .with_cause(why.to_string());
  return broken_;
}

Status Log::append(std::span<const std::string> records) {
  if (!broken_.is_ok()) return broken_;
  for (const std::string& record : records) {
    if (!record.empty() && record.size() <= options_.max_record_bytes) continue;
    return {Code::invalid_argument,
            "a record of the log has " + std::to_string(record.size()) + " bytes, not 1 to " +
                std::to_string(options_.max_record_bytes) + " (max_record_bytes)"};
  }
  if (records.empty()) return {};
  if (segments_.rbegin()->second >= options_.segment_bytes) {
    if (Status s = begin_segment(); !s.is_ok()) return s;
  }
  writing_.clear();
  std::uint64_t number = last_;
  for (const std::string& record : records) {
    impl::append_record(writing_, ++number, synced_, record);
  }
  std::uint64_t& bytes = segments_.rbegin()->second;
  if (Status s = file_->append(writing_); !s.is_ok()) return undo_append(bytes, s);
  bytes += writing_.size();
  last_ = number;
  return {};
}

// A full disk is no broken one: what was written of the records is taken away, for sure, and then
// it is as if nobody had tried.
Status Log::undo_append(std::uint64_t size, const Status& why) {
  if (why.code() != Code::resource_exhausted) return give_up("writing", why);
  if (Status s = file_->truncate(size); !s.is_ok()) return give_up("taking back a write", s);
  if (Status s = file_->sync(); !s.is_ok()) return give_up("taking back a write", s);
  if (options_.syncs) synced_ = last_;
  return why.with_context("nothing was appended to the log");
}

Status Log::sync() {
  if (!broken_.is_ok()) return broken_;
  if (!options_.syncs || synced_ == last_) return {};
  if (Status s = file_->sync(); !s.is_ok()) return give_up("sync", s);
  synced_ = last_;
  return {};
}

Status Log::begin_segment() {
  if (!broken_.is_ok()) return broken_;
  if (segments_.rbegin()->first == last_ + 1) return {};  // it has no record yet
  if (Status s = sync(); !s.is_ok()) return s;
  return make_segment(last_ + 1);
}

// The head of a segment is safe before a record comes behind it, so that a broken one was not torn.
// What is left of a segment that could not be made has no record, and is taken for nothing.
Status Log::make_segment(std::uint64_t first) {
  const std::string path = segment_path(folder_, first);
  const impl::SegmentHead head{.first = first, .synced = synced_};
  auto file = files_.open(path, OpenMode::create);
  if (!file) return file.error().with_context("begin another file of the log");
  Status made = (*file)->truncate(0);
  if (made.is_ok()) made = (*file)->append(impl::encode(head));
  if (made.is_ok()) made = (*file)->sync();
  if (made.is_ok()) made = files_.sync_directory(folder_);
  if (!made.is_ok()) {
    (void)files_.remove(path);
    return made.with_context("begin another file of the log");
  }
  file_ = *std::move(file);
  segments_[first] = impl::segment_head_bytes;
  return {};
}

Status Log::remove_up_to(std::uint64_t number) {
  if (!broken_.is_ok()) return broken_;
  bool removed = false;
  while (segments_.size() > 1 && std::next(segments_.begin())->first <= number + 1) {
    const std::string path = segment_path(folder_, segments_.begin()->first);
    if (Status s = files_.remove(path); !s.is_ok() && s.code() != Code::not_found) return s;
    segments_.erase(segments_.begin());
    removed = true;
  }
  return removed ? files_.sync_directory(folder_) : Status();
}

}  // namespace parley::kv
