// Shards: several listeners on one address, among which the kernel spreads connections by a hash of
// both addresses (socket(7), SO_REUSEPORT). Each has a queue of its own: accepting does not meet in
// one lock. Inside a fiber.
//
//   auto shards = net::listen_shards(network, *net::Address::parse("tcp://0.0.0.0:4711"), 4);
//   for (auto& shard : *shards) scope.go("accept", [&] { serve(*shard); });
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/network.h"

namespace parley::net {

inline constexpr std::size_t max_shards = 256;

// `count` listeners (1 to max_shards) on the same address, a tcp one; port 0 is chosen once for all
// of them. Errors as for Network::listen; none is left listening then. Closing one resets the
// connections that wait in its queue: close them together. Other processes of the same user can
// listen there as well.
Result<std::vector<std::unique_ptr<Listener>>> listen_shards(Network& network,
                                                             const Address& address,
                                                             std::size_t count,
                                                             ListenOptions options = {});

}  // namespace parley::net
