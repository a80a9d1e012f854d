#include "parley/http/impl/client_pool.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace parley::http::impl {
namespace {

Status closed() { return Status(Code::unavailable, "the HTTP client was closed; make a new one"); }

}  // namespace

ClientPool::ClientPool(const PoolLimits& limits)
    : limits_(limits), servants_(rt::Context::background(), rt::OnExit::cancel) {}

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

std::shared_ptr<ClientConnection> ClientPool::reserve_one(Origin& origin, Dropped& dropped) {
  const Instant now = rt::now();
  for (std::size_t i = origin.entries.size(); i-- > 0;) {
    Entry& entry = origin.entries[i];
    const bool is_busy = entry.connection->under_way() > 0;
    const bool is_good = !is_too_old(entry, now) && entry.connection->is_usable();
    if (!is_good && !is_busy) {
      dropped.push_back(std::move(entry.connection));
      origin.entries.erase(origin.entries.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (!is_good || !entry.connection->reserve()) continue;
    entry.is_idle = false;
    auto connection = entry.connection;
    std::rotate(origin.entries.begin() + static_cast<std::ptrdiff_t>(i),
                origin.entries.begin() + static_cast<std::ptrdiff_t>(i) + 1, origin.entries.end());
    return connection;
  }
  return nullptr;
}

// Whoever waits longest gets what has become free, a connection or the place of one.
void ClientPool::serve_waiting(Origin& origin, Dropped& dropped) {
  while (!origin.waiting.empty()) {
    Waiter& waiter = *origin.waiting.front();
    waiter.taken = {.connection = reserve_one(origin, dropped), .is_reused = true};
    if (waiter.taken.connection == nullptr) {
      if (origin.entries.size() + origin.dialling >= limits_.max_connections_per_origin) return;
      waiter.may_dial = true;
      ++origin.dialling;
    }
    origin.waiting.pop_front();
    waiter.woken.signal();
  }
}

Status ClientPool::wait_in_line(Origin& origin, Waiter& waiter, std::unique_lock<rt::Mutex>& lock,
                                rt::Deadline deadline) {
  if (origin.waiting.size() >= limits_.max_waiting) {
    return Status(Code::resource_exhausted,
                  "max_waiting (" + std::to_string(limits_.max_waiting) +
                      ") requests wait for a connection to this origin already; send fewer at "
                      "once, or allow more connections");
  }
  origin.waiting.push_back(&waiter);
  const auto is_served = [&] {
    return is_closed_ || waiter.may_dial || waiter.taken.connection != nullptr;
  };
  const Status status = waiter.woken.wait(lock, is_served, deadline);
  if (is_closed_) return closed();  // close() has emptied the line
  if (status.is_ok()) return {};
  std::erase(origin.waiting, &waiter);
  return status.with_context("all connections to this origin were in use");
}

Result<Taken> ClientPool::take(const std::string& name, const Dial& dial, rt::Deadline deadline) {
  Dropped dropped;
  Waiter waiter;
  std::unique_lock lock(lock_);
  if (is_closed_) return closed();
  Origin& origin = origins_[name];
  Status status;
  // Nobody overtakes those in line.
  if (origin.waiting.empty()) waiter.taken = {reserve_one(origin, dropped), true};
  if (waiter.taken.connection == nullptr) {
    if (origin.waiting.empty() &&
        origin.entries.size() + origin.dialling < limits_.max_connections_per_origin) {
      waiter.may_dial = true;
      ++origin.dialling;
    } else {
      status = wait_in_line(origin, waiter, lock, deadline);
      if (!is_closed_) forget_if_empty(name);
    }
  }
  lock.unlock();
  end(dropped);
  if (!status.is_ok()) return status;
  if (waiter.taken.connection != nullptr) return std::move(waiter.taken);
  return dial_one(name, dial);
}

// In a place that is counted in Origin::dialling.
Result<Taken> ClientPool::dial_one(const std::string& name, const Dial& dial) {
  auto [context, cancel] = rt::Context::current().with_cancel();
  std::list<rt::Cancel> mine;
  mine.push_back(std::move(cancel));
  const auto place = mine.begin();
  {
    const std::lock_guard lock(lock_);
    if (is_closed_) return closed();
    ++dialled_;
    dials_.splice(dials_.begin(), mine, place);
  }
  Result<std::shared_ptr<ClientConnection>> made = [&] {
    const rt::WithContext bound(context);
    return dial();
  }();
  Dropped dropped;
  std::unique_lock lock(lock_);
  mine.splice(mine.begin(), dials_, place);
  if (is_closed_) {
    lock.unlock();
    if (made) (*made)->close();
    return closed();
  }
  Origin& origin = origins_[name];
  --origin.dialling;
  if (!made) {
    serve_waiting(origin, dropped);
    forget_if_empty(name);
    lock.unlock();
    end(dropped);
    return made.error();
  }
  (*made)->on_change([self = weak_from_this(), name, which = made->get()] {
    if (const auto pool = self.lock()) pool->changed(name, which);
  });
  (void)(*made)->reserve();
  origin.entries.push_back({.connection = *made, .made = rt::now()});
  serve_waiting(origin, dropped);  // HTTP/2 has room for more
  lock.unlock();
  end(dropped);
  return Taken{.connection = std::move(*made), .is_reused = false};
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
      entry->is_idle = true;
      entry->idle_since = rt::now();
      if (!entry->connection->is_usable() || is_too_old(*entry, rt::now())) {
        dropped.push_back(std::move(entry->connection));
        origin.entries.erase(entry);
      }
    }
    serve_waiting(origin, dropped);
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
    dropped.push_back(std::move(of->entries[oldest].connection));
    of->entries.erase(of->entries.begin() + static_cast<std::ptrdiff_t>(oldest));
  }
}

void ClientPool::drop_old(Dropped& dropped) {
  const Instant now = rt::now();
  for (auto at = origins_.begin(); at != origins_.end();) {
    Origin& origin = at->second;
    for (std::size_t i = origin.entries.size(); i-- > 0;) {
      Entry& entry = origin.entries[i];
      if (!entry.is_idle || (!is_too_old(entry, now) && entry.connection->is_usable())) continue;
      dropped.push_back(std::move(entry.connection));
      origin.entries.erase(origin.entries.begin() + static_cast<std::ptrdiff_t>(i));
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
    for (const rt::Cancel& cancel : dials_) cancel(closed());
    for (auto& [name, origin] : origins_) {
      for (Waiter* waiter : origin.waiting) waiter->woken.signal();
      for (Entry& entry : origin.entries) dropped.push_back(std::move(entry.connection));
      origin.entries.clear();
      origin.waiting.clear();
    }
  }
  end(dropped);
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
