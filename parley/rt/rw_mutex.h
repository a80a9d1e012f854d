// RwMutex: many readers or one writer. Go's sync.RWMutex.
//
// A writer that waits keeps new readers out, so readers cannot starve it; the readers that waited
// meanwhile go in together when it leaves, before the next writer, so writers cannot starve them.
// Hence a fiber that holds it shared must not lock it shared again: with a writer in between, both
// would wait for ever. Fibers that wait park; neither deadline nor cancellation ends their wait.
// As in Go a lock belongs to no fiber: another one may unlock it. May be held over a park. Works
// with std::shared_lock, std::unique_lock and rt::Cond. Thread-safe among the fibers of one
// runtime; locking outside a fiber ends the program with a message that says so.
//
// Cheap where it is read a lot: after reads_before_bias shared locks without a writer each worker
// counts its readers on a cache line of its own and neither locks nor unlocks with an atomic
// read-modify-write. The next writer pays for that (a few microseconds) and puts an end to it;
// where writers come seldom, the readers after it need only reads_before_next_bias. Until then an
// RwMutex allocates nothing.
//
//   std::shared_lock lock(prices_mutex_);
//   return prices_[sku];
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class RwMutex {
 public:
  // So many reads in a row save about as much as the next writer pays for.
  static constexpr std::uint32_t reads_before_bias = 1'024;
  // And so few where between two writers there usually are reads_worth_bias: it will pay again.
  static constexpr std::uint32_t reads_before_next_bias = 32;
  static constexpr std::uint32_t reads_worth_bias = 512;

  RwMutex();
  // Destroying a locked RwMutex is a bug.
  ~RwMutex();
  RwMutex(const RwMutex&) = delete;
  RwMutex& operator=(const RwMutex&) = delete;

  // Waits while a writer is inside or waits.
  void lock_shared();
  // False when lock_shared() would wait.
  [[nodiscard]] bool try_lock_shared();
  // By a fiber that has it shared, or for one. More often than it was locked is a bug, found in
  // debug builds; in others where it can be seen at no cost.
  void unlock_shared();

  // Waits until no other writer and no reader is inside.
  void lock();
  // False when lock() would wait.
  [[nodiscard]] bool try_lock();
  // By the fiber that locked it, or for that one. Unlocking what is not locked is a bug.
  void unlock();

  // Whether readers are counted by worker at this moment.
  [[nodiscard]] bool is_biased() const {
    return biased_.load(std::memory_order_relaxed) != nullptr;
  }

 private:
  struct Slot;
  struct Table;
  struct Waiter;
  using Lock = std::unique_lock<impl::SpinLock>;

  void lock_shared_slowly(Slot* entered);
  void unlock_shared_slowly(Slot* left);
  void lock_slowly();
  void unlock_slowly();
  void wait_for_readers(Lock& lock);
  void take_back(Slot& entered);
  void count_read();
  void bias();
  void revoke(Lock& lock);
  [[nodiscard]] std::int64_t in_table() const;
  [[nodiscard]] std::int64_t readers() const;
  bool settle();
  void foresee_reads();
  [[nodiscard]] impl::WaitNode* drained();
  void leave(impl::WaitList& woken);
  void back_out(impl::WaitList& woken);
  void count_held(int change);

  // Flags, and above them the readers that are in no table. While `writing` is set it changes only
  // under lock_; while neither `writing` nor `biased` is, its count is that of all readers.
  std::atomic<std::int64_t> state_{0};
  // The table while readers use it. Whoever has counted itself there looks here again.
  std::atomic<Table*> biased_{nullptr};
  std::atomic<std::uint32_t> reads_{0};  // since the last writer, roughly, and in no table
  std::atomic<std::uint32_t> reads_needed_{reads_before_bias};
  impl::SpinLock lock_;          // of all below
  bool revoking_ = false;        // a writer is about to see who is in the table
  bool table_was_used_ = false;  // since the last writer
  std::unique_ptr<Table> table_;
  std::uint32_t reads_in_slots_before_ = 0;
  std::uint32_t usual_reads_ = 0;  // between two writers, a moving average
  std::int64_t offset_ = 0;        // minus what the table said when no reader was inside
  impl::WaitList readers_waiting_;
  impl::WaitList writers_waiting_;
  impl::WaitList draining_;  // the writer whose turn it is, until the readers inside have left
  // Also in release builds, so that code built with and without NDEBUG agrees on the layout.
  std::atomic<std::int64_t> held_shared_{0};
};

}  // namespace parley::rt
