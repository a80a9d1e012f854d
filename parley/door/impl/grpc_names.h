// Between the methods of a peer and the paths of gRPC. Pure functions. Private to door.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/peer/name_mapper.h"

namespace parley::door::impl {

// The methods that a path may mean, the first that there is being meant: "/shop.v1.Orders/Place"
// itself, and what the mapper makes of it with its package and without. At least the path.
std::vector<std::string> methods_of_path(std::string_view path, NameMapper mapper);

// A method as protobuf declares it.
struct GrpcName {
  std::string package;
  std::string service;  // without its package
  std::string method;

  [[nodiscard]] std::string full_service() const {
    return package.empty() ? service : package + "." + service;
  }
  [[nodiscard]] std::string path() const { return "/" + full_service() + "/" + method; }
};
// The name whose path may mean this method, see methods_of_path(): "/shop/v1/orders/place" is place
// of shop.v1.orders. Nothing where it has too few parts, or such that are no names of protobuf.
std::optional<GrpcName> grpc_name_of(std::string_view method);

}  // namespace parley::door::impl
