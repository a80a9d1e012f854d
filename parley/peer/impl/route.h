// The way from a request to the method that serves it. Private to peer. Pure functions, safe
// anywhere.
#pragma once

#include "parley/base/status.h"
#include "parley/peer/impl/arguments.h"
#include "parley/peer/router.h"
#include "parley/wire/message.h"

namespace parley::impl {

// Null when there is none. A query behind the name is cut off it.
inline const Router::Method* method_for(wire::Message& request, const Router& router,
                                        Router::Recent& recent, Context& context) {
  const Router::Method* method = router.find(request.method, recent);
  if (method == nullptr) [[unlikely]]
    method = find_before_query(router, request, context);
  if (method != nullptr) [[likely]]
    return method;
  return router.unknown(request.type);
}

// Whether it is one that the request can be served by.
inline bool can_serve(const Router::Method* method, const wire::Message& request) {
  return method != nullptr && method->is_stream == (request.type == wire::MessageType::open);
}

// Why it is not.
Status no_handler(const Router::Method* method, const wire::Message& request, const Router& router);

}  // namespace parley::impl
