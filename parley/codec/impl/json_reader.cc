// The typed reader: walks a table of types and the text side by side.
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "parley/codec/impl/json_cursor.h"

namespace parley::codec {
namespace impl {
namespace {

constexpr std::size_t unknown_field = max_fields;
constexpr std::size_t no_field = max_fields + 1;  // the failure is set
constexpr std::size_t max_shown_number = 32;

struct IntegerRange {
  std::string_view name;
  std::uint64_t max;  // of what is not negative
  std::uint64_t min;  // of what is negative, without its sign
};

template <class T>
constexpr IntegerRange range_of(std::string_view name) {
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  return {.name = name, .max = max, .min = std::is_signed_v<T> ? max + 1 : 0};
}

IntegerRange range_of(Kind kind) {
  switch (kind) {
    case Kind::int8:
      return range_of<std::int8_t>("int8");
    case Kind::int16:
      return range_of<std::int16_t>("int16");
    case Kind::int32:
      return range_of<std::int32_t>("int32");
    case Kind::int64:
      return range_of<std::int64_t>("int64");
    case Kind::uint8:
      return range_of<std::uint8_t>("uint8");
    case Kind::uint16:
      return range_of<std::uint16_t>("uint16");
    case Kind::uint32:
      return range_of<std::uint32_t>("uint32");
    default:
      return range_of<std::uint64_t>("uint64");
  }
}

// Two's complement makes the low bytes right for signed and unsigned alike.
void store_integer(void* object, std::size_t size, std::uint64_t bits) {
  switch (size) {
    case 1: {
      const auto value = static_cast<std::uint8_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    case 2: {
      const auto value = static_cast<std::uint16_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    case 4: {
      const auto value = static_cast<std::uint32_t>(bits);
      std::memcpy(object, &value, sizeof(value));
      return;
    }
    default:
      std::memcpy(object, &bits, sizeof(bits));
  }
}

class JsonReader : public JsonCursor {
 public:
  JsonReader(std::string_view text, const JsonLimits& limits, const JsonOptions& options)
      : JsonCursor(text, limits), options_(options) {}

  // The whole text as one value.
  bool read_text(const Type& type, void* object) {
    skip_space();
    return read(type, object) && expect_end();
  }

 private:
  // The value under the cursor; white space before it has been skipped.
  bool read(const Type& type, void* object);
  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_boolean(bool& value);
  [[gnu::noinline]] bool read_integer(const Type& type, void* object);
  [[gnu::noinline]] bool read_float64(double& value);
  [[gnu::noinline]] bool read_float32(float& value);
  [[gnu::noinline]] bool read_string(std::string& value);
  [[gnu::noinline]] bool read_json(std::string& text);
  [[gnu::noinline]] bool read_optional(const Type& type, void* object);
  [[gnu::noinline]] bool read_list(const Type& type, void* object);
  [[gnu::noinline]] bool read_bits(const Type& type, void* object);
  [[gnu::noinline]] bool read_array(const Type& type, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, void* object);
  [[gnu::noinline]] bool read_structure(const Type& type, void* object);

  bool scan_value_number(std::string_view expected, JsonNumber& number);
  std::size_t find_field(std::span<const Field> fields, std::size_t expected);
  [[gnu::noinline]] std::size_t find_any_field(std::span<const Field> fields);
  [[gnu::noinline]] void* insert_key(const MapOperations& map, void* object);
  [[gnu::noinline]] bool read_unknown_member();
  [[gnu::noinline]] bool reset_absent(const Members& members, std::uint64_t seen, void* object);
  [[gnu::cold]] bool fail_arity(std::size_t expected, std::size_t got, bool closed);
  [[gnu::cold]] bool fail_kind();
  [[gnu::cold]] bool fail_fraction(const JsonNumber& number);
  [[gnu::cold]] bool fail_range(const JsonNumber& number, const IntegerRange& range);
  [[gnu::cold]] bool fail_float(const JsonNumber& number, std::string_view type);
  [[gnu::cold]] bool fail_duplicate(std::string_view key);

  const JsonOptions& options_;
  std::string_view key_;  // the last key that was no field's, as written
};

bool JsonReader::read(const Type& type, void* object) {
  switch (type.kind) {
    case Kind::boolean:
      return read_boolean(*static_cast<bool*>(object));
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return read_integer(type, object);
    case Kind::float32:
      return read_float32(*static_cast<float*>(object));
    case Kind::float64:
      return read_float64(*static_cast<double*>(object));
    case Kind::string:
      return read_string(*static_cast<std::string*>(object));
    case Kind::json:
      return read_json(static_cast<Json*>(object)->text);
    case Kind::optional:
      return read_optional(type, object);
    case Kind::list:
      return read_list(type, object);
    case Kind::array:
      return read_array(type, object);
    case Kind::tuple:
      return read_tuple(type, object);
    case Kind::map:
      return read_map(type, object);
    case Kind::structure:
      return read_structure(type, object);
  }
  return fail_kind();
}

bool JsonReader::fail_kind() {
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool JsonReader::read_boolean(bool& value) {
  const char first = peek();
  if (first != 't' && first != 'f') return fail_type("boolean");
  value = first == 't';
  return scan_literal(value ? "true" : "false");
}

bool JsonReader::scan_value_number(std::string_view expected, JsonNumber& number) {
  const char first = peek();
  if (first != '-' && (first < '0' || first > '9')) return fail_type(expected);
  return scan_number(number);
}

bool JsonReader::read_integer(const Type& type, void* object) {
  JsonNumber number;
  if (!scan_value_number("integer", number)) return false;
  if (!number.is_integer) return fail_fraction(number);
  const IntegerRange range = range_of(type.kind);
  if (!number.has_all_digits || number.digits > (number.negative ? range.min : range.max)) {
    return fail_range(number, range);
  }
  store_integer(object, type.size, number.negative ? 0 - number.digits : number.digits);
  return true;
}

bool JsonReader::fail_fraction(const JsonNumber& number) {
  return failure_.set(Code::invalid_argument, "expected integer, got " +
                                                  shortened(number.text, max_shown_number) +
                                                  ": write it without point and exponent");
}

bool JsonReader::fail_range(const JsonNumber& number, const IntegerRange& range) {
  return failure_.set(Code::invalid_argument,
                      shortened(number.text, max_shown_number) + " does not fit " +
                          std::string(range.name) + " (" + (range.min == 0 ? "" : "-") +
                          std::to_string(range.min) + " to " + std::to_string(range.max) + ")");
}

bool JsonReader::read_float64(double& value) {
  JsonNumber number;
  if (!scan_value_number("number", number)) return false;
  if (to_float64(number, value)) return true;
  return fail_float(number, "double");
}

bool JsonReader::read_float32(float& value) {
  JsonNumber number;
  if (!scan_value_number("number", number)) return false;
  if (to_float32(number, value)) return true;
  return fail_float(number, "float");
}

bool JsonReader::fail_float(const JsonNumber& number, std::string_view type) {
  return failure_.set(Code::invalid_argument, shortened(number.text, max_shown_number) +
                                                  " does not fit " + std::string(type));
}

bool JsonReader::read_string(std::string& value) {
  if (peek() != '"') return fail_type("string");
  RawString raw;
  if (!scan_string(raw)) return false;
  if (raw.has_escapes) {
    unescape_json(raw.text, value);
  } else {
    value.assign(raw.text);
  }
  return true;
}

bool JsonReader::read_json(std::string& text) {
  const char* const start = at_;
  if (!skip_value()) return false;
  text.assign(start, at_);
  return true;
}

bool JsonReader::read_optional(const Type& type, void* object) {
  if (peek() == 'n') {
    if (!scan_literal("null")) return false;
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, type.optional->ensure(object));
}

bool JsonReader::read_list(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (type.list->data == nullptr) return read_bits(type, object);
  if (!enter()) return false;
  const ListOperations& list = *type.list;
  const std::size_t old_size = list.size(object);
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    // The elements of a reused list are decoded over, for the memory they hold.
    void* const element = count < old_size
                              ? static_cast<char*>(list.data(object)) + count * type.element->size
                              : list.append(object);
    if (!read(*type.element, element)) return failure_.in_index(count);
    if (!next_element(']', ++count, done)) return false;
  }
  if (count < old_size) list.truncate(object, count);
  return true;
}

bool JsonReader::read_bits(const Type& type, void* object) {
  if (!enter()) return false;
  type.list->truncate(object, 0);
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    bool bit = false;
    if (!read_boolean(bit)) return failure_.in_index(count);
    type.list->append_bit(object, bit);
    if (!next_element(']', ++count, done)) return false;
  }
  return true;
}

bool JsonReader::read_array(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  auto* const elements = static_cast<char*>(object);
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (count == type.count) return fail_arity(type.count, count, false);
    if (!read(*type.element, elements + count * type.element->size)) {
      return failure_.in_index(count);
    }
    if (!next_element(']', ++count, done)) return false;
  }
  return count == type.count || fail_arity(type.count, count, true);
}

bool JsonReader::read_tuple(const Type& type, void* object) {
  if (peek() != '[') return fail_type("array");
  if (!enter()) return false;
  const std::span<const Field> fields = type.members().fields;
  std::size_t count = 0;
  for (bool done = is_closed(']'); !done;) {
    if (count == fields.size()) return fail_arity(fields.size(), count, false);
    const Field& field = fields[count];
    if (!read(*field.type, static_cast<char*>(object) + field.offset)) {
      return failure_.in_index(count);
    }
    if (!next_element(']', ++count, done)) return false;
  }
  return count == fields.size() || fail_arity(fields.size(), count, true);
}

// Unless the array is closed already, counts what is left of it.
bool JsonReader::fail_arity(std::size_t expected, std::size_t got, bool closed) {
  while (!closed) {
    if (!skip_value()) return failure_.in_index(got);
    if (!next_element(']', ++got, closed)) return false;
  }
  return failure_.set(Code::invalid_argument, "expected an array of " + std::to_string(expected) +
                                                  (expected == 1 ? " element" : " elements") +
                                                  ", got " + std::to_string(got));
}

bool JsonReader::read_map(const Type& type, void* object) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  type.map->clear(object);
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    void* const value = insert_key(*type.map, object);
    if (value == nullptr) return false;
    const std::string_view key = key_;
    if (!read(*type.element, value)) return failure_.in_key(key);
    if (!next_element('}', ++count, done)) return false;
  }
  return true;
}

// Apart from read_map, so that the key is off the stack while its value is read.
void* JsonReader::insert_key(const MapOperations& map, void* object) {
  RawString raw;
  if (!scan_key(raw)) return nullptr;
  std::string key;
  if (raw.has_escapes) {
    unescape_json(raw.text, key);
  } else {
    key.assign(raw.text);
  }
  key_ = raw.text;
  void* const value = map.insert(object, std::move(key));
  if (value == nullptr) fail_duplicate(raw.text);
  return value;
}

bool JsonReader::fail_duplicate(std::string_view key) {
  failure_.set(Code::invalid_argument, "the key appears twice");
  return failure_.in_key(key);
}

bool JsonReader::read_structure(const Type& type, void* object) {
  if (peek() != '{') return fail_type("object");
  if (!enter()) return false;
  const Members& members = type.members();
  std::uint64_t seen = 0;
  std::size_t expected = 0;
  std::size_t count = 0;
  for (bool done = is_closed('}'); !done;) {
    const std::size_t index = find_field(members.fields, expected);
    if (index == no_field) return false;
    if (index == unknown_field) {
      if (!read_unknown_member()) return false;
    } else {
      const Field& field = members.fields[index];
      const std::uint64_t bit = std::uint64_t{1} << index;
      if ((seen & bit) != 0) return fail_duplicate(field.name());
      seen |= bit;
      expected = index + 1;
      if (!read(*field.type, static_cast<char*>(object) + field.offset)) {
        return failure_.in_field(field.name());
      }
    }
    if (!next_element('}', ++count, done)) return false;
  }
  const std::uint64_t all = members.fields.size() == max_fields
                                ? ~std::uint64_t{0}
                                : (std::uint64_t{1} << members.fields.size()) - 1;
  return seen == all || reset_absent(members, seen, object);
}

// Nearly always the members come in the order of the struct: one comparison then.
std::size_t JsonReader::find_field(std::span<const Field> fields, std::size_t expected) {
  if (expected < fields.size()) {
    const std::string_view key = fields[expected].key;
    if (static_cast<std::size_t>(end_ - at_) >= key.size() &&
        std::memcmp(at_, key.data(), key.size()) == 0) {
      at_ += key.size();
      skip_space();
      return expected;
    }
  }
  return find_any_field(fields);
}

std::size_t JsonReader::find_any_field(std::span<const Field> fields) {
  RawString raw;
  if (!scan_key(raw)) return no_field;
  key_ = raw.text;
  std::string unescaped;
  std::string_view name = raw.text;
  if (raw.has_escapes) {
    unescape_json(raw.text, unescaped);
    name = unescaped;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name() == name) return i;
  }
  return unknown_field;
}

bool JsonReader::read_unknown_member() {
  const std::string_view key = key_;
  if (options_.refuse_unknown_fields) {
    failure_.set(Code::invalid_argument, "unknown field (refuse_unknown_fields is on)");
    return failure_.in_key(key);
  }
  return skip_value() || failure_.in_key(key);
}

bool JsonReader::reset_absent(const Members& members, std::uint64_t seen, void* object) {
  for (std::size_t i = 0; i < members.fields.size(); ++i) {
    if ((seen >> i & 1) != 0) continue;
    const Field& field = members.fields[i];
    if (options_.require_all_fields && field.type->kind != Kind::optional) {
      failure_.set(Code::invalid_argument, "the field is missing (require_all_fields is on)");
      return failure_.in_field(field.name());
    }
    field.type->assign(static_cast<char*>(object) + field.offset,
                       static_cast<const char*>(members.defaults) + field.offset);
  }
  return true;
}

}  // namespace
}  // namespace impl

Status decode_json_as(std::string_view text, const Type& type, void* object,
                      const JsonLimits& limits, const JsonOptions& options) {
  impl::JsonReader reader(text, limits, options);
  if (reader.check_size() && reader.read_text(type, object)) return {};
  return reader.failure().status();
}

}  // namespace parley::codec
