// What types and methods look like to others: JSON Schema, OpenAPI 3.1, TypeScript and .proto,
// written from the same tables the formats interpret, so that a schema says what is really sent.
//
// JSON Schema (2020-12), OpenAPI and TypeScript describe the JSON that encode_json() writes by
// default and decode_json() reads; .proto describes the bytes of encode_protobuf().
//
// Pure functions: safe on every thread and fiber. Structs and enums have the name they have in C++,
// without namespaces; where two would be called alike, the second becomes Name2, and so on.
//
//   std::string schema = codec::json_schema<Order>();
//   std::string types = codec::typescript_of(codec::types_of<Order, Receipt>());
//   std::string proto = codec::proto_of(codec::types_of<Order, Receipt>(), {}, {.package =
//   "shop"});
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "parley/codec/signature.h"
#include "parley/codec/type.h"

namespace parley::codec {

struct SchemaInfo {
  std::string package = {};         // of a .proto; none when empty
  std::string service = "Service";  // of a .proto: what its methods are grouped under
  std::string title = "Parley";     // of an OpenAPI document
  std::string version = "1.0.0";    // of an OpenAPI document
};

// The tables of several types, for the functions below.
template <class... T>
constexpr std::array<const Type*, sizeof...(T)> types_of() {
  return {&type_of<T>()...};
}

// One JSON document; structs and enums are under $defs.
std::string json_schema_of(const Type& type);
template <class T>
std::string json_schema() {
  return json_schema_of(type_of<T>());
}

// An OpenAPI 3.1 document: each method is a POST to its name, with the arguments as JSON. Names in
// braces are parts of the path, as in "/user/{id}"; a member bound to a part that is not there
// (from_path) is left out, or shown where else it is bound. The operationId is the name as an
// identifier; where two would be alike, the second becomes name2, and so on. Schemas
// say which members are attributes in XML (xml/xml.h); for a member that is the text of its element
// OpenAPI 3.1 has no word.
std::string openapi_of(std::span<const MethodShape> methods, const SchemaInfo& info = {});

// Exported types for each struct and enum that `types` reach, and, when there are methods, an
// interface with their signatures.
std::string typescript_of(std::span<const Type* const> types,
                          std::span<const MethodShape> methods = {});

// A proto3 file with a message for each struct that `types` and `methods` reach, and a service when
// there are methods. Lists of lists and the like become messages of their own, as on the wire.
std::string proto_of(std::span<const Type* const> types, std::span<const MethodShape> methods = {},
                     const SchemaInfo& info = {});

}  // namespace parley::codec
