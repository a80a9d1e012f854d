// Message: one unit of a conversation, as every framing reads and writes it. A call is answered by
// a reply with the same seq; a push is not answered.
//
// A plain value that belongs to one fiber at a time; its body may share blocks with others (Bytes).
//
//   Message call{.seq = 7, .type = MessageType::call, .method = "/math/add"};
//   call.body_codec = BodyCodec::json;
//   call.body = Bytes::from(R"({"a":1,"b":2})");
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/wire/metadata.h"

namespace parley::wire {

// The numbers are Teleport's.
enum class MessageType : std::uint8_t {
  call = 1,
  reply = 2,
  push = 3,
  auth_call = 4,   // the first message of a connection that must prove who it is
  auth_reply = 5,  // the answer to it
};

// "call"; "unknown" for a number that is no type.
std::string_view name_of(MessageType type) noexcept;
// The type of that number, or nothing.
std::optional<MessageType> message_type_of(std::uint32_t number) noexcept;

// How the body was written. The ids are Teleport's; a byte that is not listed here names a codec of
// the user's and passes through unchanged.
enum class BodyCodec : char {
  none = 0,
  json = 'j',
  protobuf = 'p',
  msgpack = 'm',  // Parley's own
  thrift = 't',
  xml = 'x',
  plain = 's',
  form = 'f',
};

// "json"; "other" for an id that is not listed above.
std::string_view name_of(BodyCodec codec) noexcept;

struct Message {
  // Chosen by the caller; a reply carries the number of its call.
  std::int32_t seq = 0;
  MessageType type = MessageType::call;
  // The name of the service method, "/math/add"; empty in a reply.
  std::string method{};
  // How it went: of interest in a reply, ok elsewhere.
  Status status{};
  Metadata metadata{};
  BodyCodec body_codec = BodyCodec::none;
  Bytes body{};

  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace parley::wire
