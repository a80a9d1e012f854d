// guarded(): runs a user's function and turns what it throws into Status::internal. The one `catch`
// of the house: Parley itself does not throw, and nothing thrown passes beyond this point.
//
//   Status status = guarded([&] { answer = handler(order); });
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "parley/base/status.h"

namespace parley {

// What `f` returns, a Status; what on_throw(status) returns when it threw: internal with the
// exception's what() as cause. An exception not derived from std::exception is named as such.
// on_throw may wait: nothing is being caught any more.
template <class F, class OnThrow>
Status guarded_status(F&& f, OnThrow&& on_throw) {
  Status thrown;
  try {
    return std::invoke(std::forward<F>(f));
  } catch (const std::exception& error) {
    thrown = Status(Code::internal, "the handler threw an exception").with_cause(error.what());
  } catch (...) {
    thrown = Status(Code::internal, "the handler threw an exception")
                 .with_cause("not derived from std::exception");
  }
  return std::invoke(std::forward<OnThrow>(on_throw), std::move(thrown));
}

// Ok when `f` returned; otherwise as above.
template <class F>
Status guarded(F&& f) {
  const auto run = [&f] {
    std::invoke(std::forward<F>(f));
    return Status();
  };
  return guarded_status(run, [](Status thrown) { return thrown; });
}

}  // namespace parley
