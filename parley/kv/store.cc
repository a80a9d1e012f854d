#include "parley/kv/store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/kv/impl/watcher_hub.h"
#include "parley/kv/impl/write_queue.h"
#include "parley/rt/context.h"
#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"

namespace parley::kv {

using impl::Write;
using impl::WriteRef;

namespace {

// Commands applied before readers get a turn.
constexpr std::size_t applied_at_once = 64;

}  // namespace

// All of a Store; its fiber ends with stop().
class Store::Committer {
 public:
  Committer(Tree tree, const StoreOptions& options, std::unique_ptr<CommandLog> log);
  ~Committer() { (void)stop(); }
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  Result<EventRef> write(Command command, rt::Deadline deadline);
  Result<EventRef> get(std::string_view path, GetOptions options);
  Result<Watcher> watch(std::string_view path, WatchOptions options);
  Status stop();

  [[nodiscard]] std::uint64_t index() const;
  [[nodiscard]] WallTime wall() const { return options_.wall ? options_.wall() : clock_.wall(); }
  [[nodiscard]] Statistics statistics() const;
  [[nodiscard]] StoreCounts counts() const;
  [[nodiscard]] Result<std::string> save() const;
  [[nodiscard]] Status status() const { return queue_.refusal(); }
  [[nodiscard]] const StoreOptions& options() const { return options_; }

 private:
  void run();
  [[nodiscard]] rt::Deadline next_expiry() const;
  [[nodiscard]] bool is_expiry_due(WallTime now) const;
  void commit(std::vector<WriteRef> writes);
  // Those there is room for stay in `writes`.
  void refuse_nodes(std::vector<WriteRef>& writes);
  Status log(std::span<const Command> commands);
  void apply(std::span<const Command> commands, std::span<const WriteRef> writes);
  Result<EventRef> apply(const Command& command);

  const StoreOptions options_;
  const std::unique_ptr<CommandLog> log_;
  RealClock clock_;
  impl::WriteQueue queue_;
  const std::shared_ptr<impl::WatcherHub> hub_;
  // The committer alone changes the tree, with the lock; it reads without.
  mutable rt::RwMutex mutex_;
  Tree tree_;
  Instant last_expiry_ = Instant::min();
  bool is_broken_ = false;  // the committer's, too
  StoreCounts counts_;      // under mutex_
  std::atomic<std::uint64_t> get_success_{0};
  std::atomic<std::uint64_t> get_fail_{0};
  bool has_stopped_ = false;
  Status stopped_;
  rt::Scope scope_{rt::Context::background()};
};

Store::Committer::Committer(Tree tree, const StoreOptions& options, std::unique_ptr<CommandLog> log)
    : options_(options),
      log_(std::move(log)),
      queue_({.max_waiting = options.max_waiting,
              .max_waiting_bytes = options.max_waiting_bytes,
              .max_batch = options.max_batch,
              .max_batch_bytes = options.max_batch_bytes}),
      hub_(std::make_shared<impl::WatcherHub>(options.max_watchers, options.max_queued_events)),
      tree_(std::move(tree)) {
  PARLEY_ASSERT(options.max_batch >= 1, "StoreOptions::max_batch must be at least 1");
  PARLEY_ASSERT(options.max_queued_events >= 1,
                "StoreOptions::max_queued_events must be at least 1");
  PARLEY_ASSERT(options.expiry_granularity > Duration::zero(),
                "StoreOptions::expiry_granularity must be positive");
  PARLEY_ASSERT(options.limits.max_depth < max_tree_depth &&
                    options.limits.max_path_bytes <= max_tree_path_bytes,
                "CommandLimits are beyond what a tree takes");
  scope_.go("kv committer", [this] { run(); });
}

// Writers

Result<EventRef> Store::Committer::write(Command command, rt::Deadline deadline) {
  if (Status status = check(command, options_.limits); !status.is_ok()) return status;
  if (command.kind == CommandKind::expire) {
    return Status(Code::invalid_argument,
                  "a store takes away by itself what is overdue: expire is not for its users");
  }
  auto write = std::make_shared<Write>();
  write->bytes = command.bytes();
  write->command = std::move(command);
  if (Status status = queue_.push(write); !status.is_ok()) return status;
  const Status waited = write->done.wait(deadline);
  if (waited.is_ok()) return *std::move(write->result);
  if (queue_.take_back(*write)) {
    return Status(Code::not_sent, "the write was taken back before it was begun: it has not " +
                                      std::string("happened"))
        .with_cause(waited.to_string());
  }
  if (write->done.is_set()) return *std::move(write->result);
  return Status(Code::outcome_unknown,
                "nobody waits for the write any more, which is on its way to the log: read to " +
                    std::string("see whether it has happened"))
      .with_cause(waited.to_string());
}

// The committer

void Store::Committer::run() {
  while (true) {
    std::vector<WriteRef> writes = queue_.take(next_expiry());
    if (writes.empty() && queue_.has_ended()) return;
    commit(std::move(writes));
  }
}

rt::Deadline Store::Committer::next_expiry() const {
  const auto next = tree_.next_expiration();
  if (!next || is_broken_) return rt::Deadline::never();
  const Instant now = rt::now();
  // The date may be set anew while this waits: look again now and then.
  constexpr Duration longest = std::chrono::seconds(10);
  const WallTime date = wall();
  const Duration due = *next <= date            ? Duration::zero()
                       : *next - date > longest ? longest
                                                : *next - date;
  return rt::Deadline::at(std::max(now + due, last_expiry_ == Instant::min()
                                                  ? now
                                                  : last_expiry_ + options_.expiry_granularity));
}

bool Store::Committer::is_expiry_due(WallTime now) const {
  const auto next = tree_.next_expiration();
  return next && *next <= now;
}

void Store::Committer::commit(std::vector<WriteRef> writes) {
  if (is_broken_) {
    for (const WriteRef& write : writes) {
      write->result.emplace(queue_.refusal());
      write->done.set();
    }
    return;
  }
  refuse_nodes(writes);
  const WallTime now = wall();
  std::vector<Command> commands;
  commands.reserve(writes.size() + 1);
  if (is_expiry_due(now)) {
    commands.push_back({.kind = CommandKind::expire, .now = now});
    last_expiry_ = rt::now();
  }
  const std::size_t before = commands.size();
  for (const WriteRef& write : writes) {
    write->command.now = now;
    commands.push_back(std::move(write->command));
  }
  if (commands.empty()) return;
  const Status kept = log(commands);
  if (!kept.is_ok()) {
    for (const WriteRef& write : writes) write->result.emplace(kept);
  } else {
    std::span<const Command> all(commands);
    if (before == 1) apply(all.first(1), {});
    apply(all.subspan(before), writes);
  }
  for (const WriteRef& write : writes) write->done.set();
  if (log_ == nullptr || !kept.is_ok()) return;
  // Nobody waits for it but the writes that come.
  if (!log_->applied(tree_).is_ok()) {
    const std::lock_guard lock(mutex_);
    ++counts_.failed_saves;
  }
  if (log_->is_broken()) (void)log({});
}

void Store::Committer::refuse_nodes(std::vector<WriteRef>& writes) {
  std::size_t nodes = tree_.nodes();
  std::erase_if(writes, [&](const WriteRef& write) {
    const Command& command = write->command;
    if (command.kind != CommandKind::create && command.kind != CommandKind::set) return false;
    const std::size_t more = tree_.missing(command.path) + (command.unique ? 1 : 0);
    if (more == 0 || nodes + more <= options_.max_nodes) {
      nodes += more;
      return false;
    }
    write->result.emplace(Status(Code::resource_exhausted,
                                 "the store has " + std::to_string(tree_.nodes()) +
                                     " nodes, and \"" + command.path + "\" would be beyond " +
                                     "max_nodes (" + std::to_string(options_.max_nodes) +
                                     "): remove something, or raise it"));
    {
      const std::lock_guard lock(mutex_);
      ++counts_.refused_nodes;
    }
    write->done.set();
    return true;
  });
}

Status Store::Committer::log(std::span<const Command> commands) {
  if (log_ == nullptr) return {};
  const Status status = commands.empty() ? Status() : log_->append(commands, tree_.index());
  if (!log_->is_broken()) return status;
  is_broken_ = true;
  const std::string cause = status.is_ok() ? std::string() : status.to_string();
  queue_.refuse(Status(Code::data_loss,
                       "the store takes no writes any more, since its log failed: look after " +
                           std::string("the disk and start it again; reads go on"))
                    .with_cause(cause));
  if (status.is_ok()) return {};
  return Status(Code::outcome_unknown,
                "the log failed while it kept the write: after a restart it may be there, or not")
      .with_cause(cause);
}

void Store::Committer::apply(std::span<const Command> commands, std::span<const WriteRef> writes) {
  for (std::size_t i = 0; i < commands.size();) {
    const std::lock_guard lock(mutex_);
    const std::size_t end = std::min(commands.size(), i + applied_at_once);
    for (; i < end; ++i) {
      Result<EventRef> result = apply(commands[i]);
      if (!writes.empty()) writes[i]->result.emplace(std::move(result));
    }
    if (i < commands.size() || writes.empty()) continue;
    ++counts_.batches;
    counts_.commands += commands.size();
    counts_.largest_batch = std::max<std::uint64_t>(counts_.largest_batch, commands.size());
  }
}

Result<EventRef> Store::Committer::apply(const Command& command) {
  auto applied = tree_.apply(command);
  if (!applied) return applied.error();
  for (const Change& change : applied->changes) hub_->tell(change);
  return std::move(applied->event);
}

Status Store::Committer::stop() {
  if (std::exchange(has_stopped_, true)) return stopped_;
  const Status why(Code::unavailable, "the store has stopped");
  queue_.end(why);
  scope_.join();
  hub_->close(why);
  if (log_ != nullptr) stopped_ = log_->close();
  return stopped_;
}

// Readers

Result<EventRef> Store::Committer::get(std::string_view path, GetOptions options) {
  const WallTime now = wall();
  auto event = [&] {
    const std::shared_lock lock(mutex_);
    return tree_.get(path, options, now);
  }();
  (event ? get_success_ : get_fail_).fetch_add(1, std::memory_order_relaxed);
  return event;
}

Result<Watcher> Store::Committer::watch(std::string_view path, WatchOptions options) {
  // Nothing is applied while it is held: what the history does not have yet will be told.
  const std::shared_lock lock(mutex_);
  const std::uint64_t index = tree_.index();
  if (options.since == 0) options.since = index + 1;
  auto past = tree_.scan(path, options.recursive, options.since);
  if (!past) return past.error();
  return hub_->add(clean_path(path), options, index, *std::move(past));
}

std::uint64_t Store::Committer::index() const {
  const std::shared_lock lock(mutex_);
  return tree_.index();
}

Statistics Store::Committer::statistics() const {
  Statistics statistics = [&] {
    const std::shared_lock lock(mutex_);
    return tree_.statistics();
  }();
  statistics.get_success += get_success_.load(std::memory_order_relaxed);
  statistics.get_fail += get_fail_.load(std::memory_order_relaxed);
  statistics.watchers = hub_->size();
  return statistics;
}

StoreCounts Store::Committer::counts() const {
  StoreCounts counts = [&] {
    const std::shared_lock lock(mutex_);
    return counts_;
  }();
  counts.refused_waiting = queue_.refused();
  counts.overflowed_watchers = hub_->overflowed();
  return counts;
}

Result<std::string> Store::Committer::save() const {
  const std::shared_lock lock(mutex_);
  return tree_.save();
}

// Store

Store::Store(Tree tree, const StoreOptions& options, std::unique_ptr<CommandLog> log)
    : committer_(std::make_unique<Committer>(std::move(tree), options, std::move(log))) {}
Store::~Store() = default;

Result<EventRef> Store::write(Command command, rt::Deadline deadline) {
  return committer_->write(std::move(command), deadline);
}
Result<EventRef> Store::get(std::string_view path, GetOptions options) {
  return committer_->get(path, options);
}
Result<Watcher> Store::watch(std::string_view path, const WatchOptions& options) {
  return committer_->watch(path, options);
}
std::uint64_t Store::index() const { return committer_->index(); }
WallTime Store::wall() const { return committer_->wall(); }
Statistics Store::statistics() const { return committer_->statistics(); }
StoreCounts Store::counts() const { return committer_->counts(); }
Result<std::string> Store::save() const { return committer_->save(); }
const StoreOptions& Store::options() const { return committer_->options(); }
Status Store::status() const { return committer_->status(); }
Status Store::stop() { return committer_->stop(); }

}  // namespace parley::kv
