// A proto3 file: what encode_protobuf() writes, as others declare it.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/named_types.h"
#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/schema.h"

namespace parley::codec {
namespace {

using impl::is_several;
using impl::resolved;
using impl::Wires;

// "OrderLine" as "ORDER_LINE": the values of an enum share one scope with those of its neighbours.
std::string upper_snake(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool begins =
        std::isupper(c) != 0 && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (begins) out += '_';
    out += static_cast<char>(std::toupper(c));
  }
  return out;
}

// Which of protobuf's files has this message of well_known.h.
std::string import_of(const Type& type) {
  switch (type.well_known) {
    case WellKnown::plain_message:
      return "empty";
    case WellKnown::timestamp:
      return "timestamp";
    case WellKnown::duration:
      return "duration";
    case WellKnown::any:
      return "any";
    case WellKnown::field_mask:
      return "field_mask";
    case WellKnown::what_it_holds:
      return type.name == "Struct" || type.name == "ListValue" ? "struct" : "wrappers";
    default:
      return "struct";
  }
}

// The names in one message. Also as JSON has them, without underscores, no two may be alike.
class Names {
 public:
  std::string take(const std::string& wanted) {
    std::string name = wanted;
    for (int number = 2; !taken_.insert(plain(name)).second; ++number) {
      name = wanted + std::to_string(number);
    }
    return name;
  }

 private:
  static std::string plain(std::string_view name) {
    std::string out;
    for (const char c : name) {
      if (c != '_') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
  }

  std::set<std::string> taken_;
};

class ProtoWriter {
 public:
  void add(const Type& type) { types_.add(type); }

  // All messages and enums; wrappers that are found while writing come last.
  std::string messages() {
    for (const Type* type : types_.types()) {
      if (type->well_known != WellKnown::none) continue;
      text_ += type->kind == Kind::enumeration ? enumeration(*type) : message(*type);
    }
    return text_;
  }

  // The message a whole value is: itself, or one that holds it as field 1.
  std::string whole(const Type& type, const std::string& wanted) {
    const Type& shape = resolved(type);
    if (shape.kind == Kind::structure) return name_of(shape);
    const std::string name = types_.take_name(wanted);
    if (shape.kind == Kind::tuple) {
      text_ += declare(name, members(shape.members()));
    } else {
      text_ += declare(name, field(shape, "value", impl::only_number, {}));
    }
    return name;
  }
  std::string empty(const std::string& wanted) {
    const std::string name = types_.take_name(wanted);
    text_ += declare(name, "");
    return name;
  }
  std::string take_name(std::string_view wanted) { return types_.take_name(wanted); }
  [[nodiscard]] const std::string& text() const { return text_; }

  // The names of protobuf's own files that are needed.
  [[nodiscard]] const std::set<std::string>& imports() const { return imports_; }

 private:
  static std::string declare(const std::string& name, const std::string& body) {
    return "message " + name + " {\n" + body + "}\n\n";
  }

  // Of a struct or an enum; protobuf's own are imported.
  std::string name_of(const Type& type) {
    if (type.well_known == WellKnown::none) return types_.name_of(type);
    imports_.insert(import_of(type));
    return "google.protobuf." + std::string(type.name);
  }

  std::string message(const Type& type) {
    return declare(types_.name_of(type), members(type.members()));
  }

  std::string members(const Members& members) {
    std::string out;
    const auto fields = members.fields();
    Names names;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Field& one = fields[i];
      const Rules* const rules = members.rules(i);
      if (rules != nullptr && rules->is_bound()) continue;  // it does not come from the body
      const bool in_oneof = one.variant != nullptr;
      const auto is_with = [&](std::size_t k) {
        return k < fields.size() && fields[k].variant != nullptr && fields[k].offset == one.offset;
      };
      if (in_oneof && (i == 0 || !is_with(i - 1))) {
        out += "  oneof " + names.take("choice_" + std::to_string(one.number)) + " {\n";
      }
      const std::string name = names.take(one.name.empty() ? "argument" + std::to_string(i + 1)
                                                           : impl::identifier_of(one.name));
      const Wires wires{.value = one.wire, .key = one.key_wire, .is_unpacked = one.is_unpacked};
      if (rules != nullptr) {
        out += impl::comment_of(rules->description, in_oneof ? "    // " : "  // ");
      }
      // In a oneof exactly one record stands: what takes several is wrapped.
      const std::string options = options_of(fields, i, name);
      out += in_oneof ? "    " + single(*one.type, wires) + ' ' + name + " = " +
                            std::to_string(one.number) + options + ";\n"
                      : field(*one.type, name, one.number, wires, one.is_required, options);
      if (in_oneof && !is_with(i + 1)) out += "  }\n";
    }
    return out;
  }

  // The name in JSON where it is not the one that protobuf would make of `name`.
  static std::string options_of(std::span<const Field> fields, std::size_t index,
                                const std::string& name) {
    const std::string json_name = impl::protobuf_json_name(fields[index], index);
    std::string options = fields[index].is_unpacked ? "packed = false" : "";
    if (json_name != impl::protobuf_json_name(name)) {
      if (!options.empty()) options += ", ";
      options += "json_name = \"" + impl::escaped_json(json_name) + '"';
    }
    return options.empty() ? "" : " [" + options + ']';
  }

  std::string field(const Type& type, const std::string& name, std::uint32_t number, Wires wires,
                    bool is_required = false, const std::string& options = {}) {
    const Type& shape = resolved(type);
    std::string declared;
    switch (shape.kind) {
      case Kind::list:
      case Kind::array:
        declared = "repeated " + single(*shape.element, wires);
        break;
      case Kind::map:
        declared = map(shape, wires);
        break;
      case Kind::optional:
        declared = "optional " + single(*shape.element, wires);
        break;
      default:
        // What must be there is told from zero.
        declared = (is_required ? "optional " : "") + single(shape, wires);
    }
    return "  " + declared + ' ' + name + " = " + std::to_string(number) + options + ";\n";
  }

  // Where protobuf's map does not take the key, what a map is on the wire.
  std::string map(const Type& type, Wires wires) {
    const std::string value = single(*type.element, {.value = wires.value});
    const std::string key = scalar(*type.key, wires.key);
    if (type.key->kind != Kind::enumeration) return "map<" + key + ", " + value + '>';
    const auto known = entries_.find({&type, wires.value});
    if (known != entries_.end()) return "repeated " + known->second;
    const std::string name = types_.take_name(title(*type.element) + "By" + title(*type.key));
    entries_.emplace(std::pair(&type, wires.value), name);
    text_ += declare(name, "  " + key + " key = " + std::to_string(impl::key_number) + ";\n  " +
                               value + " value = " + std::to_string(impl::value_number) + ";\n");
    return "repeated " + name;
  }

  // The type of exactly one record.
  std::string single(const Type& type, Wires wires) {
    const Type& shape = resolved(type);
    if (is_several(shape.kind)) return wrapper(shape, wires);
    switch (shape.kind) {
      case Kind::structure:
        return name_of(shape);
      case Kind::tuple:
      case Kind::variant:
        return wrapper(shape, wires);
      case Kind::duration:
        imports_.insert("duration");
        return "google.protobuf.Duration";
      case Kind::instant:
        imports_.insert("timestamp");
        return "google.protobuf.Timestamp";
      default:
        return scalar(shape, wires.value);
    }
  }

  std::string scalar(const Type& type, Wire wire) {
    switch (type.kind) {
      case Kind::boolean:
        return "bool";
      case Kind::float32:
        return "float";
      case Kind::float64:
        return "double";
      case Kind::string:
      case Kind::json:
        return "string";
      case Kind::bytes:
        return type.bytes->is_text ? "string" : "bytes";
      case Kind::enumeration:
        return name_of(type);
      default: {
        const std::string bits = type.size == 8 ? "64" : "32";
        if (wire == Wire::fixed) return (impl::is_signed(type.kind) ? "sfixed" : "fixed") + bits;
        if (wire == Wire::zigzag) return "sint" + bits;
        return (impl::is_signed(type.kind) ? "int" : "uint") + bits;
      }
    }
  }

  // A message for what has no form of its own where it stands; one for each type.
  std::string wrapper(const Type& type, Wires wires) {
    const auto key = std::pair(&type, std::pair(wires.value, wires.key));
    if (const auto known = wrappers_.find(key); known != wrappers_.end()) return known->second;
    const std::string name = types_.take_name(impl::identifier_of(title(type)));
    wrappers_.emplace(key, name);
    std::string body;
    if (type.kind == Kind::tuple) {
      body = members(type.members());
    } else if (type.kind == Kind::variant) {
      body = "  oneof value {\n" + alternatives(*type.variant) + "  }\n";
    } else {
      body = field(type, "value", impl::only_number, wires);
    }
    text_ += declare(name, body);
    return name;
  }

  std::string alternatives(const VariantOperations& variant) {
    std::string out;
    Names names;
    names.take("value");  // of the oneof
    for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
      const Alternative& one = variant.alternatives[i];
      if (one.type == nullptr) continue;
      out += "    " + single(*one.type, {}) + ' ' + names.take(impl::identifier_of(one.name)) +
             " = " + std::to_string(impl::number_of_alternative(variant, i)) + ";\n";
    }
    return out;
  }

  // What a wrapper is called: after what it holds.
  [[nodiscard]] std::string title(const Type& type) const {
    const Type& shape = resolved(type);
    switch (shape.kind) {
      case Kind::structure:
      case Kind::enumeration:
        return types_.name_of(shape);
      case Kind::list:
      case Kind::array:
        return title(*shape.element) + "List";
      case Kind::map:
        return title(*shape.element) + "Map";
      case Kind::optional:
        return "Optional" + title(*shape.element);
      case Kind::tuple:
        return "Tuple";
      case Kind::variant:
        return "Variant";
      default: {
        std::string name(impl::name_of_alternative(shape.kind));
        name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
        return name;
      }
    }
  }

  // proto3 wants a first value of 0, and names that nothing else in the file has.
  std::string enumeration(const Type& type) {
    const std::string& name = types_.name_of(type);
    const auto values = type.enumeration->values;
    const auto zero = std::ranges::find(values, 0, &EnumValue::value);
    std::string out = "enum " + name + " {\n";
    if (has_alias(values)) out += "  option allow_alias = true;\n";
    out += enum_value(name, zero == values.end() ? EnumValue{.name = "unspecified"} : *zero);
    for (const EnumValue& value : values) {
      if (zero == values.end() || &value != &*zero) out += enum_value(name, value);
    }
    return out + "}\n\n";
  }
  std::string enum_value(const std::string& enum_name, const EnumValue& value) {
    const std::string name = types_.take_name(upper_snake(enum_name) + '_' +
                                              upper_snake(impl::identifier_of(value.name)));
    const std::string line = name + " = " + std::to_string(value.value) + ';';
    const bool fits = value.value >= std::numeric_limits<std::int32_t>::min() &&
                      value.value <= std::numeric_limits<std::int32_t>::max();
    return fits ? "  " + line + '\n' : "  // Enums of protobuf have 32 bits: " + line + '\n';
  }
  static bool has_alias(std::span<const EnumValue> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (values[i].value == values[k].value) return true;
      }
    }
    return false;
  }

  impl::NamedTypes types_;
  std::map<std::pair<const Type*, std::pair<Wire, Wire>>, std::string> wrappers_;
  std::map<std::pair<const Type*, Wire>, std::string> entries_;  // of maps whose key is an enum
  std::string text_;
  std::set<std::string> imports_;
};

// "/order/place" as "OrderPlace".
std::string method_name(std::string_view name) {
  std::string out;
  bool begins = true;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      begins = true;
      continue;
    }
    out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = false;
  }
  return impl::identifier_of(out);
}

}  // namespace

std::string proto_of(std::span<const Type* const> types, std::span<const MethodShape> methods,
                     const SchemaInfo& info) {
  ProtoWriter writer;
  const std::string service_name = writer.take_name(impl::identifier_of(info.service));
  for (const Type* type : types) writer.add(*type);
  for (const MethodShape& method : methods) {
    if (method.parameters != nullptr) writer.add(*method.parameters);
    if (method.result != nullptr) writer.add(*method.result);
  }
  writer.messages();
  std::string service;
  Names names;
  for (const MethodShape& method : methods) {
    const std::string name = names.take(method_name(method.name));
    const Type* const body = body_type(method.parameters);
    const std::string in =
        body == nullptr ? writer.empty(name + "Request") : writer.whole(*body, name + "Request");
    const std::string out = method.result == nullptr
                                ? writer.empty(name + "Response")
                                : writer.whole(*method.result, name + "Response");
    service += impl::comment_of(method.description, "  // ");
    service += "  rpc " + name + '(' + in + ") returns (" + out + ");\n";
  }
  std::string out = "syntax = \"proto3\";\n\n";
  if (!info.package.empty()) out += "package " + info.package + ";\n\n";
  for (const std::string& file : writer.imports()) {
    out += "import \"google/protobuf/" + file + ".proto\";\n";
  }
  if (!writer.imports().empty()) out += '\n';
  out += writer.text();
  if (!methods.empty()) out += "service " + service_name + " {\n" + service + "}\n";
  return out;
}

}  // namespace parley::codec
