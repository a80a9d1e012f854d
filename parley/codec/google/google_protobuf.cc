#include "parley/codec/google/google_protobuf.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <limits>
#include <map>

namespace parley::codec {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t most_bytes = std::numeric_limits<int>::max();

Status too_many_bytes(std::size_t size, std::size_t most) {
  return {Code::resource_exhausted, "$: a message of " + std::to_string(size) +
                                        " bytes is longer than max_bytes (" + std::to_string(most) +
                                        ")"};
}

// A field that the type of the message, or of one in it, does not know; 0 when there is none.
int unknown_field_in(const Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) return unknown.field(0).number();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inner = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                  : reflection.GetMessage(message, field);
      if (const int number = unknown_field_in(inner)) return number;
    }
  }
  return 0;
}

void add_file(const google::protobuf::FileDescriptor& file,
              std::map<std::string, std::string>& files) {
  if (files.contains(std::string(file.name()))) return;
  google::protobuf::FileDescriptorProto described;
  file.CopyTo(&described);
  file.CopyJsonNameTo(&described);
  files.emplace(file.name(), described.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) add_file(*file.dependency(i), files);
}

}  // namespace

DescribedMessage describe_google(const google::protobuf::Descriptor& type) {
  DescribedMessage message;
  message.name = type.full_name();
  message.file = type.file()->name();
  add_file(*type.file(), message.files);
  return message;
}

Status encode_google(std::string& out, const Message& message) {
  if (!message.IsInitialized()) {
    return {Code::invalid_argument, "$: " + message.GetTypeName() + " lacks required fields: " +
                                        message.InitializationErrorString()};
  }
  const std::size_t size = message.ByteSizeLong();
  if (size > most_bytes) return too_many_bytes(size, most_bytes);
  const std::size_t start = out.size();
  if (message.AppendPartialToString(&out)) return {};
  out.resize(start);
  return {Code::internal, "$: " + message.GetTypeName() + " could not be written by libprotobuf"};
}

Status decode_google(std::string_view bytes, Message& message, const Limits& limits,
                     const ProtobufOptions& options) {
  const std::size_t most = std::min(limits.max_bytes, most_bytes);
  if (bytes.size() > most) return too_many_bytes(bytes.size(), most);
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  if (limits.max_depth == 0) return {Code::resource_exhausted, "$: max_depth is 0"};
  // It counts the messages in a message.
  const std::size_t depth = std::min(limits.max_depth, std::size_t{1} << 20);
  input.SetRecursionLimit(static_cast<int>(depth) - 1);
  if (!message.ParsePartialFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    return {Code::invalid_argument, "$: these bytes are no " + message.GetTypeName() +
                                        ", or nest deeper than max_depth (" +
                                        std::to_string(limits.max_depth) + ")"};
  }
  if (!message.IsInitialized()) {
    return {Code::invalid_argument, "$: " + message.GetTypeName() + " lacks required fields: " +
                                        message.InitializationErrorString()};
  }
  if (!options.refuse_unknown_fields) return {};
  const int number = unknown_field_in(message);
  if (number == 0) return {};
  return {Code::invalid_argument,
          "$: unknown field " + std::to_string(number) + " (refuse_unknown_fields is on)"};
}

}  // namespace parley::codec
