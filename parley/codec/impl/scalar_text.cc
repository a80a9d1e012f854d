#include "parley/codec/impl/scalar_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/time_text.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/json.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown = 64;
constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

bool fail_invalid(Failure& failure, std::string message) {
  return failure.set(Code::invalid_argument, std::move(message));
}

// `text` may hold any bytes: only what is UTF-8 is shown.
bool fail_text(Failure& failure, std::string_view expected, std::string_view text) {
  std::string message = "expected " + std::string(expected) + ", got ";
  if (text.empty()) return fail_invalid(failure, message + "nothing");
  if (!is_utf8(text)) return fail_invalid(failure, message + "bytes that are not UTF-8");
  return fail_invalid(failure, message + '"' + shortened(escaped_json(text), max_shown) + '"');
}

bool append_integer(std::string& out, const Type& type, const void* object) {
  std::int64_t value = 0;
  load_integer(type, object, value);
  char digits[max_number_chars];
  char* const end =
      type.kind == Kind::uint64
          ? std::to_chars(digits, digits + sizeof(digits), static_cast<std::uint64_t>(value)).ptr
          : std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, end);
  return true;
}

template <class T, class Write>
bool append_float(std::string& out, T value, Write write) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    char digits[max_number_chars];
    out.append(digits, write(digits, value));
  }
  return true;
}

bool append_text(std::string& out, std::string_view text, Failure& failure) {
  if (!is_utf8(text)) {
    return fail_invalid(failure, "a string that is not UTF-8 cannot be written as text: use bytes");
  }
  out += text;
  return true;
}

bool append_bytes(std::string& out, const Type& type, const void* object, const ScalarStyle& style,
                  Failure& failure) {
  std::string room;
  const std::string_view bytes = type.bytes->get(object, room);
  if (type.bytes->is_text) return append_text(out, bytes, failure);
  if (style.bytes_as_base64) {
    append_base64(out, bytes);
  } else {
    out += bytes;
  }
  return true;
}

bool append_json(std::string& out, std::string_view text, const ScalarStyle& style,
                 Failure& failure) {
  const Status status = validate_json(text, {.max_depth = style.limits.max_depth,
                                             .max_bytes = any_size,
                                             .max_elements = any_size,
                                             .max_string_bytes = any_size});
  if (!status.is_ok()) {
    return failure.set(status.code(), "this Json cannot be written: " + status.message());
  }
  out += text;
  return true;
}

bool append_enumeration(std::string& out, const Type& type, const void* object,
                        const ScalarStyle& style) {
  if (!style.enums_as_numbers) {
    std::int64_t number = 0;
    load_integer(*type.element, object, number);
    for (const EnumValue& value : type.enumeration->values) {
      if (value.value != number) continue;
      out += value.name;
      return true;
    }
  }
  return append_integer(out, *type.element, object);
}

bool append_time(std::string& out, const Type& type, const void* object, Failure& failure) {
  Seconds time;
  if (!get_time(type, object, time, failure)) return false;
  char text[max_time_chars];
  const char* const end =
      type.kind == Kind::instant ? write_instant(text, time) : write_duration(text, time);
  if (end == nullptr) {
    return fail_invalid(failure, "a time outside the years 0000 to 9999 cannot be written as text");
  }
  out.append(text, static_cast<std::size_t>(end - text));
  return true;
}

bool parse_boolean(std::string_view text, bool& value, const ScalarStyle& style, Failure& failure) {
  const bool is_more = style.more_booleans;
  const bool is_true = text == "true" || (is_more && (text == "on" || text == "1"));
  const bool is_false = text == "false" || (is_more && (text == "off" || text == "0"));
  if (!is_true && !is_false) {
    return fail_text(failure, is_more ? "true, on, 1, false, off or 0" : "true or false", text);
  }
  value = is_true;
  return true;
}

bool scan_whole(std::string_view text, JsonNumber& number) {
  return scan_json_number(text, number) == nullptr && number.text.size() == text.size();
}

bool parse_integer(std::string_view text, const Type& type, void* object, Failure& failure) {
  JsonNumber number;
  if (!scan_whole(text, number) || !number.is_integer) {
    return fail_text(failure, "an integer", text);
  }
  const IntegerRange range = range_of(type.kind);
  if (!number.has_all_digits || number.digits > (number.negative ? range.min : range.max)) {
    return fail_range(shortened(text, max_shown), range, failure);
  }
  store_integer(object, type.size, number.negative ? 0 - number.digits : number.digits);
  return true;
}

template <class T, class Convert>
bool parse_float(std::string_view text, T& value, Convert convert, Failure& failure) {
  JsonNumber number;
  if (text == "NaN") {
    value = std::numeric_limits<T>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    value = std::numeric_limits<T>::infinity();
    if (text[0] == '-') value = -value;
  } else if (!scan_whole(text, number)) {
    return fail_text(failure, "a number", text);
  } else if (!convert(number, value)) {
    return fail_invalid(failure, shortened(text, max_shown) + " does not fit " +
                                     (sizeof(T) == sizeof(float) ? "float" : "double"));
  }
  return true;
}

bool check_text(std::string_view text, Failure& failure) {
  return is_utf8(text) || fail_invalid(failure, "a text that is not UTF-8");
}

bool parse_bytes(std::string_view text, const BytesOperations& bytes, void* object,
                 const ScalarStyle& style, Shown shown, Failure& failure) {
  const bool is_encoded = style.bytes_as_base64 && !bytes.is_text;
  const bool must_live_on = bytes.is_view && shown != Shown::taken_over;
  if (must_live_on && shown == Shown::refused) {
    return fail_invalid(failure,
                        "a view would show text that is gone: use std::string or a vector");
  }
  if (must_live_on && (is_encoded || shown == Shown::never)) {
    return fail_invalid(failure,
                        std::string(is_encoded ? "bytes in base64" : "a text with escapes") +
                            " cannot be shown by a view: use std::string or a vector");
  }
  if (bytes.is_text && !check_text(text, failure)) return false;
  if (!is_encoded) {
    bytes.set(object, text);
    return true;
  }
  std::string own;
  std::string& decoded = shown == Shown::taken_over ? *style.room : own;
  if (!decode_base64(text, decoded)) return fail_text(failure, "bytes in base64", text);
  bytes.set(object, decoded);
  return true;
}

bool parse_json(std::string_view text, std::string& json, const ScalarStyle& style,
                Failure& failure) {
  const Status status = validate_json(text, style.limits);
  if (!status.is_ok()) return failure.set(status.code(), "no JSON: " + status.message());
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  json.assign(text.substr(first, text.find_last_not_of(space) + 1 - first));
  return true;
}

bool parse_enumeration(std::string_view text, const Type& type, void* object, Failure& failure) {
  for (const EnumValue& value : type.enumeration->values) {
    if (value.name != text) continue;
    store_integer(object, type.size, static_cast<std::uint64_t>(value.value));
    return true;
  }
  if (!text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) {
    return parse_integer(text, *type.element, object, failure);
  }
  if (!is_utf8(text)) return fail_text(failure, "the name of a " + std::string(type.name), text);
  return fail_enumeration(type, text, failure);
}

bool parse_time(std::string_view text, const Type& type, void* object, Failure& failure) {
  const bool is_instant = type.kind == Kind::instant;
  Seconds time;
  if (!(is_instant ? read_instant(text, time) : read_duration(text, time))) {
    return fail_text(failure,
                     is_instant ? "a time as in \"2026-11-21T09:30:00Z\""
                                : "a duration in seconds as in \"1.5s\"",
                     text);
  }
  if (type.time->set(object, time)) return true;
  return fail_invalid(failure, '"' + shortened(text, max_shown) +
                                   "\" does not fit the unit and size of this " +
                                   (is_instant ? "time" : "duration"));
}

}  // namespace

const Type& shape_of(const Type& type) {
  const Type* shape = &type;
  while (shape->kind == Kind::optional || shape->kind == Kind::represented) shape = shape->element;
  return *shape;
}

bool is_form(const Type& shape) {
  if (shape.kind == Kind::tuple) return shape.members().are_parameters();
  return shape.kind == Kind::structure || shape.kind == Kind::map;
}

bool is_scalar(Kind kind) { return kind <= Kind::instant; }

bool append_scalar(std::string& out, const Type& type, const void* object, const ScalarStyle& style,
                   Failure& failure) {
  switch (type.kind) {
    case Kind::boolean:
      out += *static_cast<const bool*>(object) ? "true" : "false";
      return true;
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return append_integer(out, type, object);
    case Kind::float32:
      return append_float(out, load<float>(object), &write_float32);
    case Kind::float64:
      return append_float(out, load<double>(object), &write_float64);
    case Kind::string:
      return append_text(out, *static_cast<const std::string*>(object), failure);
    case Kind::bytes:
      return append_bytes(out, type, object, style, failure);
    case Kind::json:
      return append_json(out, static_cast<const Json*>(object)->text, style, failure);
    case Kind::enumeration:
      return append_enumeration(out, type, object, style);
    case Kind::duration:
    case Kind::instant:
      return append_time(out, type, object, failure);
    case Kind::optional:
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
    case Kind::map:
    case Kind::variant:
    case Kind::structure:
    case Kind::represented:
      break;
  }
  return failure.set(Code::internal, "not a scalar");
}

bool parse_scalar(std::string_view text, const Type& type, void* object, const ScalarStyle& style,
                  Shown shown, Failure& failure) {
  switch (type.kind) {
    case Kind::boolean:
      return parse_boolean(text, *static_cast<bool*>(object), style, failure);
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return parse_integer(text, type, object, failure);
    case Kind::float32:
      return parse_float(text, *static_cast<float*>(object), &to_float32, failure);
    case Kind::float64:
      return parse_float(text, *static_cast<double*>(object), &to_float64, failure);
    case Kind::string:
      if (!check_text(text, failure)) return false;
      static_cast<std::string*>(object)->assign(text);
      return true;
    case Kind::bytes:
      return parse_bytes(text, *type.bytes, object, style, shown, failure);
    case Kind::json:
      return parse_json(text, static_cast<Json*>(object)->text, style, failure);
    case Kind::enumeration:
      return parse_enumeration(text, type, object, failure);
    case Kind::duration:
    case Kind::instant:
      return parse_time(text, type, object, failure);
    case Kind::optional:
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
    case Kind::map:
    case Kind::variant:
    case Kind::structure:
    case Kind::represented:
      break;
  }
  return failure.set(Code::internal, "not a scalar");
}

}  // namespace parley::codec::impl
