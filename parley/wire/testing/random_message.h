// Messages that no test's author would think of. For tests only.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <string>

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

inline Message random_message(Random& random, std::size_t most_body = 200) {
  Message message;
  message.seq = random_seq(random);
  message.type = static_cast<MessageType>(1 + random() % 5);
  message.method = random_text(random, random() % 8 == 0 ? 255 : 30);
  message.status = random_status(random);
  for (std::size_t i = random() % 4; i > 0; --i) {
    message.metadata.add(random_text(random, 10), random_text(random, 40));
  }
  message.body_codec = static_cast<BodyCodec>(static_cast<char>(random()));
  message.body = Bytes::from(random_text(random, most_body));
  return message;
}

}  // namespace parley::wire::testing
