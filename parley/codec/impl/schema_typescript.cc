// TypeScript types of the JSON that is sent.
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/named_types.h"
#include "parley/codec/schema.h"

namespace parley::codec {
namespace {

std::string quoted(std::string_view text) { return '"' + impl::escaped_json(text) + '"'; }

// A property's name as TypeScript takes it: in quotes unless it is an identifier.
std::string property_name(std::string_view name) {
  return impl::identifier_of(name) == name ? std::string(name) : quoted(name);
}

class TypescriptWriter {
 public:
  TypescriptWriter() {
    for (const char* name :
         {"Array", "Methods", "Record", "any", "bigint", "boolean", "never", "null", "number",
          "object", "string", "symbol", "undefined", "unknown", "void"}) {
      types_.take_name(name);
    }
  }

  void add(const Type& type) { types_.add(type); }

  [[nodiscard]] std::string type(const Type& type) const {
    switch (type.kind) {
      case Kind::boolean:
        return "boolean";
      case Kind::string:
      case Kind::bytes:
      case Kind::duration:
      case Kind::instant:
        return "string";
      case Kind::json:
        return "unknown";
      case Kind::enumeration:
      case Kind::structure:
        return types_.name_of(type);
      case Kind::optional:
        return this->type(*type.element) + " | null";
      case Kind::list:
        return "Array<" + this->type(*type.element) + '>';
      case Kind::array:
        return array(type);
      case Kind::tuple: {
        std::string out;
        for (const Field& field : type.members().fields()) {
          out += (out.empty() ? "" : ", ") + this->type(*field.type);
        }
        return '[' + out + ']';
      }
      case Kind::map:
        return "Record<string, " + this->type(*type.element) + '>';
      case Kind::variant:
        return variant(*type.variant);
      case Kind::represented:
        return this->type(*type.element);
      default:
        return "number";
    }
  }

  [[nodiscard]] std::string declarations() const {
    std::string out;
    for (const Type* type : types_.types()) {
      out += type->kind == Kind::enumeration ? enumeration(*type) : structure(*type);
    }
    return out;
  }

 private:
  // Short ones as tuples, of which TypeScript checks the length.
  [[nodiscard]] std::string array(const Type& type) const {
    constexpr std::size_t most = 16;
    const std::string element = this->type(*type.element);
    if (type.count > most) return "Array<" + element + '>';
    std::string out;
    for (std::size_t i = 0; i < type.count; ++i) out += (i == 0 ? "" : ", ") + element;
    return '[' + out + ']';
  }

  [[nodiscard]] std::string variant(const VariantOperations& operations) const {
    std::string out;
    for (const Alternative& alternative : operations.alternatives) {
      out += out.empty() ? "" : " | ";
      out += alternative.type == nullptr
                 ? "null"
                 : "{ " + property_name(alternative.name) + ": " + type(*alternative.type) + " }";
    }
    return out;
  }

  [[nodiscard]] std::string enumeration(const Type& type) const {
    std::string out;
    for (const EnumValue& value : type.enumeration->values) out += quoted(value.name) + " | ";
    return "export type " + types_.name_of(type) + " = " + out + "number;\n\n";
  }

  // Of a flattened variant one alternative may be there, so that all are optional.
  [[nodiscard]] std::string structure(const Type& type) const {
    std::string out = "export interface " + types_.name_of(type) + " {\n";
    const Members& members = type.members();
    for (std::size_t i = 0; i < members.fields().size(); ++i) {
      const Field& field = members.fields()[i];
      const Rules* const rules = members.rules(i);
      if (rules != nullptr && rules->is_bound()) continue;  // it does not come from the body
      if (rules != nullptr) out += impl::comment_of(rules->description, "  // ");
      const bool may_lack = field.variant != nullptr || field.type->kind == Kind::optional;
      const bool is_wide = field.type->kind == Kind::int64 || field.type->kind == Kind::uint64;
      out += "  " + property_name(field.name) + (may_lack ? "?: " : ": ") +
             this->type(*field.type) + ';' + (is_wide ? "  // 64 bits\n" : "\n");
    }
    return out + "}\n\n";
  }

  impl::NamedTypes types_;
};

std::string signature(const TypescriptWriter& types, const MethodShape& method) {
  std::string out = impl::comment_of(method.description, "  // ");
  out += "  " + quoted(method.name) + '(';
  std::size_t number = 0;
  if (method.parameters != nullptr) {
    for (const Field& field : method.parameters->members().fields()) {
      out += (number == 0 ? "" : ", ");
      const std::string unnamed = "argument" + std::to_string(++number);
      out += (field.name.empty() ? unnamed : impl::identifier_of(field.name)) + ": " +
             types.type(*field.type);
    }
  }
  return out + "): " + (method.result == nullptr ? "void" : types.type(*method.result)) + ";\n";
}

}  // namespace

std::string typescript_of(std::span<const Type* const> types,
                          std::span<const MethodShape> methods) {
  TypescriptWriter writer;
  for (const Type* type : types) writer.add(*type);
  for (const MethodShape& method : methods) {
    if (method.parameters != nullptr) writer.add(*method.parameters);
    if (method.result != nullptr) writer.add(*method.result);
  }
  std::string out = writer.declarations();
  if (!methods.empty()) {
    out += "export interface Methods {\n";
    for (const MethodShape& method : methods) out += signature(writer, method);
    out += "}\n";
  }
  return out;
}

}  // namespace parley::codec
