#include "parley/codec/impl/schema_rules.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/json.h"

namespace parley::codec::impl {
namespace {

// What an optional holds, and what travels in place of the type.
const Type& shown(const Type& type) {
  const Type* shape = &type;
  while (shape->kind == Kind::optional || shape->kind == Kind::represented) shape = shape->element;
  return *shape;
}

std::string text_of(const Bound& bound) {
  switch (bound.what) {
    case Bound::What::integer:
      return std::to_string(bound.integer);
    case Bound::What::natural:
      return std::to_string(bound.natural);
    case Bound::What::real:
      return encode_json(bound.real).value_or("null");
    case Bound::What::none:
      break;
  }
  return {};
}

void add(std::string& keywords, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  keywords += (keywords.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
}

void add_sizes(std::string& keywords, const char* least, const char* most, std::size_t min,
               std::size_t max) {
  if (min != 0) add(keywords, least, std::to_string(min));
  if (max != Rules::any_length) add(keywords, most, std::to_string(max));
}

std::string not_zero(const Type& type) {
  switch (type.kind) {
    case Kind::string:
    case Kind::bytes:
      return "\"minLength\":1";
    case Kind::list:
      return "\"minItems\":1";
    case Kind::map:
      return "\"minProperties\":1";
    case Kind::duration:
      return R"("not":{"const":"0s"})";
    case Kind::instant:
      return R"("not":{"const":"1970-01-01T00:00:00Z"})";
    case Kind::enumeration: {
      const auto values = type.enumeration->values;
      const auto zero = std::ranges::find(values, 0, &EnumValue::value);
      return "\"not\":{\"enum\":[0" +
             (zero == values.end() ? "" : ",\"" + escaped_json(zero->name) + '"') + "]}";
    }
    default:
      return R"("not":{"const":0})";
  }
}

// Of one value: number or text.
std::string of_value(const Rules& rules, const Type& type) {
  std::string keywords;
  add(keywords, "minimum", text_of(rules.min));
  add(keywords, "maximum", text_of(rules.max));
  const bool is_text =
      type.kind == Kind::string || (type.kind == Kind::bytes && type.bytes->is_text);
  if (rules.unit == Unit::characters) {
    add_sizes(keywords, "minLength", "maxLength", rules.min_length, rules.max_length);
  } else if (rules.unit == Unit::bytes && is_text) {
    // A character has one to four bytes.
    add_sizes(keywords, "minLength", "maxLength", (rules.min_length + 3) / 4, rules.max_length);
  }
  if (!rules.pattern.empty()) add(keywords, "pattern", '"' + escaped_json(rules.pattern) + '"');
  return keywords;
}

}  // namespace

void add_rules(const Rules& rules, const Type& type, std::string& schema) {
  const Type& shape = shown(type);
  const bool is_list = shape.kind == Kind::list || shape.kind == Kind::array;
  std::string keywords = of_value(rules, is_list ? shown(*shape.element) : shape);
  if (is_list && !keywords.empty()) keywords = "\"items\":{" + keywords + '}';
  if (shape.kind == Kind::map) {
    add_sizes(keywords, "minProperties", "maxProperties", rules.min_elements, rules.max_elements);
  } else {
    add_sizes(keywords, "minItems", "maxItems", rules.min_elements, rules.max_elements);
  }
  schema.pop_back();
  const auto add_member = [&](const std::string& member) {
    if (schema != "{") schema += ',';
    schema += member;
  };
  // Beside those of the type, which has a range of its own.
  std::string all = keywords.empty() ? keywords : '{' + keywords + '}';
  if (rules.is_non_zero) all += (all.empty() ? "{" : ",{") + not_zero(shape) + '}';
  if (!all.empty()) add_member("\"allOf\":[" + all + ']');
  if (!rules.description.empty()) {
    add_member("\"description\":\"" + escaped_json(rules.description) + '"');
  }
  schema += '}';
}

}  // namespace parley::codec::impl
