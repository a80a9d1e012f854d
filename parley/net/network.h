// Network: the seam between Parley and the world. SocketNetwork is the real one; a test or the
// simulator puts another in its place. Call it inside a fiber, from any of them.
//
//   net::SocketNetwork network;
//   auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
//   auto stream = network.dial((*listener)->address(), rt::Deadline::after(2s));
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/options.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net {

class Resolver;

class Network {
 public:
  virtual ~Network() = default;

  // already_exists when the address is taken; permission_denied for a port or path the user may not
  // have; invalid_argument for an address that is not of this machine, and for a host that is a
  // name: listening takes a numeric address or localhost.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address,
                                                   const ListenOptions& options = {}) = 0;

  // unavailable when nobody listens there or it cannot be reached; deadline_exceeded, or the
  // context's status, when that came first. No connection was made in any of these cases.
  virtual Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {},
                                               const DialOptions& options = {}) = 0;
};

// How the addresses of a name are tried: IPv4 and IPv6 in turns, the next one while its
// predecessors have not answered (happy eyeballs, RFC 8305).
struct RaceOptions {
  // After the start of an attempt, the next one; at once when it fails. 100 ms to 2 s.
  std::chrono::milliseconds attempt_delay{250};
  // How long IPv4 addresses wait for IPv6 ones still being looked up. 0 to 2 s.
  std::chrono::milliseconds resolution_delay{50};
  // Addresses tried at most, 1 to 256; further ones are named in the error.
  std::size_t max_attempts = 16;
};

struct SocketNetworkOptions {
  // For the hosts that are names. Must outlive the network; may serve any number of them. Null:
  // each dial of a name opens a resolver with default options and closes it when it is done, so
  // that nothing is kept from one dial to the next.
  Resolver* resolver = nullptr;
  RaceOptions race{};
};

// The kernel's stream sockets: tcp and unix addresses. A dialled tcp host may be a name: then the
// first of its addresses that answers is used; not_found when it has none.
class SocketNetwork final : public Network {
 public:
  SocketNetwork() = default;
  explicit SocketNetwork(const SocketNetworkOptions& options) : options_(options) {}

  Result<std::unique_ptr<Listener>> listen(const Address& address,
                                           const ListenOptions& options = {}) override;
  Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {},
                                       const DialOptions& options = {}) override;

 private:
  Result<std::unique_ptr<Stream>> dial_name(const Address& address, rt::Deadline deadline,
                                            const DialOptions& options) const;

  SocketNetworkOptions options_;
};

// The name SocketNetwork had while it knew TCP only.
using TcpNetwork = SocketNetwork;

}  // namespace parley::net
