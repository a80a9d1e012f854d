// Reads JSON as protobuf maps it: scalars, and what holds other values.
#include "parley/codec/impl/protobuf_json_reader.h"

#include <limits>
#include <utility>

#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/impl/well_known_forms.h"
#include "parley/codec/impl/zero.h"

namespace parley::codec::impl {

bool ProtobufJsonReader::read(const Type& type, void* object) {
  // By itself: these lie in each other, and each step on the way takes stack.
  if (type.well_known == WellKnown::any) return read_any(*static_cast<well_known::Any*>(object));
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
  MapSpare spare;
  type.map->clear(object, &spare);
  Target target{this, type.key};
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    bool is_new = false;
    void* const value = type.map->insert(object, &spare, &read_key_target, &target, is_new);
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
  forget_unknown(members, object);
  SeenFields seen(members.fields().size(), more_seen_);
  std::size_t count = 0;
  bool has_type_url = false;
  for (bool done = is_closed('}'); !done;) {
    const std::size_t index = scan_member(members, is_in_any);
    if (index == no_field) return false;
    if (index == type_url_field) {
      if (std::exchange(has_type_url, true)) return fail_duplicate(type_url_key);
      if (!skip_value()) return false;
    } else if (index == Members::npos) {
      if (!skip_unknown(members, object)) return false;
    } else if (!read_member(members, index, seen, object)) {
      return false;
    }
    if (!next_element('}', ++count, done)) return false;
  }
  return set_absent(members, seen, object);
}

void ProtobufJsonReader::forget_unknown(const Members& members, void* object) {
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
}

bool ProtobufJsonReader::set_absent(const Members& members, const SeenFields& seen, void* object) {
  return seen.count() == members.fields().size() ||
         zero_absent(members, seen, object, options_.require_all_fields, failure_);
}

// The field whose key comes next: npos when it is none, no_field after a failure.
std::size_t ProtobufJsonReader::scan_member(const Members& members, bool is_in_any) {
  if (!scan_key(key_)) return no_field;
  std::string room;
  const std::string_view name = meaning_of(key_, room);
  return is_in_any && name == type_url_key ? type_url_field : find_member(members, name);
}

// Not kept: UnknownFields would go back as plain JSON.
bool ProtobufJsonReader::skip_unknown(const Members& members, void* object) {
  if (!refuses_unknown(members, object, options_.refuse_unknown_fields)) {
    return skip_value() || failure_.in_key(key_.text);
  }
  fail_unknown_field(members, key_.text, failure_);
  return failure_.in_key(key_.text);
}

// null is an absent member.
bool ProtobufJsonReader::read_member(const Members& members, std::size_t index, SeenFields& seen,
                                     void* object) {
  const Field& field = members.fields()[index];
  const Type& held = field.type->kind == Kind::optional ? *field.type->element : *field.type;
  if (peek() == 'n' && !takes_null(held)) {
    return scan_literal("null") || in_member(members, index);
  }
  if (!seen.mark(index)) return fail_twice(members, index);
  void* const value = field.variant == nullptr
                          ? static_cast<char*>(object) + field.offset
                          : emplace_alternative(members, index, seen, object, failure_);
  return value != nullptr && (read(*field.type, value) || in_member(members, index));
}

bool ProtobufJsonReader::fail_twice(const Members& members, std::size_t index) {
  return fail_invalid("the member appears twice") || in_member(members, index);
}

bool ProtobufJsonReader::read_as(const Type& type, void* object) {
  Target target{this, type.element};
  return take_represented(type, object, &read_target, &target, is_represented_, failure_);
}

Status decode_protobuf_json(std::string_view text, const Type& type, void* object,
                            const Limits& limits, const JsonOptions& options) {
  ProtobufJsonReader reader(text, limits, options);
  if (reader.check_size() && reader.read_text(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec::impl
