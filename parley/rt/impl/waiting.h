// How the public primitives park and wake, without seeing the scheduler: for the templates among
// them. Private to rt.
#pragma once

#include <string_view>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

// Puts `node` (made by the calling fiber) at the end of `list` and parks until a wake, the deadline
// or the end of the fiber's context. `what` names the primitive in dumps and begins the message.
Status wait_in(WaitList& list, WaitNode& node, const char* what, Deadline deadline);

// Wakes the fiber behind `node`; the node leaves its list.
void wake_one(WaitNode& node);
void wake_all(WaitList& list);

// The program ends unless the caller is in a fiber; `what` names what was tried.
void require_fiber(std::string_view what);

}  // namespace parley::rt::impl
