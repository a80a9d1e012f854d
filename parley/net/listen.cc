#include <sys/socket.h>

#include <utility>

#include "parley/net/impl/in_process_hint.h"
#include "parley/net/impl/listening_socket.h"
#include "parley/net/network.h"
#include "parley/net/shards.h"

namespace parley::net {

Result<std::unique_ptr<Listener>> SocketNetwork::listen(const Address& address,
                                                        const ListenOptions& options) {
  const std::string what = "listen on " + address.to_string();
  if (address.network != "tcp" && address.network != "unix") {
    return Status(Code::invalid_argument,
                  what + ": a listener takes tcp and unix addresses" + impl::hint_for(address));
  }
  const Address where = address.as_numbers();
  if (where.network == "tcp" && !where.is_numeric()) {
    return Status(Code::invalid_argument,
                  what + ": a listener takes a numeric address or localhost, not a name");
  }
  impl::SocketFile file;
  auto fd = impl::open_listening(where, SOCK_STREAM, options, file);
  if (!fd) return fd.error().with_context(what);
  return impl::make_listener(*std::move(fd), std::move(file));
}

Result<std::vector<std::unique_ptr<Listener>>> listen_shards(Network& network,
                                                             const Address& address,
                                                             std::size_t count,
                                                             ListenOptions options) {
  if (count < 1 || count > max_shards) {
    return Status(Code::invalid_argument, "listen on " + address.to_string() + ": " +
                                              std::to_string(count) + " shards, from 1 to " +
                                              std::to_string(max_shards) + " are possible");
  }
  options.reuse_port = true;
  std::vector<std::unique_ptr<Listener>> shards;
  shards.reserve(count);
  while (shards.size() < count) {
    // The first may get its port from the kernel; the others share it.
    auto shard = network.listen(shards.empty() ? address : shards.front()->address(), options);
    if (!shard) return shard.error();
    shards.push_back(*std::move(shard));
  }
  return shards;
}

}  // namespace parley::net
