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

// What the cases print, run against our server.
std::string said_of(Peer& peer, const Witness& witness, const std::string& cases) {
  const auto listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  const auto service =
      *http::Service::make(make_grpc(peer, {.trailing = {testing::interop_trailing}}));
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

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_makes_the_unary_interop_cases) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  GrpcHealth health(peer);
  ASSERT_TRUE(health.set("shop", GrpcServing::not_serving).is_ok());
  std::string cases;
  std::string expected;
  for (const std::string name :
       {"empty_unary", "large_unary", "large_compressed", "special_status_message",
        "status_code_and_message", "custom_metadata", "unimplemented_method",
        "unimplemented_service", "health_check"}) {
    cases += name + " ";
    expected += name + " ok\n";
  }
  EXPECT_EQ(said_of(peer, witness, cases), expected);
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_has_the_metadata_and_statuses_of_streams) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> gave_up = 0;
  testing::add_interop_streams(peer, gave_up);
  EXPECT_EQ(said_of(peer, witness,
                    "custom_metadata_of_stream status_code_and_message_of_stream "
                    "unimplemented_streams"),
            "custom_metadata_of_stream ok\nstatus_code_and_message_of_stream ok\n"
            "unimplemented_streams ok\n");
}

PARLEY_FIBER_TEST(GrpcForeign, grpc_js_reads_the_details_of_an_error) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  EXPECT_EQ(said_of(peer, witness, "status_details"), "status_details ok\n");
}

PARLEY_FIBER_TEST(GrpcForeign, the_handler_ends_when_grpc_js_gives_up) {
  const Witness witness;
  if (!has_client(witness)) GTEST_SKIP() << "node with @grpc/grpc-js does not run here";
  Peer peer;
  std::atomic<int> ended = 0;
  testing::add_interop_service(peer, ended);
  EXPECT_EQ(said_of(peer, witness, "timeout_on_sleeping_server cancel"),
            "timeout_on_sleeping_server ok\ncancel ok\n");
  EXPECT_GE(ended, 1) << "the handler of the call that was in time to be heard of";
}

}  // namespace
}  // namespace parley::door
