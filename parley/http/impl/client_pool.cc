#include "parley/http/impl/client_pool.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "parley/rt/time.h"

namespace parley::http::impl {
namespace {

// After a further connection could not be made, before the next attempt, while others serve.
constexpr Duration dial_pause = std::chrono::seconds(1);

Status closed() { return Status(Code::unavailable, "the HTTP client was closed; make a new one"); }

}  // namespace

ClientPool::ClientPool(const PoolLimits& limits, Dial dial)
    : limits_(limits),
      dial_(std::move(dial)),
      servants_(rt::Context::background(), rt::OnExit::cancel) {}

void ClientPool::end(const Dropped& dropped) {
  for (const auto& connection : dropped) connection->close();
}

bool ClientPool::is_too_old(const Entry& entry, Instant now) const {
  return now - entry.made >= limits_.max_age ||
         (entry.is_idle && now - entry.idle_since >= limits_.idle_timeout);
}

std::size_t ClientPool::count_idle() const {
  std::size_t idle = 0;
  for (const auto& [name, origin] : origins_) {
    idle += static_cast<std::size_t>(
        std::ranges::count_if(origin.entries, [](const Entry& entry) { return entry.is_idle; }));
  }
  return idle;
}

void ClientPool::drop(Origin& origin, std::size_t index, Dropped& dropped) {
  const auto at = origin.entries.begin() + static_cast<std::ptrdiff_t>(index);
  std::shared_ptr<ClientConnection> connection = std::move(at->connection);
  origin.entries.erase(at);
  if (!connection->is_multiplexed()) {
    dropped.push_back(std::move(connection));
    return;
  }
  // We may be on one of its fibers, for which its end waits.
  over_.push_back(std::move(connection));
  if (over_.size() == 1) {
    ender_ = rt::Timer(servants_, Duration::zero(), "http end", [this] { end_those_over(); });
  }
}

void ClientPool::end_those_over() {
  Dropped dropped;
  {
    const std::lock_guard lock(lock_);
    dropped.swap(over_);
  }
  end(dropped);
}

Taken ClientPool::reserve_one(Origin& origin, Dropped& dropped) {
  const Instant now = rt::now();
  for (std::size_t i = origin.entries.size(); i-- > 0;) {
    Entry& entry = origin.entries[i];
    const bool is_busy = entry.connection->under_way() > 0;
    const bool is_good = !is_too_old(entry, now) && entry.connection->is_usable();
    if (!is_good && !is_busy) {
      drop(origin, i, dropped);
      continue;
    }
    if (!is_good || !entry.connection->reserve()) continue;
    entry.is_idle = false;
    Taken taken{.connection = entry.connection, .is_reused = std::exchange(entry.was_used, true)};
    std::rotate(origin.entries.begin() + static_cast<std::ptrdiff_t>(i),
                origin.entries.begin() + static_cast<std::ptrdiff_t>(i) + 1, origin.entries.end());
    return taken;
  }
  return {};
}

bool ClientPool::shares_dials(const Origin& origin, const Target& target) {
  return target.may_be_http_2() && !origin.is_http_1;
}

bool ClientPool::may_dial(const Origin& origin) const {
  // What is under way on those that take no more holds up nobody; there are as many again at most.
  const Instant now = rt::now();
  const auto leaving = std::ranges::count_if(origin.entries, [&](const Entry& entry) {
    return entry.connection->is_multiplexed() &&
           (is_too_old(entry, now) || !entry.connection->is_usable());
  });
  const std::size_t all = origin.entries.size() + origin.dialling;
  const std::size_t most = limits_.max_connections_per_origin;
  return all - std::min(static_cast<std::size_t>(leaving), most) < most;
}

bool ClientPool::dial_for_all(const std::string& name, Origin& origin, const Target& target) {
  if (origin.dialling > 0) return true;
  const Instant now = rt::now();
  for (const Entry& entry : origin.entries) {
    if (is_too_old(entry, now)) continue;
    // Room that came since we looked: its changed() waits for our lock.
    if (entry.connection->is_settling() || entry.connection->can_take_more()) return true;
  }
  ++origin.dialling;
  const auto dial = [this, name, url = target.url, versions = target.versions] {
    dial_shared(name, {.url = url, .versions = versions});
  };
  const bool begun = servants_.try_go("http dial", dial);
  if (!begun) --origin.dialling;
  dialled_ += begun ? 1 : 0;
  return begun;
}

// Whoever waits longest gets what has become free, a connection or the place of one.
void ClientPool::serve_waiting(const std::string& name, Origin& origin, Dropped& dropped) {
  while (!origin.waiting.empty()) {
    Waiter& waiter = *origin.waiting.front();
    waiter.taken = reserve_one(origin, dropped);
    if (waiter.taken.connection == nullptr) {
      if (!may_dial(origin)) return;
      if (shares_dials(origin, *waiter.target) && dial_for_all(name, origin, *waiter.target)) {
        return;
      }
      waiter.may_dial = true;
      ++origin.dialling;
      ++dialled_;
    }
    origin.waiting.pop_front();
    waiter.woken.signal();
  }
}

void ClientPool::fail_waiting(Origin& origin, const Status& why) {
  for (Waiter* waiter : origin.waiting) {
    waiter->failed = why;
    waiter->woken.signal();
  }
  origin.waiting.clear();
}

Status ClientPool::wait_in_line(const std::string& name, Waiter& waiter,
                                std::unique_lock<rt::Mutex>& lock, rt::Deadline deadline) {
  Origin& origin = origins_[name];
  const bool shares = shares_dials(origin, *waiter.target);
  // The first who waits for a dial stands for it.
  if (origin.waiting.size() >= std::max<std::size_t>(limits_.max_waiting, shares ? 1 : 0)) {
    return Status(Code::resource_exhausted,
                  "max_waiting (" + std::to_string(limits_.max_waiting) +
                      ") requests wait for a connection to this origin already; send fewer at "
                      "once, or allow more connections");
  }
  origin.waiting.push_back(&waiter);
  if (shares && may_dial(origin) && !dial_for_all(name, origin, *waiter.target) &&
      origin.waiting.size() == 1) {
    origin.waiting.pop_back();  // no fiber is left for it: its own has to do
    ++origin.dialling;
    ++dialled_;
    waiter.may_dial = true;
    return {};
  }
  const Status status =
      waiter.woken.wait(lock, [&] { return is_closed_ || waiter.is_served(); }, deadline);
  if (is_closed_) return closed();  // close() has emptied the line
  if (waiter.is_served()) return waiter.failed;
  std::erase(origin.waiting, &waiter);
  return status.with_context(origin.entries.empty() && origin.dialling > 0
                                 ? "a connection to this origin was being made"
                                 : "all connections to this origin were in use");
}

Result<Taken> ClientPool::take(const std::string& name, const Target& target,
                               rt::Deadline deadline) {
  Dropped dropped;
  Waiter waiter;
  waiter.target = &target;
  std::unique_lock lock(lock_);
  if (is_closed_) return closed();
  Origin& origin = origins_[name];
  Status status;
  // Nobody overtakes those in line.
  if (origin.waiting.empty()) waiter.taken = reserve_one(origin, dropped);
  if (waiter.taken.connection == nullptr) {
    if (origin.waiting.empty() && may_dial(origin) && !shares_dials(origin, target)) {
      waiter.may_dial = true;
      ++origin.dialling;
      ++dialled_;
    } else {
      status = wait_in_line(name, waiter, lock, deadline);
      if (!is_closed_) forget_if_empty(name);
    }
  }
  lock.unlock();
  end(dropped);
  if (!status.is_ok()) return status;
  if (waiter.taken.connection != nullptr) return std::move(waiter.taken);
  return dial_one(name, target, deadline);
}

// Its context ends with the pool. Does nothing when that has ended.
void ClientPool::until_closed(const std::function<void()>& what) {
  auto [context, cancel] = rt::Context::current().with_cancel();
  std::list<rt::Cancel> mine;
  mine.push_back(std::move(cancel));
  const auto place = mine.begin();
  {
    const std::lock_guard lock(lock_);
    if (is_closed_) return;
    dials_.splice(dials_.begin(), mine, place);
  }
  {
    const rt::WithContext bound(context);
    what();
  }
  const std::lock_guard lock(lock_);
  mine.splice(mine.begin(), dials_, place);
}

void ClientPool::add(const std::string& name, Origin& origin, Entry entry) {
  ClientConnection& connection = *entry.connection;
  origin.is_http_1 = !connection.is_multiplexed();
  connection.on_change([self = weak_from_this(), name, which = &connection] {
    if (const auto pool = self.lock()) pool->changed(name, which);
  });
  entry.made = rt::now();
  entry.idle_since = entry.made;
  origin.entries.push_back(std::move(entry));
}

// In a place that is counted in Origin::dialling.
Result<Taken> ClientPool::dial_one(const std::string& name, const Target& target,
                                   rt::Deadline deadline) {
  Made made = closed();
  until_closed([&] { made = dial_(target, deadline); });
  Dropped dropped;
  std::unique_lock lock(lock_);
  if (is_closed_) {
    lock.unlock();
    if (made) (*made)->close();
    return closed();
  }
  Origin& origin = origins_[name];
  --origin.dialling;
  if (!made || !(*made)->reserve()) {
    serve_waiting(name, origin, dropped);
    forget_if_empty(name);
    lock.unlock();
    end(dropped);
    if (!made) return made.error();
    return Status(Code::not_sent, "the connection to " + name + " ended as soon as it was made");
  }
  add(name, origin, {.connection = *made, .was_used = true});
  serve_waiting(name, origin, dropped);  // HTTP/2 has room for more
  lock.unlock();
  end(dropped);
  return Taken{.connection = std::move(*made), .is_reused = false};
}

// For all in line; also when the one for whom it began has gone.
void ClientPool::dial_shared(const std::string& name, const Target& target) {
  Made made = closed();
  until_closed([&] { made = dial_(target, {}); });
  if (made && !(*made)->is_usable()) {
    made = Status(Code::not_sent, "the connection to " + name + " ended as soon as it was made");
  }
  Dropped dropped;
  std::unique_lock lock(lock_);
  if (is_closed_) {
    lock.unlock();
    if (made) (*made)->close();
    return;
  }
  Origin& origin = origins_[name];
  if (made) {
    add(name, origin, {.connection = *std::move(made), .is_idle = true});
  } else if (std::ranges::any_of(origin.entries, [](const Entry& entry) {
               return entry.connection->is_usable();
             })) {
    // Those in line go on with what there is.
    lock.unlock();
    until_closed([] { (void)rt::sleep(dial_pause); });
    lock.lock();
    if (is_closed_) return;
  } else {
    fail_waiting(origin, made.error());
  }
  --origin.dialling;
  serve_waiting(name, origin, dropped);
  drop_beyond_limit(dropped);
  forget_if_empty(name);
  arm();
  lock.unlock();
  end(dropped);
}

void ClientPool::changed(const std::string& name, const ClientConnection* connection) {
  Dropped dropped;
  {
    const std::lock_guard lock(lock_);
    const auto found = origins_.find(name);
    if (is_closed_ || found == origins_.end()) return;
    Origin& origin = found->second;
    const auto entry = std::ranges::find_if(
        origin.entries, [&](const Entry& one) { return one.connection.get() == connection; });
    if (entry == origin.entries.end()) return;
    if (entry->connection->under_way() == 0) {
      if (!std::exchange(entry->is_idle, true)) entry->idle_since = rt::now();
      if (!entry->connection->is_usable() || is_too_old(*entry, rt::now())) {
        drop(origin, static_cast<std::size_t>(entry - origin.entries.begin()), dropped);
      }
    }
    serve_waiting(name, origin, dropped);
    drop_beyond_limit(dropped);
    forget_if_empty(name);
    arm();
  }
  end(dropped);
}

void ClientPool::drop_beyond_limit(Dropped& dropped) {
  for (std::size_t idle = count_idle(); idle > limits_.max_idle; --idle) {
    Origin* of = nullptr;
    std::size_t oldest = 0;
    for (auto& [name, origin] : origins_) {
      for (std::size_t i = 0; i < origin.entries.size(); ++i) {
        const Entry& entry = origin.entries[i];
        if (!entry.is_idle) continue;
        if (of != nullptr && entry.idle_since >= of->entries[oldest].idle_since) continue;
        of = &origin;
        oldest = i;
      }
    }
    drop(*of, oldest, dropped);
  }
}

void ClientPool::drop_old(Dropped& dropped) {
  const Instant now = rt::now();
  for (auto at = origins_.begin(); at != origins_.end();) {
    Origin& origin = at->second;
    for (std::size_t i = origin.entries.size(); i-- > 0;) {
      Entry& entry = origin.entries[i];
      if (!entry.is_idle || (!is_too_old(entry, now) && entry.connection->is_usable())) continue;
      drop(origin, i, dropped);
    }
    const auto next = std::next(at);
    forget_if_empty(at->first);
    at = next;
  }
}

void ClientPool::forget_if_empty(const std::string& name) {
  const auto at = origins_.find(name);
  if (at == origins_.end()) return;
  const Origin& origin = at->second;
  if (origin.entries.empty() && origin.dialling == 0 && origin.waiting.empty()) origins_.erase(at);
}

// Looks after idle connections when the next one is due.
void ClientPool::arm() {
  if (is_armed_ || is_closed_) return;
  Instant due = Instant::max();
  for (const auto& [name, origin] : origins_) {
    for (const Entry& entry : origin.entries) {
      if (!entry.is_idle) continue;
      due = std::min({due, rt::Deadline::after(limits_.idle_timeout, entry.idle_since).instant(),
                      rt::Deadline::after(limits_.max_age, entry.made).instant()});
    }
  }
  if (due == Instant::max()) return;
  is_armed_ = true;
  timer_ = rt::Timer(servants_, due - rt::now(), "http idle", [this] { tidy(); });
}

void ClientPool::tidy() {
  Dropped dropped;
  {
    const std::lock_guard lock(lock_);
    is_armed_ = false;
    drop_old(dropped);
    arm();
  }
  end(dropped);
}

void ClientPool::close() {
  Dropped dropped;
  {
    const std::lock_guard lock(lock_);
    if (is_closed_) return;
    is_closed_ = true;
    (void)timer_.stop();
    dropped.swap(over_);
    for (const rt::Cancel& cancel : dials_) cancel(closed());
    for (auto& [name, origin] : origins_) {
      for (Waiter* waiter : origin.waiting) waiter->woken.signal();
      for (Entry& entry : origin.entries) dropped.push_back(std::move(entry.connection));
      origin.entries.clear();
      origin.waiting.clear();
      origin.dialling = 0;
    }
  }
  end(dropped);
}

void ClientPool::join() {
  servants_.cancel();
  servants_.join();
}

PoolCounts ClientPool::counts() {
  const std::lock_guard lock(lock_);
  PoolCounts counts{.dialled = dialled_, .idle = count_idle()};
  for (const auto& [name, origin] : origins_) {
    counts.connections += origin.entries.size() + origin.dialling;
    counts.waiting += origin.waiting.size();
  }
  return counts;
}

}  // namespace parley::http::impl
