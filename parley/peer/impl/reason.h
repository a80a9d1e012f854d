// Why a session has ended, in the words that its calls, streams and handles are told. Private to
// peer. Pure functions, safe anywhere.
#pragma once

#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::impl {

// The reason as what was behind another error: its message and, where there is one, its own cause.
// What the other side said of the end stands in the latter.
std::string as_cause(const Status& reason);

// Of a session that ended before anything came, which mostly is one of two sides that do not fit
// each other. `framing`: what this side spoke.
Status without_a_word(const Status& reason, std::string_view framing);
// Of one whose first bytes made no sense.
Status at_first_bytes(const Status& reason, std::string_view framing);

}  // namespace parley::impl
