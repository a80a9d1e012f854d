// Protobuf's wire format (proto3) to and from C++ types, without generated code.
//
// The value is a message: a struct has its members as fields, by Field::number (the position from 1
// unless said beside the type); a tuple, such as the parameters of a function, has fields 1 to n.
// Any other type is field 1 of a message that holds nothing else. How types travel:
// * bool, floating point and integers as proto3 has them; integers of 8 and 16 bits as int32 and
//   uint32, range checked; sint32, fixed64 and the like where FieldOf::encoded_as says so; enums
//   are open; std::string is string, always UTF-8; bytes are bytes; Json is a string;
// * a number, text, time or struct that is zero or empty is left out, and what is absent is zero or
//   empty, whatever the initialisers in the struct say: anything else would read another value than
//   what a foreign peer sent. -0.0 is not zero. std::optional and std::unique_ptr are written
//   whenever they hold something, and so is what is required;
// * lists and arrays are repeated fields, packed where they can be, and read in both forms; an
//   array has all its elements, or none for zeros. Maps are maps, in no promised order;
// * a std::variant is a message with a oneof, its alternatives numbered from 1 (std::monostate is
//   nothing); a flattened one is a oneof of the message around it;
// * durations and points in time are google.protobuf.Duration and Timestamp;
// * where proto3 has no form for a list, an array, a map or an optional (in a list, a map, a
//   variant or an optional), it is field 1 of a message that holds nothing else.
//
// Decoding takes fields in any order. Of what comes twice the last holds, but messages merge and
// lists go on; a type that travels as a list, a map or a message must come in one piece, and what
// is required in a message in the first of several. A known field of another wire type is an error;
// unknown ones, groups too, are skipped, refused or kept (OnUnknown, UnknownFields). Integers of 32
// bits lose the bits above, as everywhere in protobuf.
//
// Errors name the place: `$.items[3].quantity: 300 does not fit uint8 (0 to 255)`; those of syntax
// the byte too, from 0. Codes: invalid_argument; resource_exhausted where a limit was hit. In depth
// count messages and groups. max_elements counts in each list and map. Of an unknown field nobody
// can tell a text or a list from a message, which may be of any length: max_bytes bounds it, and
// max_depth the groups in it, but neither max_elements nor max_string_bytes.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the bytes.
//
// Pure functions: safe on every thread and fiber; at the default depth they need less than 48 KiB
// of stack.
//
//   Result<std::string> bytes = codec::encode_protobuf(order);
//   Result<Order> order = codec::decode_protobuf<Order>(*bytes);
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

// Both of decoding.
struct ProtobufOptions {
  bool refuse_unknown_fields = false;  // what is said beside a type goes before
  // Refuse types that show parts of the input (std::string_view), where it does not live on.
  bool refuse_views = false;
};
inline constexpr ProtobufOptions default_protobuf_options{};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was.
Status encode_protobuf_as(std::string& out, const Type& type, const void* object,
                          const Limits& limits = default_limits);
// After an error the object is valid, with some members decoded.
Status decode_protobuf_as(std::string_view bytes, const Type& type, void* object,
                          const Limits& limits = default_limits,
                          const ProtobufOptions& options = default_protobuf_options);

// Appends `value` to `out`. Fails on what protobuf cannot say: a string that is not UTF-8, a Json
// that is none, UnknownFields that are no fields; and beyond limits.max_depth, the one limit that
// counts here. On an error `out` is as it was.
template <class T>
Status encode_protobuf_to(std::string& out, const T& value, const Limits& limits = default_limits) {
  impl::assert_apart(out, value);
  return encode_protobuf_as(out, type_of<T>(), &value, limits);
}

template <class T>
Result<std::string> encode_protobuf(const T& value, const Limits& limits = default_limits) {
  std::string out;
  Status status = encode_protobuf_as(out, type_of<T>(), &value, limits);
  if (!status.is_ok()) return status;
  return out;
}

// Decodes over `value`, reusing its memory where it can; nothing of its old content is left. After
// an error it is valid, with some members decoded.
template <class T>
Status decode_protobuf_into(std::string_view bytes, T& value, const Limits& limits = default_limits,
                            const ProtobufOptions& options = default_protobuf_options) {
  return decode_protobuf_as(bytes, type_of<T>(), &value, limits, options);
}

template <class T>
Result<T> decode_protobuf(std::string_view bytes, const Limits& limits = default_limits,
                          const ProtobufOptions& options = default_protobuf_options) {
  T value{};
  Status status = decode_protobuf_as(bytes, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

}  // namespace parley::codec
