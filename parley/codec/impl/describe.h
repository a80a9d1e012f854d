// How the compiler fills in the table of a type: this file has what
// the others of its kind share. Only type.h includes them.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// A table is a static member, so that it may point at itself (a tree holds a vector of trees) and
// is there before any code runs.
template <class T>
struct Table {
  static const Type type;
};

// The same for a std::variant that is a oneof: field `k` of fields<T>.
template <class T, std::size_t k>
struct OneofTable {
  static const Type type;
};

template <class T>
void swap(void* object, void* other) {
  static_cast<T*>(object)->swap(*static_cast<T*>(other));
}

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template <class T>
consteval Kind integer_kind() {
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? Kind::int8 : Kind::uint8;
    case 2:
      return is_signed ? Kind::int16 : Kind::uint16;
    case 4:
      return is_signed ? Kind::int32 : Kind::uint32;
    default:
      return is_signed ? Kind::int64 : Kind::uint64;
  }
}

template <class T>
constexpr Type plain_type(Kind kind) {
  Type type;
  type.kind = kind;
  type.well_known = well_known_of<T>;
  type.size = sizeof(T);
  return type;
}

template <class M>
constexpr const Type* member_type() {
  static_assert(!std::is_const_v<M>,
                "parley: a const member cannot be decoded into: drop the const");
  return &Table<std::remove_const_t<M>>::type;
}

// hot.h has others for what parley::is_hot names.
template <class T>
inline constexpr const HotOperations* hot_operations = nullptr;

// What is not matched by a specialisation: numbers, structs, enums, and what has no table.
template <class T>
struct Describe;

template <class T>
constinit const Type Table<T>::type = Describe<T>::make();

}  // namespace parley::codec::impl
