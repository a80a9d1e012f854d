// What a struct does with members of the text that it does not know. Said beside the type, with
// parley::fields (fields.h), or by a member of the type UnknownFields.
//
//   struct Order { int id; parley::codec::UnknownFields others; };
#pragma once

#include <cstdint>
#include <string>

namespace parley::codec {

// What happens to members of the text that the type does not know.
enum class OnUnknown : std::uint8_t {
  as_asked,  // what the options of the format say
  ignore,
  refuse,
};

// A member of this type keeps what the others do not know, for whoever writes the object again in
// the same format: the members as they stood in JSON, joined by commas; the fields of protobuf; the
// keys and values of MessagePack; of XML an element with the attributes and elements.
struct UnknownFields {
  std::string json;
  std::string protobuf;
  std::string msgpack;
  std::string xml;

  friend bool operator==(const UnknownFields&, const UnknownFields&) = default;
};

}  // namespace parley::codec
