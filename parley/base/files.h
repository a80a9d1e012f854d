// Files: the seam through which the house reaches a file system, so that a test can own it. What a
// log and a store need to survive a crash, and nothing more.
//
// RealFiles is the machine's; MemoryFiles (memory_files.h) forgets at a crash what was not synced.
// These are plain calls that block their thread for as long as the disk takes: on a fiber they go
// through rt::blocking(). A Files may be used by any thread.
//
//   RealFiles files;
//   auto log = files.open("/var/lib/shop/log", OpenMode::create);
//   if (Status s = (*log)->append(record); !s.is_ok()) return s;
//   if (Status s = (*log)->sync(); !s.is_ok()) return s;       // now it survives
//
// Paths are absolute, at most max_path bytes, and without "//", "." and ".." parts or a '/' at the
// end: invalid_argument otherwise. Errors name the operation, the path and what the system said:
// not_found, already_exists, permission_denied, resource_exhausted (the disk is full, or no
// descriptor is left), failed_precondition (a folder where a file is meant, one that is not empty,
// writing to what was opened for reading), data_loss (the disk failed).
//
// What survives a crash of the machine:
// - the bytes of a file up to its last sync(). Of later ones any sectors, in any order, or none;
// - a file's name (made, renamed, removed) once sync_directory() was called for its folder. Without
//   it a rename may be undone, never half done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"

namespace parley {

// Bytes of a path (path_resolution(7): PATH_MAX with the zero at its end).
inline constexpr std::size_t max_path = 4'095;
// Entries list() gives; more in one folder is resource_exhausted.
inline constexpr std::size_t max_listed = 65'536;

enum class OpenMode : std::uint8_t {
  read,        // what is there, for reading
  write,       // what is there, for reading and writing
  create,      // the same, made empty where nothing is there
  create_new,  // the same; already_exists where something is there
};

// An open file. Any number of threads may read at once; one at a time may do anything else. The
// destructor closes it, and syncs nothing.
class File {
 public:
  virtual ~File() = default;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Bytes from `offset` on to `into`: as many as fit, or as there are up to the end of the file; 0
  // at and behind the end.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  // Writes everything. A gap between the end and `offset` is filled with zeros. After an error a
  // part may have been written: the first bytes, when the disk is full.
  virtual Status write_at(std::uint64_t offset, std::string_view data) = 0;
  // The same at the end of the file as this object knows it: other writers of the file are not
  // noticed. After an error truncate() to the size before takes away what was written of it.
  virtual Status append(std::string_view data) = 0;
  // Cuts the file, or fills it up with zeros.
  virtual Status truncate(std::uint64_t size) = 0;
  // Returns when the bytes, and the size, would survive a crash. After an error they never may,
  // whatever a later sync() says: the kernel has dropped them (fsync(2), EIO). Take the file for
  // lost from its last sync on; do not ask again.
  virtual Status sync() = 0;
  virtual Result<std::uint64_t> size() = 0;

  [[nodiscard]] virtual const std::string& path() const = 0;
};

// Holds a lock until it goes.
class FileLock {
 public:
  virtual ~FileLock() = default;
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
};

class Files {
 public:
  virtual ~Files() = default;

  // The file is made readable and writable for its owner only.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // `to` takes the place of what is there, in one step. Both are in the same folder
  // (invalid_argument otherwise: two folders cannot be synced in one step).
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  // A file, which stays until its last File is closed, or an empty folder.
  virtual Status remove(const std::string& path) = 0;
  // For its owner only. The folder above must be there. already_exists when it is made.
  virtual Status make_directory(const std::string& path) = 0;
  // Returns when the names in this folder would survive a crash.
  virtual Status sync_directory(const std::string& path) = 0;
  // The names in a folder, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Of a file.
  virtual Result<std::uint64_t> size_of(const std::string& path) = 0;
  // Keeps everybody else, this process included, from locking the same file until the lock goes or
  // the process ends. The file is made if need be, and stays. failed_precondition, at once, when
  // somebody has it. Only who asks is kept out: the lock guards a store against a second process.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The machine's file system.
class RealFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> size_of(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

// All of a file; resource_exhausted when it is longer than `most`.
Result<std::string> read_file(Files& files, const std::string& path, std::size_t most);
// Gives `path` this content so that a crash leaves the old one or the new one, whole: writes
// `path`.new, syncs it, renames it and syncs the folder. After an error either may be there.
Status replace_file(Files& files, const std::string& path, std::string_view content);

// For who implements Files. What stands at the top of this file about paths; `what` begins the
// message.
Status check_path(std::string_view what, std::string_view path);
// What changing a file of OpenMode::read returns.
Status opened_for_reading(std::string_view what, std::string_view path);
// The path of the folder something is in, and its name there. `path` has been checked.
std::string_view folder_of(std::string_view path);
std::string_view name_in_folder(std::string_view path);

}  // namespace parley
