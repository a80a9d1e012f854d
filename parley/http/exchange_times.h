// ExchangeTimes: how long an exchange of a client waits for the other side, however late the
// caller's own deadline is. A plain value; Duration::max() is for ever.
//
//   auto connection = Http1Connection::create(std::move(stream), {.times = {.answer_timeout =
//   5s}});
#pragma once

#include <chrono>

#include "parley/base/clock.h"

namespace parley::http {

struct ExchangeTimes {
  // For the head of the answer, once the request stopped going out.
  Duration answer_timeout = Duration::max();
  // For the next piece of the answer's body, or for the other side to take a piece of ours.
  Duration body_timeout = Duration::max();
  // For 100 (Continue) where the request says Expect: 100-continue; then its body is sent anyway.
  Duration continue_timeout = std::chrono::seconds(1);
};

}  // namespace parley::http
