// A folder out of which no path leads: what is opened in it is in it. The seam of base/files.h does
// not do here, as it knows neither times nor a folder to stay in. Private to http. Its calls block
// their thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "parley/base/fd.h"
#include "parley/base/result.h"

namespace parley::http::impl {

struct FoundFile {
  Fd fd{};
  bool is_file = false;  // a regular one
  bool is_folder = false;
  std::uint64_t size = 0;
  std::int64_t modified_seconds = 0;
  std::uint32_t modified_nanoseconds = 0;
  std::uint64_t inode = 0;
};

class ContainedFolder {
 public:
  // `use_openat2` false: as on a kernel without it, where no symbolic link is followed at all.
  static Result<ContainedFolder> open(const std::string& path, bool follow_links,
                                      bool use_openat2 = true);

  // `path` has no empty, "." or ".." part and begins with no slash; "" is the folder itself.
  // not_found, too, for a link that leads out of the folder or may not be followed.
  [[nodiscard]] Result<FoundFile> find(const std::string& path) const;

 private:
  ContainedFolder(Fd fd, bool follow_links, bool use_openat2)
      : fd_(std::move(fd)), follow_links_(follow_links), use_openat2_(use_openat2) {}
  [[nodiscard]] int open_beneath(const std::string& path) const;
  [[nodiscard]] int walk_to(const std::string& path) const;

  Fd fd_;
  bool follow_links_;
  bool use_openat2_;
};

}  // namespace parley::http::impl
