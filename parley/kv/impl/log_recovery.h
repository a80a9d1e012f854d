// LogRecovery: what Log::open() does. Reads the segments in their order; at the first place that is
// not as it should be, looks whether anything behind it says that it was safe; cuts, or refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/kv/impl/segment_reader.h"
#include "parley/kv/log.h"

namespace parley::kv::impl {

// Where the log stops making sense.
struct BrokenPlace {
  std::uint64_t segment = 0;  // its first record, as its name says
  std::uint64_t offset = 0;
  std::string why;
};

class LogRecovery {
 public:
  LogRecovery(Log& log, std::uint64_t after, const Log::Take& take)
      : log_(log), after_(after), take_(take) {}

  Status run();

 private:
  Status find_segments();
  Status read_segments();
  Status read_segment(std::uint64_t first);
  Status read_records(std::uint64_t first, SegmentReader& reader);
  Status check_that_it_was_torn();
  Status check_segment_behind(std::uint64_t first) const;
  Status check_leftover(std::uint64_t first) const;
  Status remove_dropped();
  Status go_on();
  static Status write_again(File& file, std::uint64_t size);

  Result<std::unique_ptr<File>> open(std::uint64_t first, OpenMode mode) const;
  Status look_for(SegmentReader& reader, std::uint64_t offset, std::uint64_t least_number,
                  std::uint64_t least_synced, std::uint64_t segment) const;
  [[nodiscard]] Status damaged(const std::string& evidence) const;
  [[nodiscard]] Status too_new(std::uint64_t first, std::uint32_t version) const;
  [[nodiscard]] std::string path_of(std::uint64_t first) const;
  [[nodiscard]] std::size_t max_record_bytes() const;

  Log& log_;
  const std::uint64_t after_;
  const Log::Take& take_;
  std::map<std::uint64_t, std::uint64_t> found_;  // segments behind `after`: first record, bytes
  std::set<std::uint64_t> dropped_;               // those to be removed
  std::optional<BrokenPlace> broken_;
};

}  // namespace parley::kv::impl
