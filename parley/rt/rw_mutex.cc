#include "parley/rt/rw_mutex.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "parley/base/assert.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/membarrier.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"

// With a table, a reader counts itself in the slot of its worker (nobody else writes there), then
// looks whether the table is still in use. A writer ends that use, has every thread pass a barrier,
// and then looks at the slots: of the two, one sees the other. This is the idea of BRAVO (Dice and
// Kogan, USENIX ATC 2019) with counts for its table and an asymmetric fence for its
// read-modify-writes.
//
// A fiber may enter on one worker and leave on another: only the sum of the slots means something.
// The sum a writer reads, slot by slot, can be too high for a moment but not too low: after the
// barrier readers only leave, or take back at once what they counted in vain. So zero is zero.

namespace parley::rt {
namespace {

using impl::Worker;

// As for a Mutex: a writer that has waited so long is handed the lock.
constexpr Duration too_long = std::chrono::milliseconds(1);

constexpr std::int64_t writing = 1;  // a writer is inside, or waits for readers to leave
constexpr std::int64_t waiting = 2;  // somebody is in a list, or was
constexpr std::int64_t is_biased_flag = 4;
constexpr std::int64_t one_reader = 8;
constexpr int reader_shift = 3;

// What a slot counts in; the lowest bit says that who left is not out yet.
constexpr std::int64_t one_in_slot = 2;
constexpr std::int64_t leaving = 1;

// Keeps the compiler, and nothing else, from moving a load before a store.
void keep_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

Worker& worker_or_refuse(const char* what) {
  Worker* worker = Worker::current();
  if (worker == nullptr) (void)Worker::current_fiber(what);
  return *worker;
}

}  // namespace

struct alignas(64) RwMutex::Slot {
  const Worker* owner = nullptr;
  std::atomic<std::int64_t> count{0};
  std::atomic<std::uint32_t> reads{0};  // ever, wrapping; only an estimate of what a table is worth

  void count_read() {
    reads.store(reads.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

struct RwMutex::Table {
  explicit Table(impl::Scheduler& scheduler) : slots(std::bit_ceil(scheduler.worker_count())) {
    for (std::size_t i = 0; i < scheduler.worker_count(); ++i)
      slots[i].owner = &scheduler.worker(i);
  }

  // Null for a worker of another runtime than that which made the table.
  Slot* of(const Worker& worker) {
    Slot& slot = slots[worker.index() & (slots.size() - 1)];
    return slot.owner == &worker ? &slot : nullptr;
  }

  std::vector<Slot> slots;
};

struct RwMutex::Waiter : impl::WaitNode {
  Instant since{};
  bool has_mutex = false;  // it was handed over
};

RwMutex::RwMutex() = default;

RwMutex::~RwMutex() {
  if (table_ != nullptr) {
    for (const Slot& slot : table_->slots) {
      // Its worker is a few instructions away, unless its thread lost the processor.
      for (int round = 0; (slot.count.load(std::memory_order_acquire) & leaving) != 0; ++round) {
        round < 64 ? impl::RealAtomics::relax() : impl::RealAtomics::give_way();
      }
    }
  }
  // Whoever unlocked it last may still be about to let go of the lock inside.
  const std::lock_guard lock(lock_);
  PARLEY_ASSERT((state_.load(std::memory_order_acquire) & writing) == 0 && readers() == 0,
                "a locked RwMutex was destroyed");
}

void RwMutex::lock_shared() {
  impl::interleave();
  const Worker& worker = worker_or_refuse("RwMutex::lock_shared was called");
  Slot* slot = nullptr;
  if (Table* table = biased_.load(std::memory_order_acquire)) {
    slot = table->of(worker);
    if (slot != nullptr) {
      slot->count.store(slot->count.load(std::memory_order_relaxed) + one_in_slot,
                        std::memory_order_release);
      keep_order();
      if (biased_.load(std::memory_order_acquire) == table) [[likely]] {
        slot->count_read();
        count_held(1);
        return;
      }
    }
  }
  std::int64_t state = state_.load(std::memory_order_relaxed);
  while (slot == nullptr && (state & writing) == 0) {
    if (!state_.compare_exchange_weak(state, state + one_reader, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    count_read();
    count_held(1);
    return;
  }
  lock_shared_slowly(slot);
  count_held(1);
}

bool RwMutex::try_lock_shared() {
  impl::interleave();
  const Worker& worker = worker_or_refuse("RwMutex::try_lock_shared was called");
  Table* table = biased_.load(std::memory_order_acquire);
  Slot* slot = table == nullptr ? nullptr : table->of(worker);
  if (slot != nullptr) {
    slot->count.store(slot->count.load(std::memory_order_relaxed) + one_in_slot,
                      std::memory_order_release);
    keep_order();
    if (biased_.load(std::memory_order_acquire) == table) {
      count_held(1);
      return true;
    }
    take_back(*slot);
  }
  std::int64_t state = state_.load(std::memory_order_relaxed);
  while ((state & writing) == 0) {
    if (!state_.compare_exchange_weak(state, state + one_reader, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    count_read();
    count_held(1);
    return true;
  }
  return false;
}

// What was counted in vain may have kept a writer waiting.
void RwMutex::take_back(Slot& entered) {
  lock_.lock();
  entered.count.store(entered.count.load(std::memory_order_relaxed) - one_in_slot,
                      std::memory_order_release);
  impl::WaitNode* writer = drained();
  lock_.unlock();
  if (writer != nullptr) impl::wake(*writer);
}

void RwMutex::lock_shared_slowly(Slot* entered) {
  if (entered != nullptr) take_back(*entered);
  Lock lock(lock_);
  std::int64_t state = state_.load(std::memory_order_relaxed);
  for (;;) {
    // The flag first: whoever unlocks must look into the list.
    const bool enters = (state & writing) == 0;
    const std::int64_t next = enters ? state + one_reader : state | waiting;
    if (!state_.compare_exchange_weak(state, next, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    if (enters) return;
    // Whoever wakes it has counted it.
    Waiter waiter;
    impl::wait_in_for_ever(lock, readers_waiting_, waiter, "rw mutex, shared");
    return;
  }
}

void RwMutex::unlock_shared() {
  count_held(-1);
  // acquire: the table may be younger than this fiber's lock.
  Table* table = biased_.load(std::memory_order_acquire);
  Slot* slot = nullptr;
  if (table != nullptr) slot = table->of(worker_or_refuse("RwMutex::unlock_shared was called"));
  if (slot != nullptr) {
    const std::int64_t left = slot->count.load(std::memory_order_relaxed) - one_in_slot;
    // From here on a writer may enter, leave and destroy the mutex; the destructor waits for the
    // second store.
    slot->count.store(left | leaving, std::memory_order_release);
    keep_order();
    if (biased_.load(std::memory_order_relaxed) == table) [[likely]] {
      slot->count.store(left, std::memory_order_release);
      return;
    }
    unlock_shared_slowly(slot);
    return;
  }
  std::int64_t state = state_.load(std::memory_order_relaxed);
  while ((state & writing) == 0) {
    PARLEY_ASSERT((state & is_biased_flag) != 0 || state >= one_reader,
                  "RwMutex::unlock_shared() more often than lock_shared()");
    // Not a blind subtraction: with a writer there, leaving is seen only together with the lock, or
    // that writer could be gone, and the mutex with it, before this fiber looks for it.
    if (state_.compare_exchange_weak(state, state - one_reader, std::memory_order_release,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  unlock_shared_slowly(nullptr);
}

void RwMutex::unlock_shared_slowly(Slot* left) {
  lock_.lock();
  if (left != nullptr) {
    left->count.store(left->count.load(std::memory_order_relaxed) - leaving,
                      std::memory_order_release);
  } else {
    const std::int64_t before = state_.fetch_sub(one_reader, std::memory_order_acq_rel);
    PARLEY_ASSERT((before & writing) == 0 || revoking_ || !draining_.empty(),
                  "RwMutex::unlock_shared() while a writer has it");
  }
  impl::WaitNode* writer = drained();
  lock_.unlock();
  if (writer != nullptr) impl::wake(*writer);
}

void RwMutex::lock() {
  impl::interleave();
  (void)worker_or_refuse("RwMutex::lock was called");
  std::int64_t free = 0;
  if (state_.compare_exchange_strong(free, writing, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    reads_.store(0, std::memory_order_relaxed);
    return;
  }
  lock_slowly();
}

void RwMutex::lock_slowly() {
  Instant since{};
  Lock lock(lock_);
  std::int64_t state = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool occupied = (state & writing) != 0;
    if (!state_.compare_exchange_weak(state, state | (occupied ? waiting : writing),
                                      std::memory_order_acquire, std::memory_order_relaxed)) {
      continue;
    }
    if (!occupied) {
      wait_for_readers(lock);
      return;
    }
    Waiter waiter;
    impl::Parking parking("rw mutex", impl::Cancellable::no);
    waiter.fiber = parking.fiber();
    waiter.since = since == Instant{} ? now() : since;
    if (since == Instant{}) {
      writers_waiting_.push_back(waiter);
    } else {
      writers_waiting_.push_front(waiter);
    }
    since = waiter.since;
    lock.unlock();
    (void)parking.park(Deadline::never());
    if (waiter.has_mutex) return;
    lock.lock();
    state = state_.load(std::memory_order_relaxed);
  }
}

// By the writer that set `writing`.
void RwMutex::wait_for_readers(Lock& lock) {
  revoke(lock);
  if (settle()) return;
  state_.fetch_or(waiting, std::memory_order_relaxed);
  Waiter waiter;
  impl::wait_in_for_ever(lock, draining_, waiter, "rw mutex, for readers to leave");
}

bool RwMutex::try_lock() {
  impl::interleave();
  (void)worker_or_refuse("RwMutex::try_lock was called");
  std::int64_t free = 0;
  if (state_.compare_exchange_strong(free, writing, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    reads_.store(0, std::memory_order_relaxed);
    return true;
  }
  impl::WaitList woken;
  {
    Lock lock(lock_);
    std::int64_t state = state_.load(std::memory_order_relaxed);
    do {
      if ((state & writing) != 0 || readers() != 0) return false;
    } while (!state_.compare_exchange_weak(state, state | writing, std::memory_order_acquire,
                                           std::memory_order_relaxed));
    revoke(lock);
    if (settle()) return true;
    back_out(woken);
  }
  impl::wake_claimed(woken);
  return false;
}

// A reader was faster than try_lock: as if that had not been there. It was the table that made it
// look, so there is one.
void RwMutex::back_out(impl::WaitList& woken) {
  if (!writers_waiting_.empty()) {
    state_.fetch_or(waiting, std::memory_order_relaxed);
    draining_.push_back(writers_waiting_.pop_front());
    if (impl::WaitNode* writer = drained()) woken.push_back(*writer);
    return;
  }
  std::int64_t state = state_.load(std::memory_order_relaxed) & ~(writing | waiting);
  while (impl::WaitNode* reader = impl::claim_front(readers_waiting_)) {
    woken.push_back(*reader);
    state += one_reader;
  }
  state_.store(state | is_biased_flag, std::memory_order_release);
  biased_.store(table_.get(), std::memory_order_release);
}

void RwMutex::unlock() {
  std::int64_t state = writing;
  if (!state_.compare_exchange_strong(state, 0, std::memory_order_release,
                                      std::memory_order_relaxed)) {
    unlock_slowly();
  }
  impl::interleave();
}

void RwMutex::unlock_slowly() {
  impl::WaitList woken;
  {
    const std::lock_guard lock(lock_);
    PARLEY_ASSERT(
        (state_.load(std::memory_order_relaxed) & writing) != 0 && !revoking_ && draining_.empty(),
        "an RwMutex is unlocked that is not locked");
    leave(woken);
  }
  impl::wake_claimed(woken);
}

// The writer leaves: who comes next? Under the lock, with `writing` set and no reader inside.
void RwMutex::leave(impl::WaitList& woken) {
  std::int64_t state = 0;
  while (impl::WaitNode* reader = impl::claim_front(readers_waiting_)) {
    woken.push_back(*reader);
    state += one_reader;
  }
  if (!writers_waiting_.empty() && state != 0) {
    draining_.push_back(writers_waiting_.pop_front());
    state |= writing | waiting;
  } else if (impl::WaitNode* node = impl::claim_front(writers_waiting_)) {
    auto& writer = static_cast<Waiter&>(*node);
    writer.has_mutex = now() - writer.since >= too_long;
    if (writer.has_mutex) state |= writing;
    if (!writers_waiting_.empty()) state |= waiting;
    woken.push_back(writer);
  }
  state_.store(state, std::memory_order_release);
}

// Readers are counted by worker from now on, unless a writer is there.
void RwMutex::count_read() {
  const std::uint32_t reads = reads_.load(std::memory_order_relaxed) + 1;
  reads_.store(reads, std::memory_order_relaxed);
  if (reads >= reads_needed_.load(std::memory_order_relaxed)) bias();
}

void RwMutex::bias() {
  reads_.store(0, std::memory_order_relaxed);
  if (!impl::has_membarrier.load(std::memory_order_relaxed)) return;
  lock_.lock();
  const bool has_table = table_ != nullptr;
  lock_.unlock();
  std::unique_ptr<Table> table;
  if (!has_table) table = std::make_unique<Table>(Worker::current()->scheduler());
  const std::lock_guard lock(lock_);
  if (table_ == nullptr) table_ = std::move(table);
  std::int64_t state = state_.load(std::memory_order_relaxed);
  do {
    if ((state & (writing | is_biased_flag)) != 0) return;
  } while (!state_.compare_exchange_weak(state, state | is_biased_flag, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  biased_.store(table_.get(), std::memory_order_release);
}

// By the writer that set `writing`: afterwards the table shows every reader that entered by it.
void RwMutex::revoke(Lock& lock) {
  if ((state_.load(std::memory_order_relaxed) & is_biased_flag) == 0) return;
  biased_.store(nullptr, std::memory_order_relaxed);
  state_.fetch_and(~is_biased_flag, std::memory_order_relaxed);
  revoking_ = table_was_used_ = true;
  lock.unlock();
  impl::membarrier();
  lock.lock();
  revoking_ = false;
}

std::int64_t RwMutex::in_table() const {
  std::int64_t sum = 0;
  if (table_ == nullptr) return sum;
  for (const Slot& slot : table_->slots) sum += slot.count.load(std::memory_order_acquire) >> 1;
  return sum;
}

std::int64_t RwMutex::readers() const {
  return (state_.load(std::memory_order_relaxed) >> reader_shift) + offset_ + in_table();
}

// Under the lock, with `writing` set: true when no reader is inside, and the counts start anew.
bool RwMutex::settle() {
  const std::int64_t sum = in_table();
  const std::int64_t state = state_.load(std::memory_order_relaxed);
  const std::int64_t inside = (state >> reader_shift) + offset_ + sum;
  PARLEY_ASSERT(inside >= 0, "RwMutex::unlock_shared() more often than lock_shared()");
  if (inside != 0) return false;
  offset_ = -sum;
  const bool any = !readers_waiting_.empty() || !writers_waiting_.empty();
  state_.store(writing | (any ? waiting : 0), std::memory_order_release);
  foresee_reads();
  return true;
}

// Under the lock, between the readers of two writers: as many reads as usually came between two
// writers will come until the next one. To end the use of a table costs a writer as much as the
// table saves a few hundred reads.
void RwMutex::foresee_reads() {
  std::uint32_t in_slots = 0;
  if (table_ != nullptr) {
    for (const Slot& slot : table_->slots) in_slots += slot.reads.load(std::memory_order_relaxed);
  }
  const std::uint32_t reads =
      reads_.load(std::memory_order_relaxed) + in_slots - reads_in_slots_before_;
  reads_in_slots_before_ = in_slots;
  reads_.store(0, std::memory_order_relaxed);
  // Where writers come one upon another, no table was in use, whatever comes after them.
  if (!std::exchange(table_was_used_, false) && reads < reads_before_next_bias) return;
  constexpr std::uint32_t most_counted = 8 * reads_worth_bias;
  const std::uint32_t counted = std::min(reads, most_counted);
  usual_reads_ = usual_reads_ == 0 ? counted : (3 * usual_reads_ + counted) / 4;
  reads_needed_.store(usual_reads_ >= reads_worth_bias ? reads_before_next_bias : reads_before_bias,
                      std::memory_order_relaxed);
}

// Under the lock: the writer that may enter now, if there is one.
impl::WaitNode* RwMutex::drained() {
  if (draining_.empty() || !settle()) return nullptr;
  impl::WaitNode* writer = impl::claim_front(draining_);
  static_cast<Waiter*>(writer)->has_mutex = true;
  return writer;
}

#ifdef NDEBUG
void RwMutex::count_held(int) {}
#else
void RwMutex::count_held(int change) {
  const std::int64_t before = held_shared_.fetch_add(change, std::memory_order_relaxed);
  PARLEY_ASSERT(before + change >= 0, "RwMutex::unlock_shared() more often than lock_shared()");
}
#endif

}  // namespace parley::rt
