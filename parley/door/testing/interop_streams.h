// The methods of gRPC's interop service that are streams (tests/foreign/grpc/interop.proto), as
// methods of a peer. For tests.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "parley/door/testing/interop_service.h"
#include "parley/peer/peer.h"

namespace parley::door::testing {

struct ResponseParameters {
  std::int32_t size = 0;
  std::int32_t interval_us = 0;
};
struct StreamingOutputRequest {
  std::int32_t response_type = 0;
  std::vector<ResponseParameters> response_parameters;
  std::optional<Payload> payload;
  std::int32_t none4 = 0;  // the numbers of the fields are those of the members
  std::int32_t none5 = 0;
  std::int32_t none6 = 0;
  std::optional<EchoStatus> response_status;
};
struct StreamingOutput {
  std::optional<Payload> payload;
};
struct StreamingInput {
  std::optional<Payload> payload;
};
struct StreamingTotal {
  std::int32_t aggregated_payload_size = 0;
};

// Adds StreamingOutputCall, StreamingInputCall and FullDuplexCall.
void add_interop_streams(Peer& peer);

}  // namespace parley::door::testing
