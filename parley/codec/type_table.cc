#include "parley/codec/type_table.h"

namespace parley::codec {

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
      return "boolean";
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return "integer";
    case Kind::float32:
    case Kind::float64:
      return "number";
    case Kind::string:
    case Kind::bytes:
    case Kind::enumeration:
    case Kind::duration:
    case Kind::instant:
      return "string";
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
      return "array";
    case Kind::map:
    case Kind::variant:
    case Kind::structure:
      return "object";
    case Kind::json:
    case Kind::optional:
    case Kind::represented:
      break;
  }
  return "value";
}

}  // namespace parley::codec
