// BlockingPool: threads for calls that block, started as needed and ended when idle. Private to rt;
// see blocking.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

#include "parley/base/clock.h"

namespace parley::rt::impl {

// A call on its way to a thread; lives on the stack of the fiber that waits for it.
struct BlockingCall {
  void (*run)(void* argument) = nullptr;
  void* argument = nullptr;
  // Called afterwards, on the same thread; the call may be gone when it returns.
  void (*done)(BlockingCall& call) = nullptr;
};

class BlockingPool {
 public:
  // At most `max_threads` at a time; one that had nothing to do for `idle_time` ends.
  BlockingPool(std::size_t max_threads, Duration idle_time)
      : max_threads_(max_threads), idle_time_(idle_time) {}
  // Waits for the threads to end. No call may be left.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // The call runs as soon as a thread is free.
  void add(BlockingCall& call);

  // Written under the lock, read without it.
  struct Counts {
    std::atomic<std::size_t> threads{0};
    std::atomic<std::size_t> queued{0};  // calls that wait for a thread
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::size_t> unfinished{0};
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void work();
  void start_thread();

  const std::size_t max_threads_;
  const Duration idle_time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<BlockingCall*> calls_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  Counts counts_;
};

}  // namespace parley::rt::impl
