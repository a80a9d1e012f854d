#include "parley/rt/testing/fiber_test.h"

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "parley/base/bytes.h"
#include "parley/rt/impl/scheduler.h"

namespace parley::rt::testing {
namespace {

// Ends the program with a dump unless it is dismissed in time. A thread of its own: the worker may
// be the one that hangs.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds limit) : thread_([this, limit] { watch(limit); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_; });
  }
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      dismissed_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void watch_over(impl::Scheduler* scheduler) {
    const std::lock_guard lock(mutex_);
    scheduler_ = scheduler;
  }

 private:
  void watch(std::chrono::milliseconds limit) {
    // Signals are the worker's: a test that waits for one must find it there.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    {
      const std::lock_guard lock(mutex_);
      ready_ = true;
    }
    changed_.notify_all();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, limit, [this] { return dismissed_; })) return;
    // Not synchronized with the worker, which most likely stands still; the process ends right
    // after.
    std::fprintf(stderr, "the test did not end within %lld ms; its fibers:\n%s",
                 static_cast<long long>(limit.count()),
                 scheduler_ == nullptr ? "none\n" : scheduler_->dump().c_str());
    std::fflush(stderr);
    std::abort();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  bool dismissed_ = false;
  impl::Scheduler* scheduler_ = nullptr;
  std::thread thread_;
};

const std::filesystem::path descriptors_folder = "/proc/self/fd";

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(descriptors_folder)) {
    ++count;
  }
  return count;
}

}  // namespace

int open_sockets() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(descriptors_folder)) {
    std::error_code gone;  // another thread's, closed since
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.native().starts_with("socket:")) ++count;
  }
  return count;
}

void run_fiber_test(const std::function<void()>& body, const RuntimeOptions& options,
                    std::chrono::milliseconds deadline) {
  const int descriptors = open_descriptors();
  const std::size_t blocks = Block::live();
  {
    Watchdog watchdog(deadline);
    RuntimeOptions own = options;
    if (own.workers == 0) own.workers = 1;  // an order of events, unless the test says otherwise
    Runtime(own).run([&] {
      watchdog.watch_over(impl::Scheduler::current());
      body();
      watchdog.watch_over(nullptr);
    });
  }
  EXPECT_EQ(open_descriptors(), descriptors) << "a descriptor leaked";
  EXPECT_EQ(Block::live(), blocks) << "a Bytes block leaked";
}

}  // namespace parley::rt::testing
