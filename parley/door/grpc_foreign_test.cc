// gRPC with somebody else's client: the interop cases of tests/foreign/grpc by @grpc/grpc-js.
// Skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "parley/base/testing/witness.h"
#include "parley/door/grpc.h"
#include "parley/door/grpc_health.h"
#include "parley/door/testing/interop_service.h"
#include "parley/door/testing/interop_streams.h"
#include "parley/http/http2_servant.h"
#include "parley/http/service.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::door {
namespace {

using parley::testing::Witness;

const char* const script = PARLEY_SOURCE_DIR "/tests/foreign/grpc/interop_client.js";

// What the cases print, run against our server. Of `running`, none is left when it ends.
std::string said_of(Peer& peer, const Witness& witness, const std::string& cases,
                    const std::atomic<int>& running = 0, const http::ServerOptions& options = {}) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const auto service =
      *http::Service::make(make_grpc(peer, {.trailing = {testing::interop_trailing}}), options);
  rt::Scope scope;
  scope.go("server", [&] {
    net::Server server(*listener,
                       [&](net::Stream& stream) { return service->http2().serve(stream); });
    (void)server.serve();
  });
  const std::string address = listener->address().to_string().substr(6);
  std::string said = rt::blocking([&] {
    return witness.output_of("node '" + std::string(script) + "' " + address + " " + cases);
  });
  while (running > 0) rt::yield();  // the test's own deadline bounds it
  listener->close();
  scope.cancel();
  scope.join();
  return said;
}

bool has_client(const Witness& witness) {
  return rt::blocking([&] {
    return witness.node_with("@grpc/grpc-js") == "node" &&
           witness.node_with("@grpc/proto-loader") == "node";
  });
}

std::string all_ok(const std::string& cases) {
  std::string lines;
  for (const char c : cases) lines += c == ' ' ? " ok\n" : std::string(1, c);
  return lines + " ok\n";
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_makes_the_unary_interop_cases) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  GrpcHealth health(peer);
  ASSERT_TRUE(health.set("shop", GrpcServing::not_serving).is_ok());
  peer.handle("/shop/open", [&] { return health.set("shop", GrpcServing::serving); });
  const std::string cases =
      "empty_unary large_unary large_compressed special_status_message status_code_and_message "
      "custom_metadata unimplemented_method unimplemented_service health_check health_watch";
  EXPECT_EQ(said_of(peer, witness, cases), all_ok(cases));
}

TEST(GrpcForeign, grpc_js_makes_the_streaming_interop_cases) {
  rt::testing::run_fiber_test(
      [] {
        const Witness witness;
        if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
        Peer peer;
        std::atomic<int> gave_up = 0;
        std::atomic<int> running = 0;
        testing::add_interop_streams(peer, gave_up, &running);
        const std::string cases =
            "client_streaming server_streaming ping_pong empty_stream compressed_stream "
            "cancel_after_begin cancel_after_first_response timeout_on_sleeping_server";
        // The handlers of who was cancelled, or out of time, end too. That each saw it end early is
        // not certain: node half-closes first.
        EXPECT_EQ(said_of(peer, witness, cases, running), all_ok(cases));
      },
      {.workers = 2});
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_has_the_metadata_and_statuses_of_streams) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> gave_up = 0;
  testing::add_interop_streams(peer, gave_up);
  const std::string cases =
      "custom_metadata_of_stream status_code_and_message_of_stream unimplemented_streams";
  EXPECT_EQ(said_of(peer, witness, cases), all_ok(cases));
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_reads_the_details_of_an_error) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  EXPECT_EQ(said_of(peer, witness, "status_details"), "status_details ok\n");
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_may_ask_whether_we_are_there_as_often_as_max_pings_allows) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  http::ServerOptions options;
  EXPECT_EQ(said_of(peer, witness, "keep_alive", 0, options), "keep_alive ok\n");
  options.http2.limits.max_pings = 2;
  EXPECT_EQ(said_of(peer, witness, "keep_alive_too_often", 0, options),
            "keep_alive_too_often ok\n");
}

PARLEY_FIBER_TEST(GrpcForeign, the_handler_ends_when_grpc_js_gives_up) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  EXPECT_EQ(said_of(peer, witness, "timeout_of_unary cancel"), "timeout_of_unary ok\ncancel ok\n");
  EXPECT_GE(ended, 1) << "the handler of the call that was in time to be heard of";
}

}  // namespace
}  // namespace parley::door
