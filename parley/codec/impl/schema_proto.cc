// A proto3 file as data: what encode_protobuf() writes, as others declare it.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "parley/codec/impl/named_types.h"
#include "parley/codec/impl/proto_names.h"
#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/protobuf_json.h"
#include "parley/codec/impl/protobuf_wire.h"
#include "parley/codec/proto_file.h"
#include "parley/codec/well_known.h"

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

// What protoc calls the entries of a map: "FooBarEntry" of foo_bar.
std::string entry_name(std::string_view field) {
  std::string out;
  bool begins = true;
  for (const char c : field) {
    if (c != '_') {
      out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    }
    begins = c == '_';
  }
  return out + "Entry";
}

bool has_alias(std::span<const EnumValue> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (values[i].value == values[k].value) return true;
    }
  }
  return false;
}

ProtoKind kind_of_integer(const Type& type, Wire wire) {
  const bool is_signed = impl::is_signed(type.kind);
  const bool is_long = type.size == 8;
  if (wire == Wire::fixed && is_signed) return is_long ? ProtoKind::sfixed64 : ProtoKind::sfixed32;
  if (wire == Wire::fixed) return is_long ? ProtoKind::fixed64 : ProtoKind::fixed32;
  if (wire == Wire::zigzag) return is_long ? ProtoKind::sint64 : ProtoKind::sint32;
  if (is_signed) return is_long ? ProtoKind::int64 : ProtoKind::int32;
  return is_long ? ProtoKind::uint64 : ProtoKind::uint32;
}

// Presence in proto3 is a oneof for itself, behind the others.
void declare_presence(ProtoMessage& message) {
  for (ProtoField& each : message.field) {
    if (!each.proto3_optional) continue;
    std::string name = "_" + each.name;
    const auto is_taken = [&] {
      return std::ranges::find(message.field, name, &ProtoField::name) != message.field.end() ||
             std::ranges::find(message.oneof_decl, name, &ProtoOneof::name) !=
                 message.oneof_decl.end();
    };
    while (is_taken()) name.insert(0, "X");
    each.oneof_index = static_cast<std::int32_t>(message.oneof_decl.size());
    message.oneof_decl.push_back({.name = std::move(name)});
  }
}

class ProtoBuilder {
 public:
  // `is_own`: the file is one of protobuf's, and declares their messages instead of importing them.
  ProtoBuilder(const ProtoFileInfo& info, bool is_own) : is_own_(is_own) {
    file_.name = info.name;
    file_.package = info.package;
    for (const std::string& name : info.reserved) types_.take_name(name);
  }

  void add(const Type& type) { types_.add(type); }
  std::string take_name(std::string_view wanted) { return types_.take_name(wanted); }

  // All messages and enums; wrappers that are found meanwhile come before what has them.
  void declare_all() {
    for (const Type* type : types_.types()) {
      if (is_imported(*type)) continue;
      if (type->kind == Kind::enumeration) {
        declare(enumeration(*type));
      } else {
        ProtoMessage message{.name = types_.name_of(*type)};
        put_members(message, type->members());
        declare(std::move(message));
      }
    }
  }

  // The message a whole value is: itself, or one that holds it as field 1.
  std::string whole(const Type& type, const std::string& wanted) {
    const Type& shape = resolved(type);
    if (shape.kind == Kind::structure) return name_of(shape);
    if (is_described(shape)) return name_of_described(shape);
    ProtoMessage message{.name = types_.take_name(wanted)};
    if (shape.kind == Kind::tuple) {
      put_members(message, shape.members());
    } else {
      put(message, shape, {.name = "value", .number = impl::only_number, .json_name = "value"}, {});
    }
    return declare(std::move(message));
  }
  std::string empty(const std::string& wanted) {
    return declare(ProtoMessage{.name = types_.take_name(wanted)});
  }

  void add_service(ProtoServiceShown service) { file_.service.push_back(std::move(service)); }

  ProtoFile finish() {
    file_.dependency.assign(imports_.begin(), imports_.end());
    return std::move(file_);
  }

 private:
  [[nodiscard]] std::string in_full(const std::string& name) const {
    return (file_.package.empty() ? "." : "." + file_.package + ".") + name;
  }
  std::string declare(ProtoMessage message) {
    declare_presence(message);
    file_.enums_before.push_back(file_.enum_type.size());
    file_.message_type.push_back(std::move(message));
    return in_full(file_.message_type.back().name);
  }
  void declare(ProtoEnum one) { file_.enum_type.push_back(std::move(one)); }

  [[nodiscard]] bool is_imported(const Type& type) const {
    return !is_own_ && type.well_known != WellKnown::none;
  }
  // Of a struct or an enum; protobuf's own are imported.
  std::string name_of(const Type& type) {
    if (!is_imported(type)) return in_full(types_.name_of(type));
    return import(import_of(type), type.name);
  }
  std::string import(const std::string& file, std::string_view name) {
    imports_.insert("google/protobuf/" + file + ".proto");
    return ".google.protobuf." + std::string(name);
  }
  static bool is_described(const Type& type) {
    return type.kind == Kind::bytes && type.bytes->is_message && type.bytes->describe != nullptr;
  }
  std::string name_of_described(const Type& type) {
    DescribedMessage message = type.bytes->describe();
    imports_.insert(message.file);
    file_.described.merge(message.files);
    return "." + message.name;
  }

  void put_members(ProtoMessage& message, const Members& members) {
    const auto fields = members.fields();
    impl::ProtoNames names;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Field& one = fields[i];
      const Rules* const rules = members.rules(i);
      if (rules != nullptr && rules->is_bound()) continue;  // it does not come from the body
      const bool in_oneof = one.variant != nullptr;
      if (in_oneof &&
          (i == 0 || fields[i - 1].variant == nullptr || fields[i - 1].offset != one.offset)) {
        message.oneof_decl.push_back({.name = names.take("choice_" + std::to_string(one.number))});
      }
      ProtoField field{.name = names.take(one.name.empty() ? "argument" + std::to_string(i + 1)
                                                           : impl::identifier_of(one.name)),
                       .number = static_cast<std::int32_t>(one.number),
                       .json_name = impl::protobuf_json_name(one, i)};
      if (one.is_unpacked) field.options = {.packed = false};
      if (rules != nullptr) field.comment = rules->description;
      const Wires wires{.value = one.wire, .key = one.key_wire, .is_unpacked = one.is_unpacked};
      if (in_oneof) {
        // In a oneof exactly one record stands: what takes several is wrapped.
        field.oneof_index = static_cast<std::int32_t>(message.oneof_decl.size()) - 1;
        say_single(field, *one.type, wires);
        message.field.push_back(std::move(field));
      } else {
        put(message, *one.type, std::move(field), wires, one.is_required);
      }
    }
  }

  void put(ProtoMessage& message, const Type& type, ProtoField field, Wires wires,
           bool is_required = false) {
    const Type& shape = resolved(type);
    switch (shape.kind) {
      case Kind::list:
      case Kind::array:
        field.label = ProtoLabel::repeated;
        say_single(field, *shape.element, wires);
        break;
      case Kind::map:
        field.label = ProtoLabel::repeated;
        say_map(message, field, shape, wires);
        break;
      case Kind::optional:
        field.proto3_optional = true;
        say_single(field, *shape.element, wires);
        break;
      default:
        field.proto3_optional = is_required;  // what must be there is told from zero
        say_single(field, shape, wires);
    }
    message.field.push_back(std::move(field));
  }

  // Where protobuf's map does not take the key, what a map is on the wire.
  void say_map(ProtoMessage& message, ProtoField& field, const Type& type, Wires wires) {
    const bool is_map = type.key->kind != Kind::enumeration;
    const auto known = entries_.find({&type, wires.value});
    if (!is_map && known != entries_.end()) {
      field.type_name = known->second;
      return;
    }
    ProtoMessage entry;
    ProtoField value{.name = "value", .number = impl::value_number, .json_name = "value"};
    say_single(value, *type.element, {.value = wires.value});
    ProtoField key{.name = "key", .number = impl::key_number, .json_name = "key"};
    say_scalar(key, *type.key, wires.key);
    entry.field = {std::move(key), std::move(value)};
    if (is_map) {
      entry.name = entry_name(field.name);
      entry.options = {.map_entry = true};
      field.type_name = in_full(message.name + "." + entry.name);
      message.nested_type.push_back(std::move(entry));
    } else {
      entry.name = types_.take_name(title(*type.element) + "By" + title(*type.key));
      field.type_name = declare(std::move(entry));
      entries_.emplace(std::pair(&type, wires.value), field.type_name);
    }
  }

  // The type of exactly one record.
  void say_single(ProtoField& field, const Type& type, Wires wires) {
    const Type& shape = resolved(type);
    switch (shape.kind) {
      case Kind::structure:
        field.type_name = name_of(shape);
        break;
      case Kind::duration:
        field.type_name = import("duration", "Duration");
        break;
      case Kind::instant:
        field.type_name = import("timestamp", "Timestamp");
        break;
      case Kind::tuple:
      case Kind::variant:
        field.type_name = wrapper(shape, wires);
        break;
      default:
        if (is_several(shape.kind)) {
          field.type_name = wrapper(shape, wires);
        } else {
          say_scalar(field, shape, wires.value);
        }
    }
  }

  void say_scalar(ProtoField& field, const Type& type, Wire wire) {
    switch (type.kind) {
      case Kind::boolean:
        field.type = ProtoKind::boolean;
        return;
      case Kind::float32:
        field.type = ProtoKind::float32;
        return;
      case Kind::float64:
        field.type = ProtoKind::float64;
        return;
      case Kind::string:
      case Kind::json:
        field.type = ProtoKind::string;
        return;
      case Kind::bytes:
        if (is_described(type)) {
          field.type_name = name_of_described(type);
        } else {
          field.type = type.bytes->is_text ? ProtoKind::string : ProtoKind::bytes;
        }
        return;
      case Kind::enumeration:
        field.type = ProtoKind::enumeration;
        field.type_name = name_of(type);
        return;
      default:
        field.type = kind_of_integer(type, wire);
    }
  }

  // A message for what has no form of its own where it stands; one for each type.
  std::string wrapper(const Type& type, Wires wires) {
    const auto key = std::pair(&type, std::pair(wires.value, wires.key));
    if (const auto known = wrappers_.find(key); known != wrappers_.end()) return known->second;
    ProtoMessage message{.name = types_.take_name(impl::identifier_of(title(type)))};
    wrappers_.emplace(key, in_full(message.name));
    if (type.kind == Kind::tuple) {
      put_members(message, type.members());
    } else if (type.kind == Kind::variant) {
      put_alternatives(message, *type.variant);
    } else {
      put(message, type, {.name = "value", .number = impl::only_number, .json_name = "value"},
          wires);
    }
    return declare(std::move(message));
  }

  void put_alternatives(ProtoMessage& message, const VariantOperations& variant) {
    message.oneof_decl.push_back({.name = "value"});
    impl::ProtoNames names;
    names.take("value");  // of the oneof
    for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
      const Alternative& one = variant.alternatives[i];
      if (one.type == nullptr) continue;
      ProtoField field{.name = names.take(impl::identifier_of(one.name)),
                       .number = static_cast<std::int32_t>(impl::number_of_alternative(variant, i)),
                       .oneof_index = 0};
      field.json_name = impl::protobuf_json_name(field.name);
      say_single(field, *one.type, {});
      message.field.push_back(std::move(field));
    }
    if (message.field.empty()) message.oneof_decl.clear();
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
  ProtoEnum enumeration(const Type& type) {
    ProtoEnum out{.name = types_.name_of(type)};
    const auto values = type.enumeration->values;
    const auto zero = std::ranges::find(values, 0, &EnumValue::value);
    if (has_alias(values)) out.options = {.allow_alias = true};
    put_value(out, zero == values.end() ? EnumValue{.name = "unspecified"} : *zero);
    for (const EnumValue& value : values) {
      if (zero == values.end() || &value != &*zero) put_value(out, value);
    }
    return out;
  }
  void put_value(ProtoEnum& out, const EnumValue& value) {
    const std::string own = upper_snake(impl::identifier_of(value.name));
    const std::string name = types_.take_name(is_own_ ? own : upper_snake(out.name) + '_' + own);
    if (std::in_range<std::int32_t>(value.value)) {
      out.value.push_back({.name = name, .number = static_cast<std::int32_t>(value.value)});
    } else {
      out.beyond.emplace(out.value.size(), name + " = " + std::to_string(value.value) + ';');
    }
  }

  const bool is_own_;
  ProtoFile file_;
  impl::NamedTypes types_;
  std::map<std::pair<const Type*, std::pair<Wire, Wire>>, std::string> wrappers_;
  std::map<std::pair<const Type*, Wire>, std::string> entries_;  // of maps whose key is an enum
  std::set<std::string> imports_;
};

ProtoMethod method_of(ProtoBuilder& builder, const ProtoServiceMethod& method) {
  const MethodShape& shape = method.shape;
  const Type* const body = shape.is_stream ? shape.parameters : body_type(shape.parameters);
  const std::string& name = method.name;
  return {.name = method.name,
          .input_type = body == nullptr ? builder.empty(name + "Request")
                                        : builder.whole(*body, name + "Request"),
          .output_type = shape.result == nullptr ? builder.empty(name + "Response")
                                                 : builder.whole(*shape.result, name + "Response"),
          .client_streaming = shape.is_stream && !method.takes_one,
          .server_streaming = shape.is_stream && !method.gives_one,
          .comment = shape.description};
}

}  // namespace

ProtoFile proto_file(std::span<const Type* const> types, std::span<const ProtoService> services,
                     const ProtoFileInfo& info) {
  ProtoBuilder builder(info, false);
  for (const ProtoService& service : services) builder.take_name(service.name);
  for (const Type* type : types) builder.add(*type);
  for (const ProtoService& service : services) {
    for (const ProtoServiceMethod& method : service.methods) {
      if (method.shape.parameters != nullptr) builder.add(*method.shape.parameters);
      if (method.shape.result != nullptr) builder.add(*method.shape.result);
    }
  }
  builder.declare_all();
  for (const ProtoService& service : services) {
    ProtoServiceShown shown{.name = service.name};
    for (const ProtoServiceMethod& method : service.methods) {
      shown.method.push_back(method_of(builder, method));
    }
    builder.add_service(std::move(shown));
  }
  return builder.finish();
}

std::optional<ProtoFile> well_known_proto_file(std::string_view name) {
  using namespace well_known;  // NOLINT(google-build-using-namespace): they are all of it
  static constexpr std::array all = {&type_of<Timestamp>(),   &type_of<well_known::Duration>(),
                                     &type_of<Any>(),         &type_of<Empty>(),
                                     &type_of<FieldMask>(),   &type_of<Struct>(),
                                     &type_of<ListValue>(),   &type_of<Value>(),
                                     &type_of<DoubleValue>(), &type_of<FloatValue>(),
                                     &type_of<Int64Value>(),  &type_of<UInt64Value>(),
                                     &type_of<Int32Value>(),  &type_of<UInt32Value>(),
                                     &type_of<BoolValue>(),   &type_of<StringValue>(),
                                     &type_of<BytesValue>()};
  ProtoBuilder builder({.package = "google.protobuf", .name = std::string(name)}, true);
  bool is_there = false;
  for (const Type* type : all) {
    if (name != "google/protobuf/" + import_of(*type) + ".proto") continue;
    is_there = true;
    builder.add(*type);
  }
  if (!is_there) return std::nullopt;
  builder.declare_all();
  return builder.finish();
}

}  // namespace parley::codec
