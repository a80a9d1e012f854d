// Unix sockets, unix(7). Private to net.
#pragma once

#include <memory>

#include "parley/base/fd.h"
#include "parley/base/result.h"
#include "parley/net/options.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net::impl {

class SocketFile;

// A connected socket of `type` (SOCK_STREAM or SOCK_SEQPACKET). Errors as for Network::dial,
// without its "dial ...".
Result<Fd> connect_unix(const Address& address, int type, rt::Deadline deadline,
                        const DialOptions& options);
Result<std::unique_ptr<Stream>> dial_unix(const Address& address, rt::Deadline deadline,
                                          const DialOptions& options);

// See open_listening(). A socket file nobody listens on is replaced: already_exists for one where
// somebody does, and for any other file. The folder is locked (flock) meanwhile, so that of two
// processes that find the same stale file one wins and the other finds it alive.
Result<Fd> open_unix_listening(const Address& address, int type, const ListenOptions& options,
                               SocketFile& file);

}  // namespace parley::net::impl
