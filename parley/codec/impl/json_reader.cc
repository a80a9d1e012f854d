// The typed reader: scalars and texts.
#include "parley/codec/impl/json_reader.h"

#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/time_text.h"
#include "parley/codec/impl/well_known_forms.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::size_t max_shown_number = 32;
constexpr std::size_t max_shown_text = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
std::uint64_t digit_of(char c) { return static_cast<std::uint64_t>(c - '0'); }

}  // namespace

bool JsonReader::read(const Type& type, void* object) {
  const char* const end = read_value(type, object, at_);
  if (end == nullptr) return false;
  at_ = end;
  return true;
}

// What read_value() does not know itself.
bool JsonReader::read_rare(const Type& type, void* object) {
  switch (type.kind) {
    case Kind::float32:
      return read_float32(*static_cast<float*>(object));
    case Kind::bytes:
      return read_bytes(*type.bytes, object);
    case Kind::json:
      return read_json(static_cast<Json*>(object)->text);
    case Kind::enumeration:
      return read_enumeration(type, object);
    case Kind::duration:
    case Kind::instant:
      return read_time(type, object);
    case Kind::optional:
      return read_optional(type, object);
    case Kind::array:
      return read_array(type, object);
    case Kind::tuple:
      return read_tuple(type, object);
    case Kind::map:
      return read_map(type, object);
    case Kind::variant:
      return read_variant(type, object);
    case Kind::represented:
      return read_represented(type, object);
    default:
      return fail_kind();
  }
}

bool JsonReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, object);
}

bool JsonReader::fail_kind() {
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool JsonReader::fail_invalid(std::string message) {
  return failure_.set(Code::invalid_argument, std::move(message));
}

const char* JsonReader::read_boolean(bool& value, const char* at) {
  at_ = at;
  const char first = peek();
  if (first != 't' && first != 'f') return after(fail_type("boolean"));
  value = first == 't';
  return after(scan_literal(value ? "true" : "false"));
}

bool JsonReader::scan_value_number(std::string_view expected, JsonNumber& number) {
  const char first = peek();
  if (first != '-' && (first < '0' || first > '9')) return fail_type(expected);
  return scan_number(number);
}

const char* JsonReader::read_integer(const Type& type, void* object, const char* at) {
  // Up to eighteen digits fit 64 bits whatever they are, and nothing else needs to be looked at.
  constexpr std::ptrdiff_t most_digits = 18;
  at_ = at;
  const bool negative = at != end_ && *at == '-';
  if (negative) ++at;
  const char* const first = at;
  std::uint64_t digits = 0;
  for (; at != end_ && is_digit(*at); ++at) digits = digits * 10 + digit_of(*at);
  const std::ptrdiff_t count = at - first;
  const bool is_usual = count > 0 && count <= most_digits && (*first != '0' || count == 1) &&
                        at != end_ && *at != '.' && (*at | 0x20) != 'e';
  const IntegerRange& range = range_of(type.kind);
  if (is_usual && digits <= (negative ? range.min : range.max)) {
    store_integer(object, type.size, negative ? 0 - digits : digits);
    return at;
  }
  JsonNumber number;
  return after(scan_value_number("integer", number) && store_number(type, number, object));
}

bool JsonReader::store_number(const Type& type, const JsonNumber& number, void* object) {
  if (!number.is_integer) return fail_fraction(number);
  const IntegerRange& range = range_of(type.kind);
  if (!number.has_all_digits || number.digits > (number.negative ? range.min : range.max)) {
    return fail_range(number, range);
  }
  store_integer(object, type.size, number.negative ? 0 - number.digits : number.digits);
  return true;
}

bool JsonReader::fail_fraction(const JsonNumber& number) {
  return fail_invalid("expected integer, got " + shortened(number.text, max_shown_number) +
                      ": write it without point and exponent");
}

bool JsonReader::fail_range(const JsonNumber& number, const IntegerRange& range) {
  return impl::fail_range(shortened(number.text, max_shown_number), range, failure_);
}

const char* JsonReader::read_float64(double& value, const char* at) {
  // Up to fifteen digits and twenty-two decimals: exact numbers, and one division of them.
  at_ = at;
  const bool negative = at != end_ && *at == '-';
  if (negative) ++at;
  const char* const first = at;
  std::uint64_t digits = 0;
  for (; at != end_ && is_digit(*at); ++at) digits = digits * 10 + digit_of(*at);
  std::ptrdiff_t count = at - first;
  std::ptrdiff_t decimals = 0;
  if (count > 0 && end_ - at > 1 && *at == '.' && is_digit(at[1])) {
    const char* const point = at++;
    for (; at != end_ && is_digit(*at); ++at) digits = digits * 10 + digit_of(*at);
    decimals = at - point - 1;
  }
  count += decimals;
  if (count > 0 && count <= 15 && (*first != '0' || at - first == 1 || first[1] == '.') &&
      at != end_ && *at != '.' && (*at | 0x20) != 'e') {
    const double size = divide_by_power_of_ten(static_cast<double>(digits), decimals);
    value = negative ? -size : size;
    return at;
  }
  JsonNumber number;
  if (!scan_value_number("number", number)) return nullptr;
  return after(to_float64(number, value) || fail_float(number, "double"));
}

bool JsonReader::read_float32(float& value) {
  JsonNumber number;
  if (!scan_value_number("number", number)) return false;
  if (to_float32(number, value)) return true;
  return fail_float(number, "float");
}

bool JsonReader::fail_float(const JsonNumber& number, std::string_view type) {
  return fail_invalid(shortened(number.text, max_shown_number) + " does not fit " +
                      std::string(type));
}

const char* JsonReader::read_string(std::string& value, const char* at) {
  if (at == end_ || *at != '"') {
    at_ = at;
    return after(fail_type("string"));
  }
  ++at;
  // Most are short, plain and not at the end of the text.
  if (end_ - at >= chunk_bytes) {
    const ChunkMasks masks = masks_of(at);
    if (masks.special != 0) {
      const auto size = static_cast<std::size_t>(__builtin_ctz(masks.special));
      if (at[size] == '"' && (masks.high & ((1U << size) - 1)) == 0 &&
          size <= limits_.max_string_bytes) {
        value.assign(at, size);
        return at + size + 1;
      }
    }
  }
  at_ = at - 1;
  return after(read_any_string(value));
}

// Longer than a chunk, with escapes, beyond ASCII, or near the end of the text.
bool JsonReader::read_any_string(std::string& value) {
  const char* const start = at_ + 1;
  bool has_high = false;
  at_ = find_special(start, end_, has_high);
  if (at_ != end_ && *at_ == '\\') return read_escaped(start, value);
  RawString raw;
  if (!scan_from_special(start, has_high, raw)) return false;
  value.assign(raw.text);
  return true;
}

bool JsonReader::read_json(std::string& text) {
  const char* const start = at_;
  if (!skip_value()) return false;
  text.assign(start, at_);
  return true;
}

std::string_view JsonReader::meaning_of(const RawString& raw, std::string& room) {
  if (!raw.has_escapes) return raw.text;
  unescape_json(raw.text, room);
  return room;
}

bool JsonReader::read_bytes(const BytesOperations& bytes, void* object) {
  if (peek() != '"') return fail_type("string");
  const bool must_live_on = bytes.is_view && !is_represented_;
  if (must_live_on && options_.refuse_views) {
    return fail_invalid("a view would show text that is gone: use std::string or a vector");
  }
  RawString raw;
  if (!scan_string(raw)) return false;
  if (bytes.is_text) {
    if (must_live_on && raw.has_escapes) {
      return fail_invalid("a string with escapes cannot be shown by a view: use std::string");
    }
    bytes.set(object, meaning_of(raw, taken_));
    return true;
  }
  if (must_live_on) {
    return fail_invalid("bytes are base64 in JSON, which a view cannot show: use a vector");
  }
  std::string room;
  if (!decode_base64(meaning_of(raw, room), taken_)) {
    return fail_invalid("expected bytes in base64, got \"" + shortened(raw.text, max_shown_text) +
                        "\"");
  }
  bytes.set(object, taken_);
  return true;
}

bool JsonReader::read_enumeration(const Type& type, void* object) {
  const char first = peek();
  if (first == '-' || (first >= '0' && first <= '9')) return read(*type.element, object);
  if (first != '"') return fail_type("the name of a " + std::string(type.name));
  RawString raw;
  if (!scan_string(raw)) return false;
  std::string room;
  return set_enumeration(type, meaning_of(raw, room), object);
}

bool JsonReader::set_enumeration(const Type& type, std::string_view name, void* object) {
  for (const EnumValue& value : type.enumeration->values) {
    if (value.name != name) continue;
    store_integer(object, type.size, static_cast<std::uint64_t>(value.value));
    return true;
  }
  return fail_enumeration(type, name, failure_);
}

bool JsonReader::read_time(const Type& type, void* object) {
  const char* const start = at_;
  Seconds time;
  if (!read_time_text(type.kind == Kind::instant, time)) return false;
  if (type.time->set(object, time)) return true;
  const std::string_view shown(start + 1, static_cast<std::size_t>(at_ - start) - 2);
  return fail_invalid("\"" + shortened(shown, max_shown_text) +
                      "\" does not fit the unit and size of this " +
                      (type.kind == Kind::instant ? "time" : "duration"));
}

// Protobuf's JSON has a smaller range, and capital letters only.
bool JsonReader::read_time_text(bool is_instant, Seconds& time) {
  const char* const expected =
      is_instant ? "a time as in \"2026-11-21T09:30:00Z\"" : "a duration in seconds as in \"1.5s\"";
  if (peek() != '"') return fail_type(expected);
  RawString raw;
  if (!scan_string(raw)) return false;
  std::string room;
  const std::string_view text = meaning_of(raw, room);
  const bool is_mapped = options_.protobuf_mapping;
  const bool is_read = !is_instant ? read_duration(text, time)
                       : is_mapped ? read_timestamp(text, time)
                                   : read_instant(text, time);
  if (!is_read) {
    return fail_invalid("expected " + std::string(expected) + ", got \"" +
                        shortened(raw.text, max_shown_text) + "\"");
  }
  if (!is_mapped) return true;
  const char* const misfit = is_instant ? misfit_of_timestamp(time) : misfit_of_duration(time);
  return misfit == nullptr || fail_invalid(misfit);
}

bool JsonReader::has_name(const Type& type, std::string_view name) {
  for (const EnumValue& value : type.enumeration->values) {
    if (value.name == name) return true;
  }
  return false;
}

// Keys are texts: numbers stand in quotes.
bool JsonReader::set_key(const Type& type, const RawString& raw, void* key) {
  std::string room;
  const std::string_view text = meaning_of(raw, room);
  switch (type.kind) {
    case Kind::boolean:
      if (text != "true" && text != "false") {
        return fail_invalid("expected a key \"true\" or \"false\"") || failure_.in_key(raw.text);
      }
      *static_cast<bool*>(key) = text == "true";
      return true;
    case Kind::enumeration:
      // A name may look like a number.
      if (!has_name(type, text) && !text.empty() && (text[0] == '-' || is_digit(text[0]))) {
        return set_key(*type.element, raw, key);
      }
      return set_enumeration(type, text, key) || failure_.in_key(raw.text);
    default: {
      JsonNumber number;
      const char* const problem = scan_json_number(text, number);
      if (problem != nullptr || number.text.size() != text.size()) {
        return fail_invalid("expected an integer in the key") || failure_.in_key(raw.text);
      }
      return store_number(type, number, key) || failure_.in_key(raw.text);
    }
  }
}

}  // namespace impl

Status decode_json_as(std::string_view text, const Type& type, void* object, const Limits& limits,
                      const JsonOptions& options) {
  if (options.protobuf_mapping) {
    return impl::decode_protobuf_json(text, type, object, limits, options);
  }
  impl::JsonReader reader(text, limits, options);
  if (reader.check_size() && reader.read_text(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec
