// Job: a function that will be started as a fiber of a scope when something happens: a timer fires,
// a context ends. Shared by the handle that can take it back and by whoever starts it. Private to
// rt.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

namespace parley::rt {
class Scope;
}

namespace parley::rt::impl {

class Job {
 public:
  // The scope must be there until the job is started or taken back; it ends the program otherwise.
  // `name` must live as long.
  Job(Scope& scope, std::string_view name);
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void keep() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void let_go() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // On a worker: starts the fiber. Uses up one reference.
  void start();
  // Instead of start(). Uses up one reference.
  void take_back();
  // By the handle that came too late to take it back: until start() is through, which another
  // worker is at, so that the scope has the fiber and may end.
  void wait_started() const noexcept;

 protected:
  virtual void run() = 0;

 private:
  Scope& scope_;
  std::string_view name_;
  std::atomic<std::uint32_t> references_{1};
  std::atomic<bool> is_started_{false};
};

// A job with its function. `Kind` derives from Job.
template <class Kind, class F>
class JobOf final : public Kind {
 public:
  template <class... Arguments>
  explicit JobOf(F f, Arguments&&... arguments)
      : Kind(std::forward<Arguments>(arguments)...), f_(std::move(f)) {}

 private:
  void run() override { f_(); }

  F f_;
};

}  // namespace parley::rt::impl
