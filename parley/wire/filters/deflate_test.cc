#include "parley/wire/filters/deflate.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/wire/filters/testing/compression_cases.h"

namespace parley::wire {
namespace {

using parley::testing::from_hex;
using testing::mixed_text;

constexpr Wrapping all_wrappings[] = {Wrapping::none, Wrapping::zlib, Wrapping::gzip};
constexpr std::string_view sync_end("\0\0\xff\xff", 4);

std::string deflated(std::string_view text, const DeflateOptions& options = {},
                     Flush flush = Flush::finish) {
  std::string out;
  const Status status = Deflater(options).append(text, out, flush);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

// `in` in pieces of that size, into as little room.
Result<std::string> inflated(Inflater& inflater, std::string_view in, std::size_t piece = 1 << 20,
                             std::size_t most_room = 1 << 16) {
  std::string all;
  std::string room(most_room, '\0');
  for (; !in.empty(); in.remove_prefix(std::min(piece, in.size()))) {
    std::string_view now = in.substr(0, piece);
    do {
      const auto size = inflater.read(now, room);
      if (!size) return size.error();
      all.append(room, 0, *size);
    } while (!now.empty() || inflater.holds_more());
  }
  return all;
}

TEST(Deflate, what_is_deflated_comes_back_in_any_pieces) {
  for (const Wrapping wrapping : all_wrappings) {
    for (const std::size_t size : {0U, 1U, 1000U, 100'000U}) {
      const std::string text = mixed_text(size);
      const std::string sent = deflated(text, {.wrapping = wrapping});
      for (const std::size_t piece : {1U, 1000U, 1U << 20U}) {
        Inflater inflater({.wrapping = wrapping});
        const auto back = inflated(inflater, sent, piece, piece == 1 ? 7 : 4096);
        ASSERT_TRUE(back) << back.error();
        EXPECT_TRUE(*back == text) << size << " " << piece;
        EXPECT_TRUE(inflater.is_whole());
      }
      Inflater inflater({.wrapping = wrapping});
      std::string all;
      ASSERT_TRUE(inflater.append(sent, all).is_ok());
      EXPECT_TRUE(all == text);
    }
  }
}

TEST(Deflate, a_sync_flush_can_be_read_at_once) {
  Deflater deflater;
  Inflater inflater;
  for (const std::string text : {"one", "two and some more", "three"}) {
    std::string out;
    ASSERT_TRUE(deflater.append(text, out, Flush::sync).is_ok());
    EXPECT_TRUE(out.ends_with(sync_end));
    const auto back = inflated(inflater, out);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(*back, text);
    EXPECT_FALSE(inflater.is_whole());
    EXPECT_TRUE(inflater.is_between_blocks());
  }
  Inflater cut;
  EXPECT_FALSE(cut.is_between_blocks());
  const std::string whole = deflated("hello, hello");
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::string out;
    cut.reset();
    ASSERT_TRUE(cut.append(std::string_view(whole).substr(0, size), out).is_ok());
    EXPECT_EQ(cut.is_between_blocks(), size == whole.size()) << size;
  }
  std::string out;
  ASSERT_TRUE(deflater.append("kept", out).is_ok());
  EXPECT_EQ(out, "");
}

TEST(Deflate, a_window_that_is_kept_makes_repeated_words_small) {
  const std::string text = "{\"symbol\":\"TEA\",\"price\":1250,\"currency\":\"EUR\"}";
  Deflater deflater;
  std::string first;
  ASSERT_TRUE(deflater.append(text, first, Flush::sync).is_ok());
  std::string second;
  ASSERT_TRUE(deflater.append(text, second, Flush::sync).is_ok());
  EXPECT_LT(second.size(), first.size() / 3);
  deflater.reset();
  std::string third;
  ASSERT_TRUE(deflater.append(text, third, Flush::sync).is_ok());
  EXPECT_EQ(third, first);
  deflater.let_go();
  std::string fourth;
  ASSERT_TRUE(deflater.append(text, fourth, Flush::sync).is_ok());
  EXPECT_EQ(fourth, first);
}

TEST(Deflate, levels_and_memory_change_the_size) {
  const std::string text = mixed_text(50'000);
  EXPECT_LT(deflated(text, {.level = 9}).size(), deflated(text, {.level = 1}).size());
  EXPECT_NE(deflated(text, {.memory = 9}).size(), deflated(text, {.memory = 1}).size());
}

TEST(Deflate, window_bits_say_how_far_back_is_looked) {
  std::mt19937 random(5);
  std::string block(2000, '\0');
  for (char& c : block) c = static_cast<char>(random());
  const std::string far = deflated(block + block, {.window_bits = 15});
  const std::string near = deflated(block + block, {.window_bits = 9});
  EXPECT_LT(far.size(), 2200U);
  EXPECT_GT(near.size(), 4000U);
  Inflater small({.window_bits = 9});
  EXPECT_TRUE(inflated(small, near, 100, 100));
  Inflater too_small({.window_bits = 9});
  const auto refused = inflated(too_small, far, 100, 100);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::data_loss);
}

TEST(Inflate, a_bomb_ends_at_max_output) {
  const std::string bomb = deflated(std::string(5 << 20, '\0'), {.wrapping = Wrapping::gzip});
  EXPECT_LT(bomb.size(), 6'000U);
  for (const std::uint64_t most : {0U, 1000U, 1U << 20U}) {
    Inflater inflater({.wrapping = Wrapping::gzip, .max_output = most});
    std::string out;
    const Status status = inflater.append(bomb, out);
    EXPECT_EQ(status.code(), Code::resource_exhausted);
    EXPECT_EQ(status.message(), "more than max_output (" + std::to_string(most) +
                                    " bytes) comes out: send less, or raise the limit");
    EXPECT_LE(out.size(), most + 1);
    EXPECT_LT(out.capacity(), 4 * most + 200'000);
    EXPECT_EQ(inflater.append("x", out).code(), Code::resource_exhausted);
  }
}

TEST(Inflate, as_much_as_max_output_is_fine_and_restart_count_gives_as_much_again) {
  Deflater deflater;
  Inflater inflater({.max_output = 5});
  for (int i = 0; i < 3; ++i) {
    std::string sent;
    ASSERT_TRUE(deflater.append("hello", sent, Flush::sync).is_ok());
    std::string out;
    ASSERT_TRUE(inflater.append(sent, out).is_ok());
    EXPECT_EQ(out, "hello");
    inflater.restart_count();
  }
  std::string sent;
  ASSERT_TRUE(deflater.append("hello!", sent, Flush::sync).is_ok());
  std::string out;
  EXPECT_EQ(inflater.append(sent, out).code(), Code::resource_exhausted);
}

TEST(Inflate, what_is_no_deflate_is_data_loss_until_a_reset) {
  Inflater inflater({.wrapping = Wrapping::gzip});
  std::string out;
  const Status status = inflater.append("{\"a\":1}", out);
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_EQ(status.message(), "what came is damaged or no gzip: incorrect header check");
  const std::string good = deflated("hello", {.wrapping = Wrapping::gzip});
  EXPECT_EQ(inflater.append(good, out).code(), Code::data_loss);
  inflater.reset();
  EXPECT_TRUE(inflater.append(good, out).is_ok());
  EXPECT_EQ(out, "hello");
  inflater.let_go();
  EXPECT_TRUE(inflater.append(good, out).is_ok());
  EXPECT_EQ(out, "hellohello");
}

TEST(Inflate, what_is_cut_is_not_whole) {
  const std::string sent = deflated("hello, hello", {.wrapping = Wrapping::gzip});
  for (std::size_t size = 0; size < sent.size(); ++size) {
    Inflater inflater({.wrapping = Wrapping::gzip});
    std::string out;
    ASSERT_TRUE(inflater.append(std::string_view(sent).substr(0, size), out).is_ok());
    EXPECT_FALSE(inflater.is_whole()) << size;
  }
}

TEST(Inflate, behind_the_end_only_gzip_goes_on_by_itself) {
  for (const Wrapping wrapping : all_wrappings) {
    const std::string twice =
        deflated("one", {.wrapping = wrapping}) + deflated("two", {.wrapping = wrapping});
    Inflater inflater({.wrapping = wrapping});
    std::string out;
    const Status status = inflater.append(twice, out);
    if (wrapping == Wrapping::gzip) {
      EXPECT_TRUE(status.is_ok()) << status;
      EXPECT_EQ(out, "onetwo");
    } else {
      EXPECT_EQ(status.code(), Code::data_loss);
      EXPECT_NE(status.message().find("bytes follow the end"), std::string::npos) << status;
    }
  }
}

// RFC 7692 7.2.3.5: final blocks within messages, the second one looking back behind the first.
TEST(Inflate, a_stream_that_goes_on_keeps_its_window) {
  Inflater inflater({.goes_on = true});
  std::string out;
  ASSERT_TRUE(inflater.append(from_hex("f348cdc9c9070000 0000ffff"), out).is_ok());
  EXPECT_EQ(out, "Hello");
  // "Hello" once more as a match five bytes back (RFC 7692 7.2.3.2).
  ASSERT_TRUE(inflater.append(from_hex("f200110000 0000ffff"), out).is_ok());
  EXPECT_EQ(out, "HelloHello");
  Inflater strict;
  std::string refused;
  EXPECT_EQ(strict.append(from_hex("f348cdc9c9070000"), refused).code(), Code::data_loss);
}

TEST(Deflate, pythons_zlib_reads_it_and_is_read) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("zlib");
  if (python.empty()) GTEST_SKIP() << "there is no python3 with zlib to ask";
  const std::string text = mixed_text(70'000);
  witness.write("text", text);
  const std::pair<Wrapping, int> kinds[] = {
      {Wrapping::none, -15}, {Wrapping::zlib, 15}, {Wrapping::gzip, 31}};
  for (const auto& [wrapping, bits] : kinds) {
    witness.write("ours", deflated(text, {.wrapping = wrapping}));
    (void)witness.output_of(python + " -c \"\nimport zlib\nbits = " + std::to_string(bits) +
                            "\ntext = open('text', 'rb').read()\n"
                            "assert zlib.decompress(open('ours', 'rb').read(), bits) == text\n"
                            "c = zlib.compressobj(6, zlib.DEFLATED, bits)\nout = b''\n"
                            "for at in range(0, len(text), 999):\n"
                            "  out += c.compress(text[at:at+999]) + c.flush(zlib.Z_SYNC_FLUSH)\n"
                            "open('theirs', 'wb').write(out + c.flush())\n\"");
    Inflater inflater({.wrapping = wrapping});
    std::string back;
    const Status status = inflater.append(witness.read("theirs"), back);
    EXPECT_TRUE(status.is_ok()) << status;
    EXPECT_TRUE(back == text && inflater.is_whole());
  }
}

}  // namespace
}  // namespace parley::wire
