#include "parley/base/memory_files.h"

#include <algorithm>
#include <map>
#include <optional>

#include "parley/base/assert.h"
#include "parley/base/fd.h"

namespace parley {
namespace {

std::string about(std::string_view what, std::string_view path) {
  return std::string(what) + " " + std::string(path);
}

// A change of a file since its last sync: bytes at a place, or a new size.
struct FileChange {
  std::uint64_t offset = 0;
  std::string data{};
  std::optional<std::uint64_t> size{};
};

void make_change(std::string& content, const FileChange& change) {
  if (change.size) {
    content.resize(static_cast<std::size_t>(*change.size));
    return;
  }
  const auto at = static_cast<std::size_t>(change.offset);
  if (content.size() < at + change.data.size()) content.resize(at + change.data.size());
  content.replace(at, change.data.size(), change.data);
}

// The same changes, each within one sector.
std::vector<FileChange> by_sectors(const std::vector<FileChange>& changes, std::size_t sector) {
  std::vector<FileChange> parts;
  for (const FileChange& change : changes) {
    if (change.size) parts.push_back(change);
    for (std::size_t at = 0; at < change.data.size();) {
      const auto left = sector - static_cast<std::size_t>((change.offset + at) % sector);
      const std::string part = change.data.substr(at, left);
      parts.push_back({.offset = change.offset + at, .data = part});
      at += part.size();
    }
  }
  return parts;
}

}  // namespace

// A file or a folder: what it is, and what a crash would leave of it.
struct MemoryFiles::Node {
  using Entries = std::map<std::string, NodeRef, std::less<>>;
  using EntryChange = std::vector<std::pair<std::string, NodeRef>>;  // null: no more

  explicit Node(bool folder) : is_folder(folder) {}

  const bool is_folder;
  bool named = true;     // in a folder
  std::size_t open = 0;  // by so many
  std::string content;
  std::string safe_content;
  std::vector<FileChange> changes;
  Entries entries;
  Entries safe_entries;
  std::vector<EntryChange> entry_changes;

  static void apply(Entries& entries, const EntryChange& change) {
    for (const auto& [name, node] : change) {
      if (node == nullptr) {
        entries.erase(name);
      } else {
        entries[name] = node;
      }
    }
  }
};

class MemoryFiles::OpenFile final : public File {
 public:
  OpenFile(MemoryFiles& files, NodeRef node, std::string path, bool writable)
      : files_(files),
        node_(std::move(node)),
        path_(std::move(path)),
        life_(files.life_),
        end_(node_->content.size()),
        writable_(writable) {
    ++node_->open;
  }
  ~OpenFile() override {
    const std::lock_guard lock(files_.mutex_);
    if (life_ != files_.life_) return;
    --node_->open;
    files_.give_back(*node_);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    const std::lock_guard lock(files_.mutex_);
    if (Status s = begin(FileOperation::read, "read"); !s.is_ok()) return s;
    const std::string& content = node_->content;
    if (offset >= content.size()) return std::size_t{0};
    return content.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  }

  Status write_at(std::uint64_t offset, std::string_view data) override {
    const std::lock_guard lock(files_.mutex_);
    return write(offset, data);
  }

  Status append(std::string_view data) override {
    const std::lock_guard lock(files_.mutex_);
    return write(end_, data);
  }

  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(files_.mutex_);
    if (!writable_) return opened_for_reading("truncate", path_);
    if (Status s = begin(FileOperation::truncate, "truncate"); !s.is_ok()) return s;
    if (Status s = files_.resize(*node_, size, path_); !s.is_ok()) return s;
    end_ = size;
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(files_.mutex_);
    const Status status = begin(FileOperation::sync, "sync");
    if (life_ != files_.life_) return status;
    const std::vector<FileChange> changes = std::exchange(node_->changes, {});
    if (!status.is_ok()) return status;  // dropped, as the kernel does
    for (const FileChange& change : changes) make_change(node_->safe_content, change);
    return {};
  }

  Result<std::uint64_t> size() override {
    const std::lock_guard lock(files_.mutex_);
    if (Status s = begin(FileOperation::size, "ask for the size of"); !s.is_ok()) return s;
    return std::uint64_t{node_->content.size()};
  }

  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  Status begin(FileOperation operation, const char* what) {
    if (Status s = files_.gone(life_, what, path_); !s.is_ok()) return s;
    return files_.begin(operation, what, path_);
  }

  Status write(std::uint64_t offset, std::string_view data) {
    if (!writable_) return opened_for_reading("write", path_);
    Status status = begin(FileOperation::write, "write");
    if (life_ != files_.life_) return status;
    if (!status.is_ok()) data = data.substr(0, files_.random_.between(0, data.size()));
    const Status written = files_.write(*node_, offset, data, path_);
    if (!data.empty()) end_ = std::max(end_, behind(offset, data.size()));
    return status.is_ok() ? written : status;
  }

  // Where a write of `size` bytes at `offset` ended, if it may have been cut by a full disk.
  [[nodiscard]] std::uint64_t behind(std::uint64_t offset, std::size_t size) const {
    const std::uint64_t content = node_->content.size();
    return offset >= content ? 0 : offset + std::min<std::uint64_t>(size, content - offset);
  }

  MemoryFiles& files_;
  const NodeRef node_;
  const std::string path_;
  const std::uint64_t life_;
  std::uint64_t end_;
  const bool writable_;
};

class MemoryFiles::OpenLock final : public FileLock {
 public:
  OpenLock(MemoryFiles& files, NodeRef node)
      : files_(files), node_(std::move(node)), life_(files.life_) {}
  ~OpenLock() override {
    const std::lock_guard lock(files_.mutex_);
    if (life_ == files_.life_) files_.locked_.erase(node_.get());
  }

 private:
  MemoryFiles& files_;
  const NodeRef node_;
  const std::uint64_t life_;
};

MemoryFiles::MemoryFiles(const MemoryFilesOptions& options)
    : options_(options), random_(options.seed), root_(std::make_shared<Node>(true)) {
  PARLEY_ASSERT(options.sector >= 1, "MemoryFilesOptions::sector: at least 1 byte");
  PARLEY_ASSERT(options.error_chance >= 0 && options.error_chance <= 1,
                "MemoryFilesOptions::error_chance: 0 to 1");
}

MemoryFiles::~MemoryFiles() = default;

Status MemoryFiles::gone(std::uint64_t life, const char* what, const std::string& path) const {
  if (life == life_) return {};
  return {Code::unavailable, about(what, path) + ": it was open when the machine crashed"};
}

Status MemoryFiles::begin(FileOperation operation, const char* what, std::string_view path) {
  ++operations_;
  if (Status s = check_path(what, path); !s.is_ok()) return s;
  for (FileFault& fault : faults_) {
    const bool is_meant = (fault.operation == FileOperation::any || fault.operation == operation) &&
                          (fault.path.empty() || fault.path == path) && fault.times != 0;
    if (!is_meant) continue;
    if (fault.after != 0) {
      --fault.after;
      continue;
    }
    --fault.times;
    return errno_status(fault.error, about(what, path));
  }
  if (random_.chance(options_.error_chance)) return errno_status(EIO, about(what, path));
  return {};
}

MemoryFiles::NodeRef MemoryFiles::find(std::string_view path) const {
  NodeRef node = root_;
  for (std::size_t at = 1; at < path.size() && node != nullptr;) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const auto found = node->entries.find(path.substr(at, end - at));
    node = found == node->entries.end() ? nullptr : found->second;
    at = end + 1;
  }
  return node;
}

Result<MemoryFiles::NodeRef> MemoryFiles::folder(const char* what, std::string_view path) const {
  NodeRef node = find(path);
  if (node == nullptr) return errno_status(ENOENT, about(what, path));
  if (!node->is_folder) return errno_status(ENOTDIR, about(what, path));
  return node;
}

// The bytes of a file that can be reached no more.
void MemoryFiles::give_back(const Node& node) {
  if (!node.named && node.open == 0) used_ -= node.content.size();
}

void MemoryFiles::change(Node& folder, Node::EntryChange entries) {
  for (const auto& [name, node] : entries) {
    const auto found = folder.entries.find(name);
    if (found == folder.entries.end()) continue;
    found->second->named = false;  // unless it is put back below, under another name
    const bool is_moved = std::any_of(entries.begin(), entries.end(),
                                      [&](const auto& one) { return one.second == found->second; });
    if (is_moved) found->second->named = true;
    give_back(*found->second);
  }
  Node::apply(folder.entries, entries);
  folder.entry_changes.push_back(std::move(entries));
}

Status MemoryFiles::write(Node& node, std::uint64_t offset, std::string_view data,
                          const std::string& path) {
  if (data.empty()) return {};
  const std::uint64_t size = node.content.size();
  const std::uint64_t most = size + (options_.capacity - used_);
  Status status;
  if (offset >= most || data.size() > most - offset) {
    status = errno_status(ENOSPC, about("write", path));
    // Within what is there already everything fits.
    data = data.substr(0, static_cast<std::size_t>(offset >= most ? 0 : most - offset));
    if (data.empty()) return status;
  }
  FileChange change{.offset = offset, .data = std::string(data)};
  make_change(node.content, change);
  used_ += node.content.size() - size;
  node.changes.push_back(std::move(change));
  return status;
}

Status MemoryFiles::resize(Node& node, std::uint64_t size, const std::string& path) {
  const std::uint64_t old_size = node.content.size();
  if (size > old_size && size - old_size > options_.capacity - used_) {
    return errno_status(ENOSPC, about("truncate", path));
  }
  FileChange change{.size = size};
  make_change(node.content, change);
  used_ = used_ - old_size + size;
  node.changes.push_back(std::move(change));
  return {};
}

Result<std::unique_ptr<File>> MemoryFiles::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::open, "open", path); !s.is_ok()) return s;
  const auto where = folder("open", folder_of(path));
  if (!where) return where.error();
  NodeRef node = find(path);
  if (node != nullptr && mode == OpenMode::create_new) {
    return errno_status(EEXIST, about("open", path));
  }
  if (node != nullptr && node->is_folder) return errno_status(EISDIR, about("open", path));
  if (node == nullptr) {
    if (mode == OpenMode::read || mode == OpenMode::write) {
      return errno_status(ENOENT, about("open", path));
    }
    node = std::make_shared<Node>(false);
    change(**where, {{std::string(name_in_folder(path)), node}});
  }
  return std::unique_ptr<File>(new OpenFile(*this, std::move(node), path, mode != OpenMode::read));
}

Status MemoryFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::rename, "rename", from); !s.is_ok()) return s;
  if (Status s = check_path("rename to", to); !s.is_ok()) return s;
  const std::string what = "rename " + from + " to " + to;
  if (folder_of(from) != folder_of(to)) {
    return {Code::invalid_argument, what + ": both must be in the same folder"};
  }
  const NodeRef node = find(from);
  if (node == nullptr) return errno_status(ENOENT, what);
  const NodeRef replaced = find(to);
  if (replaced == node) return {};
  if (replaced != nullptr && replaced->is_folder != node->is_folder) {
    return errno_status(node->is_folder ? ENOTDIR : EISDIR, what);
  }
  if (replaced != nullptr && !replaced->entries.empty()) return errno_status(ENOTEMPTY, what);
  change(*find(folder_of(from)),
         {{std::string(name_in_folder(from)), nullptr}, {std::string(name_in_folder(to)), node}});
  return {};
}

Status MemoryFiles::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::remove, "remove", path); !s.is_ok()) return s;
  const NodeRef node = find(path);
  if (node == nullptr) return errno_status(ENOENT, about("remove", path));
  if (!node->entries.empty()) return errno_status(ENOTEMPTY, about("remove", path));
  if (node == root_) return errno_status(EBUSY, about("remove", path));
  change(*find(folder_of(path)), {{std::string(name_in_folder(path)), nullptr}});
  return {};
}

Status MemoryFiles::make_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::make_directory, "make folder", path); !s.is_ok()) return s;
  if (find(path) != nullptr) return errno_status(EEXIST, about("make folder", path));
  const auto where = folder("make folder", folder_of(path));
  if (!where) return where.error();
  change(**where, {{std::string(name_in_folder(path)), std::make_shared<Node>(true)}});
  return {};
}

Status MemoryFiles::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const Status status = begin(FileOperation::sync_directory, "sync folder", path);
  if (!status.is_ok() && find(path) == nullptr) return status;
  const auto node = folder("sync folder", path);
  if (!node) return node.error();
  if (!status.is_ok()) return status;
  for (const auto& one : std::exchange((*node)->entry_changes, {})) {
    Node::apply((*node)->safe_entries, one);
  }
  return {};
}

Result<std::vector<std::string>> MemoryFiles::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::list, "list", path); !s.is_ok()) return s;
  const auto node = folder("list", path);
  if (!node) return node.error();
  if ((*node)->entries.size() > max_listed) {
    return Status(Code::resource_exhausted, about("list", path) + ": more than max_listed names");
  }
  std::vector<std::string> names;
  for (const auto& [name, entry] : (*node)->entries) names.push_back(name);
  return names;
}

Result<std::uint64_t> MemoryFiles::size_of(const std::string& path) {
  const std::lock_guard lock(mutex_);
  constexpr const char* what = "ask for the size of";
  if (Status s = begin(FileOperation::size, what, path); !s.is_ok()) return s;
  const NodeRef node = find(path);
  if (node == nullptr) return errno_status(ENOENT, about(what, path));
  if (node->is_folder) {
    return Status(Code::failed_precondition, about(what, path) + ": it is not a file");
  }
  return std::uint64_t{node->content.size()};
}

Result<std::unique_ptr<FileLock>> MemoryFiles::lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (Status s = begin(FileOperation::lock, "lock", path); !s.is_ok()) return s;
  const auto where = folder("lock", folder_of(path));
  if (!where) return where.error();
  NodeRef node = find(path);
  if (node != nullptr && node->is_folder) return errno_status(EISDIR, about("lock", path));
  if (node == nullptr) {
    node = std::make_shared<Node>(false);
    change(**where, {{std::string(name_in_folder(path)), node}});
  }
  if (!locked_.insert(node.get()).second) {
    return Status(Code::failed_precondition, about("lock", path) + ": somebody has it");
  }
  return std::unique_ptr<FileLock>(new OpenLock(*this, std::move(node)));
}

void MemoryFiles::fail(const FileFault& fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

void MemoryFiles::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void MemoryFiles::crash() {
  const std::lock_guard lock(mutex_);
  ++life_;
  locked_.clear();
  used_ = 0;
  crash(*root_);
}

void MemoryFiles::crash(Node& node) {
  if (node.is_folder) {
    crash_folder(node);
  } else {
    crash_file(node);
    node.open = 0;
    used_ += node.content.size();
  }
}

void MemoryFiles::crash_folder(Node& node) {
  std::size_t kept = 0;
  if (options_.unsynced == Unsynced::kept) kept = node.entry_changes.size();
  if (options_.unsynced == Unsynced::torn) kept = random_.between(0, node.entry_changes.size());
  for (std::size_t i = 0; i < kept; ++i) Node::apply(node.safe_entries, node.entry_changes[i]);
  node.entry_changes.clear();
  node.entries = node.safe_entries;
  for (const auto& [name, entry] : node.entries) {
    entry->named = true;
    crash(*entry);
  }
}

void MemoryFiles::crash_file(Node& node) {
  const auto parts = by_sectors(std::exchange(node.changes, {}), options_.sector);
  std::size_t first = options_.unsynced == Unsynced::kept ? parts.size() : 0;
  bool scattered = false;
  if (options_.unsynced == Unsynced::torn) {
    scattered = random_.chance(0.5);
    first = scattered ? 0 : random_.between(0, parts.size());
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i < first || (scattered && random_.chance(0.5))) make_change(node.safe_content, parts[i]);
  }
  node.content = node.safe_content;
}

std::uint64_t MemoryFiles::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

std::uint64_t MemoryFiles::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace parley
