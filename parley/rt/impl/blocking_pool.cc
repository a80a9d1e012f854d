#include "parley/rt/impl/blocking_pool.h"

#include <pthread.h>

#include <csignal>

#include "parley/base/assert.h"

namespace parley::rt::impl {

BlockingPool::~BlockingPool() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return counts_.threads == 0; });
}

void BlockingPool::add(BlockingCall& call) {
  PARLEY_ASSERT(max_threads_ > 0,
                "rt::blocking() would wait for ever: RuntimeOptions::max_blocking_threads is 0");
  const std::lock_guard lock(mutex_);
  calls_.push_back(&call);
  ++counts_.calls;
  ++counts_.unfinished;
  counts_.queued = calls_.size();
  if (idle_ >= calls_.size()) {
    changed_.notify_one();
  } else if (counts_.threads < max_threads_) {
    start_thread();
  }
}

void BlockingPool::start_thread() {
  ++counts_.threads;
  // Signals are for the program's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  // Detached, and waited for by the count: a thread that ends by itself needs nobody to join it.
  const auto body = [](void* pool) -> void* {
    static_cast<BlockingPool*>(pool)->work();
    return nullptr;
  };
  // Not std::thread, which throws where none can be started (pids.max, RLIMIT_NPROC).
  pthread_t thread{};
  const bool is_started = ::pthread_create(&thread, nullptr, body, this) == 0;
  if (is_started) {
    ::pthread_detach(thread);
  } else {
    --counts_.threads;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  PARLEY_ASSERT(is_started || counts_.threads > 0,
                "no thread can be started for rt::blocking(), and there is none yet");
}

void BlockingPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (calls_.empty()) {
      ++idle_;
      const bool called =
          changed_.wait_for(lock, idle_time_, [this] { return stopping_ || !calls_.empty(); });
      --idle_;
      if (!called || calls_.empty()) break;
    }
    BlockingCall& call = *calls_.front();
    calls_.pop_front();
    counts_.queued = calls_.size();
    lock.unlock();
    call.run(call.argument);
    call.done(call);
    --counts_.unfinished;
    lock.lock();
  }
  --counts_.threads;
  changed_.notify_all();
}

}  // namespace parley::rt::impl
