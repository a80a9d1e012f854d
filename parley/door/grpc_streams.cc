#include <string>

#include "parley/door/impl/grpc_serve.h"

namespace parley::door::impl {

Status serve_grpc_stream(GrpcCall& call, ForeignSession& /*session*/, std::string_view method) {
  return call.fail(Status(Code::unimplemented,
                          std::string(method) + " is a stream, which this door does not open yet"));
}

}  // namespace parley::door::impl
