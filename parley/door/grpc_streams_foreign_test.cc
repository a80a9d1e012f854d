// Streams of gRPC with somebody else's client: @grpc/grpc-js, the streaming cases of the public
// interop description. Skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/door/grpc.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/peer/peer.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {

// The messages, by the numbers of the fields.
struct InteropPayload {
  std::int32_t type = 0;
  std::string body;
};
struct InteropSize {
  std::int32_t size = 0;
  std::int32_t interval_us = 0;
};
struct InteropOutputRequest {
  std::int32_t response_type = 0;
  std::vector<InteropSize> response_parameters;
  InteropPayload payload;
};
struct InteropOutput {
  InteropPayload payload;
};
struct InteropInput {
  InteropPayload payload;
};
struct InteropTotal {
  std::int32_t aggregated_payload_size = 0;
};

namespace {

using parley::testing::Witness;

constexpr std::string_view proto = R"(
syntax = "proto3";
package grpc.testing;
message Payload { int32 type = 1; bytes body = 2; }
message ResponseParameters { int32 size = 1; int32 interval_us = 2; }
message StreamingOutputCallRequest {
  int32 response_type = 1; repeated ResponseParameters response_parameters = 2; Payload payload = 3;
}
message StreamingOutputCallResponse { Payload payload = 1; }
message StreamingInputCallRequest { Payload payload = 1; }
message StreamingInputCallResponse { int32 aggregated_payload_size = 1; }
service TestService {
  rpc StreamingOutputCall(StreamingOutputCallRequest) returns (stream StreamingOutputCallResponse);
  rpc StreamingInputCall(stream StreamingInputCallRequest) returns (StreamingInputCallResponse);
  rpc FullDuplexCall(stream StreamingOutputCallRequest)
      returns (stream StreamingOutputCallResponse);
}
)";

constexpr std::string_view node_client = R"(
const grpc = require('@grpc/grpc-js'), loader = require('@grpc/proto-loader');
const loaded = loader.loadSync('interop.proto', {keepCase: true, defaults: true});
const {TestService} = grpc.loadPackageDefinition(loaded).grpc.testing;
const client = new TestService(`127.0.0.1:${process.argv[2]}`, grpc.credentials.createInsecure());
const say = (...words) => console.log(words.join(' '));
setTimeout(() => { say('too slow'); process.exit(1); }, 60000).unref();
const zeros = (size) => ({payload: {body: Buffer.alloc(size)}});
const asking = (size, sends) =>
    ({response_parameters: [{size}], payload: {body: Buffer.alloc(sends)}});
const sent = [27182, 8, 1828, 45904], wanted = [31415, 9, 2653, 58979];
// Calls what comes, and tells the number that the call ended with.
const ended = (call, on_data) => new Promise((done) => {
  call.on('data', on_data); call.on('error', () => {});
  call.on('status', (status) => done(status.code));
});
const cases = {
  client_streaming: () => new Promise((done) => {
    const call = client.StreamingInputCall((error, total) =>
        done(error ? error.message : total.aggregated_payload_size));
    for (const size of sent) call.write(zeros(size));
    call.end();
  }),
  server_streaming: async () => {
    const got = [];
    const call = client.StreamingOutputCall(
        {response_parameters: wanted.map((size) => ({size}))});
    const code = await ended(call, (answer) => got.push(answer.payload.body.length));
    return `${got} ${code}`;
  },
  ping_pong: async () => {
    const got = [];
    const call = client.FullDuplexCall();
    const next = () => {
      if (got.length === 4) return call.end();
      call.write(asking(wanted[got.length], sent[got.length]));
    };
    next();
    const code = await ended(call, (answer) => { got.push(answer.payload.body.length); next(); });
    return `${got} ${code}`;
  },
  empty_stream: async () => {
    let got = 0;
    const call = client.FullDuplexCall();
    call.end();
    const code = await ended(call, () => { ++got; });
    return `${got} ${code}`;
  },
  cancel_after_begin: () => new Promise((done) => {
    const call = client.StreamingInputCall((error) => done(error.code));
    call.cancel();
  }),
  cancel_after_first_response: async () => {
    const got = [];
    const call = client.FullDuplexCall();
    call.write(asking(wanted[0], sent[0]));
    const code = await ended(call, (answer) => {
      got.push(answer.payload.body.length); call.cancel();
    });
    return `${got} ${code}`;
  },
  timeout_on_sleeping_server: async () => {
    const call = client.FullDuplexCall(new grpc.Metadata(), {deadline: Date.now() + 50});
    call.write({payload: {body: Buffer.alloc(27182)}});
    return ended(call, () => {});
  },
  compressed_stream: async () => {
    const zipping = new TestService(
        `127.0.0.1:${process.argv[2]}`, grpc.credentials.createInsecure(),
        {'grpc.default_compression_algorithm': 2});
    const got = [];
    const call = zipping.FullDuplexCall();
    call.write(asking(wanted[0], 50000));
    const code = await ended(call, (answer) => {
      got.push(answer.payload.body.length); call.end();
    });
    zipping.close();
    return `${got} ${code}`;
  },
};
(async () => {
  for (const [name, run] of Object.entries(cases)) say(name, await run());
  process.exit(0);  // a call that node cancels before its head is out may be open for ever
})();
)";

InteropOutput output(std::int32_t size) {
  return {.payload = {.body = std::string(static_cast<std::size_t>(size), '\0')}};
}

// The three methods, as the description wants them. `gave_up`: a caller left before the end.
void serve_interop(Peer& peer, rt::Event& gave_up) {
  peer.handle_stream("/grpc.testing.TestService/StreamingInputCall",
                     [](Stream<InteropInput, InteropTotal>& stream) -> Status {
                       InteropTotal total;
                       for (;;) {
                         const auto input = stream.receive();
                         if (!input) return input.error();
                         if (!*input) return stream.send(total);
                         const std::size_t size = (**input).payload.body.size();
                         total.aggregated_payload_size += static_cast<std::int32_t>(size);
                       }
                     });
  const auto both = [&gave_up](Stream<InteropOutputRequest, InteropOutput>& stream) -> Status {
    for (;;) {
      const auto asked = stream.receive();
      if (!asked) gave_up.set();
      if (!asked) return asked.error();
      if (!*asked) return {};
      // A server that sleeps. It reads nothing: node ends its side before it takes a stream back.
      if ((**asked).response_parameters.empty()) {
        const Status over = rt::Context::current().wait_done();
        gave_up.set();
        return over;
      }
      for (const InteropSize& each : (**asked).response_parameters) {
        const Status sent = stream.send(output(each.size));
        if (!sent.is_ok()) gave_up.set();  // node can be that quick
        if (!sent.is_ok()) return sent;
      }
    }
  };
  peer.handle_stream("/grpc.testing.TestService/FullDuplexCall", both);
  peer.handle_stream("/grpc.testing.TestService/StreamingOutputCall", both);
}

TEST(GrpcStreamsForeign, grpc_js_asks_our_server) {
  rt::testing::run_fiber_test(
      [] {
        const Witness witness;
        if (rt::blocking([&] { return witness.node_with("@grpc/grpc-js"); }).empty()) {
          GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
        }
        witness.write("interop.proto", proto);
        witness.write("client.js", node_client);
        Peer peer;
        rt::Event gave_up;
        serve_interop(peer, gave_up);
        const auto listener =
            std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
        const auto service = *http::Service::make(make_grpc(peer));
        rt::Scope servants;
        servants.go("server", [&] {
          net::Server server(*listener, [&](net::Stream& s) { return service->http2().serve(s); });
          (void)server.serve();
        });
        const std::string address = listener->address().to_string();
        const std::string said = rt::blocking([&] {
          return witness.output_of("node client.js " + address.substr(address.rfind(':') + 1));
        });
        EXPECT_EQ(said,
                  "client_streaming 74922\n"
                  "server_streaming 31415,9,2653,58979 0\n"
                  "ping_pong 31415,9,2653,58979 0\n"
                  "empty_stream 0 0\n"
                  "cancel_after_begin 1\n"
                  "cancel_after_first_response 31415 1\n"
                  "timeout_on_sleeping_server 4\n"
                  "compressed_stream 31415 0\n");
        EXPECT_TRUE(gave_up.wait().is_ok());
        listener->close();
        servants.cancel();
        servants.join();
      },
      {.workers = 2});
}

}  // namespace
}  // namespace parley::door
