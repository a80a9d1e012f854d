// Forms and query strings (application/x-www-form-urlencoded) to and from C++ types.
//
//   id=7&tea=green+tea&tags=a&tags=b&to.street=Mill+Lane
//
// The whole is a struct or a map. Its values:
// * numbers, texts, enums and times are written as plain.h does, bytes in base64;
// * a list is its key once for each element; `tags[]=a` is read too; so are arrays and tuples, of
//   exactly as many. Lists of lists or of structs cannot be in a form;
// * the members of a struct and the entries of a map follow their key behind a dot, as deep as
//   max_depth; a variant has the name of its alternative there. Where the values of a map are
//   single ones or lists, its keys may hold dots themselves;
// * an empty optional writes nothing; `count=` is read as an empty optional, but as "" where the
//   optional holds text or bytes.
// An empty list, map or std::monostate also writes nothing, so that reading gives its default. So
// neither required() nor require_all_fields asks for a list or a map: rules for its elements() do.
// A struct that writes nothing, because all its members do, is absent like any other value.
//
// Strict: a percent sign needs two hexadecimal digits, keys and texts are UTF-8, spaces and control
// characters must be escaped, and the key of a single value stands once. '+' is a space, a key
// without '=' has an empty value, an empty piece between two '&' means nothing. The '?' of a query
// is not part of it. Unknown keys are skipped (UnknownFields has no place for them), absent members
// keep their default; options and what is said beside a type (parley::fields) refuse either.
//
// Errors name the place: `$.to.number: expected an integer, got "x"`; those of escapes the byte
// (from 0). Codes: invalid_argument; resource_exhausted where a limit was hit; of the limits
// max_elements counts all pairs of the form together.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the text.
//
// Pure functions: safe on every thread and fiber; at the default depth they need less than 52 KiB
// of stack.
//
//   Result<std::string> text = codec::encode_form(search);
//   Result<Search> search = codec::decode_form<Search>("tea=oolong&limit=5");
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

struct FormOptions {
  // Decoding. What is said beside a type (parley::fields) goes before both.
  bool refuse_unknown_fields = false;
  bool require_all_fields = false;  // except std::optional and std::unique_ptr, lists and maps
  // Refuse types that show parts of the text (std::string_view), where it does not live on. A value
  // with escapes is never shown.
  bool refuse_views = false;
  // Encoding.
  bool enums_as_numbers = false;  // by name otherwise; decoding takes both
};
inline constexpr FormOptions default_form_options{};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was.
Status encode_form_as(std::string& out, const Type& type, const void* object,
                      const Limits& limits = default_limits,
                      const FormOptions& options = default_form_options);
// After an error the object is valid, with some members decoded.
Status decode_form_as(std::string_view text, const Type& type, void* object,
                      const Limits& limits = default_limits,
                      const FormOptions& options = default_form_options);

// Appends `value` to `out`, which nothing but a '?' should stand before. Fails on what a form
// cannot hold, and beyond limits.max_depth, the one limit that counts here. On an error `out` is as
// it was.
template <class T>
Status encode_form_to(std::string& out, const T& value, const Limits& limits = default_limits,
                      const FormOptions& options = default_form_options) {
  impl::assert_apart(out, value);
  return encode_form_as(out, type_of<T>(), &value, limits, options);
}

template <class T>
Result<std::string> encode_form(const T& value, const Limits& limits = default_limits,
                                const FormOptions& options = default_form_options) {
  std::string out;
  Status status = encode_form_as(out, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return out;
}

// Decodes over `value`, reusing its memory where it can; nothing of its old content is left. After
// an error it is valid, with some members decoded.
template <class T>
Status decode_form_into(std::string_view text, T& value, const Limits& limits = default_limits,
                        const FormOptions& options = default_form_options) {
  return decode_form_as(text, type_of<T>(), &value, limits, options);
}

template <class T>
Result<T> decode_form(std::string_view text, const Limits& limits = default_limits,
                      const FormOptions& options = default_form_options) {
  T value{};
  Status status = decode_form_as(text, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

}  // namespace parley::codec
