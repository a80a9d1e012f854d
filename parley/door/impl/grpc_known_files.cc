// The files of grpc.health.v1 and grpc.reflection, as everybody has them.
#include <array>
#include <string>
#include <utility>

#include "parley/door/impl/grpc_files.h"

namespace parley::door::impl {
namespace {

using codec::ProtoField;
using codec::ProtoFile;
using codec::ProtoKind;
using codec::ProtoLabel;
using codec::ProtoMessage;

ProtoField scalar(std::string name, std::int32_t number, ProtoKind type = ProtoKind::string) {
  std::string json_name;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_behind = i > 0 && name[i - 1] == '_';
    if (name[i] != '_') json_name += is_behind ? static_cast<char>(name[i] - 'a' + 'A') : name[i];
  }
  return {.name = std::move(name), .number = number, .type = type, .json_name = json_name};
}
ProtoField typed(std::string name, std::int32_t number, std::string type) {
  ProtoField field = scalar(std::move(name), number, ProtoKind::message);
  field.type_name = std::move(type);
  return field;
}
ProtoField several(ProtoField field) {
  field.label = ProtoLabel::repeated;
  return field;
}
// Behind `fields` those of a oneof.
ProtoMessage with_oneof(ProtoMessage message, std::string name, std::vector<ProtoField> choices) {
  for (ProtoField& each : choices) {
    each.oneof_index = 0;
    message.field.push_back(std::move(each));
  }
  message.oneof_decl = {{.name = std::move(name)}};
  return message;
}

ProtoFile health() {
  const std::string package = "grpc.health.v1";
  ProtoField status = typed("status", 1, ".grpc.health.v1.HealthCheckResponse.ServingStatus");
  status.type = ProtoKind::enumeration;
  return {.name = "grpc/health/v1/health.proto",
          .package = package,
          .message_type = {{.name = "HealthCheckRequest", .field = {scalar("service", 1)}},
                           {.name = "HealthCheckResponse",
                            .field = {status},
                            .enum_type = {{.name = "ServingStatus",
                                           .value = {{.name = "UNKNOWN", .number = 0},
                                                     {.name = "SERVING", .number = 1},
                                                     {.name = "NOT_SERVING", .number = 2},
                                                     {.name = "SERVICE_UNKNOWN", .number = 3}}}}}},
          .service = {{.name = "Health",
                       .method = {{.name = "Check",
                                   .input_type = ".grpc.health.v1.HealthCheckRequest",
                                   .output_type = ".grpc.health.v1.HealthCheckResponse"},
                                  {.name = "Watch",
                                   .input_type = ".grpc.health.v1.HealthCheckRequest",
                                   .output_type = ".grpc.health.v1.HealthCheckResponse",
                                   .server_streaming = true}}}}};
}

ProtoFile reflection(const std::string& version) {
  const std::string package = "grpc.reflection." + version;
  const std::string in = "." + package + ".";
  ProtoFile file{.name = "grpc/reflection/" + version + "/reflection.proto", .package = package};
  file.message_type = {
      with_oneof({.name = "ServerReflectionRequest", .field = {scalar("host", 1)}},
                 "message_request",
                 {scalar("file_by_filename", 3), scalar("file_containing_symbol", 4),
                  typed("file_containing_extension", 5, in + "ExtensionRequest"),
                  scalar("all_extension_numbers_of_type", 6), scalar("list_services", 7)}),
      {.name = "ExtensionRequest",
       .field = {scalar("containing_type", 1), scalar("extension_number", 2, ProtoKind::int32)}},
      with_oneof({.name = "ServerReflectionResponse",
                  .field = {scalar("valid_host", 1),
                            typed("original_request", 2, in + "ServerReflectionRequest")}},
                 "message_response",
                 {typed("file_descriptor_response", 4, in + "FileDescriptorResponse"),
                  typed("all_extension_numbers_response", 5, in + "ExtensionNumberResponse"),
                  typed("list_services_response", 6, in + "ListServiceResponse"),
                  typed("error_response", 7, in + "ErrorResponse")}),
      {.name = "FileDescriptorResponse",
       .field = {several(scalar("file_descriptor_proto", 1, ProtoKind::bytes))}},
      {.name = "ExtensionNumberResponse",
       .field = {scalar("base_type_name", 1),
                 several(scalar("extension_number", 2, ProtoKind::int32))}},
      {.name = "ListServiceResponse",
       .field = {several(typed("service", 1, in + "ServiceResponse"))}},
      {.name = "ServiceResponse", .field = {scalar("name", 1)}},
      {.name = "ErrorResponse",
       .field = {scalar("error_code", 1, ProtoKind::int32), scalar("error_message", 2)}}};
  file.service = {{.name = "ServerReflection",
                   .method = {{.name = "ServerReflectionInfo",
                               .input_type = in + "ServerReflectionRequest",
                               .output_type = in + "ServerReflectionResponse",
                               .client_streaming = true,
                               .server_streaming = true}}}};
  return file;
}

}  // namespace

const ProtoFile* known_file(std::string_view service) {
  static const std::array<ProtoFile, 3> all = {health(), reflection("v1"), reflection("v1alpha")};
  for (const ProtoFile& each : all) {
    if (service == each.package + "." + each.service[0].name) return &each;
  }
  return nullptr;
}

}  // namespace parley::door::impl
