// The scenarios of `./dev bench rt` that measure something other than CPU time per operation. Each
// runs inside a fiber and returns the line to print.
#pragma once

#include <cstdint>
#include <string>

#include "parley/base/result.h"

namespace parley::bench {

// parked.cc: `fibers` fibers wait for an event: what each holds in memory.
Result<std::string> parked(std::uint64_t fibers);

// skew.cc: `requests` requests arrive at one worker, at moments that do not depend on how long they
// take: how long each took from the moment it was due.
Result<std::string> skew(std::uint64_t requests);

}  // namespace parley::bench
