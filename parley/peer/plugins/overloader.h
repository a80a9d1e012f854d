// overloader: refuses what is too much, at once and cheaply, so that what is let in is served in
// good time. A peer without one queues until callers give up, and then works for nobody.
//
// Four limits, each by itself and each optional: sessions, rates (token buckets: of everything, and
// of single methods), an adaptive limit of the calls under way (the gradient controller,
// overload/adaptive_limit.h), and how long a call may have waited before its turn (CoDel,
// overload/queue_guard.h). What is refused is resource_exhausted, naming the limit; it has not run.
//
// A plugin for any number of peers, which share its limits; fiber-safe.
//
//   auto overload = std::make_shared<Overloader>(OverloaderOptions{.adaptive = {{}}, .queue =
//   {{}}}); parley::Peer peer({.plugins = {overloader(overload)}}); overload->update({.rate =
//   {{.per_second = 1'000}}});          // while it runs
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "parley/base/result.h"
#include "parley/peer/overload/adaptive_limit.h"
#include "parley/peer/overload/queue_guard.h"
#include "parley/peer/overload/token_bucket.h"
#include "parley/peer/plugin.h"
#include "parley/rt/rw_mutex.h"

namespace parley {

struct OverloaderOptions {
  // Sessions that were accepted, at once; further connections are closed at once.
  std::optional<std::size_t> max_sessions = {};
  // CALLs, PUSHes and openings of streams, of all methods together.
  std::optional<RateLimit> rate = {};
  // The same of single methods, by their names; beside `rate`.
  std::map<std::string, RateLimit, std::less<>> method_rates = {};
  // CALLs and PUSHes under way.
  std::optional<AdaptiveLimitOptions> adaptive = {};
  // CALLs and PUSHes that wait for their turn.
  std::optional<QueueGuardOptions> queue = {};

  // The first that is wrong, naming it.
  [[nodiscard]] Status check() const;
};

// How many were refused, and by what.
struct OverloadCounts {
  std::uint64_t sessions = 0;
  std::uint64_t rate = 0;
  std::uint64_t method_rate = 0;
  std::uint64_t adaptive = 0;
  std::uint64_t queue = 0;
};

class Overloader {
 public:
  // Options that check() refuses are a bug.
  explicit Overloader(OverloaderOptions options);
  Overloader(const Overloader&) = delete;
  Overloader& operator=(const Overloader&) = delete;

  // Other limits from now on, while calls come in; what is there already stays, and what is missing
  // from a bucket stays missing. The adaptive limit and the guard begin anew. The error of check():
  // then nothing has changed.
  Status update(OverloaderOptions options);

  [[nodiscard]] OverloadCounts counts() const;
  [[nodiscard]] std::size_t sessions() const { return sessions_; }
  // The adaptive limit of the moment; nothing where there is none.
  [[nodiscard]] std::optional<std::size_t> limit() const;

 private:
  friend Plugin overloader(std::shared_ptr<Overloader> overload);
  struct Rules;
  struct Counters {
    std::atomic<std::uint64_t> sessions = 0, rate = 0, method_rate = 0, adaptive = 0, queue = 0;
  };

  [[nodiscard]] std::shared_ptr<Rules> rules() const;
  Status admit(EarlySession& session);
  void left(const ClosedSession& session);
  Status admit_rates(Rules& rules, const ServeStep& step);
  Status serve(ServeStep& step, Next& next);
  Status serve_stream(ServeStep& step, Next& next);

  mutable rt::RwMutex lock_;
  std::shared_ptr<Rules> rules_;  // guarded by the lock
  std::atomic<std::size_t> sessions_ = 0;
  Counters counters_;
};

// Of one Overloader for any number of peers, first in their plugins, so that what is refused costs
// as little as it can.
Plugin overloader(std::shared_ptr<Overloader> overload);

}  // namespace parley
