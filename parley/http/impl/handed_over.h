// What Exchange::hand_over() calls at the end: bounded once its server drains. Private to http.
#pragma once

#include <functional>

#include "parley/http/service.h"

namespace parley::http::impl {

// Calls `then`. ServerOptions::handed_over_timeout after the server began to drain the context that
// it runs under ends.
void run_handed_over(const Service& service, const std::function<void()>& then);

}  // namespace parley::http::impl
