// What a gRPC call ends with where its server breaks HTTP/2, or breaks off: frames by hand.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "parley/door/grpc_client.h"
#include "parley/http/testing/http2_hand_server.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;
using namespace http::testing;  // NOLINT(google-build-using-namespace): frames by hand

struct Case {
  const char* what;
  std::string says;  // behind the request, on stream 1
  Code code;
  std::string_view text;
};

PARLEY_FIBER_TEST(GrpcClientBroken, answers_that_break_http_2_are_internal_and_cut_ones_unknown) {
  const Fields grpc = {{":status", "200"}, {"content-type", "application/grpc"}};
  const std::string open = head(1, grpc, 0);
  const std::string message = frame(data_frame, 0, 1, std::string("\0\0\0\0\1x", 6));
  const std::string ok = head(1, {{"grpc-status", "0"}});
  const std::vector<Case> cases = {
      {"in order", open + message + ok, Code::ok, ""},
      {"no :status", head(1, {{"content-type", "application/grpc"}}), Code::internal,
       "RFC 9113 8.1"},
      {":status is no number", head(1, {{":status", "abc"}}), Code::internal, "RFC 9113 8.1"},
      {"a control in the message of its status",
       open + message + head(1, {{"grpc-status", "9"}, {"grpc-message", "a\x01"}}), Code::internal,
       "8.2.1"},
      {"cut within the answer", open + frame(reset_frame, 0, 1, number(2)), Code::outcome_unknown,
       "error 2"},
      {"taken back before it", frame(reset_frame, 0, 1, number(8)), Code::cancelled, "error 8"},
  };
  for (const Case& one : cases) {
    HandServer world([&](Hand& hand, int) {
      (void)hand.wait_for(headers_frame);
      hand.send(one.says);
    });
    GrpcChannel channel(world.network, shop_address());
    const auto answer = channel.call_bytes("/t/Say", "x", {.timeout = 60s});
    const Status status = answer ? Status() : answer.error();
    EXPECT_EQ(status.code(), one.code) << one.what << ": " << status;
    EXPECT_NE((status.message() + " " + std::string(status.cause())).find(one.text),
              std::string::npos)
        << one.what << ": " << status;
  }
}

}  // namespace
}  // namespace parley::door
