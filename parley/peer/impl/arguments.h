// What a request brings besides its body, and where its method ends. Private to peer.
//
// Pure functions on the fiber that serves the request.
#pragma once

#include "parley/peer/context.h"
#include "parley/peer/router.h"
#include "parley/wire/message.h"

namespace parley::impl {

// The method whose name stands before a '?' in the request's, which is cut to it; the rest becomes
// Context::query(). Null when there is none: then nothing is changed.
const Router::Method* find_before_query(const Router& router, wire::Message& request,
                                        Context& context);

}  // namespace parley::impl
