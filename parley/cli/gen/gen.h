// `parley gen`, as the program parley-gen runs it: from its words to its exit code.
//
// Blocks until done: call it on a plain thread.
//
//   return static_cast<int>(run_gen({argv + 1, argv + argc}, console));
#pragma once

#include <string>
#include <vector>

#include "parley/cli/console.h"
#include "parley/cli/exit_code.h"

namespace parley::cli {

// `words`: what stands behind `parley gen`. Prints a line for each file on standard output.
// would_change with --check when a file is not what it should be; usage when the command line or
// the header is refused; output_lost when a file, or standard output, could not be written.
ExitCode run_gen(const std::vector<std::string>& words, Console& console);

}  // namespace parley::cli
