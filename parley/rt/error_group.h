// ErrorGroup: fibers that work on parts of one task, of which the first to fail ends the others.
// Go's x/sync/errgroup. Belongs to the fiber that made it, as a Scope does; go() and try_go() are
// for any fiber of the runtime.
//
//   rt::ErrorGroup group;
//   for (const Url& url : urls) group.go("fetch", [&url] { return fetch(url); });
//   if (Status status = group.wait(); !status.is_ok()) return status;
#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/base/status.h"
#include "parley/rt/context.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"
#include "parley/rt/scope.h"

namespace parley::rt {

// What the first error of a group does to the other fibers.
enum class OnError {
  cancel,  // ends their context, with that error as its cause
  go_on,   // nothing: wait() tells
};

class ErrorGroup {
 public:
  static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

  explicit ErrorGroup(OnError on_error = OnError::cancel, OnExit on_exit = OnExit::join)
      : on_error_(on_error), scope_(on_exit) {}
  explicit ErrorGroup(OnExit on_exit) : ErrorGroup(OnError::cancel, on_exit) {}
  // Waits for every fiber that wait() did not wait for; with OnExit::cancel their context ends
  // first, which is what a return before wait() needs where they wait for the one who returns.
  ~ErrorGroup() = default;
  ErrorGroup(const ErrorGroup&) = delete;
  ErrorGroup& operator=(const ErrorGroup&) = delete;

  // Starts a fiber that runs `f`, which returns a Status. At the limit it waits until a fiber of
  // the group ends; that wait is ended by nothing else. Starts it also when the group has failed
  // already: its context is over then. With a limit of 0 it is a bug: it would wait for ever.
  template <class F>
  void go(std::string_view name, F&& f) {
    wait_for_room();
    start(name, std::forward<F>(f));
  }

  // Starts it only if that needs no waiting: false, and `f` is dropped, at the limit or at
  // RuntimeOptions::max_fibers.
  template <class F>
  [[nodiscard]] bool try_go(std::string_view name, F&& f) {
    if (!try_take_room()) return false;
    if (scope_.try_go(name, body_of(std::forward<F>(f)))) return true;
    give_room_back();
    return false;
  }

  // At most so many fibers of this group at once. While one runs it is a bug.
  void set_limit(std::size_t limit);

  // Waits for all fibers, also those started meanwhile, then ends the context of the group. The
  // first error that one returned; ok when none did. Not ended by the caller's own context, whose
  // end the fibers feel.
  Status wait();

  // The context of the group's fibers: a child of that of the fiber that made the group.
  [[nodiscard]] const Context& context() const { return scope_.context(); }

 private:
  template <class F>
  auto body_of(F&& f) {
    static_assert(std::is_same_v<std::invoke_result_t<std::decay_t<F>&>, Status>,
                  "what is given to an ErrorGroup returns a Status");
    return [this, call = std::decay_t<F>(std::forward<F>(f))]() mutable { done(call()); };
  }
  template <class F>
  void start(std::string_view name, F&& f) {
    scope_.go(name, body_of(std::forward<F>(f)));
  }

  void wait_for_room();
  [[nodiscard]] bool try_take_room();
  void give_room_back();
  void done(const Status& status);

  const OnError on_error_;
  impl::SpinLock lock_;  // of what follows
  std::size_t limit_ = no_limit;
  std::size_t running_ = 0;
  Status first_error_;
  impl::WaitList waiting_for_room_;
  Scope scope_;  // last: its fibers use the rest until it has joined them
};

}  // namespace parley::rt
