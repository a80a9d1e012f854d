// XML 1.0 to and from C++ types: any type that has a table (type.h), without another line.
//
//   struct Item { std::string tea; int grams = 0; };
//   struct Order { int id = 0; std::vector<Item> items; std::vector<std::string> tags; };
//
//   <Order><id>7</id><items><tea>oolong</tea><grams>50</grams></items><tags>a</tags></Order>
//
// The mapping is that of Go's encoding/xml wherever that has one, to the byte for structs of bools,
// integers, texts, lists and structs:
// * the root is called as its type, or as XmlOptions::root says; what has no name, as it would be
//   among the alternatives of a variant (int32, string, list, map);
// * a member of a struct is an element of its name; parley::fields may make it an attribute, or the
//   text of the struct's element (FieldOf::in_xml);
// * a list or an array that is a member repeats that element; elsewhere (in another list, a map, an
//   optional, a variant, at the root) it is one element with an <item> for each;
// * a tuple is always one element with exactly as many <item>s;
// * a map has an <entry key="..."> for each; a variant an element with the name of its alternative
//   inside, and nothing inside for std::monostate;
// * an empty optional is left out of a struct; elsewhere its element says xsi:nil="true";
// * texts are escaped as Go does it, tabs and line ends too, so that they come back as they were;
//   any other single value is written as plain.h does, bytes in base64, codec::Json as its text.
// Go differs in bytes, which it writes as they are, and in durations, which are nanoseconds there.
//
// What is read:
// * what is absent keeps its default, but a list that is absent is empty, whatever its default and
//   also where it is required(): without elements it looks so. An array keeps its default;
// * elements may come in any order, those of one list also apart; any other one twice is an error;
// * unknown elements and attributes are skipped; options and what is said beside a type refuse or
//   keep them (UnknownFields::xml). Text among elements is an error but for white space;
// * all white space of a text is kept; around numbers, truth values, enums and times it is skipped,
//   in base64 everywhere. Of numbers also INF, +Inf and the like are read;
// * prefixes of namespaces are left out where no member is named with them;
// * comments, instructions and CDATA may stand anywhere; UTF-8 only, XML 1.0 only. A DOCTYPE is
//   refused, so that there are no entities to grow but the five that everybody knows.
//
// XML cannot carry control characters (but tab and line ends), U+FFFE and U+FFFF: writing a text
// with one fails. Such texts are for bytes, or for another format.
//
// Errors name the place: `$.items[1].grams: expected an integer, got "x" (line 3, column 9)`, the
// column in bytes. Codes: invalid_argument; resource_exhausted where a limit was hit. max_depth
// counts elements inside each other, max_elements the elements in one, max_string_bytes each text,
// name and attribute.
//
// What is written to (`out`) must be no part of the value, and what is decoded into must not own
// the text. Pure functions: safe on every thread and fiber; at the default depth they need less
// than 52 KiB of stack. Decoding builds a tree that may take 30 times the text: lower max_bytes for
// strangers.
//
//   Result<std::string> text = codec::encode_xml(order);
//   Result<Order> order = codec::decode_xml<Order>(*text);
#pragma once

#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/codec.h"
#include "parley/codec/impl/apart.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

struct XmlOptions {
  // The name of the root element. Empty: encoding takes the type's, decoding takes any.
  std::string_view root{};
  // Decoding. What is said beside a type (parley::fields) goes before both.
  bool refuse_unknown_fields = false;
  bool require_all_fields = false;  // except optional ones and lists
  // Refuse types that show parts of the text (std::string_view), where it does not live on. A text
  // with escapes, or in several pieces, is never shown.
  bool refuse_views = false;
  // Encoding.
  bool declaration = false;  // begin with <?xml version="1.0" encoding="UTF-8"?> and a line end
  bool enums_as_numbers = false;  // by name otherwise; decoding takes both
};

// For callers that have a table instead of a type. `object` must be of that type.
// Appends to `out`; on an error `out` is as it was.
Status encode_xml_as(std::string& out, const Type& type, const void* object,
                     const Limits& limits = {}, const XmlOptions& options = {});
// After an error the object is valid, with some members decoded.
Status decode_xml_as(std::string_view text, const Type& type, void* object,
                     const Limits& limits = {}, const XmlOptions& options = {});

// Appends `value` to `out`. Fails on what XML cannot say: characters it does not have, a text that
// is not UTF-8, a member whose name is no name of an element; and beyond limits.max_depth, the one
// limit that counts here. On an error `out` is as it was.
template <class T>
Status encode_xml_to(std::string& out, const T& value, const Limits& limits = {},
                     const XmlOptions& options = {}) {
  impl::assert_apart(out, value);
  return encode_xml_as(out, type_of<T>(), &value, limits, options);
}

template <class T>
Result<std::string> encode_xml(const T& value, const Limits& limits = {},
                               const XmlOptions& options = {}) {
  std::string out;
  Status status = encode_xml_as(out, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return out;
}

// Decodes over `value`, reusing its memory where it can; nothing of its old content is left. After
// an error it is valid, with some members decoded.
template <class T>
Status decode_xml_into(std::string_view text, T& value, const Limits& limits = {},
                       const XmlOptions& options = {}) {
  return decode_xml_as(text, type_of<T>(), &value, limits, options);
}

template <class T>
Result<T> decode_xml(std::string_view text, const Limits& limits = {},
                     const XmlOptions& options = {}) {
  T value{};
  Status status = decode_xml_as(text, type_of<T>(), &value, limits, options);
  if (!status.is_ok()) return status;
  return value;
}

// Ok when `text` is XML that decoding would take, whatever the type.
Status validate_xml(std::string_view text, const Limits& limits = {});

// For a registry (codec.h): codecs.add(codec::xml_codec()). Id 'x' and text/xml as Teleport has it.
Codec xml_codec();

}  // namespace parley::codec
