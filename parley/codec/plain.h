// One value as plain text (the codec `s`): a number, a text, bytes, an enum or a time, to and from
// C++ types; nothing is quoted or escaped, and no space is skipped.
//
// Numbers and booleans are as in JSON, and also NaN, Infinity and -Infinity; text is UTF-8; bytes
// are the bytes themselves; an enum is its name, and is read by number too; a duration is decimal
// seconds ("1.5s"), a point in time RFC 3339 in UTC ("2026-11-21T09:30:00Z"); Json is its text.
// An empty text is an empty optional (also of a std::string), and back: an optional that holds an
// empty text is read as one that holds nothing. What holds several values has no plain text.
//
// Codes: invalid_argument; resource_exhausted where max_bytes was hit, or in a Json any limit.
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the text.
//
// std::string_view and std::span<const std::byte> show the text that is decoded.
//
// Pure functions: safe on every thread and fiber.
//
//   Result<int> count = codec::decode_plain<int>("42");
//   Result<std::string> text = codec::encode_plain(std::chrono::milliseconds(1500));  // 1.500s
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

struct PlainOptions {
  bool refuse_views = false;      // decoding: where the text does not live on
  bool enums_as_numbers = false;  // encoding: by name otherwise
};
inline constexpr PlainOptions default_plain_options{};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was. Of the limits max_depth counts, for a Json.
Status encode_plain_as(std::string& out, const Type& type, const void* object,
                       const Limits& limits = default_limits,
                       const PlainOptions& options = default_plain_options);
// Of the limits max_bytes counts, and for a Json all. After an error the object is valid.
Status decode_plain_as(std::string_view text, const Type& type, void* object,
                       const Limits& limits = default_limits,
                       const PlainOptions& options = default_plain_options);

template <class T>
Status encode_plain_to(std::string& out, const T& value, const Limits& limits = default_limits,
                       const PlainOptions& options = default_plain_options) {
  impl::assert_apart(out, value);
  return encode_plain_as(out, type_of<T>(), &value, limits, options);
}

// Fails on text that is not UTF-8, on a year outside 0000 to 9999 and on a Json that is none.
template <class T>
Result<std::string> encode_plain(const T& value, const Limits& limits = default_limits,
                                 const PlainOptions& options = default_plain_options) {
  std::string out;
  Status status = encode_plain_as(out, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return out;
}

template <class T>
Status decode_plain_into(std::string_view text, T& value, const Limits& limits = default_limits,
                         const PlainOptions& options = default_plain_options) {
  return decode_plain_as(text, type_of<T>(), &value, limits, options);
}

template <class T>
Result<T> decode_plain(std::string_view text, const Limits& limits = default_limits,
                       const PlainOptions& options = default_plain_options) {
  T value{};
  Status status = decode_plain_as(text, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

}  // namespace parley::codec
