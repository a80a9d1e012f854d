// What serves a call of gRPC once its method is known. Private to door.
#pragma once

#include <string_view>

#include "parley/base/status.h"
#include "parley/door/impl/grpc_call.h"
#include "parley/peer/foreign_session.h"

namespace parley::door::impl {

// A method of handle(): one message comes, one goes. Answers errors; what it returns is that of the
// exchange.
Status serve_grpc_unary(GrpcCall& call, ForeignSession& session, std::string_view method);
// A method of handle_stream(), of any of the other kinds of gRPC (grpc_streams.cc).
Status serve_grpc_stream(GrpcCall& call, ForeignSession& session, std::string_view method);

}  // namespace parley::door::impl
