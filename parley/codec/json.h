// JSON (RFC 8259) to and from C++ types, without a document tree in between.
//
// Strict: the whole text must be one JSON value; no comments, no trailing commas, no lone
// surrogates, no control characters in strings, UTF-8 only, numbers that fit their field.
// What a field needs is decided by its type:
// * a member that is absent keeps its default, also when an object is reused: that of its own
//   struct; what an outer one's initialiser says of it holds when the inner is absent as a whole;
// * an unknown member is skipped, though it must be well formed, so that old readers take new
//   messages; JsonOptions makes either an error;
// * null is for std::optional (and Json) only; an empty optional is left out of an object and
//   written as null elsewhere;
// * a key that appears twice is an error, except within what is skipped or kept as Json;
// * an integer must be written as one: neither 1.0 nor 1e2.
// Numbers survive a round trip exactly: shortest form out, correct rounding in. Integers of 64 bits
// are written in full, which JavaScript may not read in full.
//
// Errors name the place: `$.items[3].quantity: expected integer, got string`; those of syntax also
// give line, column (both from 1, in bytes) and byte (from 0). Codes: invalid_argument;
// resource_exhausted where a limit was hit.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the text.
//
// Pure functions: safe on every thread and fiber; at the default depth they need less than 32 KiB
// of stack, with protobuf_mapping than 52 KiB; hot.h says what hot types need.
//
//   Result<std::string> text = codec::encode_json(order);
//   Result<Order> order = codec::decode_json<Order>(*text);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

class MessageTypes;

struct JsonOptions {
  // Decoding. What is said beside a type (parley::fields) goes before both.
  bool refuse_unknown_fields = false;
  bool require_all_fields = false;  // except std::optional and std::unique_ptr ones
  // Refuse types that show parts of the text (std::string_view), where it does not live on.
  bool refuse_views = false;
  // Both: JSON as protobuf maps its messages to it. Members are called fieldName for field_name
  // (reading takes either), 64-bit integers stand in quotes, numbers that are not finite have names
  // in quotes. As on protobuf's wire a member that is zero or empty is left out, and what is absent
  // is zero, whatever the initialisers say; null is absent. Reading takes numbers in quotes and
  // integers written as 1.0 or 1e3. What is unknown is skipped or refused, never kept. Protobuf's
  // own messages (well_known.h) have their forms.
  bool protobuf_mapping = false;
  // Encoding.
  bool enums_as_numbers = false;  // by name otherwise; decoding takes both
  // Both, with protobuf_mapping: what an Any may hold beside the messages of well_known.h; any
  // other is an error. Must outlive the call.
  const MessageTypes* message_types = nullptr;
};
inline constexpr JsonOptions default_json_options{};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was.
Status encode_json_as(std::string& out, const Type& type, const void* object,
                      const Limits& limits = default_limits,
                      const JsonOptions& options = default_json_options);
// After an error the object is valid, with some members decoded.
Status decode_json_as(std::string_view text, const Type& type, void* object,
                      const Limits& limits = default_limits,
                      const JsonOptions& options = default_json_options);

// Appends `value` to `out`. Fails on what JSON cannot say: a number that is not finite, a string
// that is not UTF-8, a Json that is none; and beyond limits.max_depth, the one limit that counts
// here. On an error `out` is as it was.
template <class T>
Status encode_json_to(std::string& out, const T& value, const Limits& limits = default_limits,
                      const JsonOptions& options = default_json_options) {
  impl::assert_apart(out, value);
  return encode_json_as(out, type_of<T>(), &value, limits, options);
}

template <class T>
Result<std::string> encode_json(const T& value, const Limits& limits = default_limits,
                                const JsonOptions& options = default_json_options) {
  std::string out;
  Status status = encode_json_as(out, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return out;
}

// Decodes over `value`, reusing its memory where it can; nothing of its old content is left. After
// an error it is valid, with some members decoded.
template <class T>
Status decode_json_into(std::string_view text, T& value, const Limits& limits = default_limits,
                        const JsonOptions& options = default_json_options) {
  return decode_json_as(text, type_of<T>(), &value, limits, options);
}

template <class T>
Result<T> decode_json(std::string_view text, const Limits& limits = default_limits,
                      const JsonOptions& options = default_json_options) {
  T value{};
  Status status = decode_json_as(text, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

// Ok when `text` is one JSON value. Duplicate keys are not looked for.
Status validate_json(std::string_view text, const Limits& limits = default_limits);

// The same value with line breaks and two spaces per level, for people. What is not valid JSON (by
// the default limits) is returned as it is.
std::string indent_json(std::string_view valid_json);

}  // namespace parley::codec
