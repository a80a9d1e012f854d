// Waiting for time to pass, and giving way. Inside a fiber only.
#pragma once

#include "parley/base/status.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

// Parks the calling fiber for `delay`, by the runtime's clock. Ok when the time has passed; the
// context's status when the context ended first. A delay of zero or less has passed at once: others
// run first only when the fiber has held its worker for a while (rt::checkpoint).
Status sleep(Duration delay);
Status sleep_until(Instant instant);

// Lets every other runnable fiber run first.
void yield();

}  // namespace parley::rt
