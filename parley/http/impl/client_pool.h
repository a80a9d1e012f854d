// ClientPool: the connections of a client, by origin. Gives out the one that was used last (so that
// the others grow old and go), makes further ones up to a limit, and lets who comes then wait in
// order. Private to http; fiber-safe. Its methods are called inside fibers.
//
//   auto taken = pool.take(url.origin(), dial, deadline);   // a place is reserved
//   auto exchange = taken->connection->begin(...);
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/impl/client_connection.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/timer.h"

namespace parley::http::impl {

// What they mean is said in ClientOptions (client.h).
struct PoolLimits {
  std::size_t max_connections_per_origin = 64;
  std::size_t max_waiting = 1024;
  std::size_t max_idle = 256;
  Duration idle_timeout = std::chrono::seconds(60);
  Duration max_age = std::chrono::minutes(30);
};

struct PoolCounts {
  std::uint64_t dialled = 0;
  std::size_t connections = 0;
  std::size_t idle = 0;
  std::size_t waiting = 0;
};

struct Taken {
  std::shared_ptr<ClientConnection> connection;
  bool is_reused = false;
};

class ClientPool : public std::enable_shared_from_this<ClientPool> {
 public:
  using Dial = std::function<Result<std::shared_ptr<ClientConnection>>()>;

  explicit ClientPool(const PoolLimits& limits);
  ~ClientPool() { close(); }

  // A connection to `origin` with a place reserved on it. Errors of `dial`, whose context ends when
  // the pool is closed; resource_exhausted at max_waiting; deadline_exceeded or the context's
  // status when nothing became free; unavailable when the pool is closed.
  Result<Taken> take(const std::string& origin, const Dial& dial, rt::Deadline deadline);
  // Ends everything and wakes who waits. Twice is fine.
  void close();
  [[nodiscard]] PoolCounts counts();

 private:
  struct Entry {
    std::shared_ptr<ClientConnection> connection;
    Instant made{};
    Instant idle_since{};
    bool is_idle = false;
  };
  struct Waiter {
    rt::Cond woken;
    Taken taken{};          // given by who gave it back,
    bool may_dial = false;  // or the place of a connection that went
  };
  struct Origin {
    std::vector<Entry> entries{};  // those used last at the end
    std::size_t dialling = 0;
    std::deque<Waiter*> waiting{};
  };
  using Dropped = std::vector<std::shared_ptr<ClientConnection>>;

  // All of these with the lock held. What they drop is closed without it.
  std::shared_ptr<ClientConnection> reserve_one(Origin& origin, Dropped& dropped);
  void serve_waiting(Origin& origin, Dropped& dropped);
  void drop_old(Dropped& dropped);
  void drop_beyond_limit(Dropped& dropped);
  void forget_if_empty(const std::string& name);
  void arm();
  [[nodiscard]] bool is_too_old(const Entry& entry, Instant now) const;
  [[nodiscard]] std::size_t count_idle() const;

  Result<Taken> dial_one(const std::string& name, const Dial& dial);
  Status wait_in_line(Origin& origin, Waiter& waiter, std::unique_lock<rt::Mutex>& lock,
                      rt::Deadline deadline);
  void changed(const std::string& name, const ClientConnection* connection);
  void tidy();
  static void end(const Dropped& dropped);

  const PoolLimits limits_;
  rt::Mutex lock_;
  bool is_closed_ = false;
  std::uint64_t dialled_ = 0;
  std::map<std::string, Origin> origins_;
  std::list<rt::Cancel> dials_;
  bool is_armed_ = false;
  rt::Scope servants_;
  rt::Timer timer_;
};

}  // namespace parley::http::impl
