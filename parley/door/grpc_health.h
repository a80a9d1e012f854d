// GrpcHealth: what a peer says of its health to those who ask by grpc.health.v1: load balancers and
// orchestrators. Check is a call, Watch a stream that tells each change; both are methods of the
// peer like its others.
//
// Fiber-safe.
//
//   door::GrpcHealth health(peer);                          // serving, before anybody asks
//   health.set("shop.Orders", GrpcServing::not_serving);
//   health.shutdown();              // before Door::shutdown(): DoorOptions::on_shutdown is for it
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "parley/base/status.h"
#include "parley/peer/peer.h"

namespace parley::door {

// With the numbers of HealthCheckResponse.ServingStatus.
enum class GrpcServing : std::uint8_t {
  unknown = 0,
  serving = 1,
  not_serving = 2,
  service_unknown = 3,  // Watch says it of a name that was never set
};

class GrpcHealth {
 public:
  // Names that set() takes.
  static constexpr std::size_t max_services = 1000;

  // Adds the methods to `peer`, which may outlive this object. Inside a fiber. Twice is a bug. The
  // server itself, "", is serving.
  explicit GrpcHealth(Peer& peer);

  // What is said of a service from now on. resource_exhausted beyond max_services names;
  // failed_precondition after shutdown().
  Status set(std::string_view service, GrpcServing serving);
  // All services are not serving from now on, for good. Who watches is told so, and then that the
  // server ends (unavailable). The end of the peer does the same.
  void shutdown();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace parley::door
