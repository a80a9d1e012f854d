// Draining: that a server comes to its end, told to what lives in it for longer than a request.
//
// Any fiber, on any worker, unless it says otherwise. Asked for by ServerExchange::draining(), and
// outlives the server: after that it tells nobody anything.
//
//   Status feed(http::ServerExchange& exchange) {              // an answer without an end
//     const auto draining = exchange.draining();
//     if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
//     while (!draining->has_begun()) { ...exchange.write(...), a wait... }
//     return {};
//   }
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/rt/cond.h"
#include "parley/rt/deadline.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley::http {

class Draining;

// Something that is called on when a server drains, and at times of its own.
class Attended {
 public:
  Attended() = default;
  // After leave().
  virtual ~Attended() = default;
  Attended(const Attended&) = delete;
  Attended& operator=(const Attended&) = delete;

 protected:
  // When the server begins to drain, at once where it has, and then whenever the time has come that
  // it returned last: Instant::max() is never again, but for the drain. On one fiber for all of the
  // server, so it must not wait; nor may it join or leave.
  virtual Instant attend(Instant now, bool drains) = 0;

  // While it is in none. `due`: when to be called on first, without a drain.
  void join(std::shared_ptr<Draining> draining, Instant due = Instant::max());
  // Asks to be called on earlier.
  void attend_at(Instant due);
  // Is not called on from here on. Without join(), and twice, is fine.
  void leave();
  // The one it joined last; null before.
  [[nodiscard]] const std::shared_ptr<Draining>& draining() const noexcept { return draining_; }

 private:
  friend class Draining;
  std::shared_ptr<Draining> draining_;
  Attended* previous_ = nullptr;
  Attended* next_ = nullptr;
  Instant due_ = Instant::max();
  bool is_in_ = false;
};

class Draining : public std::enable_shared_from_this<Draining> {
 public:
  Draining() = default;
  // After end(), or where nobody joined.
  ~Draining() = default;
  Draining(const Draining&) = delete;
  Draining& operator=(const Draining&) = delete;

  [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
  // Ok when it begins; deadline_exceeded, or the context's status, when that came first.
  Status wait(rt::Deadline deadline = {}) { return begun_.wait(deadline); }

  // By whose server it is: it drains. Does not wait. Twice is fine.
  void begin();
  // Its server is gone. Waits for what start() began, whose context ends.
  void end();

  // In attend(): runs it on a fiber of its own. False when there is none (max_fibers): ask again.
  bool start(std::string_view name, std::function<void()> run);

 private:
  friend class Attended;
  using Lock = std::unique_lock<rt::Mutex>;

  void add(Attended& one, Instant due);
  void remove(Attended& one);
  void ask(Attended& one, Instant due);
  void look_by(Instant due);
  void run();

  std::atomic<bool> has_begun_ = false;
  rt::Event begun_;
  rt::Mutex lock_;
  rt::Cond changed_;
  Attended* first_ = nullptr;
  Instant next_ = Instant::max();  // when the fiber looks again
  bool has_ended_ = false;
  bool runs_ = false;                  // that fiber
  std::optional<rt::Scope> scope_;     // from the first one on who is to be called on
  std::atomic<bool> is_used_ = false;  // somebody joined
};

}  // namespace parley::http
