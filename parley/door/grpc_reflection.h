// Reflection of gRPC, v1 and v1alpha: who knows none of our types asks which services there are and
// what their messages look like, and gets the files of protobuf that say so, made from the very
// tables by which messages are read and written. With it grpcurl, buf and the like need no .proto:
//
//   Peer peer;
//   peer.handle("/math/add", [](int a, int b) { return a + b; });
//   door::handle_grpc_reflection(peer);
//   // buf curl --protocol grpc -d '{"argument1":1,"argument2":2}' http://host/math/add
//
// A method is listed under the name by which gRPC calls it (grpc.h): "/shop/v1/orders/place" is
// place of shop.v1.orders. Left out is what has no such name ("/ping" is of no service), what takes
// or gives its bytes as they come (Bytes, RawStream), whose messages nobody knows, and a service
// whose package is the name of another one: of "/shop/list" and "/shop/item/list" the second, since
// protobuf has no two things of one name. All can be called nevertheless.
//
// Structs of a service are declared in its package, in a file for each package. Messages that are
// classes of protoc (codec/google) come with their own files, and so do services that those
// declare. What is not told here is told by openapi_of() and proto_of() (codec/schema.h).
#pragma once

#include <string>
#include <vector>

#include "parley/peer/peer.h"

namespace parley::door {

struct GrpcReflectionOptions {
  // grpc.reflection.v1, and what it was called before.
  bool v1 = true;
  bool v1alpha = true;
  // Stream methods, by their names in the peer, that read one message only, or send one only: shown
  // as streaming one way instead of both.
  std::vector<std::string> takes_one{};
  std::vector<std::string> gives_one{};
};

// Adds the methods to `peer`, which also answers for methods that are added later. Inside a fiber.
// Twice is a bug.
void handle_grpc_reflection(Peer& peer, GrpcReflectionOptions options = {});

}  // namespace parley::door
