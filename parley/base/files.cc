#include "parley/base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "parley/base/fd.h"

namespace parley {
namespace {

constexpr mode_t owner_only = 0600;
constexpr mode_t owner_only_folder = 0700;

std::string about(std::string_view what, std::string_view path) {
  return std::string(what) + " " + std::string(path);
}

// Calls until a signal no longer interrupts it.
template <class Call>
auto again(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

Status synced(int fd, std::string_view what, const std::string& path) {
  // Not asked again when interrupted: fdatasync(2) knows no EINTR, and its other errors are final.
  if (::fdatasync(fd) == 0) return {};
  return errno_status(errno, about(what, path));
}

Result<std::uint64_t> size_by(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno_status(errno, about("ask for the size of", path));
  if (!S_ISREG(status.st_mode)) {
    return Status(Code::failed_precondition,
                  about("ask for the size of", path) + ": it is not a file");
  }
  return static_cast<std::uint64_t>(status.st_size);
}

class RealFile final : public File {
 public:
  RealFile(Fd fd, std::string path, std::uint64_t size, bool writable)
      : fd_(std::move(fd)), path_(std::move(path)), end_(size), writable_(writable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto count = again([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (count < 0) return errno_status(errno, about("read", path_));
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Status write_at(std::uint64_t offset, std::string_view data) override {
    if (!writable_) return opened_for_reading("write", path_);
    while (!data.empty()) {
      const auto count = again([&] {
        return ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      });
      if (count < 0) return errno_status(errno, about("write", path_));
      data.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
      end_ = std::max(end_, offset);
    }
    return {};
  }

  Status append(std::string_view data) override { return write_at(end_, data); }

  Status truncate(std::uint64_t size) override {
    if (!writable_) return opened_for_reading("truncate", path_);
    if (again([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return errno_status(errno, about("truncate", path_));
    }
    end_ = size;
    return {};
  }

  Status sync() override { return synced(fd_.get(), "sync", path_); }
  Result<std::uint64_t> size() override { return size_by(fd_.get(), path_); }
  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  const Fd fd_;
  const std::string path_;
  std::uint64_t end_;
  const bool writable_;
};

class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  const Fd fd_;  // closing it unlocks
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// Who has the lock, as it said itself: for people.
std::string holder_in(int fd) {
  std::array<char, 20> text{};
  const auto size = ::pread(fd, text.data(), text.size(), 0);
  const std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const bool is_number = !holder.empty() && std::all_of(holder.begin(), holder.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  return is_number ? "process " + holder + " has it" : "somebody has it";
}

}  // namespace

Status opened_for_reading(std::string_view what, std::string_view path) {
  return {Code::failed_precondition, about(what, path) + ": it was opened for reading"};
}

Status check_path(std::string_view what, std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return Status(Code::invalid_argument,
                  about(what, path.substr(0, max_path)) + ": " + std::string(why));
  };
  if (path.empty() || path.front() != '/') {
    return refuse("a path begins with '/': std::filesystem::absolute() makes it whole");
  }
  if (path.size() > max_path) return refuse("the path is longer than max_path");
  if (path.find('\0') != std::string_view::npos) return refuse("the path has a zero byte");
  if (path == "/") return {};
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") {
      return refuse("a path has no empty, \".\" or \"..\" part");
    }
    at = end + 1;
  }
  return {};
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view name_in_folder(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Result<std::unique_ptr<File>> RealFiles::open(const std::string& path, OpenMode mode) {
  if (Status s = check_path("open", path); !s.is_ok()) return s;
  const int flags = flags_of(mode) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Fd fd(again([&] { return ::open(path.c_str(), flags, owner_only); }));
  if (!fd) return errno_status(errno, about("open", path));
  const auto size = size_by(fd.get(), path);
  if (!size) return size.error().with_context("open");
  return std::unique_ptr<File>(new RealFile(std::move(fd), path, *size, mode != OpenMode::read));
}

Status RealFiles::rename(const std::string& from, const std::string& to) {
  if (Status s = check_path("rename", from); !s.is_ok()) return s;
  if (Status s = check_path("rename to", to); !s.is_ok()) return s;
  const std::string what = "rename " + from + " to " + to;
  if (folder_of(from) != folder_of(to)) {
    return {Code::invalid_argument, what + ": both must be in the same folder"};
  }
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return errno_status(errno, what);
}

Status RealFiles::remove(const std::string& path) {
  if (Status s = check_path("remove", path); !s.is_ok()) return s;
  if (::remove(path.c_str()) == 0) return {};
  return errno_status(errno, about("remove", path));
}

Status RealFiles::make_directory(const std::string& path) {
  if (Status s = check_path("make folder", path); !s.is_ok()) return s;
  if (::mkdir(path.c_str(), owner_only_folder) == 0) return {};
  return errno_status(errno, about("make folder", path));
}

Status RealFiles::sync_directory(const std::string& path) {
  if (Status s = check_path("sync folder", path); !s.is_ok()) return s;
  const Fd fd(again([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd) return errno_status(errno, about("sync folder", path));
  if (::fsync(fd.get()) == 0) return {};
  return errno_status(errno, about("sync folder", path));
}

Result<std::vector<std::string>> RealFiles::list(const std::string& path) {
  if (Status s = check_path("list", path); !s.is_ok()) return s;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (folder == nullptr) return errno_status(errno, about("list", path));
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == max_listed) {
      return Status(Code::resource_exhausted, about("list", path) + ": more than max_listed names");
    }
    names.emplace_back(name);
  }
  if (errno != 0) return errno_status(errno, about("list", path));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::uint64_t> RealFiles::size_of(const std::string& path) {
  if (Status s = check_path("ask for the size of", path); !s.is_ok()) return s;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return errno_status(errno, about("ask for the size of", path));
  }
  if (!S_ISREG(status.st_mode)) {
    return Status(Code::failed_precondition,
                  about("ask for the size of", path) + ": it is not a file");
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::unique_ptr<FileLock>> RealFiles::lock(const std::string& path) {
  if (Status s = check_path("lock", path); !s.is_ok()) return s;
  Fd fd(again([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only); }));
  if (!fd) return errno_status(errno, about("lock", path));
  if (again([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return errno_status(errno, about("lock", path));
    return Status(Code::failed_precondition, about("lock", path) + ": " + holder_in(fd.get()));
  }
  // For the message of who comes next; the lock holds without it.
  const std::string holder = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(fd.get(), holder.data(), holder.size(), 0);
  }
  return std::unique_ptr<FileLock>(new RealFileLock(std::move(fd)));
}

Result<std::string> read_file(Files& files, const std::string& path, std::size_t most) {
  const auto file = files.open(path, OpenMode::read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > most) {
    return Status(Code::resource_exhausted, about("read", path) + ": it has " +
                                                std::to_string(*size) + " bytes, more than the " +
                                                std::to_string(most) + " asked for");
  }
  std::string content(static_cast<std::size_t>(*size), '\0');
  const auto count = (*file)->read_at(0, content);
  if (!count) return count.error();
  content.resize(*count);
  return content;
}

Status replace_file(Files& files, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    const auto file = files.open(fresh, OpenMode::create);
    if (!file) return file.error();
    if (Status s = (*file)->truncate(0); !s.is_ok()) return s;  // of a try that was cut short
    if (Status s = (*file)->append(content); !s.is_ok()) return s;
    if (Status s = (*file)->sync(); !s.is_ok()) return s;
  }
  if (Status s = files.rename(fresh, path); !s.is_ok()) return s;
  return files.sync_directory(std::string(folder_of(path)));
}

}  // namespace parley
