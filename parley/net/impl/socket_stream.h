// The Stream over a connected socket, TCP or Unix. Private to net.
#pragma once

#include <memory>

#include "parley/base/fd.h"
#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/net/stream.h"

namespace parley::net::impl {

// `fd` is a connected, non-blocking stream socket whose options are set. `remote` is what
// remote_address() says. An error when it cannot be watched.
Result<std::unique_ptr<Stream>> make_socket_stream(Fd fd, Address remote);

}  // namespace parley::net::impl
