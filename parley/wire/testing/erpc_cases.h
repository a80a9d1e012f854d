// What the tests of erpc's framings share. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/wire/framing.h"

namespace parley::wire::testing {

// The message of the golden calls.
inline Message golden_erpc_call() {
  return {.seq = 1295,
          .type = MessageType::call,
          .method = "/math/add",
          .metadata = {{"author", "an d&=y"}},
          .body_codec = BodyCodec::json,
          .body = Bytes::copy_of(R"({"a":"x"})")};
}

// As a length field has it.
inline std::string big_endian(std::size_t number, std::size_t width) {
  std::string bytes(width, '\0');
  for (; width > 0; number >>= 8U) bytes[--width] = static_cast<char>(number & 0xFFU);
  return bytes;
}

// A frame without filters whose length leaves itself out.
inline std::string erpc_framed(std::string_view content) {
  return big_endian(content.size() + 1, 4) + '\0' + std::string(content);
}

// The only message of a stream.
template <typename D>
Message only_message(std::string_view stream) {
  D decoder;
  decoder.feed(stream);
  auto next = decoder.next();
  EXPECT_TRUE(next && next->has_value()) << next.error();
  EXPECT_EQ(decoder.buffered(), 0U);
  return next && *next ? std::move(**next) : Message{};
}

// The error of a stream that must fail at its first frame.
template <typename D>
Status first_error(std::string_view stream) {
  D decoder;
  decoder.feed(stream);
  auto next = decoder.next();
  EXPECT_FALSE(next);
  EXPECT_EQ(decoder.buffered(), 0U);
  return next ? Status() : next.error();
}

// Cuts a stream at every two places; all cuts must lead to the same.
template <typename D>
void check_every_two_cuts(const std::string& stream, const std::vector<Message>& expected) {
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= stream.size(); j += 3) {
      D decoder;
      std::vector<Message> messages;
      for (const std::string& part :
           {stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}) {
        decoder.feed(part);
        for (;;) {
          auto next = decoder.next();
          ASSERT_TRUE(next) << next.error();
          if (!*next) break;
          messages.push_back(std::move(**next));
        }
      }
      ASSERT_EQ(messages, expected) << i << " " << j;
      ASSERT_FALSE(decoder.mid_frame());
    }
  }
}

}  // namespace parley::wire::testing
