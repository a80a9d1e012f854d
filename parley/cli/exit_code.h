// ExitCode: what the parley command tells a script. The numbers are a promise; --help lists them.
//
// Any thread; nothing here has state.
//
//   if (!status.is_ok()) return static_cast<int>(exit_code_of(status));
#pragma once

#include <string_view>

#include "parley/base/status.h"

namespace parley::cli {

enum class ExitCode : int {
  ok = 0,
  answered_with_error =
      1,                // the call ran or was refused over there; sending it again may run it twice
  would_change = 1,     // `parley gen --check`: a file is not what it should be
  usage = 2,            // the command line is wrong; nothing was sent
  not_sent = 3,         // the other side cannot have seen it: safe to send again
  outcome_unknown = 4,  // cut or out of time while waiting: it may or may not have run
  output_lost = 5,      // the answer came, but standard output was closed or full
};

// The code for how a call went. A status without a source line came over the wire: the other side
// answered, whatever code it chose.
ExitCode exit_code_of(const Status& status) noexcept;

// The section "Exit codes" of the help: one line per code.
std::string_view exit_code_help() noexcept;

}  // namespace parley::cli
