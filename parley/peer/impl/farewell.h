// Farewell: the end of all sessions of a peer, at the same time. Private to peer.
//
// Fiber-safe, inside a fiber only.
//
//   farewell.begin(reason, 5s);   // or shortens what has begun
//   farewell.finish();                       // waits, whoever began
//   ShutdownReport report = farewell.report();
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/peer/impl/ending.h"
#include "parley/peer/shutdown.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"

namespace parley::impl {

class Connection;
class Hub;

class Farewell {
 public:
  explicit Farewell(const Hub& hub) : hub_(hub) {}

  // Once no session is added any more: all of them take no calls from here on. Does not wait. A
  // further one makes the limit shorter, and never longer. A limit of zero cuts; none:
  // drain_timeout. Returns what is under way when it begins; nothing when it had begun before.
  struct Begun {
    bool is_first = false;
    std::size_t sessions = 0;
    WorkCount under_way;
  };
  Begun begin(const Status& reason, std::optional<Duration> limit);
  // Until it has begun.
  Status wait_begun(rt::Deadline deadline) { return begun_.wait(deadline); }
  // Returns when all have ended.
  void finish();
  // After finish().
  [[nodiscard]] ShutdownReport report() const;

 private:
  struct Part {
    std::shared_ptr<Connection> connection;
    bool is_ours = false;  // nobody else had begun to close it
    WorkCount under_way;
    WorkCount cut_before;
  };
  void sum_up();

  const Hub& hub_;
  rt::Event begun_;
  rt::Event over_;
  mutable rt::Mutex lock_;  // of what follows
  bool has_begun_ = false;
  bool is_finishing_ = false;
  Instant start_{};
  std::vector<Part> parts_;
  ShutdownReport report_;
};

}  // namespace parley::impl
