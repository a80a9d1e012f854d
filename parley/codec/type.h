// type_of<T>(): what a C++ type looks like to a format. One table per type, made by the compiler
// and shared by every format; a format is an interpreter of these tables, compiled once in this
// library, so neither a new type nor a new format multiplies code.
//
// Types that have one: bool; std::int8_t .. std::int64_t and std::uint8_t .. std::uint64_t; float,
// double; std::string; codec::Json; std::vector, std::array, C arrays, std::optional, std::pair,
// std::tuple; std::map and std::unordered_map with std::string keys; plain structs of these (see
// reflect.h), also recursive through std::vector or a map. Any other is refused while compiling.
// For keys that strangers choose take std::map: a std::unordered_map can be slowed down by keys
// made to collide.
//
// Tables never change and live as long as the program: safe on every thread and fiber.
//
//   const codec::Type& type = codec::type_of<Order>();
//   type.kind == codec::Kind::structure;
//   type.members().fields[0].name() == "id";
#pragma once

#include <type_traits>

#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/describe_containers.h"
#include "parley/codec/type_table.h"

namespace parley::codec {

// The table of T. Does not compile for a type without one; the error says what to use instead.
template <class T>
constexpr const Type& type_of() {
  return impl::Table<std::remove_cvref_t<T>>::type;
}

}  // namespace parley::codec
