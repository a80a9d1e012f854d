#include "parley/peer/impl/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"

namespace parley::impl {
namespace {

// Everything that is in it, taken out `step` bytes at a time.
std::string drained(Outbox& outbox, std::size_t step) {
  std::string all;
  std::array<std::string_view, 2> room;
  while (!outbox.is_empty()) {
    std::size_t taken = 0;
    for (std::string_view piece : outbox.front(room)) {
      piece = piece.substr(0, step - taken);
      all += piece;
      taken += piece.size();
    }
    outbox.drop(taken);
  }
  return all;
}

wire::Message push_of(std::size_t body_bytes) {
  return {.seq = 1,
          .type = wire::MessageType::push,
          .method = "/x",
          .body = Bytes::from(std::string(body_bytes, static_cast<char>('a' + body_bytes % 26)))};
}

TEST(Outbox, gives_back_small_and_large_messages_in_their_order) {
  wire::RawEncoder encoder;
  for (const std::size_t step : {1'000u, 65'536u, 10'000'000u}) {
    Outbox outbox;
    std::string expected;
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {100'000u, 3u, 20'000u, 16'384u, 16'383u, 70u, 1u}) {
        wire::Message message = push_of(size);
        message.body.append(Bytes::copy_of("a second piece"));
        ASSERT_TRUE(encoder.encode(message, expected).is_ok());
        ASSERT_TRUE(outbox.encode(message, encoder).is_ok());
      }
    }
    EXPECT_EQ(outbox.bytes(), expected.size());
    EXPECT_TRUE(drained(outbox, step) == expected);
    EXPECT_EQ(outbox.bytes(), 0u);
    expected.clear();
    ASSERT_TRUE(encoder.encode(push_of(4), expected).is_ok());
    ASSERT_TRUE(outbox.encode(push_of(4), encoder).is_ok());
    EXPECT_EQ(drained(outbox, step), expected);
  }
}

TEST(Outbox, gathers_small_frames_in_one_piece) {
  wire::RawEncoder encoder;
  Outbox outbox;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(outbox.encode(push_of(5), encoder).is_ok());
  std::array<std::string_view, 16> room;
  EXPECT_EQ(outbox.front(room).size(), 1u);
  EXPECT_EQ(outbox.front(room)[0].size(), outbox.bytes());
}

TEST(Outbox, a_large_body_is_shared_not_copied) {
  wire::RawEncoder encoder;
  Outbox outbox;
  const wire::Message message = push_of(50'000);
  ASSERT_TRUE(outbox.encode(message, encoder).is_ok());
  std::array<std::string_view, 16> room;
  ASSERT_EQ(outbox.front(room).size(), 2u);
  EXPECT_EQ(outbox.front(room)[1].data(), message.body.piece(0).data());
}

TEST(Outbox, begins_with_what_the_encoder_says_first) {
  wire::ParleyEncoder encoder;
  std::string hello;
  encoder.start(hello);
  Outbox outbox;
  outbox.start(encoder);
  EXPECT_EQ(drained(outbox, 3), hello);
}

// Calls that are written straight to their place, between what is not.
TEST(Outbox, plain_calls_stand_between_other_frames_in_their_order) {
  for (const std::size_t step : {1u, 900u, 10'000'000u}) {
    wire::ParleyEncoder encoder;
    wire::ParleyEncoder other;
    Outbox outbox;
    std::string expected;
    const std::string longer(100, 'y');
    wire::PlainCall call{.seq = 1, .method = "/x", .codec = wire::BodyCodec::json, .body = "1"};
    EXPECT_FALSE(outbox.encode_call(call, encoder)) << "the name is not known yet";
    ASSERT_TRUE(outbox.encode(push_of(1), encoder).is_ok());
    ASSERT_TRUE(other.encode(push_of(1), expected).is_ok());
    for (int i = 0; i < 6'000; ++i) {
      call.body = i % 5 == 0 ? std::string_view(longer) : "[1,2]";
      ASSERT_TRUE(outbox.encode_call(call, encoder));
      ASSERT_TRUE(other.encode_call(call, expected));
      if (i % 1'000 == 0) {
        ASSERT_TRUE(outbox.encode(push_of(20'000), encoder).is_ok());
        ASSERT_TRUE(other.encode(push_of(20'000), expected).is_ok());
      } else if (i % 3 == 0) {
        ASSERT_TRUE(outbox.encode(push_of(3), encoder).is_ok());
        ASSERT_TRUE(other.encode(push_of(3), expected).is_ok());
      }
      if (i == 3'000) {
        ASSERT_EQ(outbox.bytes(), expected.size());
        ASSERT_TRUE(drained(outbox, step) == expected);
        expected.clear();
      }
    }
    EXPECT_EQ(outbox.bytes(), expected.size());
    EXPECT_TRUE(drained(outbox, step) == expected);
  }
}

TEST(Outbox, encodes_whole_or_not_at_all) {
  wire::RawEncoder encoder(wire::RawLimits{.max_frame_bytes = 100});
  std::string expected;
  ASSERT_TRUE(encoder.encode(push_of(0), expected).is_ok());
  Outbox outbox;
  EXPECT_TRUE(outbox.encode(push_of(0), encoder).is_ok());
  for (const std::size_t size : {100u, 20'000u}) {
    EXPECT_EQ(outbox.encode(push_of(size), encoder).code(), Code::resource_exhausted);
    EXPECT_EQ(outbox.bytes(), expected.size());
  }
  EXPECT_EQ(drained(outbox, 7), expected);
}

TEST(Outbox, frames_that_are_written_join_the_others_in_their_order) {
  wire::RawEncoder encoder;
  Outbox outbox;
  std::string expected;
  for (const std::size_t size : {3u, 20'000u, 5u, 16'384u, 70'000u, 1u}) {
    std::string frame;
    ASSERT_TRUE(encoder.encode(push_of(size), frame).is_ok());
    expected += frame;
    outbox.add_frame(std::move(frame));
    ASSERT_TRUE(encoder.encode(push_of(2), expected).is_ok());
    ASSERT_TRUE(outbox.encode(push_of(2), encoder).is_ok());
  }
  EXPECT_EQ(outbox.bytes(), expected.size());
  EXPECT_TRUE(drained(outbox, 1'000) == expected);
}

}  // namespace
}  // namespace parley::impl
