#include "parley/net/serve.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "parley/base/guard.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pollable.h"
#include "parley/rt/time.h"

namespace parley::net {

namespace impl {

// Among the connections of its server: a ring, under the server's lock.
struct ServedNode {
  ServedNode() = default;
  ServedNode(const ServedNode&) = delete;
  ServedNode& operator=(const ServedNode&) = delete;

  void put_before(ServedNode& place) {
    previous = place.previous;
    next = &place;
    previous->next = place.previous = this;
  }
  void take_out() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }

  ServedNode* previous = this;
  ServedNode* next = this;
  Served* served = nullptr;
};

// One connection. Owns itself: it goes at the end of its last run.
class Served final : public rt::ReadyItem {
 public:
  Served(Server& server, std::unique_ptr<Stream> stream)
      : server_(server), stream_(std::move(stream)) {
    node_.served = this;
    join(server.ready_);
  }

 private:
  friend class net::Server;

  using Call = Result<Next> (Servant::*)(Stream& stream);

  After run() override;
  Status begin();
  Status attend(bool may_read, Next& next);
  Status attend(Call call, Next& next);
  Status wait_and_attend(Next& next);
  Result<bool> wait_for_something(rt::Deadline deadline);
  void set_interrupt(const rt::Cancel* interrupt);
  void tell();  // that the server drains or stops; under its lock
  [[nodiscard]] bool is_to_drain() const;
  [[nodiscard]] Instant idle_end() const;
  void set_alarm(Instant now, Instant due);
  Status silent_for_too_long() const;
  After end(const Status& why, Next next);
  After finish(const Status& why, const Address& remote);

  Server& server_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Servant> servant_;
  ServedNode node_;
  Instant last_active_{};
  Instant alarm_ = Instant::max();         // none
  bool is_drained_ = false;                // and told so
  const rt::Cancel* interrupt_ = nullptr;  // ends a wait of its own fiber; under the server's lock
};

}  // namespace impl

// All that are there, for the end.
struct Server::Connections {
  rt::Mutex lock;
  // That nothing was told yet; that were told of drain(); and that the server stops.
  impl::ServedNode all;
  impl::ServedNode draining;
  impl::ServedNode stopping;

  // Passes some on, and makes them ready: not all at once, so that others get the lock.
  void tell(impl::ServedNode& from, impl::ServedNode& to) {
    for (int i = 0; i < told_at_once && from.next != &from; ++i) {
      impl::ServedNode& node = *from.next;
      node.take_out();
      node.put_before(to);
      node.served->tell();
    }
  }

  static constexpr int told_at_once = 64;
};

namespace impl {

Served::After Served::run() {
  if (server_.stopping_) return finish({}, stream_->remote_address());
  if (servant_ == nullptr) {
    const Address remote = stream_->remote_address();
    const Status begun = begin();
    if (servant_ == nullptr) return finish(begun, remote);
  }
  Next next = Next::rest;
  if (stream_->readiness() == nullptr) {
    const Status status = wait_and_attend(next);
    return end(status, next);
  }
  const bool may_read = stream_->unread() != Stream::Unread::nothing;
  if (const Status status = attend(may_read, next); !status.is_ok() || next != Next::rest) {
    return end(status, next);
  }
  switch (stream_->unread()) {
    case Stream::Unread::nothing:
      return After::rest;
    case Stream::Unread::perhaps:
      return After::again;
    case Stream::Unread::ended:
      break;
  }
  return end({}, Next::end);
}

// Makes the servant, if there is to be one.
Status Served::begin() {
  if (server_.options_.open) {
    Result<std::unique_ptr<Stream>> opened = std::unique_ptr<Stream>();
    Status called = guarded([&] { opened = server_.options_.open(std::move(stream_)); });
    if (!called.is_ok()) return called;
    if (!opened) return opened.error();
    stream_ = *std::move(opened);
    if (stream_ == nullptr) return {};
  }
  Status made = guarded([&] { servant_ = server_.make_servant_(*stream_); });
  if (servant_ == nullptr) return made;
  last_active_ = rt::now();
  if (rt::Pollable* readiness = stream_->readiness()) readiness->on_readable(this);
  return {};
}

// All that there is to do now. `next` is what becomes of the connection when this is ok.
Status Served::attend(bool may_read, Next& next) {
  next = Next::rest;
  if (is_to_drain()) {
    is_drained_ = true;
    const Status status = attend(&Servant::on_drain, next);
    if (!status.is_ok() || next != Next::rest) return status;
  }
  if (may_read) {
    const Status status = attend(&Servant::on_readable, next);
    if (!status.is_ok() || next != Next::rest) return status;
    if (server_.options_.idle_timeout > Duration::zero()) last_active_ = rt::now();
  }
  const Instant idle = idle_end();
  Instant due = servant_->due();
  if (std::min(due, idle) == Instant::max()) return {};
  // Nearly always long after now, which need not be known exactly then.
  Instant now = rt::recently();
  if (std::min({due, idle, alarm_}) - now <= Clock::longest_ago) now = rt::now();
  if (now >= due) {
    const Status status = attend(&Servant::on_due, next);
    if (!status.is_ok() || next != Next::rest) return status;
    due = servant_->due();
  }
  if (now >= idle) return silent_for_too_long();
  if (stream_->readiness() != nullptr) set_alarm(now, due);
  return {};
}

Status Served::attend(Call call, Next& next) {
  Status failed;
  const Status thrown = guarded([&] {
    const Result<Next> wanted = (*servant_.*call)(*stream_);
    if (wanted) {
      next = *wanted;
    } else {
      failed = wanted.error();
    }
  });
  return thrown.is_ok() ? failed : thrown;
}

bool Served::is_to_drain() const { return server_.draining_ && !is_drained_; }

// For a stream that cannot tell: this fiber is the connection's own from now on.
Status Served::wait_and_attend(Next& next) {
  for (;;) {
    const rt::Deadline deadline = rt::Deadline::at(std::min(servant_->due(), idle_end()));
    const Result<bool> more = wait_for_something(deadline);
    const bool is_over = rt::Context::current().is_done();
    if (!more && (is_over || !(deadline.is_over() || is_to_drain()))) return more.error();
    const Status status = attend(more.has_value(), next);
    if (!status.is_ok() || next != Next::rest || (more.has_value() && !*more)) return status;
  }
}

// Something to read, or an error; that is also one where there is something else to do.
Result<bool> Served::wait_for_something(rt::Deadline deadline) {
  if (is_drained_) return stream_->wait_readable(deadline);
  auto [context, cancel] = rt::Context::current().with_cancel();
  set_interrupt(&cancel);
  Result<bool> more = Status(Code::cancelled, "the server drains");
  if (!is_to_drain()) {
    const rt::WithContext bound(context);
    more = stream_->wait_readable(deadline);
  }
  set_interrupt(nullptr);
  return more;
}

void Served::set_interrupt(const rt::Cancel* interrupt) {
  const std::lock_guard lock(server_.connections_->lock);
  interrupt_ = interrupt;
}

void Served::tell() {
  if (interrupt_ != nullptr) (*interrupt_)();
  ready();
}

// Later than the clock can tell is never.
Instant Served::idle_end() const {
  const Duration limit = server_.options_.idle_timeout;
  if (limit <= Duration::zero() || limit >= Instant::max() - last_active_) return Instant::max();
  return last_active_ + limit;
}

// One alarm for each stretch of time, not for each call: it is set again when it rang too early.
// That of idle time is rounded up, so that the alarms of many connections ring together.
void Served::set_alarm(Instant now, Instant due) {
  const Duration limit = server_.options_.idle_timeout;
  const Duration step = std::max<Duration>(limit / 16, std::chrono::milliseconds(1));
  const Instant idle = idle_end();
  if (idle < Instant::max() - step) {
    due = std::min(due, Instant((idle.time_since_epoch() / step + 1) * step));
  }
  if (due >= alarm_ && now < alarm_) return;
  alarm_ = due;
  if (due != Instant::max()) ready_at(due);
}

Status Served::silent_for_too_long() const {
  server_.idle_timeouts_.fetch_add(1, std::memory_order_relaxed);
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(server_.options_.idle_timeout);
  return {Code::deadline_exceeded, "nothing came from " + stream_->remote_address().to_string() +
                                       " for idle_timeout (" + std::to_string(limit.count()) +
                                       " ms)"};
}

Served::After Served::end(const Status& why, Next next) {
  if (!why.is_ok() || next != Next::hand_over) return finish(why, stream_->remote_address());
  const Address remote = stream_->remote_address();
  if (rt::Pollable* readiness = stream_->readiness()) readiness->on_readable(nullptr);
  return finish(guarded([&] { servant_->take(std::move(stream_)); }), remote);
}

// `remote` may be the stream's.
Served::After Served::finish(const Status& why, const Address& remote) {
  Server& server = server_;
  if (!why.is_ok() && !server.stopping_) {
    server.errors_.fetch_add(1, std::memory_order_relaxed);
    if (server.options_.on_error) {
      (void)guarded([&] { server.options_.on_error(remote, why); });
    }
  }
  if (servant_ != nullptr && stream_ != nullptr) {
    (void)guarded([&] { servant_->on_end(*stream_); });
  }
  stream_.reset();  // nothing tells of readiness from here on
  servant_.reset();
  {
    const std::lock_guard lock(server.connections_->lock);
    node_.take_out();
  }
  delete this;
  server.places_.release();
  server.alive_.done();
  return After::gone;
}

}  // namespace impl

Server::Server(Listener& listener, MakeServant make_servant, ServeOptions options)
    : listener_(listener),
      make_servant_(std::move(make_servant)),
      options_(std::move(options)),
      places_(options_.max_connections),
      connections_(std::make_unique<Connections>()),
      ready_("connection", {.max_fibers = std::max<std::size_t>(options_.max_handlers, 1)}) {}

Server::~Server() = default;

Status Server::serve() {
  if (options_.max_connections == 0 || options_.max_handlers == 0) {
    return {Code::invalid_argument,
            "ServeOptions: max_connections and max_handlers must be above 0; nobody could be "
            "served"};
  }
  Status status = accept_all();
  if (status.code() == Code::unavailable) status = alive_.wait();  // the listener was closed
  if (!status.is_ok()) stop();
  const rt::WithContext whatever_happens(rt::Context::background());
  (void)alive_.wait();
  return status;
}

Status Server::accept_all() {
  for (;;) {
    if (!places_.try_acquire()) {
      waits_for_connection_.fetch_add(1, std::memory_order_relaxed);
      if (Status s = places_.acquire(); !s.is_ok()) return s;
    }
    auto stream = listener_.accept();
    if (!stream) {
      places_.release();
      return stream.error();
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    alive_.add();
    auto* served = new impl::Served(*this, *std::move(stream));  // owns itself
    {
      const std::lock_guard lock(connections_->lock);
      served->node_.put_before(connections_->all);
    }
    served->ready();
    rt::checkpoint();  // where there is always another connection, accept() does not wait
  }
}

void Server::drain() {
  if (draining_.exchange(true)) return;
  for (bool more = true; more && !stopping_; rt::yield()) {
    const std::lock_guard lock(connections_->lock);
    connections_->tell(connections_->all, connections_->draining);
    more = connections_->all.next != &connections_->all;
  }
}

void Server::stop() {
  stopping_ = true;
  ready_.cancel();
  for (bool more = true; more; rt::yield()) {
    const std::lock_guard lock(connections_->lock);
    for (impl::ServedNode* const ring : {&connections_->draining, &connections_->all}) {
      connections_->tell(*ring, connections_->stopping);
    }
    more = connections_->all.next != &connections_->all ||
           connections_->draining.next != &connections_->draining;
  }
}

ServeCounts Server::counts() const {
  ServeCounts counts;
  counts.accepted = accepted_;
  counts.connections = alive_.count();
  counts.handlers = ready_.fibers();
  counts.errors = errors_;
  counts.idle_timeouts = idle_timeouts_;
  counts.waits_for_connection = waits_for_connection_;
  counts.waits_for_handler = ready_.waits_for_fiber();
  return counts;
}

}  // namespace parley::net
