// Reads JSON as protobuf maps it.
#include <algorithm>
#include <limits>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/json_reader.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/impl/well_known_forms.h"
#include "parley/codec/impl/zero.h"
#include "parley/codec/message_types.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/well_known.h"

namespace parley::codec::impl {
namespace {

constexpr std::string_view type_url_key = "@type";

// Texts, times and names are as in plain JSON; numbers and what holds other values are not.
class ProtobufJsonReader : public JsonReader {
 public:
  using JsonReader::JsonReader;

  bool read_text(const Type& type, void* object) {
    skip_space();
    return read(type, object) && expect_end();
  }

 private:
  struct Target {
    ProtobufJsonReader* reader;
    const Type* type;
  };

  bool read(const Type& type, void* object);
  static bool read_target(void* target, void* object) {
    const Target& self = *static_cast<Target*>(target);
    return self.reader->read(*self.type, object);
  }
  static bool read_key_target(void* target, void* key);

  // Each stands alone: read() calls itself.
  [[gnu::noinline]] bool read_number(const Type& type, void* object);
  [[gnu::noinline]] bool read_whole(const Type& type, const JsonNumber& number, void* object);
  [[gnu::noinline]] bool read_float(const Type& type, void* object);
  [[gnu::noinline]] bool take_special(double& value);
  [[gnu::noinline]] bool take_number(std::string_view expected, JsonNumber& number);
  [[gnu::noinline]] bool read_number_or_name(const Type& type, void* object);
  [[gnu::noinline]] bool read_own_text(const Type& type, void* object);
  [[gnu::noinline]] bool read_nullable(const Type& type, void* object);
  [[gnu::noinline]] bool read_elements(const Type& type, void* object);
  [[gnu::noinline]] bool read_exactly(const Type& type, void* object);
  [[gnu::noinline]] bool read_entries(const Type& type, void* object);
  [[gnu::noinline]] bool read_choice(const Type& type, void* object);
  [[gnu::noinline]] bool read_members(const Type& type, void* object, bool is_in_any = false);
  [[gnu::noinline]] bool read_member(const Members& members, std::size_t index, SeenFields& seen,
                                     void* object);
  [[gnu::noinline]] bool read_as(const Type& type, void* object);
  [[gnu::noinline]] bool read_well_known(const Type& type, void* object);
  [[gnu::noinline]] bool read_mask(well_known::FieldMask& mask);
  [[gnu::noinline]] bool read_value(well_known::Value& value);
  [[gnu::noinline]] bool read_any(well_known::Any& any);
  [[gnu::noinline]] bool keep_in_any(const Type& type, const void* message, well_known::Any& any);
  [[gnu::noinline]] bool find_type_url(std::string& url);
  [[gnu::noinline]] bool read_in_any(const Type& type, void* object);
  static std::size_t find_member(const Members& members, std::string_view name);
  bool in_member(const Members& members, std::size_t index) {
    const std::string_view name = members.fields()[index].name;
    return name.empty() ? failure_.in_index(index) : failure_.in_field(name);
  }

  std::string number_;  // in quotes, and with escapes
};

bool ProtobufJsonReader::read(const Type& type, void* object) {
  if (has_own_form(type)) return read_well_known(type, object);
  switch (type.kind) {
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return read_number(type, object);
    case Kind::float32:
    case Kind::float64:
      return read_float(type, object);
    case Kind::boolean:
    case Kind::string:
    case Kind::bytes:
    case Kind::duration:
    case Kind::instant:
      return JsonReader::read(type, object);
    case Kind::json:
      return read_own_text(type, object);
    case Kind::enumeration:
      return read_number_or_name(type, object);
    case Kind::optional:
      return read_nullable(type, object);
    case Kind::list:
      return read_elements(type, object);
    case Kind::array:
      return read_exactly(type, object);
    case Kind::map:
      return read_entries(type, object);
    case Kind::variant:
      return read_choice(type, object);
    case Kind::tuple:
    case Kind::structure:
      return read_members(type, object);
    case Kind::represented:
      return read_as(type, object);
  }
  return fail_kind();
}

// A number, also in quotes.
bool ProtobufJsonReader::take_number(std::string_view expected, JsonNumber& number) {
  if (peek() != '"') return scan_value_number(expected, number);
  RawString raw;
  if (!scan_string(raw)) return false;
  const std::string_view text = meaning_of(raw, number_);
  if (scan_json_number(text, number) == nullptr && number.text.size() == text.size()) return true;
  return fail_invalid("expected " + std::string(expected) + ", got \"" + shortened(raw.text, 32) +
                      '"');
}

bool ProtobufJsonReader::read_number(const Type& type, void* object) {
  JsonNumber number;
  return take_number("integer", number) && read_whole(type, number, object);
}

// 1.0 and 1e3 are integers as well.
bool ProtobufJsonReader::read_whole(const Type& type, const JsonNumber& number, void* object) {
  if (number.is_integer) return store_number(type, number, object);
  JsonNumber whole;
  whole.text = number.text;
  whole.negative = number.negative;
  switch (to_uint64(number, whole.digits)) {
    case Whole::fits:
      return store_number(type, whole, object);
    case Whole::has_fraction:
      return fail_invalid("expected integer, got " + shortened(number.text, 32));
    case Whole::too_large:
      break;
  }
  return fail_range(number, range_of(type.kind));
}

// A number that is not finite, by its name; false, and the cursor where it was, when it is none.
bool ProtobufJsonReader::take_special(double& value) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [name, meaning] :
       {std::pair<std::string_view, double>("\"NaN\"", std::numeric_limits<double>::quiet_NaN()),
        {"\"Infinity\"", infinity},
        {"\"-Infinity\"", -infinity}}) {
    if (!std::string_view(at_, end_).starts_with(name)) continue;
    value = meaning;
    at_ += name.size();
    return true;
  }
  return false;
}

bool ProtobufJsonReader::read_float(const Type& type, void* object) {
  const bool is_single = type.kind == Kind::float32;
  double special = 0;
  if (peek() == '"' && take_special(special)) {
    if (is_single) *static_cast<float*>(object) = static_cast<float>(special);
    if (!is_single) *static_cast<double*>(object) = special;
    return true;
  }
  JsonNumber number;
  if (!take_number("number", number)) return false;
  if (is_single) {
    return to_float32(number, *static_cast<float*>(object)) || fail_float(number, "float");
  }
  return to_float64(number, *static_cast<double*>(object)) || fail_float(number, "double");
}

bool ProtobufJsonReader::read_number_or_name(const Type& type, void* object) {
  if (peek() == '"') return read_enumeration(type, object);
  if (peek() == '-' || (peek() >= '0' && peek() <= '9')) return read_number(*type.element, object);
  return fail_type("the name of a " + std::string(type.name));
}

// A Json is a string for protobuf.
bool ProtobufJsonReader::read_own_text(const Type& /*type*/, void* object) {
  std::string text;
  const char* const end = read_string(text, at_);
  if (end == nullptr) return false;
  at_ = end;
  if (text.empty()) text = "null";
  const Status valid = validate_json(text, limits_);
  if (!valid.is_ok()) return failure_.set(valid.code(), "this Json: " + valid.message());
  static_cast<Json*>(object)->text = std::move(text);
  return true;
}

bool ProtobufJsonReader::read_nullable(const Type& type, void* object) {
  if (peek() == 'n' && !takes_null(*type.element)) {
    if (!scan_literal("null")) return false;
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, type.optional->ensure(object));
}

bool ProtobufJsonReader::read_elements(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  const ListOperations& list = *type.list;
  list.truncate(object, 0);
  Target target{this, type.element};
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    const bool is_read = list.append != nullptr ? read(*type.element, list.append(object))
                                                : list.insert(object, &read_target, &target);
    if (!is_read) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  return true;
}

bool ProtobufJsonReader::read_exactly(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (count == type.count) return JsonReader::fail_arity(type.count, count, false);
    void* const element = static_cast<char*>(object) + count * type.element->size;
    if (!read(*type.element, element)) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  return count == type.count || JsonReader::fail_arity(type.count, count, true);
}

bool ProtobufJsonReader::read_key_target(void* target, void* key) {
  const Target& self = *static_cast<Target*>(target);
  JsonReader::Target plain{self.reader, self.type};
  return JsonReader::read_key_target(&plain, key);
}

bool ProtobufJsonReader::read_entries(const Type& type, void* object) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  type.map->clear(object);
  Target target{this, type.key};
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    bool is_new = false;
    void* const value = type.map->insert(object, &read_key_target, &target, is_new);
    if (value == nullptr) return false;
    const std::string key(key_.text);
    if (!is_new) return fail_duplicate(key);
    if (!read(*type.element, value)) return failure_.in_key(key);
    if (!next_element('}', ++count, done)) return false;
  }
  return true;
}

// A message with one member, or none.
bool ProtobufJsonReader::read_choice(const Type& type, void* object) {
  const VariantOperations& variant = *type.variant;
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  if (is_closed('}'))
    return set_zero(type, object) || fail_invalid("one alternative must be there");
  RawString raw;
  if (!scan_key(raw)) return false;
  std::string room;
  const std::string name(meaning_of(raw, room));
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if (alternative.type == nullptr) continue;
    if (alternative.name != name && protobuf_json_name(alternative.name) != name) continue;
    if (!read(*alternative.type, variant.emplace(object, i))) {
      return failure_.in_field(alternative.name);
    }
    bool done = false;
    if (!next_element('}', 1, done)) return false;
    return done || fail_invalid("more than one alternative");
  }
  return fail_alternative(variant, name, "nothing", failure_);
}

// By its own name, or by the one that protobuf makes of it.
std::size_t ProtobufJsonReader::find_member(const Members& members, std::string_view name) {
  const std::size_t by_name = members.find(name);
  if (by_name != Members::npos && !members.has_json_names()) return by_name;
  const std::span<const Field> fields = members.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    const bool is_this = !field.json_name.empty() ? field.json_name == name
                         : !field.name.empty()    ? has_protobuf_json_name(field.name, name)
                                                  : protobuf_json_name(field, i) == name;
    if (is_this) return i;
  }
  return by_name;
}

bool ProtobufJsonReader::read_members(const Type& type, void* object, bool is_in_any) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  const Members& members = type.members();
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  SeenFields seen(members.fields().size(), more_seen_);
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    if (!scan_key(key_)) return false;
    std::string room;
    const std::string_view name = meaning_of(key_, room);
    const bool is_type_url = is_in_any && name == type_url_key;
    const std::size_t index = is_type_url ? Members::npos : find_member(members, name);
    if (is_type_url) {
      if (!skip_value()) return failure_.in_key(key_.text);
    } else if (index == Members::npos) {
      if (refuses_unknown(members, object, options_.refuse_unknown_fields)) {
        fail_unknown_field(members, key_.text, failure_);
        return failure_.in_key(key_.text);
      }
      // Not kept: UnknownFields would go back as plain JSON.
      if (!skip_value()) return failure_.in_key(key_.text);
    } else if (!read_member(members, index, seen, object)) {
      return false;
    }
    if (!next_element('}', ++count, done)) return false;
  }
  return seen.count() == members.fields().size() ||
         zero_absent(members, seen, object, options_.require_all_fields, failure_);
}

// null is an absent member.
bool ProtobufJsonReader::read_member(const Members& members, std::size_t index, SeenFields& seen,
                                     void* object) {
  const Field& field = members.fields()[index];
  const Type& held = field.type->kind == Kind::optional ? *field.type->element : *field.type;
  if (peek() == 'n' && !takes_null(held)) {
    return scan_literal("null") || in_member(members, index);
  }
  if (!seen.mark(index)) {
    fail_invalid("the member appears twice");
    return in_member(members, index);
  }
  void* const value = field.variant == nullptr
                          ? static_cast<char*>(object) + field.offset
                          : emplace_alternative(members, index, seen, object, failure_);
  return value != nullptr && (read(*field.type, value) || in_member(members, index));
}

bool ProtobufJsonReader::read_as(const Type& type, void* object) {
  Target target{this, type.element};
  bool filled = false;
  is_represented_ = type.element->kind == Kind::bytes;
  const Status status = type.represented->take(object, &read_target, &target, filled);
  is_represented_ = false;
  if (!filled) return false;
  return status.is_ok() || failure_.set(status.code(), status.message());
}

bool ProtobufJsonReader::read_well_known(const Type& type, void* object) {
  Seconds time;
  switch (type.well_known) {
    case WellKnown::timestamp:
      if (!read_time_text(true, time)) return false;
      *static_cast<well_known::Timestamp*>(object) = {time.seconds, time.nanoseconds};
      return true;
    case WellKnown::duration:
      if (!read_time_text(false, time)) return false;
      *static_cast<well_known::Duration*>(object) = {time.seconds, time.nanoseconds};
      return true;
    case WellKnown::field_mask:
      return read_mask(*static_cast<well_known::FieldMask*>(object));
    case WellKnown::any:
      return read_any(*static_cast<well_known::Any*>(object));
    case WellKnown::value:
      return read_value(*static_cast<well_known::Value*>(object));
    case WellKnown::what_it_holds: {
      const Field& only = type.members().fields()[0];
      return read(*only.type, static_cast<char*>(object) + only.offset);
    }
    default:  // null_value
      if (peek() != 'n') return read_number_or_name(type, object);
      *static_cast<well_known::NullValue*>(object) = well_known::NullValue::NULL_VALUE;
      return scan_literal("null");
  }
}

bool ProtobufJsonReader::read_mask(well_known::FieldMask& mask) {
  if (peek() != '"') return fail_type("the paths of a FieldMask in a string");
  RawString raw;
  if (!scan_string(raw)) return false;
  std::string room;
  std::string_view rest = meaning_of(raw, room);
  mask.paths.clear();
  bool is_done = rest.empty();
  while (!is_done) {
    if (mask.paths.size() >= limits_.max_elements) return fail_elements();
    const std::size_t end = rest.find(',');
    is_done = end == std::string_view::npos;
    if (!snake_path(rest.substr(0, end), mask.paths.emplace_back())) {
      return fail_invalid("the paths of a FieldMask are in camelCase here, got \"" +
                          shortened(rest.substr(0, end), 64) + '"');
    }
    if (!is_done) rest.remove_prefix(end + 1);
  }
  return true;
}

bool ProtobufJsonReader::read_value(well_known::Value& value) {
  switch (peek()) {
    case 'n':
      value.kind = well_known::NullValue::NULL_VALUE;
      return scan_literal("null");
    case 't':
    case 'f':
      return JsonReader::read(type_of<bool>(), &value.kind.emplace<bool>());
    case '"':
      return JsonReader::read(type_of<std::string>(), &value.kind.emplace<std::string>());
    case '{':
      return read_entries(type_of<decltype(well_known::Struct::fields)>(),
                          &value.kind.emplace<well_known::Struct>().fields);
    case '[':
      return read_elements(type_of<decltype(well_known::ListValue::values)>(),
                           &value.kind.emplace<well_known::ListValue>().values);
    default:
      return read_float(type_of<double>(), &value.kind.emplace<double>());
  }
}

// What it holds is read as what it is, and kept as protobuf writes it.
bool ProtobufJsonReader::read_any(well_known::Any& any) {
  if (peek() != '{') return fail_type("object");
  any = {};
  if (!find_type_url(any.type_url)) return false;
  if (any.type_url.empty()) {  // and nothing else, as find_type_url() has seen
    return enter() && is_closed('}');
  }
  const Type* const type = find_message(options_, any.type_url, failure_);
  if (type == nullptr) return failure_.in_field(type_url_key);
  Members::Spare spare(type->members());
  const bool is_read = has_own_form(*type) ? read_in_any(*type, spare.object())
                                           : read_members(*type, spare.object(), true);
  return is_read && keep_in_any(*type, spare.object(), any);
}

bool ProtobufJsonReader::keep_in_any(const Type& type, const void* message, well_known::Any& any) {
  Limits rest = limits_;
  rest.max_depth -= std::min(depth_, rest.max_depth);
  std::string bytes;
  const Status written = encode_protobuf_as(bytes, type, message, rest);
  if (!written.is_ok()) return failure_.set(written.code(), written.message());
  const auto held = bytes_of(bytes);
  any.value.assign(held.begin(), held.end());
  return true;
}

// Looks through the object under the cursor, which stays where it is. Without members there is no
// type either.
bool ProtobufJsonReader::find_type_url(std::string& url) {
  const char* const start = at_;
  if (!enter()) return false;
  std::size_t count = 0;
  bool is_found = false;
  for (bool done = is_closed('}'); !done;) {
    RawString raw;
    if (!scan_key(raw)) return false;
    std::string room;
    if (meaning_of(raw, room) != type_url_key) {
      if (!skip_value()) return failure_.in_key(raw.text);
    } else {
      if (is_found) return fail_duplicate(raw.text);
      is_found = true;
      if (peek() != '"') return fail_type("string") || failure_.in_field(type_url_key);
      if (!scan_string(raw)) return false;
      url = meaning_of(raw, room);
    }
    if (!next_element('}', ++count, done)) return false;
  }
  at_ = start;
  if (url.empty() && count > 0) {
    return fail_invalid("an Any needs the URL of its type under \"@type\"");
  }
  return true;
}

// Something that has a form of its own, under "value".
bool ProtobufJsonReader::read_in_any(const Type& type, void* object) {
  if (!enter()) return false;
  std::size_t count = 0;
  bool is_found = false;
  for (bool done = is_closed('}'); !done;) {
    if (!scan_key(key_)) return false;
    std::string room;
    const std::string_view name = meaning_of(key_, room);
    if (name == "value") {
      if (is_found) return fail_duplicate("value");
      is_found = true;
      if (!read(type, object)) return failure_.in_field("value");
    } else {
      if (name != type_url_key && options_.refuse_unknown_fields) {
        fail_unknown_field(type.members(), key_.text, failure_);
        return failure_.in_key(key_.text);
      }
      if (!skip_value()) return failure_.in_key(key_.text);
    }
    if (!next_element('}', ++count, done)) return false;
  }
  return is_found || fail_invalid("an Any with a " + std::string(type.name) +
                                  " has it under \"value\", and there is none");
}

}  // namespace

const Type* find_message(const JsonOptions& options, std::string_view type_url, Failure& failure) {
  const std::string_view name = message_name_of(type_url);
  const Type* const type =
      options.message_types != nullptr ? options.message_types->find(name) : find_well_known(name);
  if (type == nullptr) {
    failure.set(Code::invalid_argument,
                "this Any holds a \"" + shortened(type_url, 128) +
                    "\", which nobody knows here: add the type to JsonOptions::message_types");
  }
  return type;
}

Status decode_protobuf_json(std::string_view text, const Type& type, void* object,
                            const Limits& limits, const JsonOptions& options) {
  ProtobufJsonReader reader(text, limits, options);
  if (reader.check_size() && reader.read_text(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec::impl
