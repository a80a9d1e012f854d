#include "parley/peer/session_pool.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "parley/base/assert.h"
#include "parley/peer/impl/pushing.h"
#include "parley/peer/peer.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

// A session is idle for at most this part of idle_timeout longer than that, or this long.
constexpr int looks_per_timeout = 4;
constexpr Duration least_between_looks = std::chrono::milliseconds(1);

// Nobody waits for the end of it.
void close_aside(const Session& session) {
  const auto& connection = impl::Pushing::connection_of(session);
  const Status why(Code::cancelled, "the pool closed the session, which was idle");
  if (impl::Line* const line = connection->extras().line(); line != nullptr) {
    if (line->begin_close(why)) line->close_aside();
  } else if (connection->begin_close(why)) {
    connection->close_aside();
  }
}

}  // namespace

struct SessionPool::Entry {
  explicit Entry(Session dialled) : session(std::move(dialled)) {}
  const Session session;
  // Guarded by the pool's lock.
  std::size_t under_way = 0;
  Instant used_at = rt::now();
};

class SessionPool::Impl {
 public:
  Impl(Peer& peer, std::string address, const SessionPoolOptions& options)
      : options_(options), peer_(peer), address_(std::move(address)) {
    PARLEY_ASSERT(
        options.max_sessions > 0 && options.calls_per_session > 0 && options.max_tries > 0,
        "SessionPoolOptions: max_sessions, calls_per_session and max_tries are at least 1");
  }

  Result<std::shared_ptr<Entry>> take(rt::Deadline deadline) {
    std::unique_lock lock(lock_);
    Status failure;  // of the one time that this dials
    for (;;) {
      if (is_closed_) return closed();
      std::erase_if(entries_, [](const auto& each) { return !each->session.is_open(); });
      const auto best = std::min_element(
          entries_.begin(), entries_.end(),
          [](const auto& a, const auto& b) { return a->under_way < b->under_way; });
      const bool has_one = best != entries_.end();
      const bool is_busy = !has_one || (*best)->under_way >= options_.calls_per_session;
      if (is_busy && failure.is_ok() && !is_dialling_ && entries_.size() < options_.max_sessions) {
        auto dialled = dial(lock, deadline);
        if (dialled) return lend(*dialled);
        failure = dialled.error();
        continue;
      }
      if (has_one) return lend(*best);
      if (!failure.is_ok()) return failure;
      const std::uint64_t before = dials_;
      if (Status s = dialled_.wait(lock, deadline); !s.is_ok()) return s;
      // Who waited for the one that dials shares its fate, if that was not of its own making.
      if (entries_.empty() && dials_ > before && !last_failure_.is_ok()) return last_failure_;
    }
  }

  void give_back(Entry& entry) {
    const std::lock_guard lock(lock_);
    --entry.under_way;
    entry.used_at = rt::now();
  }

  std::size_t session_count() const {
    const std::lock_guard lock(lock_);
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [](const auto& each) { return each->session.is_open(); }));
  }

  void close() {
    std::vector<std::shared_ptr<Entry>> all;
    {
      const std::lock_guard lock(lock_);
      is_closed_ = true;
      all.swap(entries_);
    }
    dialled_.broadcast();
    idle_.cancel();
    end(all);
    idle_.join();
  }

  [[nodiscard]] const SessionPoolOptions& options() const { return options_; }

 private:
  [[nodiscard]] Status closed() const {
    return {Code::not_sent, "the pool of " + address_ + " is closed"};
  }

  // The lock is not held while it dials; one at a time does.
  Result<std::shared_ptr<Entry>> dial(std::unique_lock<rt::Mutex>& lock, rt::Deadline deadline) {
    is_dialling_ = true;
    lock.unlock();
    DialOptions dialling = options_.dial;
    const Duration longest = dialling.timeout.value_or(peer_.options().dial_timeout);
    dialling.timeout =
        deadline.is_never() ? longest : std::min(longest, deadline.instant() - rt::now());
    auto session = peer_.dial(address_, dialling);
    Status own;  // what ended it that is no business of others
    if (!session) own = rt::Context::current().status();
    if (!session && own.is_ok() && deadline.is_over()) {
      own = Status(Code::deadline_exceeded, "no session to " + address_ + " was dialled in time")
                .with_cause(session.error().to_string());
    }
    lock.lock();
    is_dialling_ = false;
    ++dials_;
    last_failure_ = own.is_ok() ? session.error() : Status();
    dialled_.broadcast();
    if (!own.is_ok()) return own;
    if (!session) return session.error();
    auto entry = std::make_shared<Entry>(*std::move(session));
    if (is_closed_) {
      lock.unlock();
      entry->session.close();
      lock.lock();
      return closed();
    }
    entries_.push_back(entry);
    if (!watches_ && options_.idle_timeout > Duration::zero()) {
      // Without a fiber for it sessions stay for longer; the next one that is dialled tries again.
      watches_ = idle_.try_go("session pool", [this] { close_idle(); });
    }
    return entry;
  }

  static std::shared_ptr<Entry> lend(const std::shared_ptr<Entry>& entry) {
    ++entry->under_way;
    return entry;
  }

  void close_idle() {
    const Duration pause = std::max(options_.idle_timeout / looks_per_timeout, least_between_looks);
    while (rt::sleep(pause).is_ok()) {
      std::vector<std::shared_ptr<Entry>> idle;
      {
        const std::lock_guard lock(lock_);
        const Instant until = rt::now() - options_.idle_timeout;
        std::erase_if(entries_, [&](const auto& each) {
          const bool goes = each->under_way == 0 && each->used_at <= until &&
                            entries_.size() - idle.size() > options_.min_sessions;
          if (goes) idle.push_back(each);
          return goes;
        });
      }
      // close() waits for this fiber, perhaps in a callback of one of these, which must not wait
      // for itself.
      for (const auto& each : idle) close_aside(each->session);
    }
  }

  // Under the caller's context, which shows whether that is inside one of them.
  static void end(const std::vector<std::shared_ptr<Entry>>& entries) {
    rt::Scope scope;
    for (const auto& each : entries) scope.go("close", [each] { each->session.close(); });
  }

  const SessionPoolOptions options_;
  Peer& peer_;
  const std::string address_;
  mutable rt::Mutex lock_;  // of what follows
  rt::Cond dialled_;
  std::vector<std::shared_ptr<Entry>> entries_;
  bool is_dialling_ = false;
  bool is_closed_ = false;
  bool watches_ = false;
  std::uint64_t dials_ = 0;
  Status last_failure_;
  rt::Scope idle_{rt::Context::background(), rt::OnExit::cancel};
};

SessionPool::SessionPool(Peer& peer, std::string address, const SessionPoolOptions& options)
    : impl_(std::make_shared<Impl>(peer, std::move(address), options)) {}

SessionPool::~SessionPool() { close(); }

Result<SessionPool::Lease> SessionPool::take(rt::Deadline deadline) {
  auto entry = impl_->take(deadline);
  if (!entry) return entry.error();
  return Lease(impl_, *std::move(entry));
}

std::size_t SessionPool::session_count() const { return impl_->session_count(); }

void SessionPool::close() { impl_->close(); }

CallOptions SessionPool::remaining(const CallOptions& options, rt::Deadline deadline) {
  CallOptions left = options;
  if (options.timeout) left.timeout = deadline.instant() - rt::now();
  return left;
}

bool SessionPool::tries_again(const Status& status, std::size_t tries) const {
  return status.code() == Code::not_sent && tries < impl_->options().max_tries;
}

const Session& SessionPool::Lease::session() const { return entry_->session; }

SessionPool::Lease& SessionPool::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  entry_ = std::move(other.entry_);
  return *this;
}

void SessionPool::Lease::give_back() {
  if (entry_) pool_->give_back(*std::exchange(entry_, nullptr));
}

}  // namespace parley
