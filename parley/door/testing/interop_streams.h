// The streams of the service that the interop cases of gRPC call
// (tests/foreign/grpc/interop.proto), as stream methods of a peer; its unary methods are in
// interop_service.h. For tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "parley/door/testing/interop_service.h"
#include "parley/peer/peer.h"

namespace parley::door::testing {

struct ResponseParameters {
  std::int32_t size = 0;
  std::int32_t interval_us = 0;
  std::optional<BoolValue> compressed;
};
// A member that is only there for the numbers is never written.
struct StreamingOutputCallRequest {
  std::int32_t response_type = 0;
  std::vector<ResponseParameters> response_parameters;
  std::optional<Payload> payload;
  std::int32_t none4 = 0;
  std::int32_t none5 = 0;
  std::int32_t none6 = 0;
  std::optional<EchoStatus> response_status;
};
struct StreamingOutputCallResponse {
  std::optional<Payload> payload;
};
struct StreamingInputCallRequest {
  std::optional<Payload> payload;
  std::optional<BoolValue> expect_compressed;
};
struct StreamingInputCallResponse {
  std::int32_t aggregated_payload_size = 0;
};

// Adds the methods. `gave_up` counts handlers whose caller left before the end, `running` those
// that have not returned.
void add_interop_streams(Peer& peer, std::atomic<int>& gave_up,
                         std::atomic<int>* running = nullptr);

}  // namespace parley::door::testing
