// SessionPool: several sessions to one address, dialled as they are needed and closed when they are
// not. One session carries any number of calls at once; more of them use more of the other side's
// cores, and keep small calls out of the way of large ones.
//
// Fiber-safe. The peer must outlive it.
//
//   parley::SessionPool shop(peer, "tcp://shop.example:80", {.max_sessions = 4});
//   Result<Receipt> receipt = shop.call<Receipt>("/order/place", order);
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/peer/async_call.h"
#include "parley/peer/endpoints.h"
#include "parley/peer/options.h"
#include "parley/peer/session.h"
#include "parley/rt/deadline.h"

namespace parley {

class Peer;

struct SessionPoolOptions {
  // Sessions at once; at least 1. When all of them are busy, further calls share them.
  std::size_t max_sessions = 8;
  // Another session is dialled when each of those there are has so many calls under way.
  std::size_t calls_per_session = 64;
  // A session that nothing was asked of for so long is closed, but for the last min_sessions.
  // Zero: none is. They are looked at every millisecond at most.
  Duration idle_timeout = std::chrono::minutes(3);
  std::size_t min_sessions = 1;
  // How often a call that was not sent is tried, each time on a session that is open then.
  std::size_t max_tries = 3;
  // How its sessions are dialled. With a redial they are dialled again by themselves, and stay in
  // the pool meanwhile.
  DialOptions dial = {};
};

class SessionPool {
 public:
  // Dials nothing yet. With max_sessions, calls_per_session or max_tries 0 it is a bug.
  SessionPool(Peer& peer, std::string address, const SessionPoolOptions& options = {});
  // close().
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  class Lease;

  // The session with the fewest calls under way; counts as one as long as the lease lasts. Where
  // there is none, or all are busy and there may be another, one is dialled, by one fiber at a
  // time; all others take what there is, or wait where there is none. When that fails and there is
  // no session either: the error of Peer::dial; deadline_exceeded, or the context's status, when
  // that came first; not_sent once the pool is closed.
  Result<Lease> take(rt::Deadline deadline = {});

  // As Session::call, on a session of the pool. One that was not sent, because its session had
  // ended, is tried on another one; CallOptions::timeout is for all tries together.
  template <class R = void, class... Args>
  Result<R> call(const CallOptions& options, std::string_view method, const Args&... args);
  template <class R = void, class... Args>
  Result<R> call(std::string_view method, const Args&... args) {
    return call<R>(CallOptions(), method, args...);
  }
  // As Session::push, in the same manner.
  template <class... Args>
  Status push(const CallOptions& options, std::string_view method, const Args&... args);
  template <class... Args>
  Status push(std::string_view method, const Args&... args) {
    return push(CallOptions(), method, args...);
  }

  // Sessions of the pool that are open.
  [[nodiscard]] std::size_t session_count() const;

  // Ends its sessions in order (Session::close), all at once, also under a context that has ended.
  // In a callback or a handler of one of them it waits, as Session::close does there, for neither
  // that one nor the callbacks of its session, and for all else. Nor for sessions that went before
  // because they were idle, whose callbacks may still be to come. Twice is fine.
  void close();

 private:
  struct Entry;
  class Impl;

  // Options for the next try: what is left of the time.
  [[nodiscard]] static CallOptions remaining(const CallOptions& options, rt::Deadline deadline);
  [[nodiscard]] bool tries_again(const Status& status, std::size_t tries) const;

  std::shared_ptr<Impl> impl_;
};

// A session for as long as it is used. Movable.
class SessionPool::Lease {
 public:
  [[nodiscard]] const Session& session() const;
  const Session* operator->() const { return &session(); }

  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }

 private:
  friend class SessionPool;
  Lease(std::shared_ptr<Impl> pool, std::shared_ptr<Entry> entry)
      : pool_(std::move(pool)), entry_(std::move(entry)) {}
  void give_back();

  std::shared_ptr<Impl> pool_;
  std::shared_ptr<Entry> entry_;
};

template <class R, class... Args>
Result<R> SessionPool::call(const CallOptions& options, std::string_view method,
                            const Args&... args) {
  const rt::Deadline deadline =
      options.timeout ? rt::Deadline::after(*options.timeout) : rt::Deadline();
  for (std::size_t tries = 1;; ++tries) {
    auto lease = take(deadline);
    if (!lease) return lease.error();
    Result<R> result = (*lease)->template call<R>(remaining(options, deadline), method, args...);
    if (result || !tries_again(result.error(), tries)) return result;
  }
}

template <class... Args>
Status SessionPool::push(const CallOptions& options, std::string_view method, const Args&... args) {
  const rt::Deadline deadline =
      options.timeout ? rt::Deadline::after(*options.timeout) : rt::Deadline();
  for (std::size_t tries = 1;; ++tries) {
    auto lease = take(deadline);
    if (!lease) return lease.error();
    Status status = (*lease)->push(remaining(options, deadline), method, args...);
    if (!tries_again(status, tries)) return status;
  }
}

}  // namespace parley
