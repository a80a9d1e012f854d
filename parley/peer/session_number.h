// SessionNumber: what tells the sessions of a peer apart. A plain value.
#pragma once

#include <cstdint>

#include "parley/base/id.h"

namespace parley {

struct SessionTag;
// Unique within a peer, for its life; what its logs call the session by.
using SessionNumber = StrongId<SessionTag, std::uint64_t>;

}  // namespace parley
