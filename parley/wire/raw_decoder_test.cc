#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/golden_raw.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;
using testing::Random;

const std::string golden_call = from_hex(testing::golden_raw_call);
const std::string golden_reply = from_hex(testing::golden_raw_reply);

// Everything that can be read now; stops at an error, which it leaves in `error`.
std::vector<Message> drain(Decoder& decoder, Status& error) {
  std::vector<Message> messages;
  for (;;) {
    auto next = decoder.next();
    if (!next) {
      error = next.error();
      return messages;
    }
    if (!*next) return messages;
    messages.push_back(std::move(**next));
  }
}

std::vector<Message> drain(Decoder& decoder) {
  Status error;
  auto messages = drain(decoder, error);
  EXPECT_TRUE(error.is_ok()) << error;
  return messages;
}

std::vector<Message> decode_all(std::string_view bytes) {
  RawDecoder decoder;
  decoder.feed(bytes);
  return drain(decoder);
}

// The error of a stream that must fail at its first frame.
Status error_of(std::string_view bytes, RawLimits limits = {}) {
  RawDecoder decoder(limits);
  decoder.feed(bytes);
  Status error;
  EXPECT_TRUE(drain(decoder, error).empty());
  EXPECT_FALSE(error.is_ok());
  return error;
}

std::string big_endian(std::size_t number, std::size_t width) {
  std::string bytes(width, '\0');
  for (; width > 0; number >>= 8U) bytes[--width] = static_cast<char>(number & 0xFFU);
  return bytes;
}

// A frame made of what follows its length.
std::string framed(const std::string& rest) { return big_endian(rest.size() + 4, 4) + rest; }

std::string frame_with_seq(const std::string& seq) {
  return framed(std::string(1, '\0') + static_cast<char>(seq.size()) + seq +
                from_hex("01 00 0000 0000 00 21"));
}

std::string frame_with_status(const std::string& status) {
  return framed(from_hex("00 01 31 02 00") + big_endian(status.size(), 2) + status +
                from_hex("0000 00"));
}

TEST(RawDecoder, reads_the_golden_frames_cut_at_every_two_places) {
  const std::string stream = golden_call + golden_reply;
  const std::vector<Message> expected = decode_all(stream);
  ASSERT_EQ(expected.size(), 2u);
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= stream.size(); ++j) {
      RawDecoder decoder;
      std::vector<Message> messages;
      for (const std::string& part :
           {stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}) {
        decoder.feed(part);
        for (Message& message : drain(decoder)) messages.push_back(std::move(message));
      }
      ASSERT_EQ(messages, expected) << i << " " << j;
      ASSERT_FALSE(decoder.mid_frame());
    }
  }
}

TEST(RawDecoder, reads_the_golden_frames_byte_by_byte) {
  const std::string stream = golden_call + golden_reply;
  RawDecoder decoder;
  std::vector<Message> messages;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    decoder.feed(stream.substr(i, 1));
    for (Message& message : drain(decoder)) messages.push_back(std::move(message));
    const bool at_end = i + 1 == golden_call.size() || i + 1 == stream.size();
    ASSERT_EQ(decoder.mid_frame(), !at_end) << i;
  }
  EXPECT_EQ(messages, decode_all(stream));
}

TEST(RawDecoder, reads_what_was_fed_in_many_chunks_before_it_was_asked) {
  const std::string stream = golden_call + golden_reply + golden_call;
  RawDecoder decoder;
  for (const char c : stream) decoder.feed(std::string_view(&c, 1));
  EXPECT_EQ(decoder.buffered(), stream.size());
  EXPECT_EQ(drain(decoder), decode_all(stream));
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(RawDecoder, reads_a_chunk_of_several_pieces) {
  Bytes chain;
  for (std::size_t at = 0; at < golden_call.size(); at += 7) {
    chain.append(Bytes::copy_of(std::string_view(golden_call).substr(at, 7)));
  }
  RawDecoder decoder;
  decoder.feed(std::move(chain));
  decoder.feed(Bytes());
  EXPECT_EQ(drain(decoder), decode_all(golden_call));
}

TEST(RawDecoder, random_messages_survive_random_cuts) {
  Random random(31);
  for (int round = 0; round < 300; ++round) {
    std::vector<Message> sent;
    std::string stream;
    for (std::size_t i = 1 + random() % 8; i > 0; --i) {
      sent.push_back(testing::random_message(random, 3000));
      ASSERT_TRUE(RawEncoder().encode(sent.back(), stream).is_ok());
    }
    RawDecoder decoder;
    std::vector<Message> received;
    const std::size_t most = 1 + random() % 2000;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = 1 + random() % most;
      decoder.feed(std::string_view(stream).substr(at, size));
      at += size;
      if (random() % 3 == 0 && at < stream.size()) continue;  // not everybody drains each time
      for (Message& message : drain(decoder)) received.push_back(std::move(message));
    }
    ASSERT_EQ(received, sent);
    ASSERT_FALSE(decoder.mid_frame());
  }
}

TEST(RawDecoder, a_transfer_filter_is_refused_by_its_name) {
  const Status status = error_of(from_hex(testing::golden_raw_md5_call));
  EXPECT_EQ(status.code(), Code::unimplemented);
  EXPECT_EQ(status.message(),
            "raw frame: transfer filter 'm' is not registered; let the sender send without it, or "
            "register it on this side");
  std::string frame = from_hex(testing::golden_raw_md5_call);
  frame[5] = '\x03';
  EXPECT_NE(error_of(frame).message().find("transfer filter 0x03 is"), std::string::npos);
}

TEST(RawDecoder, a_length_beyond_the_frame_names_the_field_and_what_is_left) {
  struct Case {
    std::size_t offset;
    std::size_t width;
    std::size_t claim;
    const char* message;
  };
  // Offsets in the golden call: filters 4, seq 5, method 9, status 19, metadata 27.
  const Case cases[] = {
      {4, 1, 255, "raw frame: filter list of 255 bytes, but only 54 are left in the frame"},
      {5, 1, 255, "raw frame: sequence number of 255 bytes, but only 53 are left in the frame"},
      {9, 1, 50, "raw frame: method of 50 bytes, but only 49 are left in the frame"},
      {19, 2, 65535, "raw frame: status of 65535 bytes, but only 38 are left in the frame"},
      {27, 2, 500, "raw frame: metadata of 500 bytes, but only 30 are left in the frame"},
      {27, 2, 30, "raw frame: body codec of 1 byte, but only 0 are left in the frame"},
  };
  for (const Case& c : cases) {
    std::string frame = golden_call;
    frame.replace(c.offset, c.width, big_endian(c.claim, c.width));
    const Status status = error_of(frame);
    EXPECT_EQ(status.code(), Code::invalid_argument);
    EXPECT_EQ(status.message(), c.message);
  }
}

TEST(RawDecoder, a_length_that_is_wrong_in_either_direction_never_passes_for_the_message) {
  const std::vector<Message> good = decode_all(golden_call);
  for (const auto& [offset, width] :
       {std::pair<std::size_t, std::size_t>{4, 1}, {5, 1}, {9, 1}, {19, 2}, {27, 2}}) {
    const std::size_t all = width == 1 ? 256 : 65536;
    // Every small claim, and a spread of large ones.
    for (std::size_t claim = 0; claim < all; claim += claim < 600 ? 1 : 97) {
      std::string frame = golden_call;
      frame.replace(offset, width, big_endian(claim, width));
      if (frame == golden_call) continue;
      RawDecoder decoder;
      decoder.feed(frame);
      Status error;
      const auto messages = drain(decoder, error);
      ASSERT_TRUE(!error.is_ok() || (messages.size() == 1 && messages != good)) << claim;
    }
  }
}

TEST(RawDecoder, a_frame_size_that_is_wrong_moves_only_the_end_of_the_body) {
  std::string frame = golden_call;
  frame.replace(0, 4, big_endian(frame.size() - 1, 4));
  RawDecoder shorter;
  shorter.feed(frame);
  EXPECT_EQ(drain(shorter).at(0).body, R"({"a":"x")");
  EXPECT_TRUE(shorter.mid_frame());
  frame.replace(0, 4, big_endian(frame.size() + 1, 4));
  RawDecoder longer;
  longer.feed(frame);
  EXPECT_TRUE(drain(longer).empty());
  EXPECT_EQ(longer.buffered(), frame.size());
}

TEST(RawDecoder, a_frame_cut_short_is_waited_for_and_one_that_ends_early_is_refused) {
  for (const std::string& whole : {golden_call, golden_reply}) {
    const std::size_t body = decode_all(whole).at(0).body.size();
    for (std::size_t size = 1; size < whole.size(); ++size) {
      RawDecoder decoder;
      decoder.feed(std::string_view(whole).substr(0, size));
      EXPECT_TRUE(drain(decoder).empty());
      EXPECT_TRUE(decoder.mid_frame());
      EXPECT_EQ(decoder.buffered(), size);
      // The same bytes under a length that says they are all.
      if (size < 4) continue;
      const std::string ended = framed(whole.substr(4, size - 4));
      RawDecoder other;
      other.feed(ended);
      Status error;
      const auto messages = drain(other, error);
      EXPECT_EQ(messages.size(), size >= whole.size() - body ? 1u : 0u) << size;
      EXPECT_EQ(error.is_ok(), !messages.empty());
    }
  }
}

TEST(RawDecoder, sizes_below_the_smallest_frame_are_refused_at_once) {
  for (std::size_t size = 0; size < 14; ++size) {
    const Status status = error_of(big_endian(size, 4));
    EXPECT_EQ(status.code(), Code::invalid_argument);
    EXPECT_EQ(status.message(), "raw frame: it claims a size of " + std::to_string(size) +
                                    " bytes, but the smallest frame has 14");
  }
  const auto smallest = decode_all(from_hex("0000000e 00 01 30 03 00 0000 0000 00"));
  ASSERT_EQ(smallest.size(), 1u);
  EXPECT_EQ(smallest[0], Message{.type = MessageType::push});
}

TEST(RawDecoder, a_claim_beyond_the_limit_is_refused_as_soon_as_its_four_bytes_are_in) {
  RawDecoder decoder({.max_frame_bytes = 1000});
  const std::string claim = big_endian(1001, 4);
  decoder.feed(claim.substr(0, 3));
  EXPECT_TRUE(drain(decoder).empty());
  decoder.feed(claim.substr(3));
  const Status status = decoder.next().error();
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(status.message(),
            "raw frame: a frame of 1001 bytes is larger than max_frame_bytes (1000); send less at "
            "once or raise the limit on both sides");
  EXPECT_NE(error_of("\xff\xff\xff\xff").message().find("4294967295"), std::string::npos);
  EXPECT_NE(error_of("\xff\xff\xff\xff").message().find("16777216"), std::string::npos);
}

TEST(RawDecoder, a_claim_takes_no_memory_before_its_bytes_come) {
  RawDecoder decoder;
  const std::size_t before = allocations().bytes;
  decoder.feed(big_endian(std::size_t{16} << 20U, 4) + "0123456789");
  EXPECT_TRUE(drain(decoder).empty());
  EXPECT_LT(allocations().bytes - before, 1000u);
  // Then the memory follows the bytes.
  const std::string chunk(1000, 'x');
  for (int i = 0; i < 100; ++i) {
    decoder.feed(chunk);
    EXPECT_TRUE(drain(decoder).empty());
  }
  EXPECT_LT(allocations().bytes - before, 600'000u);
}

TEST(RawDecoder, what_waits_for_the_rest_of_a_frame_does_not_hold_the_chunk) {
  const std::size_t before = Block::live();
  RawDecoder decoder;
  decoder.feed(golden_call + golden_call.substr(0, 20));
  EXPECT_EQ(drain(decoder).size(), 1u);
  EXPECT_EQ(Block::live(), before);
  EXPECT_EQ(decoder.buffered(), 20u);
}

TEST(RawDecoder, a_dead_decoder_repeats_its_error_and_holds_nothing) {
  RawDecoder decoder;
  std::string broken = golden_call;
  broken[8] = '\x09';
  decoder.feed(golden_call + broken + golden_call);
  Status error;
  EXPECT_EQ(drain(decoder, error).size(), 1u);
  EXPECT_EQ(error.message(), "raw frame: unknown message type 9");
  EXPECT_EQ(decoder.buffered(), 0u);
  decoder.feed(golden_call);
  EXPECT_EQ(decoder.buffered(), 0u);
  EXPECT_FALSE(decoder.mid_frame());
  EXPECT_EQ(decoder.next().error(), error);
}

TEST(RawDecoder, reads_every_sequence_number_of_32_signed_bits) {
  struct Case {
    const char* text;
    std::int32_t seq;
  };
  const Case cases[] = {{"-1", -1},
                        {"0", 0},
                        {"zz", 1295},
                        {"ZZ", 1295},
                        {"zZ", 1295},
                        {"+zz", 1295},
                        {"000000000000000000000001", 1},
                        {"-0", 0},
                        {"zik0zj", std::numeric_limits<std::int32_t>::max()},
                        {"-zik0zk", std::numeric_limits<std::int32_t>::min()}};
  for (const auto& [text, seq] : cases) {
    const auto messages = decode_all(frame_with_seq(text));
    ASSERT_EQ(messages.size(), 1u) << text;
    EXPECT_EQ(messages[0].seq, seq) << text;
  }
  for (const std::string text : {"", "-", "+", "+-1", "-+1", "--1", " 1", "1 ", "1.", "zik0zk",
                                 "-zik0zl", "zzzzzzzzzzzzzz", "1_0"}) {
    const Status status = error_of(frame_with_seq(text));
    EXPECT_EQ(status.code(), Code::invalid_argument) << text;
    EXPECT_NE(status.message().find("is not a base-36 number"), std::string::npos) << status;
  }
  EXPECT_EQ(error_of(frame_with_seq("1\n")).message(),
            "raw frame: sequence number \"1%0A\" is not a base-36 number that fits 32 signed bits");
}

TEST(RawDecoder, unknown_message_types_are_refused) {
  for (int type = 0; type < 256; ++type) {
    std::string frame = golden_call;
    frame[8] = static_cast<char>(type);
    RawDecoder decoder;
    decoder.feed(frame);
    EXPECT_EQ(decoder.next().has_value(), type >= 1 && type <= 5) << type;
  }
}

TEST(RawDecoder, broken_texts_say_which_text_and_where) {
  EXPECT_EQ(error_of(frame_with_status("code=x")).message(),
            "raw frame: status: status text: code \"x\" is not a whole number between -2147483648 "
            "and 2147483647");
  std::string frame = golden_call;
  frame.replace(frame.find("%20"), 3, "%2g");
  const Status status = error_of(frame);
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.message(),
            "raw frame: metadata: query text: malformed percent escape \"%2g\" at offset 9: '%' "
            "must be followed by two hex digits");
}

TEST(RawDecoder, a_frame_without_status_text_is_ok) {
  const auto messages = decode_all(frame_with_status(""));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].status.is_ok());
}

TEST(RawDecoder, a_body_in_one_chunk_is_a_view_into_it) {
  const std::string stream = golden_call + golden_call;
  Bytes chunk = Bytes::copy_of(stream);
  const char* const data = chunk.piece(0).data();
  RawDecoder decoder;
  decoder.feed(chunk);
  const auto messages = drain(decoder);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].body.piece(0).data(), data + golden_call.size() - 9);
  EXPECT_EQ(messages[1].body.piece(0).data(), data + stream.size() - 9);
  EXPECT_EQ(decoder.copied_bytes(), 0u);
}

TEST(RawDecoder, decoding_allocates_only_what_the_message_keeps) {
  Message message{.seq = 1, .method = "/math/add"};
  message.body = Bytes::copy_of(std::string(500, 'b'));
  std::string stream;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(RawEncoder().encode(message, stream).is_ok());
  RawDecoder decoder;
  decoder.feed(stream);
  const std::size_t before = allocations().count;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(decoder.next()->has_value());
  EXPECT_EQ(allocations().count, before) << "short texts and a shared body need no memory";
  // One list of entries and one long value.
  message.metadata = {{"k", std::string(100, 'v')}};
  stream.clear();
  ASSERT_TRUE(RawEncoder().encode(message, stream).is_ok());
  decoder.feed(stream);
  const std::size_t then = allocations().count;
  ASSERT_TRUE(decoder.next()->has_value());
  EXPECT_EQ(allocations().count - then, 2u);
}

// Counts the bytes moved instead of the time: feeding byte by byte must cost a constant per byte.
TEST(RawDecoder, feeding_byte_by_byte_is_linear) {
  for (const std::size_t size : {1000u, 100'000u, 1'000'000u}) {
    Message message{.seq = 1, .method = "/put"};
    message.body = Bytes::from(std::string(size, 'b'));
    std::string stream;
    ASSERT_TRUE(RawEncoder().encode(message, stream).is_ok());
    RawDecoder decoder;
    std::size_t received = 0;
    const std::size_t before = allocations().bytes;
    for (const char c : stream) {
      decoder.feed(std::string_view(&c, 1));
      auto next = decoder.next();
      ASSERT_TRUE(next);
      if (*next) received += (**next).body.size();
    }
    EXPECT_EQ(received, size);
    EXPECT_LE(decoder.copied_bytes(), 3 * stream.size());
    EXPECT_LE(allocations().bytes - before, 200 * stream.size());
  }
}

TEST(RawDecoder, holds_at_most_one_frame_between_two_chunks) {
  const RawLimits limits{.max_frame_bytes = 5000};
  Random random(33);
  RawDecoder decoder(limits);
  std::string stream;
  for (int i = 0; i < 200; ++i) {
    const Message message = testing::random_message(random, 4000);
    std::string frame;
    if (RawEncoder(limits).encode(message, frame).is_ok()) stream += frame;
  }
  for (std::size_t at = 0; at < stream.size(); at += 700) {
    decoder.feed(std::string_view(stream).substr(at, 700));
    EXPECT_LE(decoder.buffered(), limits.max_frame_bytes + 700);
    drain(decoder);
    EXPECT_LT(decoder.buffered(), limits.max_frame_bytes);
  }
  EXPECT_FALSE(decoder.mid_frame());
}

TEST(RawDecoder, random_bytes_and_random_damage_never_crash) {
  Random random(34);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = testing::random_text(random, 60);
    if (round % 2 == 0) {
      bytes = random() % 2 == 0 ? golden_call : golden_reply;
      for (std::size_t i = 1 + random() % 3; i > 0; --i) {
        bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
      }
    } else if (round % 4 == 1) {
      bytes = framed(bytes);
    }
    RawDecoder decoder;
    decoder.feed(bytes);
    Status error;
    const auto messages = drain(decoder, error);
    ASSERT_LE(messages.size(), 5u);
    ASSERT_TRUE(error.is_ok() || decoder.buffered() == 0);
  }
}

TEST(RawDecoder, says_so_when_the_other_side_speaks_a_text_protocol) {
  RawDecoder decoder;
  decoder.feed("HTTP/1.1 400 Bad Request\r\n");
  const Status status = decoder.next().error();
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_NE(status.message().find("its first bytes are \"HTTP\""), std::string::npos) << status;
}

}  // namespace
}  // namespace parley::wire
