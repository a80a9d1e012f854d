#include "parley/kv/durable.h"

#include <array>
#include <atomic>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/kv/impl/command_code.h"
#include "parley/kv/log.h"
#include "parley/kv/snapshot.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/timer.h"

namespace parley::kv {
namespace {

// What is on the disk, and where.
struct Place {
  Files& files;
  std::string folder;

  [[nodiscard]] std::string snapshot() const { return folder + "/snapshot"; }
  [[nodiscard]] std::string new_snapshot() const { return folder + "/snapshot.new"; }
  [[nodiscard]] std::string lock() const { return folder + "/lock"; }
};

class Durable final : public CommandLog {
 public:
  Durable(Place place, const DurableOptions& options, std::unique_ptr<FileLock> lock,
          std::unique_ptr<Log> log)
      : place_(std::move(place)),
        options_(options),
        lock_(std::move(lock)),
        log_(std::move(log)),
        behind_snapshot_(log_->bytes()),
        snapshot_at_(options.snapshot_after_bytes),
        scope_(rt::Context::background()) {}
  ~Durable() override { (void)close(); }

  Status append(std::span<const Command> batch, std::uint64_t index) override;
  [[nodiscard]] bool is_broken() const override { return broken_.load(); }
  Status applied(const Tree& tree) override;
  Status close() override;

 private:
  Status on_disk(std::span<const std::string> records);
  void sync_soon();
  void sync_now();
  void write(std::uint64_t last, const std::string& state);
  void note(const Status& status);

  const Place place_;
  const DurableOptions options_;
  const std::unique_ptr<FileLock> lock_;

  rt::Mutex mutex_;  // of the log, over calls to the disk
  const std::unique_ptr<Log> log_;
  std::atomic<bool> broken_ = false;

  // Of the committer.
  std::uint64_t behind_snapshot_;  // bytes of the log behind the last snapshot
  std::uint64_t snapshot_at_;      // so many bytes make another one due
  std::vector<std::string> records_;

  std::atomic<bool> sync_is_due_ = false;
  std::atomic<bool> is_saving_ = false;
  rt::Mutex note_mutex_;
  Status note_;  // of what went wrong beside the writes, until the committer asks

  rt::Scope scope_;  // its fibers use the rest until it has joined them
  rt::Timer timer_;
};

void Durable::note(const Status& status) {
  if (status.is_ok()) return;
  const std::lock_guard lock(note_mutex_);
  note_ = status;
}

Status Durable::append(std::span<const Command> batch, std::uint64_t index) {
  records_.clear();
  std::uint64_t bytes = 0;
  for (const Command& command : batch) {
    const bool is_first = records_.empty();
    records_.push_back(
        impl::encode_command(command, is_first ? std::optional(index) : std::nullopt));
    bytes += records_.back().size();
  }
  const std::lock_guard lock(mutex_);
  const Status status = rt::blocking([&] { return on_disk(records_); });
  if (!log_->status().is_ok()) broken_ = true;
  if (!status.is_ok()) return status;
  behind_snapshot_ += bytes;
  if (options_.policy == SyncPolicy::interval) sync_soon();
  return {};
}

Status Durable::on_disk(std::span<const std::string> records) {
  if (Status s = log_->append(records); !s.is_ok()) return s;
  return options_.policy == SyncPolicy::always ? log_->sync() : Status();
}

// With the mutex.
void Durable::sync_soon() {
  if (sync_is_due_.exchange(true)) return;
  timer_ = rt::Timer(scope_, options_.sync_interval, "kv sync", [this] { sync_now(); });
}

void Durable::sync_now() {
  const std::lock_guard lock(mutex_);
  sync_is_due_ = false;
  const Status status = rt::blocking([&] { return log_->sync(); });
  if (!log_->status().is_ok()) broken_ = true;
  note(status);
}

Status Durable::applied(const Tree& tree) {
  {
    const std::lock_guard lock(note_mutex_);
    if (Status s = std::exchange(note_, {}); !s.is_ok()) return s;
  }
  if (behind_snapshot_ < snapshot_at_ || is_saving_ || broken_) return {};
  // Whatever goes wrong, the next try comes only when the log has grown a good deal.
  snapshot_at_ = behind_snapshot_ + options_.snapshot_after_bytes / 4 + 1;
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(mutex_);
    const Status status = rt::blocking([&] { return log_->begin_segment(); });
    if (!log_->status().is_ok()) broken_ = true;
    if (!status.is_ok()) return status;
    last = log_->last();
  }
  auto state = rt::blocking([&] { return tree.save(); });
  if (!state) return state.error().with_context("take a snapshot");
  // What is written can be read again.
  if (state->size() > options_.max_snapshot_bytes) {
    return {Code::resource_exhausted, "take a snapshot: it would have " +
                                          std::to_string(state->size()) +
                                          " bytes, more than max_snapshot_bytes (" +
                                          std::to_string(options_.max_snapshot_bytes) +
                                          "): raise it, or the log grows on and on"};
  }
  is_saving_ = true;
  // Not go(): it would wait for a fiber to end, which may be one that waits for this very one.
  if (!scope_.try_go("kv snapshot",
                     [this, last, state = *std::move(state)] { write(last, state); })) {
    is_saving_ = false;
    return {Code::resource_exhausted,
            "take a snapshot: no fiber is left for it (RuntimeOptions::max_fibers)"};
  }
  behind_snapshot_ = 0;
  snapshot_at_ = options_.snapshot_after_bytes;
  return {};
}

// The log goes on meanwhile. Only what is in a snapshot that is safe is removed from it.
void Durable::write(std::uint64_t last, const std::string& state) {
  Status status = rt::blocking([&] {
    Status written = write_snapshot(place_.files, place_.snapshot(), last, state);
    // So that a disk that was too small for it is not full because of it.
    if (!written.is_ok()) (void)place_.files.remove(place_.new_snapshot());
    return written;
  });
  if (status.is_ok()) {
    const std::lock_guard lock(mutex_);
    status = rt::blocking([&] { return log_->remove_up_to(last); });
  }
  note(status);
  is_saving_ = false;
}

Status Durable::close() {
  (void)timer_.stop();
  scope_.join();
  const std::lock_guard lock(mutex_);
  // The new file says that all before it was safe: what is broken there later is no torn end.
  const Status status = rt::blocking([&] {
    const Status synced = log_->sync();
    if (synced.is_ok()) (void)log_->begin_segment();
    return synced;
  });
  if (!log_->status().is_ok()) broken_ = true;
  return status;
}

// --- opening ---------------------------------------------------------------------------------

Status make_folder(const Place& place) {
  const Status made = place.files.make_directory(place.folder);
  if (!made.is_ok() && made.code() != Code::already_exists) return made;
  // Its name may be there since a moment ago, and not be safe.
  return place.files.sync_directory(std::string(folder_of(place.folder)));
}

// A replayed command may fail: so it did when it was written.
Status replay(Tree& tree, std::uint64_t number, std::string_view record) {
  const auto logged = impl::decode_command(record);
  if (!logged) return logged.error().with_context("record " + std::to_string(number));
  if (logged->index && *logged->index != tree.index()) {
    return {Code::data_loss,
            "record " + std::to_string(number) + " was written at index " +
                std::to_string(*logged->index) + ", and the tree is at " +
                std::to_string(tree.index()) +
                " there: the log is not that of this snapshot, or another version wrote it. "
                "Nothing was changed; restore the folder from a copy"};
  }
  (void)tree.apply(logged->command);
  return {};
}

struct Read {
  Tree tree;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<Log> log;
  RecoveryReport report;
};

// Not in a fiber.
Result<Read> read(const Place& place, const DurableOptions& options) {
  if (Status s = make_folder(place); !s.is_ok()) return s;
  auto lock = place.files.lock(place.lock());
  if (!lock) return lock.error();
  Read read{.tree = Tree(options.tree), .lock = *std::move(lock), .log = nullptr, .report = {}};

  auto snapshot = read_snapshot(place.files, place.snapshot(), options.max_snapshot_bytes);
  if (!snapshot && snapshot.error().code() != Code::not_found) return snapshot.error();
  std::uint64_t last = 0;
  if (snapshot) {
    // Before the log it replaces goes: its name may be there since a moment ago, and not be safe.
    if (Status s = place.files.sync_directory(place.folder); !s.is_ok()) return s;
    auto tree = Tree::recover(snapshot->state, options.tree);
    if (!tree) return tree.error().with_context("the snapshot " + place.snapshot());
    read.tree = *std::move(tree);
    read.report.had_snapshot = true;
    last = snapshot->last;
    snapshot = Snapshot();
  }
  const LogOptions log_options{.segment_bytes = options.segment_bytes,
                               .max_record_bytes = options.max_record_bytes,
                               .syncs = options.policy != SyncPolicy::never};
  const auto take = [&](std::uint64_t number, std::string_view record) {
    ++read.report.commands;
    return replay(read.tree, number, record);
  };
  auto log = Log::open(place.files, place.folder, last, log_options, take);
  if (!log) return log.error();
  read.log = *std::move(log);
  // Of a snapshot that was cut short.
  const Status removed = place.files.remove(place.new_snapshot());
  if (!removed.is_ok() && removed.code() != Code::not_found) return removed;
  return read;
}

}  // namespace

std::string_view name_of(SyncPolicy policy) noexcept {
  constexpr std::array<std::string_view, 3> names = {"always", "interval", "never"};
  return names.at(static_cast<std::size_t>(policy));
}

Result<DurableStore> open_durable(Files& files, const std::string& folder,
                                  const DurableOptions& options) {
  PARLEY_ASSERT(options.sync_interval > Duration::zero(),
                "DurableOptions::sync_interval: it must be positive");
  const Place place{.files = files, .folder = folder};
  auto found = rt::blocking([&] { return read(place, options); });
  if (!found) return found.error().with_context("open the store in " + folder);
  return DurableStore{.tree = std::move(found->tree),
                      .log = std::make_unique<Durable>(place, options, std::move(found->lock),
                                                       std::move(found->log)),
                      .report = found->report};
}

}  // namespace parley::kv
