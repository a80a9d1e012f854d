#include "parley/codec/protoc/impl/shape.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <map>

#include "parley/codec/impl/json_name.h"
#include "parley/codec/protoc/impl/comments.h"

namespace parley::protoc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

// The word for codec::Wire; empty for the usual one.
std::string wire_of(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      return "parley::codec::Wire::zigzag";
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_SFIXED64:
      return "parley::codec::Wire::fixed";
    default:
      return {};
  }
}

// The message that has the field in the .proto.
const Descriptor& home_of(const FieldDescriptor& field) {
  const Descriptor& type = *field.containing_type();
  return type.options().map_entry() ? *type.containing_type() : type;
}

std::string said(const char* what, const std::string& value) {
  return value.empty() ? "" : std::string(".") + what + "(" + value + ")";
}

// As a literal: what a json_name holds is up to whoever wrote it.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '?') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {  // always three digits, so that what follows is none of them
      out += '\\';
      for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + (byte >> shift & 7));
    }
  }
  return out + '"';
}

// A json_name of its own, quoted; empty where protobuf makes it of the name.
std::string json_name_of(const FieldDescriptor& field) {
  const bool is_usual = codec::impl::has_protobuf_json_name(field.name(), field.json_name());
  return is_usual ? "" : quoted(field.json_name());
}

std::string rules_of(const FieldDescriptor& field) {
  std::string rules =
      said("number", std::to_string(field.number())) + said("json_name", json_name_of(field));
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return rules + said("keys_encoded_as", wire_of(*entry.map_key())) +
           said("encoded_as", wire_of(*entry.map_value()));
  }
  rules += said("encoded_as", wire_of(field));
  if (field.is_packable() && !field.is_packed()) rules += ".unpacked()";
  return rules;
}

std::string zero_of(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return {};
    case FieldDescriptor::CPPTYPE_ENUM:
      return "{}";
    case FieldDescriptor::CPPTYPE_BOOL:
      return " = false";
    default:
      return " = 0";
  }
}

}  // namespace

Shape Shaper::shape_of(const Descriptor& message) {
  Scope scope;
  scope.reserve(names_.name_of(message));
  scope.reserve("parley");
  if (options_.keeps_unknown_fields) scope.reserve("unknown_fields");
  std::map<const void*, std::string> members;
  // Fields go before what we add.
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.real_containing_oneof() == nullptr) members[&field] = scope.take(field.name());
  }
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) {
    const OneofDescriptor& oneof = *message.oneof_decl(i);
    members[&oneof] = scope.take(oneof.name());
  }
  Shape shape;
  const auto add_alias = [&](const auto& inner) {
    shape.aliases.emplace_back(scope.take(inner.name()), names_.name_of(inner));
  };
  for (int i = 0; i < message.enum_type_count(); ++i) add_alias(*message.enum_type(i));
  for (int i = 0; i < message.nested_type_count(); ++i) {
    if (!message.nested_type(i)->options().map_entry()) add_alias(*message.nested_type(i));
  }
  std::map<const void*, std::string> places;
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) {
    places[message.oneof_decl(i)] = scope.take(message.oneof_decl(i)->name() + "_at");
  }
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const OneofDescriptor* const oneof = field.real_containing_oneof();
    if (oneof != nullptr && oneof->field(0) != &field) continue;
    Member member = oneof != nullptr ? member_for(*oneof, scope) : member_for(field, scope);
    member.name = oneof != nullptr ? members.at(oneof) : members.at(&field);
    if (oneof != nullptr) member.places = places.at(oneof);
    shape.members.push_back(std::move(member));
  }
  return shape;
}

Member Shaper::member_for(const FieldDescriptor& field, const Scope& scope) {
  Member member;
  member.proto_name = field.name();
  member.number = field.number();
  member.rules = rules_of(field);
  member.comment = comment_of(field, "  ");
  set_type(field, scope, member);
  return member;
}

void Shaper::set_type(const FieldDescriptor& field, const Scope& scope, Member& member) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    member.type = standard("map", "std::map<" + type_of(*entry.map_key(), scope) + ", " +
                                      type_of(*entry.map_value(), scope) + ">");
  } else if (field.is_repeated()) {
    member.type = standard("vector", "std::vector<" + type_of(field, scope) + ">");
  } else if (field.message_type() != nullptr && !is_time(field) && layout_.is_boxed(field)) {
    member.type = standard("memory", "std::unique_ptr<" + type_of(field, scope) + ">");
  } else if (field.has_presence()) {
    member.type = standard("optional", "std::optional<" + type_of(field, scope) + ">");
  } else {
    member.type = type_of(field, scope);
    member.initializer = zero_of(field);
  }
}

Member Shaper::member_for(const OneofDescriptor& oneof, const Scope& scope) {
  needs_.standard.insert("variant");
  needs_.standard.insert("cstddef");
  Member member;
  member.proto_name = oneof.name();
  member.comment = comment_of(oneof, "  ");
  member.type = "std::variant<std::monostate";
  member.rules = ".oneof({{}";
  member.number = oneof.field(0)->number();
  Scope inside;
  for (int i = 0; i < oneof.field_count(); ++i) {
    const FieldDescriptor& field = *oneof.field(i);
    member.number = std::min(member.number, field.number());
    std::string type = type_of(field, scope);
    if (field.message_type() != nullptr && !is_time(field) && layout_.is_boxed(field)) {
      type = standard("memory", "std::unique_ptr<" + type + ">");
    }
    member.type += ", " + type;
    const std::string json_name = json_name_of(field);
    std::string wire = wire_of(field);
    if (wire.empty() && !json_name.empty()) wire = "parley::codec::Wire::usual";
    member.rules += ", {\"" + field.name() + "\", " + std::to_string(field.number()) +
                    (wire.empty() ? "" : ", " + wire) +
                    (json_name.empty() ? "" : ", " + json_name) + "}";
    member.alternatives.push_back(
        {.name = inside.take(field.name()), .comment = comment_of(field, "    ")});
  }
  member.type += ">";
  member.rules += "})";
  return member;
}

std::string Shaper::type_of(const FieldDescriptor& field, const Scope& scope) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return "std::int32_t";
    case FieldDescriptor::CPPTYPE_INT64:
      return "std::int64_t";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "std::uint32_t";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "std::uint64_t";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "double";
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "float";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case FieldDescriptor::CPPTYPE_ENUM:
      return refer_to(*field.enum_type(), home_of(field), scope);
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_STRING) return standard("string", "std::string");
      needs_.standard.insert("cstddef");
      return standard("vector", "std::vector<std::byte>");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  if (!is_time(field)) return refer_to(*field.message_type(), home_of(field), scope);
  return standard("chrono", field.message_type()->name() == "Duration"
                                ? "std::chrono::nanoseconds"
                                : "std::chrono::sys_time<std::chrono::nanoseconds>");
}

bool Shaper::is_time(const FieldDescriptor& field) const {
  if (!options_.has_chrono_times || field.message_type() == nullptr) return false;
  const std::string& name = field.message_type()->full_name();
  return name == "google.protobuf.Timestamp" || name == "google.protobuf.Duration";
}

std::string Shaper::standard(const char* header, std::string type) {
  needs_.standard.insert(header);
  return type;
}

}  // namespace parley::protoc
