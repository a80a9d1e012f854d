// Durations as people write them on a command line: a number and a unit.
//
// Any thread; nothing here has state.
//
//   auto timeout = parse_duration("500ms");
//   if (!timeout) return timeout.error().with_context("--timeout");
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley::cli {

// The longest duration an option takes.
inline constexpr Duration max_duration = std::chrono::hours(24);

// "250us", "500ms", "1.5s", "5m", "2h": more than nothing, at most max_duration, fractions down to
// the nanosecond. Anything else is invalid_argument and shows how to write it.
Result<Duration> parse_duration(std::string_view text);

// The shortest of "1.25 ms", "830 us", "2.5 s": three digits that matter, for messages.
std::string show_duration(Duration duration);

}  // namespace parley::cli
