// Message: one unit of a conversation, as every framing reads and writes it. A call is answered by
// a reply with the same seq; a push is not answered.
//
// A value that belongs to one fiber at a time; its body may share blocks with others (Bytes). Its
// method is a view, so that no name is copied for each message: see there.
//
//   Message call{.seq = 7, .type = MessageType::call, .method = "/math/add"};
//   call.body_codec = BodyCodec::json;
//   call.body = Bytes::from(R"({"a":1,"b":2})");
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/status.h"
#include "parley/wire/filter_pipe.h"
#include "parley/wire/metadata.h"

namespace parley::wire {

// The first five are Teleport's, with its numbers; the others are the parley framing's alone.
enum class MessageType : std::uint8_t {
  call = 1,
  reply = 2,
  push = 3,
  auth_call = 4,   // the first message of a connection that must prove who it is
  auth_reply = 5,  // the answer to it
  open = 6,        // begins a stream
  data = 7,        // a message on a stream
  end = 8,         // no more of them from this side
  cancel = 9,      // nobody waits for the answer, or reads the stream, any more
  credit = 10,     // so many bytes more may come
  part = 11,       // more of a body; decoders put them together themselves
  ping = 12,
  pong = 13,
  go_away = 14,  // the session is about to end
  hello = 15,    // what the other side takes: Decoder::settings()
};

// "call"; "unknown" for a number that is no type.
std::string_view name_of(MessageType type) noexcept;
// Teleport's type of that number, 1 to 5, or nothing.
std::optional<MessageType> teleport_type_of(std::uint32_t number) noexcept;

// How the body was written. The ids are Teleport's; a byte that is not listed here names a codec of
// the user's and passes through unchanged, in the parley framing below 0x80: it refuses the others.
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
  // Chosen by the caller; a reply carries the number of its call, what is said on a stream the
  // number of its open. 0 where there is none.
  std::int32_t seq = 0;
  MessageType type = MessageType::call;
  // The name of the service method, "/math/add"; empty in a reply. In a message to be sent it shows
  // the sender's text. In one that was read it is valid as long as the message (or a copy of it)
  // and the decoder both are.
  std::string_view method{};
  // How it went: of interest in a reply and an end, ok elsewhere.
  Status status{};
  Metadata metadata{};
  BodyCodec body_codec = BodyCodec::none;
  // Of what is said on a stream: it was opened by the sender of this message.
  bool own = false;
  // The body does not end here, parts follow. Only encoders see it set.
  bool more = false;
  // The body was too large and is gone, as `status` says. Only decoders set it.
  bool is_refused = false;
  // The body is what came out of `filters`, and has to go back through them to be read (filter.h).
  // Set where a framing carries bodies so: Encoder::takes_filtered_bodies().
  bool is_filtered = false;
  // The transfer filters the message goes through, or has come through.
  FilterPipe filters{};
  Bytes body{};
  // How long the caller will wait, to the microsecond; nothing: not said.
  std::optional<Duration> timeout{};
  // Of credit: bytes. Of ping and pong: what the answer repeats. Of go_away: milliseconds. Where
  // is_refused: how long the body was.
  std::uint64_t value = 0;
  // Holds what `method` shows, unless that is the sender's or the decoder's.
  BlockRef method_block{};

  // The same content.
  friend bool operator==(const Message& a, const Message& b);
};

// Whether the sender of this message began the exchange it belongs to.
bool is_of_own_exchange(const Message& message) noexcept;

}  // namespace parley::wire
