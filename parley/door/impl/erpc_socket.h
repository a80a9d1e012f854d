// A session within erpc's WebSocket sub-protocols (docs/protocols/erpc-ws.md): each message of the
// WebSocket is one of the session. To a Peer it is a stream that carries a framing: a length of
// four bytes, then the payload; on the wire is the payload alone. Private to door.
//
//   peer.serve(erpc_socket_stream(std::move(socket), kind, limits), Side::accepted,
//              {erpc_socket_framing(kind, limits)});
#pragma once

#include <cstdint>
#include <memory>

#include "parley/http/websocket.h"
#include "parley/net/stream.h"
#include "parley/wire/erpc_limits.h"
#include "parley/wire/framing.h"

namespace parley::door::impl {

enum class ErpcSocket : std::uint8_t { json, pb };

// Immutable; any thread. Matches everything: it is agreed on beforehand.
std::shared_ptr<const wire::Framing> erpc_socket_framing(ErpcSocket kind,
                                                         const wire::ErpcLimits& limits);

// Texts and binary messages are taken alike; JSON leaves as text, protobuf as binary messages. It
// keeps the rules of the WebSocket's byte stream.
std::unique_ptr<net::Stream> erpc_socket_stream(std::unique_ptr<http::WebSocket> socket,
                                                ErpcSocket kind, const wire::ErpcLimits& limits);

}  // namespace parley::door::impl
