// The parley command, from its words to its exit code.
//
// Blocks until done: call it on a plain thread.
//
//   return static_cast<int>(run_command({argv + 1, argv + argc}, console));
#pragma once

#include <string>
#include <vector>

#include "parley/cli/console.h"
#include "parley/cli/exit_code.h"

namespace parley::cli {

// Runs the command named by the first of `words` (the command line without the program's name).
// Without words it shows the help on standard error and returns ExitCode::usage.
ExitCode run_command(const std::vector<std::string>& words, Console& console);

}  // namespace parley::cli
