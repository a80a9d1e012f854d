// MemoryFiles: a file system in memory whose disk fails as a test wants, for who stores things and
// claims that they survive. Keeps what files.h says, and no more than that: at a crash() whatever
// was not synced is lost, torn or kept, as the seed decides.
//
// Thread-safe; a crash() in the middle of another thread's call comes before or after it. Must
// outlive its files and locks. The root folder "/" is there. Slow disks are the caller's affair.
//
//   MemoryFiles files({.seed = seed, .capacity = 1 << 20});
//   files.fail({.operation = FileOperation::sync, .path = "/log", .after = 2});   // the third one
//   use(files);
//   files.crash();                          // open files and locks are dead
//   recover(files);
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/files.h"
#include "parley/base/random.h"

namespace parley {

enum class FileOperation : std::uint8_t {
  any,
  open,
  read,
  write,  // write_at and append
  truncate,
  sync,
  size,  // size() and size_of()
  rename,
  remove,
  make_directory,
  sync_directory,
  list,
  lock,
};

// What a crash does to bytes and names that were not synced.
enum class Unsynced : std::uint8_t {
  lost,
  // Of bytes a part stays: the first sectors of what was written, or any of them, as the seed
  // decides for each file. Of the changes of a folder the first ones stay.
  torn,
  kept,
};

struct MemoryFilesOptions {
  std::uint64_t seed = 1;
  // Bytes of all files together; what does not fit is "No space left on device".
  std::uint64_t capacity = std::uint64_t{64} << 20;
  // What a disk writes in one piece. At least 1.
  std::size_t sector = 512;
  Unsynced unsynced = Unsynced::torn;
  // How often any operation fails with "Input/output error". 0 to 1.
  double error_chance = 0;
};

// Operations that are to fail.
struct FileFault {
  FileOperation operation = FileOperation::any;
  // Which file or folder (of a rename the old name); empty: any.
  std::string path{};
  // So many of those go well first, and then so many fail.
  std::uint64_t after = 0;
  std::uint64_t times = 1;
  // An errno value.
  int error = EIO;
};

class MemoryFiles final : public Files {
 public:
  // An option out of its range is a bug, named.
  explicit MemoryFiles(const MemoryFilesOptions& options = {});
  ~MemoryFiles() override;
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;

  // A failed write leaves a part of it, as the seed decides. A failed sync loses what it should
  // have synced: it can be read until the next crash, and no later sync saves it.
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> size_of(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  // Adds a fault; those before it are asked first.
  void fail(const FileFault& fault);
  // Takes all of them away.
  void clear_faults();
  // The power goes and comes back: files and locks of before are dead (unavailable), and what was
  // not synced has gone as MemoryFilesOptions::unsynced says. Faults stay.
  void crash();

  // Calls so far, those that failed included: to crash after each of them in turn.
  [[nodiscard]] std::uint64_t operations() const;
  // Bytes of all files, those that were removed and are still open included.
  [[nodiscard]] std::uint64_t used() const;

 private:
  class OpenFile;
  class OpenLock;
  struct Node;
  using NodeRef = std::shared_ptr<Node>;

  // All of these with the lock.
  Status begin(FileOperation operation, const char* what, std::string_view path);
  NodeRef find(std::string_view path) const;
  Result<NodeRef> folder(const char* what, std::string_view path) const;
  void give_back(const Node& node);
  void change(Node& folder, std::vector<std::pair<std::string, NodeRef>> entries);
  Status write(Node& node, std::uint64_t offset, std::string_view data, const std::string& path);
  Status resize(Node& node, std::uint64_t size, const std::string& path);
  void crash(Node& node);
  void crash_folder(Node& node);
  void crash_file(Node& node);
  Status gone(std::uint64_t life, const char* what, const std::string& path) const;

  const MemoryFilesOptions options_;
  // tidy-allow(os-threads): base has no fibers, and nothing waits while it is held
  mutable std::mutex mutex_;
  Random random_;
  NodeRef root_;
  std::vector<FileFault> faults_;
  std::set<const Node*> locked_;  // looked up, never walked through
  std::uint64_t operations_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t life_ = 0;  // crashes so far
};

}  // namespace parley
