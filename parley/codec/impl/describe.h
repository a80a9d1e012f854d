// How the compiler fills in the table of a number, a string or a struct; of containers in
// describe_containers.h. Only type.h includes these two.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/codec/reflect.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// A table is a static member, so that it may point at itself (a tree holds a vector of trees) and
// is there before any code runs.
template <class T>
struct Table {
  static const Type type;
};

template <class T>
void assign(void* to, const void* from) {
  if constexpr (std::is_array_v<T>) {
    using Element = std::remove_extent_t<T>;
    for (std::size_t i = 0; i < std::extent_v<T>; ++i) {
      assign<Element>(*static_cast<T*>(to) + i, *static_cast<const T*>(from) + i);
    }
  } else {
    *static_cast<T*>(to) = *static_cast<const T*>(from);
  }
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
  return {.kind = kind, .size = sizeof(T), .assign = &assign<T>};
}

// `"name":` of member i, kept as the one literal of this member for every format.
template <class T, std::size_t i>
inline constexpr auto key_text = [] {
  constexpr std::string_view name = field_names<T>[i];
  std::array<char, name.size() + 3> text{};
  text[0] = '"';
  for (std::size_t k = 0; k < name.size(); ++k) text[k + 1] = name[k];
  text[name.size() + 1] = '"';
  text[name.size() + 2] = ':';
  return text;
}();

template <class T, std::size_t i>
constexpr std::string_view key_of() {
  return {key_text<T, i>.data(), key_text<T, i>.size()};
}

template <class Member>
std::size_t offset_in(const void* object, const Member& member) {
  return static_cast<std::size_t>(reinterpret_cast<const char*>(&member) -
                                  static_cast<const char*>(object));
}

template <class M>
constexpr const Type* member_type() {
  static_assert(!std::is_const_v<M>,
                "parley: a const member cannot be decoded into: drop the const");
  return &Table<std::remove_const_t<M>>::type;
}

template <class T, class... M, std::size_t... i>
std::array<Field, sizeof...(M)> list_members(const T& object, std::index_sequence<i...>,
                                             const M&... member) {
  return {Field{.key = key_of<T, i>(),
                .type = member_type<FieldType<T, i>>(),
                .offset = offset_in(&object, member)}...};
}

// Offsets are read off a real object, the one that also holds the defaults. It is never freed:
// another thread may still be decoding while statics are destroyed.
template <class T>
const Members& structure_members() {
  static const T& defaults = *new T{};
  static const std::array<Field, field_count<T>> fields =
      with_fields(defaults, [](const auto&... member) {
        return list_members(defaults, std::index_sequence_for<decltype(member)...>(), member...);
      });
  static const Members members{.fields = fields, .defaults = &defaults};
  return members;
}

// What is not matched by a specialisation: numbers, structs, and what has no table.
template <class T>
struct Describe {
  static constexpr Type make() {
    static_assert(!is_character<T>,
                  "parley: a character type is neither a number nor a text: use std::string, or "
                  "std::int8_t or std::uint8_t");
    static_assert(!std::is_pointer_v<T>,
                  "parley: a pointer has no value to send: use std::optional for what may be "
                  "absent, std::vector for many, std::string for text");
    static_assert(!std::is_enum_v<T>,
                  "parley: an enum cannot be encoded: use its underlying integer type");
    static_assert(!std::is_same_v<T, std::string_view>,
                  "parley: a view owns nothing to decode into: use std::string");
    static_assert(!std::is_same_v<T, long double>,
                  "parley: long double is not portable: use "
                  "double");
    if constexpr (std::is_same_v<T, bool>) {
      return plain_type<T>(Kind::boolean);
    } else if constexpr (std::is_integral_v<T>) {
      return plain_type<T>(integer_kind<T>());
    } else if constexpr (std::is_same_v<T, float>) {
      return plain_type<T>(Kind::float32);
    } else if constexpr (std::is_same_v<T, double>) {
      return plain_type<T>(Kind::float64);
    } else if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string_view>) {
      return structure();
    } else {
      static_assert(std::is_scalar_v<T> || std::is_same_v<T, std::string_view>,
                    "parley: this type cannot be encoded: use a type that parley/codec/type.h "
                    "lists, or a plain struct of them");
      return {};
    }
  }

 private:
  static constexpr Type structure() {
    static_assert(std::is_aggregate_v<T>,
                  "parley: this class cannot be encoded: use a type that parley/codec/type.h "
                  "lists, or a struct with public members and no constructor");
    if constexpr (std::is_aggregate_v<T> && is_plain<T>) {
      Type type = plain_type<T>(Kind::structure);
      type.members = &structure_members<T>;
      return type;
    } else {
      return {};
    }
  }
};

template <>
struct Describe<std::string> {
  static constexpr Type make() { return plain_type<std::string>(Kind::string); }
};

template <>
struct Describe<Json> {
  static constexpr Type make() { return plain_type<Json>(Kind::json); }
};

template <class T>
constinit const Type Table<T>::type = Describe<T>::make();

}  // namespace parley::codec::impl
