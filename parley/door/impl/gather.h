// The whole body of a request, counted against what its session may hold. Private to door.
#pragma once

#include <cstddef>
#include <string>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/peer/foreign_room.h"
#include "parley/rt/deadline.h"

namespace parley::door::impl {

// As Exchange::read_all(); resource_exhausted also when the session holds too much of bodies that
// are coming, and then room.was_full() says so. `room` (null: nothing counts) goes on counting it.
Result<std::string> gather(http::Exchange& exchange, ForeignRoom* room, std::size_t most,
                           rt::Deadline deadline = {});

}  // namespace parley::door::impl
