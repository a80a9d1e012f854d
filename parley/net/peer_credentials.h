// Who is on the other side of a Unix socket, as the kernel knows it: nobody can forge it. Any
// thread; does not wait.
//
//   auto who = net::peer_credentials(*stream);
//   if (!who || who->user != owner) return Status(Code::permission_denied, "not your shop");
#pragma once

#include <cstdint>

#include "parley/base/result.h"
#include "parley/net/message_stream.h"
#include "parley/net/stream.h"

namespace parley::net {

struct PeerCredentials {
  // The process that dialled or listened, at that time: the number may be another's by now.
  std::int32_t process = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  friend bool operator==(const PeerCredentials&, const PeerCredentials&) = default;
};

// unix(7), SO_PEERCRED: what held when the connection was made. invalid_argument for a stream that
// is not over a Unix socket.
Result<PeerCredentials> peer_credentials(const Stream& stream);
Result<PeerCredentials> peer_credentials(const MessageStream& stream);

}  // namespace parley::net
