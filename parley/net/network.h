// Network: the seam between Parley and the world. TcpNetwork is the real one; a test or the
// simulator puts another in its place. Call it inside a fiber.
//
//   net::TcpNetwork network;
//   auto listener = network.listen(*net::Address::parse("tcp://127.0.0.1:0"));
//   auto stream = network.dial((*listener)->address(), rt::Deadline::after(2s));
#pragma once

#include <memory>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net {

struct ListenOptions {
  // Connections the kernel keeps for accept(); it caps this at net.core.somaxconn.
  int backlog = 4096;
};

class Network {
 public:
  virtual ~Network() = default;

  // already_exists when the address is taken; permission_denied for a port the user may not have;
  // invalid_argument for an address that is not of this machine.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address,
                                                   const ListenOptions& options = {}) = 0;

  // unavailable when nobody listens there or it cannot be reached; deadline_exceeded, or the
  // context's status, when that came first. No connection was made in any of these cases.
  virtual Result<std::unique_ptr<Stream>> dial(const Address& address,
                                               rt::Deadline deadline = {}) = 0;
};

// TCP over the kernel's sockets. Streams have TCP_NODELAY set: what is written leaves at once, and
// the floors above batch.
class TcpNetwork final : public Network {
 public:
  Result<std::unique_ptr<Listener>> listen(const Address& address,
                                           const ListenOptions& options = {}) override;
  Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {}) override;
};

}  // namespace parley::net
