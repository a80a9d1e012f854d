// Weather: what befalls the network between the nodes of a scenario: it is slow, cut and
// partitioned, and nodes crash; at the end all is whole again. Drawn from the seed.
//
//   net::SimWorld world(network_options());
//   scope.go("weather", [&] { blow(world, shops, customers); });
#pragma once

#include <array>
#include <span>

#include "parley/net/sim_network.h"
#include "parley/peer/options.h"
#include "parley/rt/scope.h"

namespace parley::sim {

// Who is asked in most scenarios.
inline constexpr std::array shops = {"shop-1", "shop-2"};

// Of the whole world.
net::SimOptions network_options();

// Of a peer on that node, with limits short enough to be met in such weather.
PeerOptions options_on(net::Network& node);

// A node for each of them, and a fiber of `keepers` for each server, which keeps it.
template <class Keep>
void open_street(net::SimWorld& world, std::span<const char* const> servers,
                 std::span<const char* const> clients, rt::Scope& keepers, Keep keep) {
  for (const char* name : servers) world.node(name);
  for (const char* name : clients) world.node(name);
  for (const char* name : servers) {
    keepers.go(name, [keep, name] { keep(name); });
  }
}

// Some strikes one after the other, of all kinds; then everything is whole. `servers` crash and
// start again; `clients` only lose sight of them.
void blow(net::SimWorld& world, std::span<const char* const> servers,
          std::span<const char* const> clients);

}  // namespace parley::sim
