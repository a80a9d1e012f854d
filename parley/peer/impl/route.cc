#include "parley/peer/impl/route.h"

#include <string>

namespace parley::impl {

Status no_handler(const Router::Method* method, const wire::Message& request,
                  const Router& router) {
  // Nobody reads the answer to a push: no search for what was meant.
  const bool is_push = request.type == wire::MessageType::push;
  if (method == nullptr) return router.not_found(request.method, !is_push);
  return {
      Code::invalid_argument,
      std::string(request.method) +
          (method->is_stream ? " is a stream: open it" : " is no stream: call it, or push to it")};
}

}  // namespace parley::impl
