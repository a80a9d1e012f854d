// What protobuf knows of an integer, and of the fields of a oneof: words of fields.h.
//
// Compile-time values only: safe everywhere.
//
//   std::variant<std::monostate, std::int32_t, std::int32_t> choice;
//   field<&Order::choice>().oneof({{}, {"pounds", 7}, {"debt", 9, Wire::zigzag}})
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace parley::codec {

// How protobuf writes an integer; other formats do not care.
enum class Wire : std::uint8_t {
  usual,   // int32, int64, uint32, uint64: short when it is small and not negative
  zigzag,  // sint32, sint64: short when it is near 0; of signed integers only
  fixed,   // fixed32, fixed64, sfixed32, sfixed64: always four or eight bytes
};

// A field of a oneof: an alternative of a std::variant. Without a name: of std::monostate.
struct OneofField {
  std::string_view name{};
  std::uint32_t number = 0;  // 0: by its position in the message
  Wire wire = Wire::usual;
  std::string_view json_name{};  // see FieldOf::json_name
};

namespace impl {

template <class T>
inline constexpr std::size_t alternative_count = 0;
template <class... T>
inline constexpr std::size_t alternative_count<std::variant<T...>> = sizeof...(T);

}  // namespace impl

}  // namespace parley::codec
