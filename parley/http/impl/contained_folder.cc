#include "parley/http/impl/contained_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parley/http/syntax.h"

namespace parley::http::impl {
namespace {

// A pipe must not hold up who opens it, and a terminal must not become ours.
constexpr int how_to_open = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
// Times a path is looked up again when a rename anywhere on the machine came between.
constexpr int most_tries = 16;

Status not_found(const std::string& path) {
  return {Code::not_found, "there is no file " + quoted(path, 256) + " in the folder"};
}

}  // namespace

Result<ContainedFolder> ContainedFolder::open(const std::string& path, bool follow_links,
                                              bool use_openat2) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_status(errno, "open the folder " + path);
  return ContainedFolder(std::move(fd), follow_links, use_openat2);
}

int ContainedFolder::open_beneath(const std::string& path) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(how_to_open);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (!follow_links_) how.resolve |= RESOLVE_NO_SYMLINKS;
  for (int tries = 0;; ++tries) {
    const auto fd = ::syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINTR || (errno == EAGAIN && tries < most_tries)) continue;
    if (errno == ENOSYS || errno == EPERM) return walk_to(path);
    return -1;
  }
}

int ContainedFolder::walk_to(const std::string& path) const {
  Fd folder;
  int at = fd_.get();
  std::size_t from = 0;
  for (std::size_t slash = 0; (slash = path.find('/', from)) != std::string::npos;
       from = slash + 1) {
    const std::string part = path.substr(from, slash - from);
    Fd next(::openat(at, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return -1;
    folder = std::move(next);
    at = folder.get();
  }
  return ::openat(at, path.substr(from).c_str(), how_to_open | O_NOFOLLOW);
}

Result<FoundFile> ContainedFolder::find(const std::string& path) const {
  const std::string from_here = path.empty() ? "." : path;
  FoundFile found;
  found.fd.reset(use_openat2_ ? open_beneath(from_here) : walk_to(from_here));
  if (!found.fd) {
    switch (errno) {
      case ENOENT:
      case ENOTDIR:
      case ELOOP:
      case EXDEV:
      case ENAMETOOLONG:
      case ENXIO:  // a socket
        return not_found(path);
      default:
        return errno_status(errno, "open " + path);
    }
  }
  struct stat status{};
  if (::fstat(found.fd.get(), &status) != 0) return errno_status(errno, "look at " + path);
  found.is_file = S_ISREG(status.st_mode);
  found.is_folder = S_ISDIR(status.st_mode);
  found.size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  found.modified_seconds = status.st_mtim.tv_sec;
  found.modified_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  found.inode = status.st_ino;
  return found;
}

}  // namespace parley::http::impl
