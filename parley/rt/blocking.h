// blocking: runs a call that blocks its thread (a file system, a library that knows no fibers, long
// computing) on a thread of its own; and checkpoint, for loops that compute long.
//
//   auto rows = rt::blocking([&] { return database.query(sql); });
//   for (const Row& row : rows) { digest(row); rt::checkpoint(); }
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

namespace parley::rt {

namespace impl {
// Parks the calling fiber until a thread of the pool has called run(argument).
void call_on_thread(void (*run)(void* argument), void* argument);
}  // namespace impl

// Parks the calling fiber, runs f() on a thread for blocking calls and returns what it returned.
// Such threads are started as needed up to RuntimeOptions::max_blocking_threads; calls over that
// wait for one, in their order. Nothing ends the wait early, since f may use what the caller holds:
// give f a limit of its own. f is not in a fiber: nothing of rt that waits may be called there. An
// exception that leaves f ends the program.
template <class F>
std::invoke_result_t<F&> blocking(F&& f) {
  using Outcome = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Outcome>) {
    impl::call_on_thread([](void* it) { (*static_cast<std::remove_reference_t<F>*>(it))(); }, &f);
  } else {
    struct Call {
      std::remove_reference_t<F>& function;
      std::optional<Outcome> outcome;
    } call{f, {}};
    impl::call_on_thread(
        [](void* it) {
          auto& its = *static_cast<Call*>(it);
          its.outcome.emplace(its.function());
        },
        &call);
    return *std::move(call.outcome);
  }
}

// In a long loop: lets other fibers run if this one has held its worker for a while (a millisecond
// or more, as the monitor notices it). Costs two nanoseconds otherwise.
void checkpoint();

}  // namespace parley::rt
