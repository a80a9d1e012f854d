#include "parley/wire/message.h"

namespace parley::wire {

std::string_view name_of(MessageType type) noexcept {
  switch (type) {
    case MessageType::call:
      return "call";
    case MessageType::reply:
      return "reply";
    case MessageType::push:
      return "push";
    case MessageType::auth_call:
      return "auth_call";
    case MessageType::auth_reply:
      return "auth_reply";
  }
  return "unknown";
}

std::optional<MessageType> message_type_of(std::uint32_t number) noexcept {
  if (number < static_cast<std::uint32_t>(MessageType::call) ||
      number > static_cast<std::uint32_t>(MessageType::auth_reply)) {
    return std::nullopt;
  }
  return static_cast<MessageType>(number);
}

std::string_view name_of(BodyCodec codec) noexcept {
  switch (codec) {
    case BodyCodec::none:
      return "none";
    case BodyCodec::json:
      return "json";
    case BodyCodec::protobuf:
      return "protobuf";
    case BodyCodec::msgpack:
      return "msgpack";
    case BodyCodec::thrift:
      return "thrift";
    case BodyCodec::xml:
      return "xml";
    case BodyCodec::plain:
      return "plain";
    case BodyCodec::form:
      return "form";
  }
  return "other";
}

}  // namespace parley::wire
