#include "parley/door/testing/interop_streams.h"

#include <cstddef>
#include <string>

#include "parley/codec/reflect.h"
#include "parley/peer/stream.h"

namespace parley::door::testing {
namespace {

using InputStream = Stream<StreamingInputCallRequest, StreamingInputCallResponse>;
using OutputStream = Stream<StreamingOutputCallRequest, StreamingOutputCallResponse>;

void echo(Context& context, const char* name) {
  const auto value = context.metadata().get(name);
  if (value) context.reply_metadata().set(name, std::string(*value));
}

Status sum(InputStream& stream, std::atomic<int>& gave_up) {
  StreamingInputCallResponse total;
  for (;;) {
    const auto input = stream.receive();
    if (!input) {
      ++gave_up;
      return input.error();
    }
    if (!*input) return stream.send(total);
    const auto& payload = (**input).payload;
    total.aggregated_payload_size += static_cast<std::int32_t>(payload ? payload->body.size() : 0);
  }
}

// What each request asks for; without an end of its own it waits for the next one.
Status answer(Context& context, OutputStream& stream, std::atomic<int>& gave_up) {
  echo(context, interop_initial);
  echo(context, interop_trailing);
  for (;;) {
    const auto asked = stream.receive();
    if (!asked) {
      ++gave_up;
      return asked.error();
    }
    if (!*asked) return {};
    const StreamingOutputCallRequest& request = **asked;
    if (const auto& status = request.response_status; status && status->code != 0) {
      return Status(static_cast<Code>(status->code), status->message);
    }
    for (const ResponseParameters& each : request.response_parameters) {
      StreamingOutputCallResponse response;
      response.payload.emplace().body.resize(static_cast<std::size_t>(each.size));
      if (Status s = stream.send(response); !s.is_ok()) return s;
    }
  }
}

}  // namespace

void add_interop_streams(Peer& peer, std::atomic<int>& gave_up, std::atomic<int>* running) {
  const auto counted = [running](const auto& handle) {
    if (running != nullptr) ++*running;
    const Status status = handle();
    if (running != nullptr) --*running;
    return status;
  };
  const auto both = [&gave_up, counted](Context& context, OutputStream& stream) {
    return counted([&] { return answer(context, stream, gave_up); });
  };
  peer.handle_stream("/grpc.testing.TestService/StreamingInputCall",
                     [&gave_up, counted](InputStream& stream) {
                       return counted([&] { return sum(stream, gave_up); });
                     });
  peer.handle_stream("/grpc.testing.TestService/StreamingOutputCall", both);
  peer.handle_stream("/grpc.testing.TestService/FullDuplexCall", both);
}

}  // namespace parley::door::testing
