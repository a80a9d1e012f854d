// gRPC: the methods of a Peer as methods of gRPC, with the same handlers and no second
// registration. And gRPC-Web, over every version of HTTP.
//
//   http::Handler handler = door::make_grpc(peer);
//   peer.handle("/shop.Orders/PlaceOrder", [](const Order& order) -> Result<Receipt> {...});
//
// Which method a path calls: /shop.v1.Orders/PlaceOrder is looked for under this very name; then
// under the name that PeerOptions::name_mapper makes of it, /shop/v1/orders/place_order; then
// without the package, /orders/place_order, as a controller's methods are called. So "/math/add" is
// the method add of the service math.
//
// Which message it takes: that of codec/protobuf.h: a struct as the only parameter, or as
// the result, is the message itself; several parameters are the fields 1 to n of it, one that is no
// struct is field 1; nothing is an empty message. With application/grpc+json messages are JSON, and
// application/grpc+msgpack and the like those of the other codecs of the peer.
//
// Metadata: fields of the request are Context::metadata(), names in lower case, those of "-bin" as
// bytes. Context::reply_metadata() goes into the head of the answer, but the names in
// GrpcOptions::trailing behind it; of an answer that failed all go behind. Of a stream method what
// was set before its handler first sends or receives goes into the head, which leaves then; what is
// set or changed later goes behind. A Status is grpc-status by status_table.h; its cause and
// business code are details (grpc_head.h), and a handler may add others (grpc_details.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/clock.h"
#include "parley/door/grpc_framing.h"
#include "parley/http/exchange.h"
#include "parley/peer/peer.h"

namespace parley::door {

struct GrpcOptions {
  // Of a message that comes, before and after it is decompressed; the peer's max_frame_bytes holds
  // as well. Messages above ForeignRoom::small_bytes that are coming or wait for a slow handler
  // share the peer's max_handler_bytes, for each connection: what is beyond that is ended with
  // resource_exhausted, streams too. Who has many slow streams of large messages raises it.
  std::size_t max_message = default_grpc_message_bytes;
  // Of a call whose caller does not say how long it waits. Nothing: as long as that does.
  std::optional<Duration> timeout{};
  // An answer of so many bytes is compressed for who compresses what it sends.
  std::size_t compress_from = 1024;
  // Also for who does not compress what it sends, where it says that it reads what is compressed.
  bool compresses_first = false;
  // Reply metadata of these names goes behind the answer, as trailing metadata.
  std::vector<std::string> trailing{};
};

// Fiber-safe, as handlers are. `peer` must outlive it and the connections that it served. What is
// no gRPC is answered with 415, another method than POST with 405, gRPC (not gRPC-Web) over HTTP/1
// with 505; what names no method with unimplemented.
http::Handler make_grpc(Peer& peer, GrpcOptions options = {});

// Whether a request is for make_grpc(), by its Content-Type: application/grpc, -web or -web-text,
// with a codec behind it or not (is_grpc_type).
[[nodiscard]] bool is_grpc(const http::Request& request) noexcept;

}  // namespace parley::door
