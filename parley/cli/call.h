// `parley call` and `parley push`: one message to a running service, and what to tell about it.
//
// Starts a runtime of its own and blocks until the answer came or the time is up: call it on a
// plain thread, not inside a fiber.
//
//   const ExitCode code = carry_out(*plan, console);
#pragma once

#include <string>

#include "parley/base/status.h"
#include "parley/cli/console.h"
#include "parley/cli/exit_code.h"
#include "parley/cli/plan.h"

namespace parley::cli {

// Dials, sends, waits, and writes the answer's body to standard output (nothing for an empty one
// and for a push). Failures are said on standard error together with what to try.
ExitCode carry_out(const CallPlan& plan, Console& console);

// The two sentences of a failure: what happened to this call, and what to try next. `is_connected`
// says whether there was a connection to send it over.
std::string failure_text(const CallPlan& plan, const Status& status, bool is_connected);

}  // namespace parley::cli
