// ReadyQueue: runs what has become ready on as few fibers as that takes, so that what is not ready
// owns no stack. An epoll loop whose handlers may nevertheless wait as any fiber does.
//
// One fiber works off what is ready, item after item. Only when one of them waits in the middle is
// another fiber needed for the rest; a second one that finds nothing left just ends.
//
//   class Connection : public rt::ReadyItem {
//     After run() override { ...read what there is...; return After::rest; }
//   };
//   rt::ReadyQueue queue("connection", {.max_fibers = 100});
//   connection.join(queue);
//   pollable.on_readable(&connection);      // runs it each time there is something to read
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/clock.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/timer_wheel.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/scope.h"

namespace parley::rt {

class ReadyQueue;
class StandIn;

// Something that is run when it is ready, on one fiber at a time.
class ReadyItem {
 public:
  ReadyItem();
  // In run(), before it returns gone; when it was never ready; or when its queue has ended. Not at
  // any other time: what run() says last is looked at in the item after it.
  virtual ~ReadyItem();
  ReadyItem(const ReadyItem&) = delete;
  ReadyItem& operator=(const ReadyItem&) = delete;

  // Once, before all else. The queue must outlive all calls of ready().
  void join(ReadyQueue& queue) { queue_ = &queue; }

  // From any fiber, and from the poller: it is run soon, behind those that were ready before. When
  // it waits for its turn already, that is enough; while it runs, it is run once more afterwards,
  // so that nothing is missed. Costs no system call and does not wait.
  void ready();

  // The same, and a fiber certainly comes to run what is ready: `stand_in`, if it is not empty, is
  // used up, or called when the item waits for its turn already.
  void ready(StandIn& stand_in);

  // In run() or before the first ready(): ready() at that time, by the runtime's clock. Takes the
  // place of what was set before.
  void ready_at(Instant instant);

 protected:
  enum class After : std::uint8_t {
    rest,   // nothing until it is ready again
    again,  // it is still ready: run it once more, after the others
    gone,   // it has been destroyed, or never comes back
  };
  // On a fiber of the queue. May wait for whatever it likes; others are run meanwhile.
  virtual After run() = 0;
  // In run(), or from an OnPark there: as if run() returned `after` (rest or again) now. This run
  // goes on, perhaps beside the next one, and has to return gone; the item must not be destroyed
  // before it has.
  void return_early(After after);
  // The same with again, and with a fiber that certainly comes: `stand_in`, if it is not empty, is
  // used up.
  void return_early(StandIn& stand_in);

 private:
  friend class ReadyQueue;
  enum class State : std::uint8_t { resting, queued, running, ready_again };

  // Members rather than bases, so that whoever derives from this has their names for himself.
  struct Place : impl::ListNode {
    ReadyItem* item = nullptr;
  };
  struct Alarm : impl::Timer {
    ReadyItem* item = nullptr;
  };

  // True when it had to be queued.
  bool mark_ready();
  void make_ready(bool by_alarm);

  std::atomic<State> state_{State::resting};
  ReadyQueue* queue_ = nullptr;
  Place place_;  // in the queue
  Alarm alarm_;
};

struct ReadyQueueOptions {
  // Fibers of this queue at once, so also runs that may wait at the same time. Further items wait
  // until one is done.
  std::size_t max_fibers = 10'000;
  // Of them, how many are kept at least when there is nothing to do: so many can work whatever
  // others leave of RuntimeOptions::max_fibers. No more than one for each worker beyond them is
  // kept.
  std::size_t min_fibers = 0;
};

class ReadyQueue {
 public:
  // `name`, for dumps, must outlive the queue: use a literal. Inside a fiber, whose context the
  // queue's fibers have. It has one fiber of its own, which starts the others when
  // RuntimeOptions::max_fibers is reached (they then wait for room, as Scope::go does) and when
  // nobody else may: from a timer.
  explicit ReadyQueue(std::string_view name, const ReadyQueueOptions& options = {});
  // The same under a child of `parent`.
  ReadyQueue(std::string_view name, const Context& parent, const ReadyQueueOptions& options = {});
  // Waits for its fibers. A bug while one of its items can still become ready.
  ~ReadyQueue();
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;

  // Fibers that work off what is ready, are about to, or stand by.
  [[nodiscard]] std::size_t fibers() const;
  // How often an item was ready and max_fibers of the queue, or of the runtime, was reached.
  [[nodiscard]] std::uint64_t waits_for_fiber() const;

  // Ends the context of its fibers. Items are run as before, but their waits end at once.
  void cancel() const { scope_.cancel(); }

 private:
  friend class ReadyItem;
  friend class StandIn;

  void push(ReadyItem& item, bool by_alarm);
  void push(ReadyItem& item, StandIn& stand_in);
  // What has to be done after unlocking so that what is ready is worked off.
  struct Need {
    bool start = false;
    impl::WaitNode* stand_in = nullptr;
  };
  Need need_fiber_locked();
  void meet(const Need& need);
  void dismiss_locked(impl::WaitList& woken);
  bool reserve();
  void unreserve();
  void stand_by();
  void work_off(std::unique_lock<impl::SpinLock>& lock);
  void leave(std::unique_lock<impl::SpinLock>& lock);
  void start_fiber();
  void leave_to_starter(std::unique_lock<impl::SpinLock> lock);
  void work();
  void come_late();
  void end_run(ReadyItem& item, ReadyItem::After after);
  void start_when_there_is_room();

  const std::string_view name_;
  const std::size_t max_fibers_;
  const std::size_t min_fibers_;
  const std::size_t most_idle_;  // that stand by when there is nothing to do
  Scope scope_;
  mutable impl::SpinLock lock_;
  impl::List<ReadyItem::Place> ready_;
  std::size_t fibers_ = 0;  // started, or promised to be
  bool starting_ = false;   // one of them is on its way to work
  // By workers: on each of these one that gives way will go on with what is ready.
  std::vector<bool> gives_way_on_;
  bool ending_ = false;
  std::size_t owed_ = 0;  // fibers left to the starter, and not started yet
  std::size_t late_ = 0;  // left to the starter, and not come to work yet
  std::uint64_t waits_ = 0;
  // Fibers that stand by: those there are, those of them that are promised, and those called or
  // dismissed and not yet awake.
  impl::WaitList standing_by_;
  std::size_t stand_ins_ = 0;
  std::size_t reserved_ = 0;
  std::size_t called_ = 0;
  std::size_t dismissed_ = 0;
  impl::WaitList starter_;  // the fiber that starts others, while it has none to start
  impl::WaitList ender_;    // the destructor
};

// A fiber that stands by, for a run that may wait and must not keep its item from being run
// meanwhile: with one at hand there is no limit that can be in the way when it is needed. For the
// block of that run.
//
//   rt::StandIn stand_in(queue);
//   if (!stand_in) return refuse();
//   rt::OnPark waits([](void* item) { ...->return_early(stand_in); }, ...);
class StandIn {
 public:
  // Nothing when max_fibers of the queue or of the runtime is reached. A fiber that stood by before
  // is taken first; it stays with the queue afterwards.
  explicit StandIn(ReadyQueue& queue) : queue_(queue.reserve() ? &queue : nullptr) {}
  ~StandIn() { let_go(); }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  // False when there is none, or it was used up.
  explicit operator bool() const { return queue_ != nullptr; }
  // No longer kept from what else is ready; empty from here on.
  void let_go() {
    if (ReadyQueue* queue = std::exchange(queue_, nullptr)) queue->unreserve();
  }

 private:
  friend class ReadyQueue;
  ReadyQueue* queue_;
};

}  // namespace parley::rt
