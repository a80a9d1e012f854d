// Logging: the way to PeerOptions::log. Private to peer. Fiber-safe as far as that log is.
#pragma once

#include <string_view>

#include "parley/peer/options.h"

namespace parley::impl {

// A line for the log of a peer, if it has one. What that throws ends here: the line is lost, and
// nothing else.
void log_line(const PeerOptions& options, std::string_view line);

}  // namespace parley::impl
