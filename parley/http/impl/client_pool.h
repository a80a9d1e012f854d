// ClientPool: the connections of a client, by origin. Gives out the one that was used last (so that
// the others grow old and go), makes further ones up to a limit, and lets who comes then wait in
// order. Private to http; fiber-safe. Its methods are called inside fibers.
//
// Where a connection may turn out to be HTTP/2, and carry all who wait, one is made at a time, on a
// fiber of the pool: it does not end with the one who asked first.
//
//   auto taken = pool.take(url.origin(), target, deadline);   // a place is reserved
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
#include "parley/http/url.h"
#include "parley/http/versions.h"
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

// Whom to connect to, and what may be spoken there.
struct Target {
  const Url& url;
  Versions versions = Versions::http_1;
  [[nodiscard]] bool may_be_http_2() const {
    return versions == Versions::http_2 || (versions == Versions::all && url.is_secure());
  }
};

class ClientPool : public std::enable_shared_from_this<ClientPool> {
 public:
  using Made = Result<std::shared_ptr<ClientConnection>>;
  using Dial = std::function<Made(const Target& target, rt::Deadline deadline)>;

  // `dial` is used until join() has returned.
  ClientPool(const PoolLimits& limits, Dial dial);
  ~ClientPool() { close(); }

  // A connection to `origin` with a place reserved on it. Errors of the dial, whose context ends
  // when the pool is closed; resource_exhausted at max_waiting; deadline_exceeded or the context's
  // status when nothing became free; unavailable when the pool is closed. `target` is the same for
  // all of an origin.
  Result<Taken> take(const std::string& origin, const Target& target, rt::Deadline deadline);
  // Ends everything and wakes who waits. Twice is fine.
  void close();
  // After close(): waits for the pool's own fibers.
  void join();
  [[nodiscard]] PoolCounts counts();

 private:
  struct Entry {
    std::shared_ptr<ClientConnection> connection;
    Instant made{};
    Instant idle_since{};
    bool is_idle = false;
    bool was_used = false;
  };
  struct Waiter {
    const Target* target = nullptr;
    rt::Cond woken;
    Taken taken{};          // given by who gave it back,
    bool may_dial = false;  // or the place of a connection that went,
    Status failed{};        // or why there is none
    [[nodiscard]] bool is_served() const {
      return may_dial || taken.connection != nullptr || !failed.is_ok();
    }
  };
  struct Origin {
    std::vector<Entry> entries{};  // those used last at the end
    std::size_t dialling = 0;
    bool is_http_1 = false;  // the last connection that was made was
    std::deque<Waiter*> waiting{};
  };
  using Dropped = std::vector<std::shared_ptr<ClientConnection>>;

  // All of these with the lock held. What they drop is closed without it.
  Taken reserve_one(Origin& origin, Dropped& dropped);
  void serve_waiting(const std::string& name, Origin& origin, Dropped& dropped);
  void drop(Origin& origin, std::size_t index, Dropped& dropped);
  // The connection is no place of its own for each, but perhaps for all.
  [[nodiscard]] static bool shares_dials(const Origin& origin, const Target& target);
  [[nodiscard]] bool may_dial(const Origin& origin) const;
  // True when one is being made for those in line, or will be when it is time.
  bool dial_for_all(const std::string& name, Origin& origin, const Target& target);
  static void fail_waiting(Origin& origin, const Status& why);
  void add(const std::string& name, Origin& origin, Entry entry);
  void drop_old(Dropped& dropped);
  void drop_beyond_limit(Dropped& dropped);
  void forget_if_empty(const std::string& name);
  void arm();
  [[nodiscard]] bool is_too_old(const Entry& entry, Instant now) const;
  [[nodiscard]] std::size_t count_idle() const;

  void until_closed(const std::function<void()>& what);
  Result<Taken> dial_one(const std::string& name, const Target& target, rt::Deadline deadline);
  void dial_shared(const std::string& name, const Target& target);
  Status wait_in_line(const std::string& name, Waiter& waiter, std::unique_lock<rt::Mutex>& lock,
                      rt::Deadline deadline);
  void changed(const std::string& name, const ClientConnection* connection);
  void tidy();
  void end_those_over();
  static void end(const Dropped& dropped);

  const PoolLimits limits_;
  const Dial dial_;
  rt::Mutex lock_;
  bool is_closed_ = false;
  std::uint64_t dialled_ = 0;
  std::map<std::string, Origin> origins_;
  std::list<rt::Cancel> dials_;
  bool is_armed_ = false;
  Dropped over_;  // to be ended on a fiber of the pool
  rt::Scope servants_;
  rt::Timer timer_;
  rt::Timer ender_;
};

}  // namespace parley::http::impl
