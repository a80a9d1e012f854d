// JSON Schema and OpenAPI.
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/named_types.h"
#include "parley/codec/impl/schema_rules.h"
#include "parley/codec/json.h"
#include "parley/codec/schema.h"

namespace parley::codec {
namespace {

std::string quoted(std::string_view text) { return '"' + impl::escaped_json(text) + '"'; }

class SchemaWriter {
 public:
  // `place` is where the definitions stand: "#/$defs/". OpenAPI also has words for XML.
  SchemaWriter(std::string_view place, bool is_openapi) : place_(place), is_openapi_(is_openapi) {}

  void add(const Type& type) { types_.add(type); }

  // The schema of a value, with structs and enums by reference.
  [[nodiscard]] std::string schema(const Type& type) const {
    switch (type.kind) {
      case Kind::boolean:
        return R"({"type":"boolean"})";
      case Kind::float32:
        return R"({"type":"number","format":"float"})";
      case Kind::float64:
        return R"({"type":"number","format":"double"})";
      case Kind::string:
        return R"({"type":"string"})";
      case Kind::bytes:
        return type.bytes->is_text ? R"({"type":"string"})"
                                   : R"({"type":"string","contentEncoding":"base64"})";
      case Kind::json:
        return "{}";
      case Kind::duration:
        return R"({"type":"string","pattern":"^-?[0-9]+(\\.[0-9]{1,9})?s$"})";
      case Kind::instant:
        return R"({"type":"string","format":"date-time"})";
      case Kind::enumeration:
      case Kind::structure:
        return "{\"$ref\":" + quoted(place_ + types_.name_of(type)) + '}';
      case Kind::optional:
        return "{\"anyOf\":[" + schema(*type.element) + R"(,{"type":"null"}]})";
      case Kind::list:
        return R"({"type":"array","items":)" + schema(*type.element) + '}';
      case Kind::array:
        return R"({"type":"array","items":)" + schema(*type.element) + sizes(type.count) + '}';
      case Kind::tuple:
        return tuple(type);
      case Kind::map:
        return map(type);
      case Kind::variant:
        return variant(*type.variant);
      case Kind::represented:
        return schema(*type.element);
      default:
        return integer(type.kind);
    }
  }

  // "Name":{...}, of all structs and enums.
  [[nodiscard]] std::string definitions() const {
    std::string out;
    for (const Type* type : types_.types()) {
      if (!out.empty()) out += ',';
      out += quoted(types_.name_of(*type)) + ':' +
             (type->kind == Kind::enumeration ? enumeration(*type) : structure(*type));
    }
    return out;
  }

 private:
  static std::string sizes(std::size_t count) {
    const std::string number = std::to_string(count);
    return ",\"minItems\":" + number + ",\"maxItems\":" + number;
  }

  static std::string integer(Kind kind) {
    if (kind == Kind::int64) return R"({"type":"integer","format":"int64"})";
    if (kind == Kind::uint64) return R"({"type":"integer","format":"uint64","minimum":0})";
    const impl::IntegerRange& range = impl::range_of(kind);
    return R"({"type":"integer","minimum":)" + std::string(range.min == 0 ? "" : "-") +
           std::to_string(range.min) + ",\"maximum\":" + std::to_string(range.max) + '}';
  }

  [[nodiscard]] std::string tuple(const Type& type) const {
    const auto fields = type.members().fields();
    if (fields.empty()) return R"({"type":"array","maxItems":0})";
    std::string items;
    for (const Field& field : fields) items += (items.empty() ? "" : ",") + schema(*field.type);
    const std::string list = R"({"type":"array","prefixItems":[)" + items + "],\"items\":false" +
                             sizes(fields.size()) + '}';
    if (!type.members().are_parameters()) return list;
    return "{\"anyOf\":[" + by_name(fields) + ',' + list + "]}";
  }

  // Arguments with names, of which an optional one may be absent.
  [[nodiscard]] std::string by_name(std::span<const Field> fields) const {
    std::string properties;
    std::string required;
    for (const Field& field : fields) {
      properties +=
          (properties.empty() ? "" : ",") + quoted(field.name) + ':' + schema(*field.type);
      if (field.type->kind == Kind::optional) continue;
      required += (required.empty() ? "" : ",") + quoted(field.name);
    }
    return R"({"type":"object","properties":{)" + properties + "},\"required\":[" + required + "]}";
  }

  [[nodiscard]] std::string map(const Type& type) const {
    std::string names;
    if (type.key->kind == Kind::boolean) {
      names = R"(,"propertyNames":{"enum":["true","false"]})";
    } else if (type.key->kind != Kind::string && type.key->kind != Kind::enumeration) {
      names = R"(,"propertyNames":{"pattern":"^-?(0|[1-9][0-9]*)$"})";
    }
    return R"({"type":"object","additionalProperties":)" + schema(*type.element) + names + '}';
  }

  [[nodiscard]] std::string variant(const VariantOperations& operations) const {
    std::string choices;
    for (const Alternative& alternative : operations.alternatives) {
      if (!choices.empty()) choices += ',';
      if (alternative.type == nullptr) {
        choices += R"({"type":"null"})";
        continue;
      }
      const std::string name = quoted(alternative.name);
      choices += R"({"type":"object","properties":{)" + name + ':' + schema(*alternative.type) +
                 "},\"required\":[" + name + "],\"additionalProperties\":false}";
    }
    return "{\"oneOf\":[" + choices + "]}";
  }

  // By name, and by number where it has none.
  static std::string enumeration(const Type& type) {
    std::string names;
    for (const EnumValue& value : type.enumeration->values) {
      names += (names.empty() ? "" : ",") + quoted(value.name);
    }
    const std::string number = integer(type.element->kind);
    return names.empty() ? number : "{\"anyOf\":[{\"enum\":[" + names + "]}," + number + "]}";
  }

  [[nodiscard]] std::string structure(const Type& type) const {
    const Members& members = type.members();
    std::string properties;
    std::string required;
    std::string choices;
    for (std::size_t i = 0; i < members.fields().size(); ++i) {
      const Field& field = members.fields()[i];
      const Rules* const rules = members.rules(i);
      // What is bound does not come from the body.
      if (rules != nullptr && rules->is_bound()) continue;
      if (!properties.empty()) properties += ',';
      properties += quoted(field.name) + ':' + property(members, field, rules);
      if (field.is_required) required += (required.empty() ? "" : ",") + quoted(field.name);
    }
    for (std::size_t i = 0; i < members.fields().size(); ++i) {
      const std::string one = choice(members, i);
      if (!one.empty()) choices += (choices.empty() ? "" : ",") + one;
    }
    std::string out = "{\"type\":\"object\",\"properties\":{" + properties + '}';
    if (!required.empty()) out += ",\"required\":[" + required + ']';
    if (!choices.empty()) out += ",\"allOf\":[" + choices + ']';
    if (members.on_unknown() == OnUnknown::refuse) out += ",\"additionalProperties\":false";
    return out + '}';
  }

  // At most one of the alternatives of the flattened variant that begins at field `first`; empty
  // when none begins there.
  static std::string choice(const Members& members, std::size_t first) {
    const auto fields = members.fields();
    const Field& field = fields[first];
    const auto belongs = [&](const Field& other) {
      return other.variant != nullptr && other.offset == field.offset;
    };
    if (field.variant == nullptr || (first > 0 && belongs(fields[first - 1]))) return {};
    std::string none;
    std::string each;
    for (std::size_t i = first; i < fields.size() && belongs(fields[i]); ++i) {
      const std::string one = "{\"required\":[" + quoted(fields[i].name) + "]}";
      none += (none.empty() ? "" : ",") + one;
      each += ',' + one;
    }
    return "{\"oneOf\":[{\"not\":{\"anyOf\":[" + none + "]}}" + each + "]}";
  }

  // With its rules, its place in XML, and the value it has when it is absent, where there is one to
  // show.
  [[nodiscard]] std::string property(const Members& members, const Field& field,
                                     const Rules* rules) const {
    std::string out = schema(*field.type);
    if (rules != nullptr) impl::add_rules(*rules, *field.type, out);
    if (is_openapi_ && field.xml == XmlPlace::attribute) {
      add(R"("xml":{"name":)" + quoted(field.name) + R"(,"attribute":true})", out);
    }
    if (field.variant != nullptr || field.is_required || members.defaults() == nullptr) return out;
    std::string text;
    const auto* const value = static_cast<const char*>(members.defaults()) + field.offset;
    if (!encode_json_as(text, *field.type, value).is_ok() || text == "null") return out;
    add("\"default\":" + text, out);
    return out;
  }

  // One more keyword in a schema.
  static void add(const std::string& keyword, std::string& schema) {
    schema.pop_back();
    if (schema != "{") schema += ',';
    schema += keyword + '}';
  }

  std::string place_;
  bool is_openapi_;
  impl::NamedTypes types_;
};

// The names in braces in a path, as in "/user/{id}".
std::set<std::string_view> parts_of(std::string_view path) {
  std::set<std::string_view> parts;
  for (;;) {
    const std::size_t start = path.find('{');
    const std::size_t end = path.find('}', start);
    if (end == std::string_view::npos) return parts;
    parts.insert(path.substr(start + 1, end - start - 1));
    path.remove_prefix(end + 1);
  }
}

std::string parameter(std::string_view name, std::string_view place, bool is_required,
                      const std::string& schema) {
  return "{\"name\":" + quoted(name) + ",\"in\":\"" + std::string(place) +
         "\",\"required\":" + (is_required ? "true" : "false") + ",\"schema\":" + schema + '}';
}

// Those of the fields that are bound to what HTTP has a place for.
std::vector<std::string> bound_parameters(const SchemaWriter& schemas, const Type* body,
                                          std::set<std::string_view>& parts) {
  std::vector<std::string> out;
  if (body == nullptr || (body->kind != Kind::structure && body->kind != Kind::tuple)) return out;
  const Members& members = body->members();
  for (std::size_t i = 0; i < members.fields().size(); ++i) {
    const Field& field = members.fields()[i];
    const Rules* const rules = members.rules(i);
    for (const auto& [source, place] : {std::pair(Source::path, "path"),
                                        {Source::query, "query"},
                                        {Source::metadata, "header"}}) {
      if (rules == nullptr || !rules->binding(source).is_there) continue;
      std::string_view name = rules->binding(source).name;
      if (name.empty()) name = field.name;
      // What the path has no part for cannot come from it.
      if (source == Source::path && parts.erase(name) == 0) continue;
      std::string schema = schemas.schema(*field.type);
      impl::add_rules(*rules, *field.type, schema);
      // A part of the path is always there.
      const bool is_required = source == Source::path || rules->is_required;
      out.push_back(parameter(name, place, is_required, schema));
      break;  // the others may take its place, which OpenAPI cannot say
    }
  }
  return out;
}

// All there are of a method: each part of its path is one.
std::string parameters_of(const SchemaWriter& schemas, const MethodShape& method) {
  std::set<std::string_view> parts = parts_of(method.name);
  std::string out;
  for (const std::string& one : bound_parameters(schemas, body_type(method.parameters), parts)) {
    out += (out.empty() ? "" : ",") + one;
  }
  for (const std::string_view name : parts) {
    out += (out.empty() ? "" : ",") + parameter(name, "path", true, R"({"type":"string"})");
  }
  return out.empty() ? out : ",\"parameters\":[" + out + ']';
}

std::string operation(const SchemaWriter& schemas, const MethodShape& method,
                      const std::string& id) {
  std::string out = "{\"post\":{\"operationId\":" + quoted(id);
  if (!method.description.empty()) out += ",\"description\":" + quoted(method.description);
  const Type* const body = body_type(method.parameters);
  out += parameters_of(schemas, method);
  if (body != nullptr) {
    out += R"(,"requestBody":{"required":true,"content":{"application/json":{"schema":)" +
           schemas.schema(*body) + "}}}";
  }
  out += R"(,"responses":{"200":{"description":"the result")";
  if (method.result != nullptr) {
    out += R"(,"content":{"application/json":{"schema":)" + schemas.schema(*method.result) + "}}";
  }
  return out + "}}}}";
}

}  // namespace

std::string json_schema_of(const Type& type) {
  SchemaWriter schemas("#/$defs/", false);
  schemas.add(type);
  std::string out = schemas.schema(type);
  out.erase(0, 1);
  const std::string definitions = schemas.definitions();
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema")" +
         std::string(out == "}" ? "" : ",") + out.substr(0, out.size() - 1) +
         (definitions.empty() ? "" : ",\"$defs\":{" + definitions + '}') + '}';
}

std::string openapi_of(std::span<const MethodShape> methods, const SchemaInfo& info) {
  SchemaWriter schemas("#/components/schemas/", true);
  for (const MethodShape& method : methods) {
    if (method.parameters != nullptr) schemas.add(*method.parameters);
    if (method.result != nullptr) schemas.add(*method.result);
  }
  std::string paths;
  impl::NamedTypes ids;
  for (const MethodShape& method : methods) {
    const std::string id = ids.take_name(impl::identifier_of(method.name));
    paths += (paths.empty() ? "" : ",") + quoted(method.name) + ':';
    paths += operation(schemas, method, id);
  }
  return R"({"openapi":"3.1.0","info":{"title":)" + quoted(info.title) +
         ",\"version\":" + quoted(info.version) + "},\"paths\":{" + paths +
         "},\"components\":{\"schemas\":{" + schemas.definitions() + "}}}";
}

}  // namespace parley::codec
