// DnsDriver: the fiber that drives c-ares, the questions that are on their way, and the cache.
// Fiber-safe. Private to net.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/impl/dns_cache.h"
#include "parley/net/impl/dns_channel.h"
#include "parley/net/impl/dns_reply.h"
#include "parley/net/resolver.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pollable.h"
#include "parley/rt/scope.h"

namespace parley::net::impl {

class DnsDriver {
 public:
  // Inside a fiber. Errors as for Resolver::open.
  static Result<std::unique_ptr<DnsDriver>> open(const ResolverOptions& options);
  // Ends the fiber. A bug while somebody waits.
  ~DnsDriver();
  DnsDriver(const DnsDriver&) = delete;
  DnsDriver& operator=(const DnsDriver&) = delete;

  // The answers to all of `questions`, in their order: asked for together, from the cache or
  // through a query shared with whoever asks the same. An error only when the deadline or the
  // context ended the wait; what DNS itself says stands in the answers.
  Result<std::vector<DnsAnswer>> ask(const std::vector<DnsQuestion>& questions,
                                     rt::Deadline deadline);

  [[nodiscard]] ResolverCounts counts() const;

 private:
  // A question on its way, for all who asked it. `answer` is written before `done` is set.
  struct Flight {
    DnsQuestion question;
    DnsAnswer answer;
    rt::Event done;
    std::size_t waiters = 0;   // guarded by mutex_
    bool has_started = false;  // guarded by mutex_
    bool was_delayed = false;  // guarded by mutex_
  };
  using FlightPtr = std::shared_ptr<Flight>;

  explicit DnsDriver(const ResolverOptions& options);

  FlightPtr join(const DnsQuestion& question);
  void leave(const FlightPtr& flight);

  // The driving fiber.
  void drive();
  void start_flights();
  void count_delayed();
  void end_flights();
  void fail_the_rest();

  const std::size_t max_queries_;
  std::unique_ptr<DnsChannel> channel_;  // only the driving fiber, except for wake()
  rt::Pollable pollable_;                // of channel_->fd(); only the driving fiber
  std::vector<FlightPtr> ended_;         // answered by c-ares; only the driving fiber
  std::size_t flying_ = 0;               // in c-ares' hands; only the driving fiber

  rt::Mutex mutex_;
  DnsCache cache_;                            // guarded by mutex_
  std::map<DnsQuestion, FlightPtr> flights_;  // guarded by mutex_
  std::deque<FlightPtr> queue_;               // not started yet; guarded by mutex_

  std::atomic<std::uint64_t> queries_ = 0;
  std::atomic<std::uint64_t> shared_ = 0;
  std::atomic<std::uint64_t> cached_ = 0;
  std::atomic<std::uint64_t> evicted_ = 0;
  std::atomic<std::uint64_t> delayed_ = 0;
  std::atomic<std::size_t> waiting_ = 0;

  rt::Scope scope_;  // last: its fiber uses all of the above
};

}  // namespace parley::net::impl
