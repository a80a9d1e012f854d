// ProtoFile: a .proto file as data, in the messages that protobuf itself has for that
// (descriptor.proto): made from the tables of types, so that others can read what we send without
// a file of theirs; proto_of() of schema.h is its text.
//
// Pure functions: safe on every thread and fiber.
//
//   const ProtoService math{.name = "math", .methods = {{"add", shape}}};
//   const ProtoFile file = codec::proto_file({}, {&math, 1}, {.package = "tea", .name =
//   "tea.proto"}); std::string bytes = *codec::encode_protobuf(file);   // a FileDescriptorProto
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/reflect.h"
#include "parley/codec/signature.h"
#include "parley/codec/type.h"

namespace parley::codec {

// FieldDescriptorProto.Type
enum class ProtoKind : std::int32_t {
  float64 = 1,
  float32,
  int64,
  uint64,
  int32,
  fixed64,
  fixed32,
  boolean,
  string,
  group,
  message,
  bytes,
  uint32,
  enumeration,
  sfixed32,
  sfixed64,
  sint32,
  sint64,
};
// FieldDescriptorProto.Label
enum class ProtoLabel : std::int32_t { single = 1, required = 2, repeated = 3 };

struct ProtoFieldOptions {
  std::optional<bool> packed{};
};
struct ProtoField {
  std::string name{};
  std::string extendee{};
  std::int32_t number = 0;
  ProtoLabel label = ProtoLabel::single;
  ProtoKind type = ProtoKind::message;
  std::string type_name{};  // in full, behind a dot: ".shop.Order"
  std::optional<ProtoFieldOptions> options{};
  std::optional<std::int32_t> oneof_index{};
  std::string json_name{};
  bool proto3_optional = false;

  std::string comment{};  // of the text only
};

struct ProtoOneof {
  std::string name{};
};

struct ProtoEnumValue {
  std::string name{};
  std::optional<std::int32_t> number{};
};
struct ProtoEnumOptions {
  std::optional<bool> allow_alias{};
};
struct ProtoEnum {
  std::string name{};
  std::vector<ProtoEnumValue> value{};
  std::optional<ProtoEnumOptions> options{};

  // Of the text only: a number that has no place in 32 bits, by how many values are before it.
  std::multimap<std::size_t, std::string> beyond{};
};

struct ProtoMessageOptions {
  std::optional<bool> map_entry{};
};
struct ProtoMessage {
  std::string name{};
  std::vector<ProtoField> field{};
  std::vector<ProtoMessage> nested_type{};
  std::vector<ProtoEnum> enum_type{};
  std::vector<ProtoField> extension{};
  std::optional<ProtoMessageOptions> options{};
  std::vector<ProtoOneof> oneof_decl{};
};

struct ProtoMethod {
  std::string name{};
  std::string input_type{};
  std::string output_type{};
  bool client_streaming = false;
  bool server_streaming = false;

  std::string comment{};  // of the text only
};
struct ProtoServiceShown {
  std::string name{};
  std::vector<ProtoMethod> method{};
};

struct ProtoFile {
  std::string name{};
  std::string package{};
  std::vector<std::string> dependency{};
  std::vector<ProtoMessage> message_type{};
  std::vector<ProtoEnum> enum_type{};
  std::vector<ProtoServiceShown> service{};
  std::vector<ProtoField> extension{};
  std::string syntax = "proto3";

  // Not part of it. How many enums stand before each message in the text; and of what it depends on
  // the files of others (DescribedMessage::files).
  std::vector<std::size_t> enums_before{};
  std::map<std::string, std::string> described{};
};

// What proto_file() groups methods under.
struct ProtoServiceMethod {
  std::string name{};
  MethodShape shape{};
  // Of a stream: it reads one message only, it sends one only.
  bool takes_one = false;
  bool gives_one = false;
};
struct ProtoService {
  std::string name{};
  std::vector<ProtoServiceMethod> methods{};
};

struct ProtoFileInfo {
  std::string package = {};
  std::string name = {};
  // Names that no message and no enum may have besides those of the services.
  std::vector<std::string> reserved = {};
};

// The file that declares what `types` and `services` reach.
ProtoFile proto_file(std::span<const Type* const> types, std::span<const ProtoService> services,
                     const ProtoFileInfo& info);

// One of protobuf's own, by name: "google/protobuf/timestamp.proto". Those of well_known.h.
std::optional<ProtoFile> well_known_proto_file(std::string_view name);

// Its text, the name of the file aside.
std::string text_of(const ProtoFile& file);

}  // namespace parley::codec

template <>
inline constexpr auto parley::fields<parley::codec::ProtoFieldOptions> =
    parley::codec::field_rules<parley::codec::ProtoFieldOptions>(
        parley::codec::field<&parley::codec::ProtoFieldOptions::packed>().number(2));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoField> =
    parley::codec::field_table<parley::codec::ProtoField>(
        parley::codec::field<&parley::codec::ProtoField::name>().number(1),
        parley::codec::field<&parley::codec::ProtoField::extendee>().number(2),
        parley::codec::field<&parley::codec::ProtoField::number>().number(3),
        parley::codec::field<&parley::codec::ProtoField::label>().number(4),
        parley::codec::field<&parley::codec::ProtoField::type>().number(5),
        parley::codec::field<&parley::codec::ProtoField::type_name>().number(6),
        parley::codec::field<&parley::codec::ProtoField::options>().number(8),
        parley::codec::field<&parley::codec::ProtoField::oneof_index>().number(9),
        parley::codec::field<&parley::codec::ProtoField::json_name>().number(10),
        parley::codec::field<&parley::codec::ProtoField::proto3_optional>().number(17));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoEnumOptions> =
    parley::codec::field_rules<parley::codec::ProtoEnumOptions>(
        parley::codec::field<&parley::codec::ProtoEnumOptions::allow_alias>().number(2));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoEnum> =
    parley::codec::field_table<parley::codec::ProtoEnum>(
        parley::codec::field<&parley::codec::ProtoEnum::name>().number(1),
        parley::codec::field<&parley::codec::ProtoEnum::value>().number(2),
        parley::codec::field<&parley::codec::ProtoEnum::options>().number(3));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoMessageOptions> =
    parley::codec::field_rules<parley::codec::ProtoMessageOptions>(
        parley::codec::field<&parley::codec::ProtoMessageOptions::map_entry>().number(7));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoMessage> =
    parley::codec::field_table<parley::codec::ProtoMessage>(
        parley::codec::field<&parley::codec::ProtoMessage::name>().number(1),
        parley::codec::field<&parley::codec::ProtoMessage::field>().number(2),
        parley::codec::field<&parley::codec::ProtoMessage::nested_type>().number(3),
        parley::codec::field<&parley::codec::ProtoMessage::enum_type>().number(4),
        parley::codec::field<&parley::codec::ProtoMessage::extension>().number(6),
        parley::codec::field<&parley::codec::ProtoMessage::options>().number(7),
        parley::codec::field<&parley::codec::ProtoMessage::oneof_decl>().number(8));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoMethod> =
    parley::codec::field_table<parley::codec::ProtoMethod>(
        parley::codec::field<&parley::codec::ProtoMethod::name>().number(1),
        parley::codec::field<&parley::codec::ProtoMethod::input_type>().number(2),
        parley::codec::field<&parley::codec::ProtoMethod::output_type>().number(3),
        parley::codec::field<&parley::codec::ProtoMethod::client_streaming>().number(5),
        parley::codec::field<&parley::codec::ProtoMethod::server_streaming>().number(6));
template <>
inline constexpr auto parley::fields<parley::codec::ProtoFile> =
    parley::codec::field_table<parley::codec::ProtoFile>(
        parley::codec::field<&parley::codec::ProtoFile::name>().number(1),
        parley::codec::field<&parley::codec::ProtoFile::package>().number(2),
        parley::codec::field<&parley::codec::ProtoFile::dependency>().number(3),
        parley::codec::field<&parley::codec::ProtoFile::message_type>().number(4),
        parley::codec::field<&parley::codec::ProtoFile::enum_type>().number(5),
        parley::codec::field<&parley::codec::ProtoFile::service>().number(6),
        parley::codec::field<&parley::codec::ProtoFile::extension>().number(7),
        parley::codec::field<&parley::codec::ProtoFile::syntax>().number(12));
