// MessagePack (msgpack.org) to and from C++ types, without a tree of objects in between.
//
// What a type becomes:
// * a struct is a map with its members' names as keys, an empty optional member left out;
// * integers take the fewest bytes; float and double stay float32 and float64, also NaN and the
//   infinities; an enum is its name, or its number with enums_as_numbers;
// * std::string is str, bytes are bin; Json is a str with its text; maps keep the kind of their
//   keys: integers stay integers; a tuple is an array of exactly as many elements;
// * an empty optional is nil; a variant a map of one entry, the name of its alternative and the
//   value, and nil for std::monostate;
// * a point in time is a timestamp (extension -1) in the shortest of its three forms; a duration
//   is [seconds, nanoseconds], both of the same sign.
//
// What is read, beyond that:
// * numbers in any size that holds them; a double also takes a float32, and both take integers they
//   hold exactly; a float takes the nearest of a float64; an integer takes no floating-point
//   number;
// * str where bytes are expected, since older encoders had no bin; never bin where text is;
// * an enum by name or number; any of the three timestamps;
// * members in any order; absent and unknown ones as in JSON (json.h); a key twice is an error,
//   except within what is skipped or kept. What is skipped must be well formed all the same;
// * str that is not UTF-8, the byte 0xc1 and bytes behind the value are errors.
//
// Errors name the place: `$.items[3].quantity: expected integer, got string`; those of form also
// give the byte (from 0). Codes: invalid_argument; resource_exhausted where a limit was hit.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the bytes.
//
// Pure functions: safe on every thread and fiber; at the default depth they need less than 32 KiB
// of stack.
//
//   Result<std::string> bytes = codec::encode_msgpack(order);
//   Result<Order> order = codec::decode_msgpack<Order>(*bytes);
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

struct MsgpackOptions {
  // Decoding. What is said beside a type (parley::fields) goes before both.
  bool refuse_unknown_fields = false;
  bool require_all_fields = false;  // except std::optional and std::unique_ptr ones
  // Refuse types that show parts of the message (std::string_view, std::span), where it does not
  // live on.
  bool refuse_views = false;
  // Encoding.
  bool enums_as_numbers = false;  // by name otherwise; decoding takes both
};
inline constexpr MsgpackOptions default_msgpack_options{};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was.
Status encode_msgpack_as(std::string& out, const Type& type, const void* object,
                         const Limits& limits = default_limits,
                         const MsgpackOptions& options = default_msgpack_options);
// After an error the object is valid, with some members decoded.
Status decode_msgpack_as(std::string_view bytes, const Type& type, void* object,
                         const Limits& limits = default_limits,
                         const MsgpackOptions& options = default_msgpack_options);

// Appends `value` to `out`. Fails on text that is not UTF-8, a Json that is none, what is longer
// than 2^32 - 1, and beyond limits.max_depth, the one limit that counts here. On an error `out` is
// as it was.
template <class T>
Status encode_msgpack_to(std::string& out, const T& value, const Limits& limits = default_limits,
                         const MsgpackOptions& options = default_msgpack_options) {
  impl::assert_apart(out, value);
  return encode_msgpack_as(out, type_of<T>(), &value, limits, options);
}

template <class T>
Result<std::string> encode_msgpack(const T& value, const Limits& limits = default_limits,
                                   const MsgpackOptions& options = default_msgpack_options) {
  std::string out;
  Status status = encode_msgpack_as(out, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return out;
}

// Decodes over `value`, reusing its memory where it can; nothing of its old content is left. After
// an error it is valid, with some members decoded.
template <class T>
Status decode_msgpack_into(std::string_view bytes, T& value, const Limits& limits = default_limits,
                           const MsgpackOptions& options = default_msgpack_options) {
  return decode_msgpack_as(bytes, type_of<T>(), &value, limits, options);
}

// A T with views shows parts of `bytes`, which must live on.
template <class T>
Result<T> decode_msgpack(std::string_view bytes, const Limits& limits = default_limits,
                         const MsgpackOptions& options = default_msgpack_options) {
  T value{};
  Status status = decode_msgpack_as(bytes, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

// Ok when `bytes` are one MessagePack value. Duplicate keys are not looked for.
Status validate_msgpack(std::string_view bytes, const Limits& limits = default_limits);

}  // namespace parley::codec
