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

  After run() override;
  Status begin();
  Status attend(Next& next);
  Status wait_and_attend();
  Status look_at_idle_time();
  Status silent_for_too_long() const;
  After finish(const Status& why, const Address& remote);

  Server& server_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Servant> servant_;
  ServedNode node_;
  Instant last_active_{};
  Instant alarm_{};
};

}  // namespace impl

// All that are there, for the end.
struct Server::Connections {
  rt::Mutex lock;
  impl::ServedNode all;
  impl::ServedNode told;  // that the server stops
};

namespace impl {

Served::After Served::run() {
  if (server_.stopping_) return finish({}, stream_->remote_address());
  if (servant_ == nullptr) {
    const Address remote = stream_->remote_address();
    const Status begun = begin();
    if (servant_ == nullptr) return finish(begun, remote);
  }
  const Address& remote = stream_->remote_address();
  if (stream_->readiness() == nullptr) return finish(wait_and_attend(), remote);
  if (stream_->unread() != Stream::Unread::nothing) {
    Next next = Next::end;
    const Status status = attend(next);
    if (!status.is_ok() || next == Next::end) return finish(status, remote);
  }
  if (server_.options_.idle_timeout > Duration::zero()) {
    if (const Status idle = look_at_idle_time(); !idle.is_ok()) return finish(idle, remote);
  }
  switch (stream_->unread()) {
    case Stream::Unread::nothing:
      return After::rest;
    case Stream::Unread::perhaps:
      return After::again;
    case Stream::Unread::ended:
      break;
  }
  return finish({}, remote);
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

// `next` is what becomes of the connection when this is ok.
Status Served::attend(Next& next) {
  Status failed;
  Status thrown = guarded([&] {
    const Result<Next> wanted = servant_->on_readable(*stream_);
    if (wanted) {
      next = *wanted;
    } else {
      failed = wanted.error();
    }
  });
  if (!thrown.is_ok()) return thrown;
  if (server_.options_.idle_timeout > Duration::zero()) last_active_ = rt::now();
  return failed;
}

// For a stream that cannot tell: this fiber is the connection's own from now on.
Status Served::wait_and_attend() {
  const Duration idle = server_.options_.idle_timeout;
  for (;;) {
    const bool limited = idle > Duration::zero();
    const rt::Deadline deadline = limited ? rt::Deadline::after(idle) : rt::Deadline();
    const Result<bool> more = stream_->wait_readable(deadline);
    if (!more && more.error().code() == Code::deadline_exceeded && deadline.is_over()) {
      return silent_for_too_long();
    }
    if (!more) return more.error();
    Next next = Next::end;
    const Status status = attend(next);
    if (!status.is_ok() || next == Next::end || !*more) return status;
  }
}

// One alarm for each stretch of idle time, not for each call: it is set again when it rang too
// early. Rounded up, so that the alarms of many connections ring together.
Status Served::look_at_idle_time() {
  const Duration limit = server_.options_.idle_timeout;
  const Instant now = rt::now();
  if (now - last_active_ >= limit) return silent_for_too_long();
  if (now < alarm_) return {};
  const Duration step = std::max<Duration>(limit / 16, std::chrono::milliseconds(1));
  // Later than the clock can tell is never.
  if (limit >= Instant::max() - last_active_ - step) {
    alarm_ = Instant::max();
    return {};
  }
  const Duration due = (last_active_ + limit).time_since_epoch();
  alarm_ = Instant((due / step + 1) * step);
  ready_at(alarm_);
  return {};
}

Status Served::silent_for_too_long() const {
  server_.idle_timeouts_.fetch_add(1, std::memory_order_relaxed);
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(server_.options_.idle_timeout);
  return {Code::deadline_exceeded, "nothing came from " + stream_->remote_address().to_string() +
                                       " for idle_timeout (" + std::to_string(limit.count()) +
                                       " ms)"};
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

void Server::stop() {
  stopping_ = true;
  ready_.cancel();
  constexpr int told_at_once = 64;  // then others get the lock
  for (bool more = true; more; rt::yield()) {
    const std::lock_guard lock(connections_->lock);
    impl::ServedNode& all = connections_->all;
    for (int i = 0; i < told_at_once && all.next != &all; ++i) {
      impl::ServedNode& node = *all.next;
      node.take_out();
      node.put_before(connections_->told);
      node.served->ready();
    }
    more = all.next != &all;
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
