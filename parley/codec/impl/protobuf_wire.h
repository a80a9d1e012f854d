// What the reader and the writer of protobuf agree on: which types are one record, which several,
// and how integers look.
#pragma once

#include <cstdint>

#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// The low three bits of a tag. 6 and 7 do not exist.
enum class WireType : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  bytes = 2,  // a length, then as many bytes
  group_start = 3,
  group_end = 4,
  fixed32 = 5,
};

// How the integers of a field look.
struct Wires {
  Wire value = Wire::usual;
  Wire key = Wire::usual;  // of a map
  bool is_unpacked = false;
};

constexpr std::uint32_t key_number = 1;    // in the entry of a map
constexpr std::uint32_t value_number = 2;  // in the entry of a map
constexpr std::uint32_t only_number = 1;   // of what stands alone in a message

// What the type travels as.
constexpr const Type& resolved(const Type& type) {
  const Type* travels = &type;
  while (travels->kind == Kind::represented) travels = travels->element;
  return *travels;
}

// Numbers, truth values and enums: packed in a list.
constexpr bool is_packable(Kind kind) { return kind <= Kind::float64 || kind == Kind::enumeration; }

constexpr bool can_be_packed(const Type& type) {
  const Type& several = resolved(type);
  return (several.kind == Kind::list || several.kind == Kind::array) &&
         is_packable(resolved(*several.element).kind);
}

constexpr bool is_integer(Kind kind) { return kind >= Kind::int8 && kind <= Kind::uint64; }
constexpr bool is_signed(Kind kind) { return kind >= Kind::int8 && kind <= Kind::int64; }

// What takes any number of records, none too: where there must be exactly one, it stands alone in a
// message.
constexpr bool is_several(Kind kind) {
  return kind == Kind::optional || kind == Kind::list || kind == Kind::array || kind == Kind::map;
}

// Of a scalar; 8 and 16 bits travel as 32.
constexpr WireType wire_type_of(const Type& type, Wire wire) {
  if (type.kind == Kind::float32) return WireType::fixed32;
  if (type.kind == Kind::float64) return WireType::fixed64;
  if (wire != Wire::fixed) return WireType::varint;
  return type.size == 8 ? WireType::fixed64 : WireType::fixed32;
}

constexpr QuickForm quick_form_of(const Type& type, Wire wire) {
  const bool is_usual = wire == Wire::usual;
  switch (type.kind) {
    case Kind::boolean:
      return QuickForm::boolean;
    case Kind::int32:
      return is_usual ? QuickForm::int32 : QuickForm::none;
    case Kind::uint32:
      return is_usual ? QuickForm::uint32 : QuickForm::none;
    case Kind::int64:
    case Kind::uint64:
      return is_usual ? QuickForm::varint64 : QuickForm::none;
    case Kind::float64:
      return QuickForm::float64;
    case Kind::string:
      return QuickForm::string;
    case Kind::structure:
      return QuickForm::message;
    case Kind::list:
      return type.list->data != nullptr ? QuickForm::list : QuickForm::none;
    default:
      return QuickForm::none;
  }
}

// Messages and lists have none.
constexpr std::uint16_t quick_tag_of(QuickForm quick, std::uint32_t number) {
  WireType type = WireType::varint;
  if (number > 15 || quick == QuickForm::none || quick >= QuickForm::message) return no_quick_tag;
  if (quick == QuickForm::float64) type = WireType::fixed64;
  if (quick == QuickForm::string) type = WireType::bytes;
  return static_cast<std::uint16_t>(number << 3 | static_cast<std::uint32_t>(type));
}

// Whether a field of this type can be encoded so.
constexpr bool fits_wire(const Type& type, Wire wire, Wire key_wire) {
  const auto fits = [](const Type& integer, Wire as) {
    const Kind kind = resolved(integer).kind;
    return as == Wire::usual || (as == Wire::zigzag ? is_signed(kind) : is_integer(kind));
  };
  const Type* type_of_value = &resolved(type);
  if (type_of_value->kind == Kind::map) {
    if (!fits(*type_of_value->key, key_wire)) return false;
  } else if (key_wire != Wire::usual) {
    return false;
  }
  while (is_several(type_of_value->kind)) type_of_value = &resolved(*type_of_value->element);
  return fits(*type_of_value, wire);
}

}  // namespace parley::codec::impl
