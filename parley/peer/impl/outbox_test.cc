#include "parley/peer/impl/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

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

TEST(Outbox, gives_back_small_and_large_frames_in_their_order) {
  for (const std::size_t step : {1'000u, 65'536u, 10'000'000u}) {
    Outbox outbox;
    std::string expected;
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {100'000u, 3u, 20'000u, 16'384u, 16'383u, 70u, 1u}) {
        const std::string frame(size, static_cast<char>('a' + size % 26));
        expected += frame;
        outbox.add(std::string(frame));
      }
    }
    EXPECT_EQ(outbox.bytes(), expected.size());
    EXPECT_TRUE(drained(outbox, step) == expected);
    EXPECT_EQ(outbox.bytes(), 0u);
    outbox.add("more");
    EXPECT_EQ(drained(outbox, step), "more");
  }
}

TEST(Outbox, gathers_small_frames_in_one_piece) {
  Outbox outbox;
  for (int i = 0; i < 100; ++i) outbox.add("frame");
  std::array<std::string_view, 16> room;
  EXPECT_EQ(outbox.front(room).size(), 1u);
  EXPECT_EQ(outbox.front(room)[0].size(), 500u);
}

TEST(Outbox, encodes_in_place_or_not_at_all) {
  const wire::RawFraming framing(wire::RawLimits{.max_frame_bytes = 100});
  wire::Message message{.seq = 1, .type = wire::MessageType::push, .method = "/x"};
  std::string expected;
  ASSERT_TRUE(framing.encode(message, expected).is_ok());
  Outbox outbox;
  EXPECT_TRUE(outbox.encode(message, framing).is_ok());
  message.body = Bytes::from(std::string(100, 'x'));
  EXPECT_EQ(outbox.encode(message, framing).code(), Code::resource_exhausted);
  EXPECT_EQ(outbox.bytes(), expected.size());
  EXPECT_EQ(drained(outbox, 7), expected);
}

}  // namespace
}  // namespace parley::impl
