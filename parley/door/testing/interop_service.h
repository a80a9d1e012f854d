// The service that the interop cases of gRPC call (tests/foreign/grpc/interop.proto), as methods of
// a peer. For tests.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/peer/peer.h"

namespace parley::door::testing {

struct BoolValue {
  bool value = false;
};
struct Payload {
  std::int32_t type = 0;
  std::vector<std::byte> body;
};
struct EchoStatus {
  std::int32_t code = 0;
  std::string message;
};
struct SimpleRequest {
  std::int32_t response_type = 0;
  std::int32_t response_size = 0;
  std::optional<Payload> payload;
  bool fill_username = false;
  bool fill_oauth_scope = false;
  std::optional<BoolValue> response_compressed;
  std::optional<EchoStatus> response_status;
  std::optional<BoolValue> expect_compressed;
};
struct SimpleResponse {
  std::optional<Payload> payload;
  std::string username;
  std::string oauth_scope;
};

inline constexpr const char* interop_initial = "x-grpc-test-echo-initial";
inline constexpr const char* interop_trailing = "x-grpc-test-echo-trailing-bin";

// Adds the methods. `ended` counts handlers of Wait that ran to the end of their context.
void add_interop_service(Peer& peer, std::atomic<int>& ended);

}  // namespace parley::door::testing
