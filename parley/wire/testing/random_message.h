// Messages that no test's author would think of. For tests only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "parley/wire/message.h"

namespace parley::wire::testing {

using Random = std::mt19937;

// Up to `most` bytes, of any value or (half of the time) of those people use.
inline std::string random_text(Random& random, std::size_t most) {
  const bool plain = random() % 2 == 0;
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>(plain ? ' ' + random() % 95 : random());
  return text;
}

inline std::int32_t random_seq(Random& random) {
  switch (random() % 6) {
    case 0:
      return std::numeric_limits<std::int32_t>::min();
    case 1:
      return std::numeric_limits<std::int32_t>::max();
    case 2:
      return static_cast<std::int32_t>(random() % 3) - 1;
    default:
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(random()));
  }
}

// A status that one number can carry: canonical codes, or business errors from 1000 up.
inline Status random_status(Random& random) {
  if (random() % 2 == 0) return {};
  const std::string message = random_text(random, 20);
  const std::string cause = random_text(random, 10);
  if (random() % 2 == 0) {
    const auto number = static_cast<std::int32_t>(1000 + random() % 1000000);
    return Status::business(number, message).with_cause(cause);
  }
  return Status(static_cast<Code>(1 + random() % 18), message).with_cause(cause);
}

// The message keeps the name itself.
inline void set_method(Message& message, std::string name) {
  const Bytes kept = Bytes::from(std::move(name));
  message.method = kept.empty() ? std::string_view() : kept.piece(0);
  message.method_block = kept.first_block();
}

// Some of the time. Each id once: 37 steps at a time it takes all 255 until one comes again.
inline FilterPipe random_filters(Random& random) {
  if (random() % 4 != 0) return {};
  std::string ids(1 + random() % FilterPipe::max_filters, '\0');
  auto next = random() % 255;
  for (char& id : ids) {
    id = static_cast<char>(1 + next);
    next = (next + 37) % 255;
  }
  return FilterPipe(ids);
}

// One of those the parley framing carries.
inline BodyCodec random_parley_codec(Random& random) {
  return static_cast<BodyCodec>(static_cast<char>(random() % 128));
}

inline Message random_message(Random& random, std::size_t most_body = 200) {
  Message message;
  message.seq = random_seq(random);
  message.type = static_cast<MessageType>(1 + random() % 5);
  set_method(message, random_text(random, random() % 8 == 0 ? 255 : 30));
  message.status = random_status(random);
  for (std::size_t i = random() % 4; i > 0; --i) {
    message.metadata.add(random_text(random, 10), random_text(random, 40));
  }
  message.body_codec = static_cast<BodyCodec>(static_cast<char>(random()));
  message.body = Bytes::from(random_text(random, most_body));
  return message;
}

// One that the parley framing carries; its methods are few, so that names come again.
inline Message random_parley_message(Random& random, std::size_t most_body = 200) {
  constexpr std::array types{MessageType::call,      MessageType::reply,      MessageType::push,
                             MessageType::auth_call, MessageType::auth_reply, MessageType::open,
                             MessageType::data,      MessageType::end,        MessageType::cancel,
                             MessageType::credit,    MessageType::ping,       MessageType::pong,
                             MessageType::go_away};
  Message message;
  const MessageType type = message.type = types[random() % types.size()];
  const bool is_ping = type == MessageType::ping || type == MessageType::pong;
  const bool is_reply = type == MessageType::reply || type == MessageType::auth_reply;
  const bool is_request =
      type == MessageType::call || type == MessageType::auth_call || type == MessageType::push;
  const bool is_on_stream =
      type == MessageType::data || type == MessageType::end || type == MessageType::credit;
  if (!is_ping && type != MessageType::go_away) {
    message.seq = 1 + static_cast<std::int32_t>(random() % 0x7fffffff);
  }
  if (is_ping || type == MessageType::credit || type == MessageType::go_away) {
    message.value = static_cast<std::uint64_t>(random()) << (random() % 33);
  }
  if (is_on_stream) message.own = random() % 2 == 0;
  if (is_request || type == MessageType::open) {
    set_method(message, random() % 8 == 0 ? random_text(random, 255)
                                          : "/method/" + std::to_string(random() % 300));
  }
  if (is_request || is_reply || type == MessageType::open) {
    message.body_codec = random_parley_codec(random);
    message.filters = random_filters(random);
    message.is_filtered = !message.filters.empty() && type != MessageType::open;
  }
  if (type != MessageType::push && (is_request || type == MessageType::open) && random() % 2 == 0) {
    message.timeout = std::chrono::microseconds(random());
  }
  if ((is_reply || type == MessageType::end || type == MessageType::go_away) && random() % 2 == 0) {
    message.status = Status(static_cast<Code>(1 + random() % 18), random_text(random, 20),
                            std::source_location())
                         .with_cause(random_text(random, 10))
                         .with_business_code(static_cast<std::int32_t>(random()));
  }
  if (is_request || is_reply || type == MessageType::open || type == MessageType::end) {
    for (std::size_t i = random() % 4; i > 0; --i) {
      message.metadata.add(random_text(random, 10), random_text(random, 40));
    }
  }
  if (is_request || is_reply || type == MessageType::data) {
    message.body = Bytes::from(random_text(random, most_body));
  }
  // A push has a number only while it comes in parts.
  if (type == MessageType::push && message.body.size() < 60'000) message.seq = 0;
  return message;
}

}  // namespace parley::wire::testing
