// A proto3 file as text.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/json_name.h"
#include "parley/codec/impl/named_types.h"
#include "parley/codec/impl/proto_names.h"
#include "parley/codec/proto_file.h"
#include "parley/codec/schema.h"

namespace parley::codec {
namespace {

class ProtoText {
 public:
  explicit ProtoText(const ProtoFile& file) : file_(file) {}

  std::string write() {
    text_ = "syntax = \"proto3\";\n\n";
    if (!file_.package.empty()) text_ += "package " + file_.package + ";\n\n";
    for (const std::string& other : file_.dependency) text_ += "import \"" + other + "\";\n";
    if (!file_.dependency.empty()) text_ += '\n';
    std::size_t enums = 0;
    for (std::size_t i = 0; i < file_.message_type.size(); ++i) {
      const bool is_told = i < file_.enums_before.size();
      while (is_told && enums < file_.enums_before[i]) put(file_.enum_type[enums++]);
      put(file_.message_type[i]);
    }
    while (enums < file_.enum_type.size()) put(file_.enum_type[enums++]);
    for (const ProtoServiceShown& service : file_.service) put(service);
    return std::move(text_);
  }

 private:
  void put(const ProtoMessage& message) {
    text_ += "message " + message.name + " {\n";
    std::optional<std::int32_t> open;
    for (const ProtoField& field : message.field) {
      const auto oneof = field.proto3_optional ? std::nullopt : field.oneof_index;
      if (open != oneof) {
        if (open) text_ += "  }\n";
        if (oneof) {
          const auto index = static_cast<std::size_t>(*oneof);
          text_ += "  oneof " + message.oneof_decl[index].name + " {\n";
        }
        open = oneof;
      }
      const std::string indent = oneof ? "    " : "  ";
      text_ += impl::comment_of(field.comment, indent + "// ");
      text_ += indent + type_of_field(message, field) + ' ' + field.name + " = " +
               std::to_string(field.number) + options_of(field) + ";\n";
    }
    if (open) text_ += "  }\n";
    text_ += "}\n\n";
  }

  [[nodiscard]] std::string type_of_field(const ProtoMessage& message,
                                          const ProtoField& field) const {
    const std::string type = single(field);
    if (field.proto3_optional) return "optional " + type;
    if (field.label != ProtoLabel::repeated) return type;
    for (const ProtoMessage& nested : message.nested_type) {
      if (type != message.name + "." + nested.name) continue;
      return "map<" + single(nested.field[0]) + ", " + single(nested.field[1]) + '>';
    }
    return "repeated " + type;
  }

  [[nodiscard]] std::string single(const ProtoField& field) const {
    static constexpr std::string_view names[] = {
        "",        "double",   "float",    "int64",  "uint64", "int32", "fixed64",
        "fixed32", "bool",     "string",   "group",  "",       "bytes", "uint32",
        "",        "sfixed32", "sfixed64", "sint32", "sint64"};
    if (!field.type_name.empty()) return shortened(field.type_name);
    return std::string(names[static_cast<std::size_t>(field.type)]);
  }

  // Without what is around it here: the dot, and the package of this file.
  [[nodiscard]] std::string shortened(std::string_view name) const {
    name.remove_prefix(1);
    const std::string here = file_.package.empty() ? "" : file_.package + ".";
    if (name.starts_with(here)) name.remove_prefix(here.size());
    return std::string(name);
  }

  // The name in JSON where it is not the one that protobuf would make of its name.
  static std::string options_of(const ProtoField& field) {
    std::string options = field.options ? "packed = false" : "";
    if (field.json_name != impl::protobuf_json_name(field.name)) {
      if (!options.empty()) options += ", ";
      options += "json_name = \"" + impl::escaped_json(field.json_name) + '"';
    }
    return options.empty() ? "" : " [" + options + ']';
  }

  void put(const ProtoEnum& one) {
    text_ += "enum " + one.name + " {\n";
    if (one.options) text_ += "  option allow_alias = true;\n";
    for (std::size_t i = 0; i <= one.value.size(); ++i) {
      const auto [first, last] = one.beyond.equal_range(i);
      for (auto at = first; at != last; ++at) {
        text_ += "  // Enums of protobuf have 32 bits: " + at->second + '\n';
      }
      if (i == one.value.size()) break;
      text_ += "  " + one.value[i].name + " = " + std::to_string(one.value[i].number.value_or(0)) +
               ";\n";
    }
    text_ += "}\n\n";
  }

  void put(const ProtoServiceShown& service) {
    text_ += "service " + service.name + " {\n";
    for (const ProtoMethod& method : service.method) {
      text_ += impl::comment_of(method.comment, "  // ");
      text_ += "  rpc " + method.name + '(' + (method.client_streaming ? "stream " : "") +
               shortened(method.input_type) + ") returns (" +
               (method.server_streaming ? "stream " : "") + shortened(method.output_type) + ");\n";
    }
    text_ += "}\n";
  }

  const ProtoFile& file_;
  std::string text_;
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

std::string text_of(const ProtoFile& file) { return ProtoText(file).write(); }

std::string proto_of(std::span<const Type* const> types, std::span<const MethodShape> methods,
                     const SchemaInfo& info) {
  ProtoService service{.name = impl::identifier_of(info.service)};
  impl::ProtoNames names;
  for (const MethodShape& method : methods) {
    service.methods.push_back({.name = names.take(method_name(method.name)), .shape = method});
  }
  // Its name is taken also where there is none.
  ProtoFileInfo own{.package = info.package};
  if (methods.empty()) own.reserved.push_back(service.name);
  return text_of(proto_file(types, {&service, methods.empty() ? 0U : 1U}, own));
}

}  // namespace parley::codec
