// InProcessNetwork: names within one process beside the addresses of others. What listens at
// inproc:orders is reached by whoever dials it through the same object: by memory, without a socket
// and without the kernel. All other addresses go to the network behind it, so that one program runs
// as one process or as several by a change of address only.
//
//   net::InProcessNetwork network;
//   Peer shop({.network = &network});
//   Peer till({.network = &network});
//   shop.listen("inproc:shop");            // or "tcp://0.0.0.0:4711", in a process of its own
//   till.dial("inproc:shop");              // and "tcp://shop.example:4711"
//
// Make it and use it inside a fiber, from any of those of one runtime. Streams and listeners may
// outlive it. Names belong to the object: two of them know nothing of each other.
//
// Streams keep every rule of stream.h. The options of sockets have no meaning here and are not
// looked at, but for ListenOptions::backlog; there is no descriptor. They tell when they become
// readable (Stream::readiness), so a session that is at rest has no fiber.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "parley/base/result.h"
#include "parley/net/network.h"
#include "parley/rt/mutex.h"

namespace parley::net {

struct InProcessOptions {
  // Who is asked for all other addresses; must outlive this one. Null: the kernel's sockets.
  Network* beyond = nullptr;
  // Bytes on their way in each direction of a connection. Then a write waits. At least 1.
  std::size_t buffer_bytes = std::size_t{256} << 10U;
};

class InProcessNetwork final : public Network {
 public:
  explicit InProcessNetwork(const InProcessOptions& options = {});
  ~InProcessNetwork() override;

  // already_exists when somebody listens under that name. Names have 1 to 255 bytes.
  Result<std::unique_ptr<Listener>> listen(const Address& address,
                                           const ListenOptions& options = {}) override;
  // unavailable when nobody does; it waits while ListenOptions::backlog connections have not been
  // accepted, until its deadline (deadline_exceeded) or the end of the fiber's context.
  Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {},
                                       const DialOptions& options = {}) override;

  class Names;

 private:
  const InProcessOptions options_;
  SocketNetwork sockets_;
  Network& beyond_;
  const std::shared_ptr<Names> names_;
};

// What both ends of a connection within one process have in common, for those above the streams who
// would like to meet without them. Fiber-safe.
class InProcessJoint {
 public:
  // The one T of this connection, made by whoever asks first. Null when that one asked for another
  // type.
  template <class T>
  [[nodiscard]] std::shared_ptr<T> common() {
    static constexpr char key = 0;
    const std::lock_guard lock(lock_);
    if (common_ == nullptr) {
      common_ = std::make_shared<T>();
      key_ = &key;
    }
    return key_ == &key ? std::static_pointer_cast<T>(common_) : nullptr;
  }

 private:
  rt::Mutex lock_;
  const void* key_ = nullptr;  // of its type
  std::shared_ptr<void> common_;
};

// One end of it: Stream::in_process().
struct InProcessEnd {
  InProcessJoint& joint;
  std::size_t side = 0;  // 0 dialled, 1 accepted
};

}  // namespace parley::net
