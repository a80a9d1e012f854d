// Once: runs a function once, however many fibers ask; those who come meanwhile wait until it is
// done. Go's sync.Once. OnceResult<T> also keeps what the function returned. Thread-safe among the
// fibers of one runtime.
//
//   rt::OnceResult<Config> config_;
//   Result<Config> config() { return config_.get([] { return read_config("shop.json"); }); }
#pragma once

#include <atomic>
#include <optional>
#include <type_traits>
#include <utility>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt {

class Once {
 public:
  Once() = default;
  ~Once();
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  // Ok when a function given to this Once has run to its end: `f`, in the calling fiber, if no
  // other came first. `f` returns nothing; for one that can fail there is OnceResult. While another
  // fiber runs its function this waits: deadline_exceeded, or the context's status, when that came
  // first; it is not safe then to use what the function prepares. The fiber that runs the function
  // cannot be called off, though what it waits for inside sees its own context.
  //
  // Calling it from within the function is a bug: it would wait for itself. An exception that
  // leaves `f` ends the program. Once it is done this costs one load.
  template <class F>
  Status call(F&& f, Deadline deadline = {}) {
    static_assert(std::is_void_v<std::invoke_result_t<F&>>,
                  "what is given to Once returns nothing; use OnceResult for one that can fail");
    if (is_done()) return {};
    std::optional<Status> waited = wait_unless_first(deadline);
    if (waited) return *std::move(waited);
    [&]() noexcept { f(); }();
    finish();
    return {};
  }

  [[nodiscard]] bool is_done() const { return done_.load(std::memory_order_acquire); }

 private:
  // Nothing when the caller is to run the function.
  std::optional<Status> wait_unless_first(Deadline deadline);
  void finish();

  std::atomic<bool> done_{false};
  impl::SpinLock lock_;
  impl::Fiber* runner_ = nullptr;
  impl::WaitList waiters_;
};

// What a function returned the one time it ran. A failure counts as well as a value, as for Go's
// sync.OnceValues: it is not tried again. For what should be tried again there is SingleFlight.
template <class T>
class OnceResult {
 public:
  // A copy of what `f`, the first that was given, returned: a T or a Result<T>. Waits as Once::call
  // does, and returns deadline_exceeded or the context's status when that came first.
  template <class F>
  Result<T> get(F&& f, Deadline deadline = {}) {
    const Status status = once_.call([&] { result_.emplace(f()); }, deadline);
    if (!status.is_ok()) return status;
    return *result_;
  }

  [[nodiscard]] bool is_done() const { return once_.is_done(); }

 private:
  Once once_;
  std::optional<Result<T>> result_;
};

}  // namespace parley::rt
