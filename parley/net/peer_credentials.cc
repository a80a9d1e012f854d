#include "parley/net/peer_credentials.h"

#include <sys/socket.h>

#include <cerrno>

#include "parley/base/fd.h"

namespace parley::net {
namespace {

[[gnu::noinline]] Result<PeerCredentials> credentials_of(int fd, const Address& remote) {
  if (remote.network != "unix" || fd < 0) {
    return Status(Code::invalid_argument,
                  "peer credentials: only a Unix socket has them, this is " + remote.to_string());
  }
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    return errno_status(errno, "peer credentials");
  }
  return PeerCredentials{.process = who.pid, .user = who.uid, .group = who.gid};
}

}  // namespace

Result<PeerCredentials> peer_credentials(const Stream& stream) {
  return credentials_of(stream.descriptor(), stream.remote_address());
}

Result<PeerCredentials> peer_credentials(const MessageStream& stream) {
  return credentials_of(stream.descriptor(), stream.remote_address());
}

}  // namespace parley::net
