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

// Ok when `f` returned; internal with the exception's what() as cause when it threw. An exception
// not derived from std::exception is named as such.
template <class F>
Status guarded(F&& f) {
  try {
    std::invoke(std::forward<F>(f));
    return {};
  } catch (const std::exception& error) {
    return Status(Code::internal, "the handler threw an exception").with_cause(error.what());
  } catch (...) {
    return Status(Code::internal, "the handler threw an exception")
        .with_cause("not derived from std::exception");
  }
}

}  // namespace parley
