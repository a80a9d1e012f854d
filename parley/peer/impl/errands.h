// Errands: what a session has to do that neither its reader nor the fiber that caused it may be
// held up by: callbacks, the ends of calls whose time is over. Private to peer.
//
// Fiber-safe. One errand is run after the other, by a fiber of the peer's queue; when one of them
// waits, another fiber, which has stood by for that, goes on with those behind it. Without one to
// stand by, what may wait stays where it is and is tried again: those that wait must never hold all
// fibers. At rest it has no fiber. A session that never needs one has no Errands.
//
//   errands.add(callback);                 // soon
//   errands.add_at(deadline, call);        // then, unless it is taken back
//   errands.finish(drain_timeout);         // once, at the end
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "parley/base/clock.h"
#include "parley/rt/cond.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/mutex.h"
#include "parley/rt/ready_queue.h"

namespace parley::impl {

class Errand : public std::enable_shared_from_this<Errand> {
 public:
  virtual ~Errand() = default;
  Errand() = default;
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  // What it was added for, once. Nothing may be thrown.
  virtual void run() = 0;
  // False once run() would not wait: then it needs no fiber that stands by. Must not wait itself.
  [[nodiscard]] virtual bool may_wait() const { return true; }
  // At the time of add_at(). Must not wait, but for locks.
  virtual void time_is_over() {}

 private:
  friend class Errands;
  // Under the lock of the Errands.
  bool is_timed_ = false;
  bool is_taken_back_ = false;
  std::multimap<Instant, std::shared_ptr<Errand>>::iterator timed_;
  std::shared_ptr<Errand> next_;  // of those that have to be run
};

class Errands final : public rt::ReadyItem {
 public:
  // Errands run under a child of `parent`. It stays until it has been finished, and `queue` must
  // stay as long.
  static std::shared_ptr<Errands> make(rt::ReadyQueue& queue, const rt::Context& parent);
  // Internal.
  Errands(rt::ReadyQueue& queue, std::pair<rt::Context, rt::Cancel> context);
  ~Errands() override = default;

  // Both are for one that is not there already. False: dropped, since all was finished.
  bool add(std::shared_ptr<Errand> errand);
  // Before those that have not begun.
  bool add_first(std::shared_ptr<Errand> errand);
  // At that time, unless it was taken back, also before.
  void add_at(Instant instant, const std::shared_ptr<Errand>& errand);
  // It is not told of its time, if that has not come yet.
  void take_back(Errand& errand);

  // Those that have to be run now, and those that are running.
  [[nodiscard]] std::size_t unfinished() const;
  // Whether the calling fiber is inside one of them.
  [[nodiscard]] bool is_inside() const { return rt::Context::current().descends_from(context_); }

  // Waits for all that have been added; when they need longer than `patience`, their context ends
  // first. Afterwards none is run.
  void finish(Duration patience);
  // While that waits: no longer than this from now on.
  void hurry(Duration patience);

 private:
  struct Turn;
  After run() override;
  void put_last(std::shared_ptr<Errand> errand);
  std::shared_ptr<Errand> take_first();
  std::shared_ptr<Errand> next_due();
  std::shared_ptr<Errand> next(std::optional<rt::StandIn>& stand_in);
  void count_out();
  void run_here(rt::Deadline until);
  [[nodiscard]] bool is_idle() const { return running_ == 0 && first_ == nullptr; }
  void set_alarm();
  static void hand_on(void* turn);

  rt::ReadyQueue& queue_;
  const rt::Context context_;
  const rt::Cancel cancel_;

  mutable rt::Mutex lock_;         // of what follows
  std::shared_ptr<Errand> first_;  // those that have to be run: a chain
  Errand* last_ = nullptr;
  std::size_t waiting_ = 0;  // how many they are
  std::size_t running_ = 0;
  bool is_held_up_ = false;  // the first of them: there was no fiber to stand by
  // One of them runs, and has not handed on. Set under the lock.
  std::atomic<bool> is_busy_ = false;
  std::multimap<Instant, std::shared_ptr<Errand>> timed_;
  Instant alarm_ = Instant::max();  // the last that was set, and has not rung
  bool is_finishing_ = false;
  rt::Deadline patient_until_;  // once it is
  rt::Cond idle_;               // or held up, while it is finishing

  std::shared_ptr<Errands> kept_;  // by itself, until its last run
};

}  // namespace parley::impl
