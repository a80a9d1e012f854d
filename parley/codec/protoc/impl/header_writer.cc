#include "parley/codec/protoc/impl/header_writer.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "parley/codec/protoc/impl/comments.h"

namespace parley::protoc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

bool is_proto3(const FileDescriptor& file) {
  return file.syntax() == FileDescriptor::SYNTAX_PROTO3;
}

// Those of the file first, then those in each message.
std::vector<const EnumDescriptor*> enums_of(const FileDescriptor& file) {
  std::vector<const EnumDescriptor*> enums;
  for (int i = 0; i < file.enum_type_count(); ++i) enums.push_back(file.enum_type(i));
  for (const Descriptor* message : messages_of(file)) {
    for (int i = 0; i < message->enum_type_count(); ++i) enums.push_back(message->enum_type(i));
  }
  return enums;
}

// The names of files come from outside.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\\'; }, '?');
  return text;
}

}  // namespace

bool HeaderWriter::write(std::string& header, std::string& error, std::string& warnings) {
  if (!check(error)) return false;
  if (Names::is_well_known(file_)) {
    needs_.files.insert(&file_);
    header = head() + "\n// NOLINTEND\n";
    return true;
  }
  for (const EnumDescriptor* type : enums_of(file_)) {
    write_enum(*type);
    write_enum_names(*type);
  }
  order_ = layout_.ordered(file_);
  for (const Descriptor* message : order_) {
    declarations_ += "struct " + names_.name_of(*message) + ";\n";
  }
  if (!order_.empty()) declarations_ += '\n';
  for (const Descriptor* message : order_) write_message(*message);
  declarations_ += comparisons_;
  for (int i = 0; i < file_.service_count(); ++i) write_service(*file_.service(i), warnings);
  write_extensions();
  header = head();
  const std::string outer = names_.namespace_of(file_);
  const bool has_namespace = !outer.empty() && !declarations_.empty();
  if (has_namespace) header += "\nnamespace " + outer + " {\n";
  if (!declarations_.empty()) header += '\n' + declarations_;
  if (has_namespace) header += "}  // namespace " + outer + '\n';
  if (!tables_.empty()) header += "\n// Names and numbers.\n" + tables_;
  header += "\n// NOLINTEND\n";
  return true;
}

bool HeaderWriter::check(std::string& error) const {
  if (!is_proto3(file_)) {
    error =
        "this file is proto2, and protoc-gen-parley reads proto3 only: required fields, defaults "
        "and groups have no counterpart here. If it uses none, begin it with syntax = \"proto3\";";
    return false;
  }
  return std::ranges::all_of(messages_of(file_), [&](const Descriptor* message) {
    return check_message(*message, error);
  });
}

// protoc itself looks only for clashes among the names it makes.
bool HeaderWriter::check_json_names(const Descriptor& message, std::string& error) {
  std::map<std::string, const FieldDescriptor*> fields;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const auto [found, is_new] = fields.emplace(field.json_name(), &field);
    if (is_new) continue;
    error = "the fields " + found->second->name() + " and " + field.name() + " of " +
            message.full_name() + " are both called \"" + field.json_name() +
            "\" in JSON, and could not be told apart there: give one of them another json_name";
    return false;
  }
  return true;
}

bool HeaderWriter::check_message(const Descriptor& message, std::string& error) const {
  if (!check_json_names(message, error)) return false;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const Descriptor* type = field.message_type();
    if (field.is_map()) type = type->map_value()->message_type();
    if (type == nullptr || is_proto3(*type->file())) continue;
    error = "the field " + field.full_name() + " has the type " + type->full_name() + " of " +
            type->file()->name() + ", which is proto2: protoc-gen-parley reads proto3 only";
    return false;
  }
  return true;
}

void HeaderWriter::write_enum(const EnumDescriptor& type) {
  Scope scope;
  declarations_ +=
      comment_of(type, "") + "enum class " + names_.name_of(type) + " : std::int32_t {\n";
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    declarations_ += comment_of(value, "  ");
    declarations_ +=
        "  " + scope.take(value.name()) + " = " + std::to_string(value.number()) + ",\n";
  }
  declarations_ += "};\n\n";
}

void HeaderWriter::write_enum_names(const EnumDescriptor& type) {
  const std::string name = names_.full_name_of(type);
  Scope scope;
  tables_ += "template <>\ninline constexpr auto parley::enum_names<" + name +
             "> =\n    parley::codec::names_of_enum<" + name + ">({\n";
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string& value = type.value(i)->name();
    tables_ += "        {" + name + "::" + scope.take(value) + ", \"" + value + "\"},\n";
  }
  tables_ += "    });\n";
}

void HeaderWriter::write_message(const Descriptor& message) {
  const Shape shape = shaper_.shape_of(message);
  const std::string& name = names_.name_of(message);
  const std::string said = comment_of(message, "");
  declarations_ += said;
  const bool is_movable_only = layout_.holds_pointers(message);
  if (is_movable_only) {
    declarations_ += said.empty() ? "" : "//\n";
    declarations_ += comment(
        "Holds itself, by way of pointers: can be moved, but neither copied nor compared.", "");
  }
  declarations_ += "struct " + name + " {\n";
  for (const auto& [alias, type] : shape.aliases) {
    declarations_ += "  using " + alias + " = " + type + ";\n";
  }
  if (!shape.aliases.empty() && !shape.members.empty()) declarations_ += '\n';
  for (const Member& member : shape.members) {
    write_member(member, &member == shape.members.data());
  }
  if (options_.keeps_unknown_fields) {
    declarations_ += "  parley::codec::UnknownFields unknown_fields;\n";
  }
  if (!is_movable_only) write_comparison(message, shape);
  declarations_ += "};\n\n";
  write_fields(message, shape);
}

void HeaderWriter::write_member(const Member& member, bool is_first) {
  const bool is_spoken_of = !member.comment.empty() || !member.places.empty();
  if (is_spoken_of && !is_first) declarations_ += '\n';
  if (!member.places.empty()) {
    declarations_ += "  // Where the alternatives of `" + member.name + "` stand.\n  struct " +
                     member.places + " {\n";
    for (std::size_t i = 0; i < member.alternatives.size(); ++i) {
      declarations_ += member.alternatives[i].comment + "    static constexpr std::size_t " +
                       member.alternatives[i].name + " = " + std::to_string(i + 1) + ";\n";
    }
    declarations_ += "  };\n";
  }
  declarations_ +=
      member.comment + "  " + member.type + ' ' + member.name + member.initializer + ";\n";
}

// Where what it has in lists is not complete yet, compilers cannot say what a defaulted one does.
void HeaderWriter::write_comparison(const Descriptor& message, const Shape& shape) {
  const std::string& name = names_.name_of(message);
  const std::string parameter = "const " + name + "&";
  if (!declarations_.ends_with("{\n")) declarations_ += '\n';
  declarations_ += "  friend bool operator==(" + parameter + ", " + parameter + ")";
  if (!Layout::leads_on(message, order_)) {
    declarations_ += " = default;\n";
    return;
  }
  declarations_ += ";\n";
  comparisons_ += "inline bool operator==(" + parameter + " a, " + parameter + " b) {\n";
  const auto compare = [&](const std::string& member) {
    comparisons_ += "  if (!(a." + member + " == b." + member + ")) return false;\n";
  };
  for (const Member& member : shape.members) compare(member.name);
  if (options_.keeps_unknown_fields) compare("unknown_fields");
  comparisons_ += "  return true;\n}\n\n";
}

void HeaderWriter::write_fields(const Descriptor& message, const Shape& shape) {
  const std::string name = names_.full_name_of(message);
  // As protobuf writes them.
  std::vector<const Member*> members;
  for (const Member& member : shape.members) members.push_back(&member);
  std::ranges::sort(members, {}, &Member::number);
  tables_ += "template <>\ninline constexpr auto parley::fields<" + name +
             "> =\n    parley::codec::field_table<" + name + ">(";
  const char* separator = "\n        ";
  for (const Member* member : members) {
    tables_ += separator + ("parley::codec::field<&" + name + "::" + member->name) + ">(\"" +
               member->proto_name + "\")" + member->rules;
    separator = ",\n        ";
  }
  if (options_.keeps_unknown_fields) {
    tables_ += separator + ("parley::codec::field<&" + name + "::unknown_fields>()");
  }
  tables_ += ");\n";
}

void HeaderWriter::write_service(const ServiceDescriptor& service, std::string& warnings) {
  needs_.standard.insert("string_view");
  const std::string& name = names_.name_of(service);
  Scope scope;
  scope.reserve(name);
  scope.reserve("parley");
  std::vector<std::string> functions;
  for (int i = 0; i < service.method_count(); ++i) {
    functions.push_back(scope.take(service.method(i)->name()));
  }
  declarations_ += comment_of(service, "");
  declarations_ += "class " + name + " {\n public:\n  static constexpr std::string_view " +
                   scope.take("full_name") + " = \"" + service.full_name() + "\";\n\n  virtual ~" +
                   name + "() = default;\n";
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    declarations_ += '\n' + comment_of(method, "  ");
    if (method.client_streaming() || method.server_streaming()) {
      declarations_ += comment(method.name() +
                                   " is left out: it streams, and there are no streams "
                                   "here yet.",
                               "  ");
      warnings += file_.name() + ": warning: " + method.full_name() +
                  " is left out: it streams, and there are no streams here yet\n";
      continue;
    }
    declarations_ += "  virtual parley::Result<" +
                     shaper_.refer_to(*method.output_type(), service, scope) + "> " +
                     functions[static_cast<std::size_t>(i)] + "(const " +
                     shaper_.refer_to(*method.input_type(), service, scope) + "& request) = 0;\n";
  }
  declarations_ += "};\n\n";
}

void HeaderWriter::write_extensions() {
  int count = file_.extension_count();
  for (const Descriptor* message : messages_of(file_)) count += message->extension_count();
  if (count == 0) return;
  declarations_ +=
      comment("Left out: " + std::to_string(count) + (count == 1 ? " extension" : " extensions") +
                  ". In proto3 they are options for compilers, not data.",
              "") +
      '\n';
}

std::string HeaderWriter::head() {
  std::string text = "// Generated by protoc-gen-parley from " + on_one_line(file_.name()) +
                     "; do not edit.\n" + head_comment(file_) +
                     "// clang-format off\n// NOLINTBEGIN\n#pragma once\n\n";
  needs_.standard.insert("cstdint");
  for (const std::string& header : needs_.standard) text += "#include <" + header + ">\n";
  text += '\n';
  std::set<std::string> headers = {"parley/codec/fields.h"};
  if (file_.service_count() > 0) headers.insert("parley/base/result.h");
  for (const FileDescriptor* file : needs_.files) headers.insert(Names::header_of(*file));
  for (int i = 0; i < file_.public_dependency_count(); ++i) {
    const FileDescriptor& file = *file_.public_dependency(i);
    if (is_proto3(file)) headers.insert(Names::header_of(file));
  }
  for (const std::string& header : headers) text += "#include \"" + header + "\"\n";
  return text;
}

}  // namespace parley::protoc
