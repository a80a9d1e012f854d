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
    case MessageType::open:
      return "open";
    case MessageType::data:
      return "data";
    case MessageType::end:
      return "end";
    case MessageType::cancel:
      return "cancel";
    case MessageType::credit:
      return "credit";
    case MessageType::part:
      return "part";
    case MessageType::ping:
      return "ping";
    case MessageType::pong:
      return "pong";
    case MessageType::go_away:
      return "go_away";
    case MessageType::hello:
      return "hello";
  }
  return "unknown";
}

std::optional<MessageType> teleport_type_of(std::uint32_t number) noexcept {
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

bool is_of_own_exchange(const Message& message) noexcept {
  switch (message.type) {
    case MessageType::reply:
    case MessageType::auth_reply:
      return false;
    case MessageType::data:
    case MessageType::end:
    case MessageType::credit:
    case MessageType::part:
      return message.own;
    default:
      return true;
  }
}

bool operator==(const Message& a, const Message& b) {
  return a.seq == b.seq && a.type == b.type && a.body_codec == b.body_codec && a.own == b.own &&
         a.more == b.more && a.is_refused == b.is_refused && a.timeout == b.timeout &&
         a.value == b.value && a.is_filtered == b.is_filtered && a.filters == b.filters &&
         a.method == b.method && a.status == b.status && a.metadata == b.metadata &&
         a.body == b.body;
}

}  // namespace parley::wire
