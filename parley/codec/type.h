// type_of<T>(): what a C++ type looks like to a format. One table per type, made by the compiler
// and shared by every format; a format is an interpreter of these tables, compiled once in this
// library, so neither a new type nor a new format multiplies code.
//
// Types that have one: bool; std::int8_t .. std::int64_t and std::uint8_t .. std::uint64_t; float,
// double; enums; std::string, std::vector<std::byte>, parley::Bytes, codec::Json; std::string_view
// and std::span<const std::byte>, which show a part of what is decoded and need it to live on;
// durations and points in time of std::chrono; std::optional and std::unique_ptr; std::vector,
// std::deque, std::set, std::unordered_set, std::array, C arrays; std::pair, std::tuple;
// std::variant; std::map and std::unordered_map with keys of text, integers, bool or an enum; plain
// structs of these (see reflect.h), also recursive through a vector, a map or a unique_ptr; any
// type whose fields are listed beside it (fields.h) or that travels as another one
// (parley::Representation). Any other is refused while compiling.
// For keys and elements that strangers choose take std::map and std::set: the unordered ones can be
// slowed down by values made to collide.
//
// Tables never change and live as long as the program: safe on every thread and fiber.
//
//   const codec::Type& type = codec::type_of<Order>();
//   type.kind == codec::Kind::structure;
//   type.members().fields()[0].name == "id";
#pragma once

#include <type_traits>

#include "parley/codec/impl/common_types.h"
#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/describe_containers.h"
#include "parley/codec/impl/describe_lists.h"
#include "parley/codec/impl/describe_structure.h"
#include "parley/codec/impl/describe_times.h"
#include "parley/codec/impl/describe_values.h"
#include "parley/codec/impl/describe_variant.h"
#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec {

// The table of T. Does not compile for a type without one; the error says what to use instead.
template <class T>
constexpr const Type& type_of() {
  return impl::Table<std::remove_cvref_t<T>>::type;
}

}  // namespace parley::codec
