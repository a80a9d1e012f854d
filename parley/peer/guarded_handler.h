// A handler's function behind the guard: what it throws is internal for its caller and a line in
// the log of the peer that serves it. Safe on any fiber. Internal to handlers; here because they
// are templates.
#pragma once

#include <utility>

#include "parley/base/guard.h"
#include "parley/base/status.h"

namespace parley {

class Context;

namespace impl {

// Names the method and tells the log. (Of a PUSH, whose every failure is logged, it changes
// nothing.)
Status has_thrown(const Context& context, Status status);

template <class Call>
Status guarded_handler(const Context& context, Call&& call) {
  Status status = guarded(std::forward<Call>(call));
  if (status.is_ok()) [[likely]]
    return status;
  return has_thrown(context, std::move(status));
}

// The same of a whole handler, which returns a Status: what stands around a function (a codec, a
// type's own constructors) is a user's code as well, and who serves a handler of any kind catches
// nothing else.
template <class Call>
Status guarded_call(const Context& context, Call&& call) {
  return guarded_status(std::forward<Call>(call), [&context](Status status) {
    return has_thrown(context, std::move(status));
  });
}

}  // namespace impl
}  // namespace parley
