// TlsNetwork: a Network whose connections are TLS over those of another one. Whoever listens and
// dials through the seam (a Peer, an HTTP server) speaks TLS by being given it.
//
// Fiber-safe. The network below, the server and the client must outlive it, and it those that use
// it.
//
//   net::SocketNetwork sockets;
//   auto tls = net::TlsServer::create({.identities = {{.chain_file = "shop.pem"}}});
//   net::TlsNetwork network({.below = &sockets, .server = tls->get()});
//   auto listener = network.listen(*net::Address::parse("tcp://0.0.0.0:443"));
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "parley/base/result.h"
#include "parley/net/network.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"

namespace parley::net {

struct TlsNetworkOptions {
  Network* below = nullptr;
  // Null: listen() is failed_precondition.
  TlsServer* server = nullptr;
  // Null: dial() is failed_precondition.
  TlsClient* client = nullptr;
  // Who the servers dialled must prove to be. Empty: the host of the address.
  std::string server_name = {};
  // Connections of a listener that have come and were not accepted yet: those whose handshake is
  // under way (each has a fiber), and those that wait for accept(). More stay in the queue below:
  // so many who shake no hands hold up all others, for TlsLimits::handshake_timeout each time.
  std::size_t max_pending = 1'024;
  // Told of each connection that came and was no good: where it came from, and what its handshake
  // failed with; and when none could be taken, with the listener's own address. Fibers call it,
  // several at once.
  std::function<void(const Address& from, const Status& why)> on_refused = {};
};

class TlsNetwork final : public Network {
 public:
  // Without a network below, or with max_pending 0, it is a bug.
  explicit TlsNetwork(TlsNetworkOptions options);

  // As the network below. The listener's fibers belong to it: handshakes go on side by side, and
  // one that is slow holds up nobody. accept() gives streams whose handshake is done, each a
  // TlsStream; what fails is told to on_refused only. resource_exhausted without a fiber to accept
  // with.
  Result<std::unique_ptr<Listener>> listen(const Address& address,
                                           const ListenOptions& options = {}) override;

  // As the network below, then the handshake, within the same deadline. Errors of
  // TlsClient::connect_to besides: the connection is gone then.
  Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {},
                                       const DialOptions& options = {}) override;

 private:
  const TlsNetworkOptions options_;
};

}  // namespace parley::net
