#include "parley/wire/filters/zstd_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/wire/filters/testing/compression_cases.h"

namespace parley::wire {
namespace {

using parley::testing::from_hex;
using testing::mixed_text;

std::string encoded(std::string_view text, const ZstdEncoderOptions& options = {}) {
  std::string out;
  const Status status = ZstdEncoder(options).append(text, out, Flush::finish);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

Result<std::string> decoded(ZstdDecoder& decoder, std::string_view in, std::size_t piece = 1 << 20,
                            std::size_t most_room = 1 << 16) {
  std::string all;
  std::string room(most_room, '\0');
  for (; !in.empty(); in.remove_prefix(std::min(piece, in.size()))) {
    std::string_view now = in.substr(0, piece);
    do {
      const auto size = decoder.read(now, room);
      if (!size) return size.error();
      all.append(room, 0, *size);
    } while (!now.empty() || decoder.holds_more());
  }
  return all;
}

TEST(ZstdStream, what_is_encoded_comes_back_in_any_pieces) {
  for (const std::size_t size : {0U, 1U, 1000U, 300'000U}) {
    const std::string text = mixed_text(size);
    const std::string sent = encoded(text);
    for (const std::size_t piece : {1U, 1000U, 1U << 20U}) {
      ZstdDecoder decoder;
      const auto back = decoded(decoder, sent, piece, piece == 1 ? 97 : 4096);
      ASSERT_TRUE(back) << back.error();
      EXPECT_TRUE(*back == text) << size << " " << piece;
      EXPECT_TRUE(decoder.is_whole());
    }
    ZstdDecoder decoder;
    std::string all;
    ASSERT_TRUE(decoder.append(sent, all).is_ok());
    EXPECT_TRUE(all == text);
  }
}

TEST(ZstdStream, a_sync_flush_can_be_read_at_once_and_finish_begins_another_frame) {
  ZstdEncoder encoder;
  ZstdDecoder decoder;
  for (const std::string text : {"one", "two and some more", "three"}) {
    std::string out;
    ASSERT_TRUE(encoder.append(text, out).is_ok());
    ASSERT_TRUE(encoder.append("", out, Flush::sync).is_ok());
    const auto back = decoded(decoder, out);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(*back, text);
    EXPECT_FALSE(decoder.is_whole());
  }
  std::string out;
  ASSERT_TRUE(encoder.append("end", out, Flush::finish).is_ok());
  EXPECT_EQ(*decoded(decoder, out), "end");
  EXPECT_TRUE(decoder.is_whole());
  out.clear();
  ASSERT_TRUE(encoder.append("another", out, Flush::finish).is_ok());
  EXPECT_TRUE(out.starts_with(from_hex("28b52ffd")));
  EXPECT_EQ(*decoded(decoder, out), "another");
}

TEST(ZstdStream, levels_and_checksums_change_what_is_made) {
  const std::string text = mixed_text(100'000);
  EXPECT_LT(encoded(text, {.level = 19}).size(), encoded(text, {.level = 1}).size());
  std::string sent = encoded(text, {.checksum = true});
  EXPECT_EQ(sent.size(), encoded(text, {.checksum = false}).size() + 4);
  sent.back() = static_cast<char>(sent.back() ^ 1);
  ZstdDecoder decoder;
  const auto back = decoded(decoder, sent);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code(), Code::data_loss);
}

TEST(ZstdStream, a_frame_with_a_larger_window_than_is_taken_is_refused) {
  const std::string text = mixed_text(100'000);
  for (const std::size_t piece : {1U, 1U << 20U}) {
    ZstdDecoder small({.window_bits = 16});
    EXPECT_TRUE(decoded(small, encoded(text, {.window_bits = 16}), piece));
    ZstdDecoder too_small({.window_bits = 16});
    // A frame that is written piece by piece has its window in its head.
    ZstdEncoder encoder({.window_bits = 17});
    std::string sent;
    ASSERT_TRUE(encoder.append(text, sent, Flush::sync).is_ok());
    const auto refused = decoded(too_small, sent, piece);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::resource_exhausted);
    EXPECT_NE(refused.error().message().find("a window of 131072 bytes"), std::string::npos)
        << refused.error();
  }
}

TEST(ZstdStream, a_bomb_ends_at_max_output) {
  const std::string bomb = encoded(std::string(5 << 20, '\0'));
  EXPECT_LT(bomb.size(), 10'000U);
  for (const std::uint64_t most : {0U, 1000U, 1U << 20U}) {
    ZstdDecoder decoder({.max_output = most});
    std::string out;
    const Status status = decoder.append(bomb, out);
    EXPECT_EQ(status.code(), Code::resource_exhausted) << status;
    EXPECT_LE(out.size(), most + 1);
    EXPECT_LT(out.capacity(), 4 * most + 200'000);
    EXPECT_EQ(decoder.append("x", out).code(), Code::resource_exhausted);
    decoder.reset();
    EXPECT_EQ(decoder.append(bomb, out).code(), Code::resource_exhausted);
  }
  ZstdDecoder decoder({.max_output = 5});
  std::string out;
  EXPECT_TRUE(decoder.append(encoded("hello"), out).is_ok());
}

TEST(ZstdStream, what_is_no_zstd_is_data_loss_until_a_reset) {
  ZstdDecoder decoder;
  std::string out;
  EXPECT_EQ(decoder.append("{\"a\":1,\"b\":2}", out).code(), Code::data_loss);
  EXPECT_EQ(decoder.append(encoded("hello"), out).code(), Code::data_loss);
  decoder.reset();
  EXPECT_TRUE(decoder.append(encoded("hello"), out).is_ok());
  decoder.let_go();
  EXPECT_TRUE(decoder.append(encoded("hello"), out).is_ok());
  EXPECT_EQ(out, "hellohello");
}

TEST(ZstdStream, what_is_reset_or_let_go_forgets_what_was_begun) {
  ZstdEncoder encoder;
  std::string out;
  ASSERT_TRUE(encoder.append("forgotten", out).is_ok());
  encoder.reset();
  out.clear();
  ASSERT_TRUE(encoder.append("hello", out, Flush::finish).is_ok());
  encoder.let_go();
  ASSERT_TRUE(encoder.append("hello", out, Flush::finish).is_ok());
  ZstdDecoder decoder;
  EXPECT_EQ(*decoded(decoder, out), "hellohello");
}

TEST(ZstdStream, the_zstd_program_reads_it_and_is_read) {
  const parley::testing::Witness witness;
  if (witness.ask("zstd --version").code != 0) GTEST_SKIP() << "there is no zstd to ask";
  const std::string text = mixed_text(300'000);
  witness.write("ours.zst", encoded(text));
  (void)witness.output_of("zstd -q -d ours.zst");
  EXPECT_TRUE(witness.read("ours") == text);
  for (const char* level : {"-1", "-19", "-3 --long=23"}) {
    witness.write("text", text);
    (void)witness.output_of(std::string("zstd -q -f ") + level + " text");
    ZstdDecoder decoder;
    const auto back = decoded(decoder, witness.read("text.zst"), 1000, 5000);
    ASSERT_TRUE(back) << back.error();
    EXPECT_TRUE(*back == text && decoder.is_whole());
  }
}

}  // namespace
}  // namespace parley::wire
