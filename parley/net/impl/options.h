// Options, applied to a socket. Private to net.
#pragma once

#include "parley/base/status.h"
#include "parley/net/options.h"

namespace parley::net::impl {

// In place of a descriptor: what the kernel would refuse by its value alone is refused, and nothing
// is set.
inline constexpr int no_socket = -1;

// Each sets what `options` says on `fd`, a socket for `network` ("tcp" or "unix"), before it
// listens or connects. invalid_argument names the option the kernel or this network refused.
Status apply(const StreamOptions& options, int fd, const std::string& network);
Status apply(const ListenOptions& options, int fd, const Address& address);
// Binds to options.bind as well. `remote` is what will be dialled; numeric when tcp.
Status apply(const DialOptions& options, int fd, const Address& remote);

}  // namespace parley::net::impl
