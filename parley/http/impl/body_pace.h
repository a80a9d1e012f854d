// How long a server waits for a body: ServerOptions::body_timeout and min_body_rate, the same over
// every version of HTTP. Private to http.
#pragma once

#include <cstdint>

#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/http/service.h"
#include "parley/rt/deadline.h"

namespace parley::http::impl {

// Of a wait that begins now, for a body of which `bytes` came in waits of `waited` together.
[[nodiscard]] rt::Deadline body_deadline(const ServerOptions& options, std::uint64_t bytes,
                                         Duration waited, Instant now);

// What is said when it has passed: deadline_exceeded.
[[nodiscard]] Status body_too_slow();

}  // namespace parley::http::impl
