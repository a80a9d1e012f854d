#include "parley/door/testing/interop_streams.h"

#include <cstddef>
#include <string>

#include "parley/codec/reflect.h"

namespace parley::door::testing {
namespace {

Status answer(const StreamingOutputRequest& request,
              Stream<StreamingOutputRequest, StreamingOutput>& stream) {
  if (const auto& status = request.response_status; status && status->code != 0) {
    return {static_cast<Code>(status->code), status->message};
  }
  for (const ResponseParameters& each : request.response_parameters) {
    StreamingOutput output;
    output.payload.emplace().body.resize(static_cast<std::size_t>(each.size));
    if (Status s = stream.send(output); !s.is_ok()) return s;
  }
  return {};
}

Status output_calls(Context& context, Stream<StreamingOutputRequest, StreamingOutput>& stream) {
  for (const char* const name : {interop_initial, interop_trailing}) {
    const auto value = context.metadata().get(name);
    if (value) context.reply_metadata().set(name, std::string(*value));
  }
  for (;;) {
    const auto request = stream.receive();
    if (!request) return request.error();
    if (!*request) return {};
    if (Status s = answer(**request, stream); !s.is_ok()) return s;
  }
}

Status input_call(Stream<StreamingInput, StreamingTotal>& stream) {
  StreamingTotal total;
  for (;;) {
    const auto input = stream.receive();
    if (!input) return input.error();
    if (!*input) return stream.send(total);
    if (!(**input).payload) continue;
    total.aggregated_payload_size += static_cast<std::int32_t>((**input).payload->body.size());
  }
}

}  // namespace

void add_interop_streams(Peer& peer) {
  peer.handle_stream("/grpc.testing.TestService/StreamingOutputCall", &output_calls);
  peer.handle_stream("/grpc.testing.TestService/FullDuplexCall", &output_calls);
  peer.handle_stream("/grpc.testing.TestService/StreamingInputCall", &input_call);
}

}  // namespace parley::door::testing
