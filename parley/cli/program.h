// Commands that are programs of their own, beside this one: what brings libraries that not every
// call should wait for.
//
// Call it on a plain thread.
//
//   const Status failed = become_program("parley-gen", words);   // returns only when it failed
#pragma once

#include <string>
#include <vector>

#include "parley/base/status.h"

namespace parley::cli {

// Goes on as the program of that name in the folder of this one, with `words` behind its name; its
// exit code is then ours. Returns not_found when there is none, or what the system said.
Status become_program(const std::string& name, const std::vector<std::string>& words);

}  // namespace parley::cli
