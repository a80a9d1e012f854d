#include "parley/door/testing/interop_service.h"

#include "parley/codec/reflect.h"
#include "parley/door/grpc_details.h"
#include "parley/rt/context.h"

namespace parley::door::testing {

struct RetryDelay {
  std::int64_t seconds = 0;
};
struct RetryInfo {
  RetryDelay retry_delay;
};

namespace {

void echo(Context& context, const char* name) {
  const auto value = context.metadata().get(name);
  if (value) context.reply_metadata().set(name, std::string(*value));
}

Result<SimpleResponse> unary_call(Context& context, const SimpleRequest& request) {
  echo(context, interop_initial);
  echo(context, interop_trailing);
  if (const auto& status = request.response_status; status && status->code != 0) {
    if (status->message == "details") {
      const auto retry = make_grpc_detail("google.rpc.RetryInfo", RetryInfo{{.seconds = 3}});
      set_grpc_details({*retry}, context.reply_metadata());
    }
    return Status(static_cast<Code>(status->code), status->message);
  }
  SimpleResponse response;
  response.payload.emplace().body.resize(static_cast<std::size_t>(request.response_size));
  return response;
}

}  // namespace

void add_interop_service(Peer& peer, std::atomic<int>& ended) {
  peer.handle("/grpc.testing.TestService/EmptyCall", [] {});
  peer.handle("/grpc.testing.TestService/UnaryCall", &unary_call);
  peer.handle("/grpc.testing.WaitService/Wait", [&ended] {
    const Status status = rt::Context::current().wait_done();
    ++ended;
    return status;
  });
}

}  // namespace parley::door::testing
