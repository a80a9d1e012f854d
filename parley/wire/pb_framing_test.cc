#include "parley/wire/pb_framing.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/json_framing.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/golden_json.h"
#include "parley/wire/testing/golden_pb.h"
#include "parley/wire/testing/golden_raw.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;
using testing::erpc_framed;
using testing::golden_erpc_call;

const std::string golden_frame = from_hex(testing::golden_pb_call);

Message golden_reply() {
  return {.seq = -1, .type = MessageType::reply, .status = Status::business(1001, "bad")};
}

std::string encoded(const Message& message, const ErpcLimits& limits = {}) {
  std::string out;
  const Status status = PbEncoder(limits).encode(message, out);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

Message decoded(std::string_view frame) { return testing::only_message<PbDecoder>(frame); }
Message read(std::string_view hex) { return decoded(erpc_framed(from_hex(hex))); }
Status error_of(std::string_view hex) {
  return testing::first_error<PbDecoder>(erpc_framed(from_hex(hex)));
}

// The error of encoding, which must not touch what the buffer held.
Status encode_error(const Message& message, const ErpcLimits& limits = {}) {
  std::string out = "before";
  Status status = PbEncoder(limits).encode(message, out);
  Bytes tail = Bytes::copy_of("tail");
  EXPECT_EQ(PbEncoder(limits).encode_apart(message, out, tail), status);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(tail, "tail");
  return status;
}

TEST(PbFraming, writes_the_golden_frames_byte_by_byte) {
  EXPECT_EQ(encoded(golden_erpc_call()), golden_frame);
  EXPECT_EQ(encoded(golden_reply()), from_hex(testing::golden_pb_reply));
}

TEST(PbFraming, reads_the_golden_frames) {
  EXPECT_EQ(decoded(golden_frame), golden_erpc_call());
  EXPECT_EQ(decoded(from_hex(testing::golden_pb_reply)), golden_reply());
}

TEST(PbFraming, reads_the_golden_frames_cut_at_every_two_places) {
  testing::check_every_two_cuts<PbDecoder>(golden_frame + from_hex(testing::golden_pb_reply),
                                           {golden_erpc_call(), golden_reply()});
}

TEST(PbFraming, leaves_out_what_is_zero_or_empty_but_not_the_status) {
  EXPECT_EQ(encoded({.type = MessageType::push}), from_hex("0000000b 00 1003 2206636f64653d30"));
  EXPECT_EQ(read("1003"), Message{.type = MessageType::push});
}

TEST(PbFraming, takes_fields_in_any_order_and_skips_those_it_does_not_know) {
  // One unknown field of each kind; the body first.
  const Message message = read(
      "3a0161 306a 7805 79 3131313131313131 7a03616263 7d 31313131 f87f01 2a03613d62 "
      "2206636f64653d30 1a022f61 1003 0807");
  EXPECT_EQ(message, (Message{.seq = 7,
                              .type = MessageType::push,
                              .method = "/a",
                              .metadata = {{"a", "b"}},
                              .body_codec = BodyCodec::json,
                              .body = Bytes::copy_of("a")}));
}

TEST(PbFraming, of_a_field_that_stands_there_several_times_the_last_one_counts) {
  const Message message = read(
      "0801 0802 1009 1001 1a0161 1a0162 2209636f64653d31303031 2206636f64653d30 2a03613d62 "
      "2a03633d64 3001 306a 3a0161 3a0162");
  EXPECT_EQ(message, (Message{.seq = 2,
                              .method = "b",
                              .metadata = {{"c", "d"}},
                              .body_codec = BodyCodec::json,
                              .body = Bytes::copy_of("b")}));
  EXPECT_TRUE(read("1001 2a03613d62 2a00 3a0161 3a00").metadata.empty());
  EXPECT_TRUE(read("1001 2a03613d62 2a00 3a0161 3a00").body.empty());
}

TEST(PbFraming, numbers_are_read_as_protobuf_has_them) {
  EXPECT_EQ(read("1001 08ffffffffffffffffff01").seq, -1);
  EXPECT_EQ(read("1001 08ffffffff0f").seq, -1) << "the low 32 bits count";
  EXPECT_EQ(read("1001 0880808080f8ffffffff01").seq, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(read("1001 0881808000").seq, 1) << "longer than it has to be";
  EXPECT_EQ(read("908000 01").type, MessageType::call) << "a tag, too";
  EXPECT_EQ(error_of("1001 08ffffffffffffffffff02").message(),
            "pb frame: a number of more than 64 bits at offset 3");
  EXPECT_EQ(error_of("1001 08ff").message(),
            "pb frame: the frame ends within a number at offset 3");
}

TEST(PbFraming, says_what_is_wrong_with_the_fields) {
  struct Case {
    const char* hex;
    const char* message;
  };
  for (const auto& [hex, message] : {
           Case{"0801", "unknown message type 0"},
           Case{"1006", "unknown message type 6"},
           Case{"10ffffffffffffffffff01", "unknown message type -1"},
           Case{"1001 308002", "bodyCodec 256 is no byte"},
           Case{"1001 0a0131", "seq is no number at offset 3"},
           Case{"120131", "mtype is no number at offset 1"},
           Case{"1001 1801", "serviceMethod is not of bytes at offset 3"},
           Case{"1001 2001", "status is not of bytes at offset 3"},
           Case{"1001 2d01010101", "meta is not of bytes at offset 3"},
           Case{"1001 3d01010101", "body is not of bytes at offset 3"},
           Case{"1001 320131", "bodyCodec is no number at offset 3"},
           Case{"1001 3a0561", "a field of 5 bytes, but only 1 are left in the frame, at offset 4"},
           Case{"1001 7d010101",
                "a field of 4 bytes, but only 3 are left in the frame, at offset 3"},
           Case{"1001 3affffffffffffffffff01",
                "a field of 18446744073709551615 bytes, but only 0 are left in the frame, at "
                "offset 13"},
           Case{"1001 7b7c", "a field of wire type 3 at offset 3"},
           Case{"1001 7f00", "a field of wire type 7 at offset 3"},
           Case{"1001 0001", "a field number that is none at offset 3"},
           Case{"1001 8080808080 01", "a field number that is none at offset 8"},
       }) {
    const Status error = error_of(hex);
    EXPECT_EQ(error.code(), Code::invalid_argument) << hex;
    EXPECT_EQ(error.message(), std::string("pb frame: ") + message) << hex;
  }
  EXPECT_NE(error_of("1001 2206636f64653d78").message().find("pb frame: status: "),
            std::string::npos);
  EXPECT_NE(error_of("1001 2a03253267").message().find("pb frame: metadata: "), std::string::npos);
}

TEST(PbFraming, a_transfer_filter_is_refused_by_its_name) {
  const Status error = testing::first_error<PbDecoder>(from_hex("00000004 01 67 1001"));
  EXPECT_EQ(error.code(), Code::unimplemented);
  EXPECT_NE(error.message().find("pb frame: transfer filter 'g' is not registered"),
            std::string::npos);
}

TEST(PbFraming, a_length_that_is_no_frame_is_refused_at_once) {
  EXPECT_EQ(testing::first_error<PbDecoder>(from_hex("00000002")).message(),
            "pb frame: it claims a size of 2 bytes, but the smallest frame has 3");
  EXPECT_EQ(testing::first_error<PbDecoder>(from_hex("ffffffff")).code(), Code::resource_exhausted);
}

TEST(PbFraming, max_frame_bytes_holds_in_both_directions) {
  const ErpcLimits exact{.max_frame_bytes = golden_frame.size()};
  const ErpcLimits narrow{.max_frame_bytes = golden_frame.size() - 1};
  EXPECT_EQ(encoded(golden_erpc_call(), exact), golden_frame);
  EXPECT_EQ(encode_error(golden_erpc_call(), narrow).code(), Code::resource_exhausted);
  for (const auto& [limits, is_ok] : {std::pair(exact, true), std::pair(narrow, false)}) {
    PbDecoder decoder(limits);
    decoder.feed(golden_frame);
    EXPECT_EQ(decoder.next().has_value(), is_ok);
  }
}

TEST(PbFraming, max_metadata_entries_holds_in_both_directions) {
  const ErpcLimits narrow{.max_metadata_entries = 2};
  Message message = golden_erpc_call();
  message.metadata = {{"a", ""}, {"b", ""}, {"c", ""}};
  EXPECT_EQ(encode_error(message, narrow).code(), Code::resource_exhausted);
  PbDecoder decoder(narrow);
  decoder.feed(encoded(message));
  EXPECT_EQ(decoder.next().error().code(), Code::resource_exhausted);
}

TEST(PbFraming, a_method_of_255_bytes_is_the_longest) {
  Message message = golden_erpc_call();
  const std::string name(256, 'm');
  message.method = std::string_view(name).substr(1);
  EXPECT_EQ(decoded(encoded(message)), message);
  message.method = name;
  EXPECT_EQ(encode_error(message).code(), Code::invalid_argument);
  EXPECT_EQ(
      testing::first_error<PbDecoder>(erpc_framed(from_hex("1001 1a8002") + std::string(256, 'm')))
          .code(),
      Code::invalid_argument);
}

TEST(PbFraming, a_status_too_long_is_cut_and_still_arrives) {
  Message message = golden_reply();
  message.status = Status(Code::not_found, std::string(100'000, 'm'));
  for (const std::size_t limit : {200U, 300U, 100'000U}) {
    const std::string frame = encoded(message, {.max_frame_bytes = limit});
    EXPECT_LE(frame.size(), limit);
    const Message back = decoded(frame);
    EXPECT_EQ(back.status.code(), Code::not_found);
    EXPECT_TRUE(back.status.message().ends_with("m…"));
  }
}

TEST(PbFraming, what_it_cannot_carry_is_refused) {
  Message message = golden_erpc_call();
  message.type = MessageType::data;
  EXPECT_EQ(encode_error(message).code(), Code::unimplemented);
  EXPECT_FALSE(PbEncoder().has(MessageType::data));
}

TEST(PbFraming, a_body_kept_apart_is_shared_and_makes_the_same_bytes) {
  Message message = golden_erpc_call();
  message.body.append(Bytes::copy_of("second piece"));
  std::string head;
  Bytes tail;
  ASSERT_TRUE(PbEncoder().encode_apart(message, head, tail).is_ok());
  EXPECT_EQ(head + tail.to_string(), encoded(message));
  EXPECT_EQ(tail.piece(0).data(), message.body.piece(0).data());
}

TEST(PbFraming, says_how_large_a_body_may_be) {
  const ErpcLimits limits{.max_frame_bytes = 1000};
  Message message{.seq = -1};
  message.body = Bytes::from(std::string(PbEncoder(limits).max_body_bytes(), 'b'));
  EXPECT_LE(encoded(message, limits).size(), 1000U);
  EXPECT_EQ(PbEncoder({.max_frame_bytes = 3}).max_body_bytes(), 0U);
}

TEST(PbFraming, a_method_and_a_body_are_views_of_the_chunk) {
  Message message = golden_erpc_call();
  message.metadata = {};
  PbDecoder decoder;
  decoder.feed(encoded(message));
  Message back;
  const std::size_t before = allocations().count;
  ASSERT_TRUE(decoder.next(back).value());
  EXPECT_EQ(allocations().count, before);
  EXPECT_EQ(decoder.copied_bytes(), 0U);
  EXPECT_EQ(back, message);
}

TEST(PbFraming, a_claim_takes_no_memory_before_its_bytes_come) {
  PbDecoder decoder;
  const std::size_t before = allocations().bytes;
  decoder.feed(from_hex("00fffff0 00 1001 3a8080807f"));
  EXPECT_FALSE(decoder.next()->has_value());
  EXPECT_LT(allocations().bytes - before, 1000U);
}

TEST(PbFraming, feeding_byte_by_byte_is_linear) {
  for (const std::size_t size : {1000U, 300'000U}) {
    Message message = golden_erpc_call();
    message.body = Bytes::from(std::string(size, 'b'));
    const std::string stream = encoded(message);
    PbDecoder decoder;
    std::size_t received = 0;
    for (const char c : stream) {
      decoder.feed(std::string_view(&c, 1));
      auto next = decoder.next();
      ASSERT_TRUE(next);
      if (*next) received += (**next).body.size();
    }
    EXPECT_EQ(received, size);
    EXPECT_LE(decoder.copied_bytes(), 3 * stream.size());
  }
}

TEST(PbFraming, is_told_by_the_first_bytes_of_a_stream) {
  const PbFraming framing;
  for (std::size_t size = 0; size < 6; ++size) {
    EXPECT_EQ(framing.matches(golden_frame.substr(0, size)), Match::needs_more) << size;
  }
  EXPECT_EQ(framing.matches(golden_frame.substr(0, 6)), Match::yes);
  EXPECT_EQ(framing.matches(encoded({.seq = 0})), Match::yes) << "no seq";
  EXPECT_EQ(framing.matches("GET / HTTP"), Match::no);
  EXPECT_EQ(framing.matches("\xf0PRL"), Match::no);
  EXPECT_EQ(framing.matches(from_hex("0000003c 01 67")), Match::yes) << "a filter hides the rest";
  EXPECT_EQ(framing.name(), "pb");
}

// Whatever the lengths and the sixth byte: a stream is of one of the formats at most.
TEST(PbFraming, raw_json_and_pb_never_claim_the_same_frame) {
  const RawFraming raw;
  const JsonFraming json;
  const PbFraming pb;
  for (const std::size_t size : {0U, 3U, 12U, 14U, 100U, 65'536U, 16'000'000U, 1'000'000'000U}) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const std::string stream =
          testing::big_endian(size, 4) + '\0' + static_cast<char>(byte) + "1234567890";
      int claims = 0;
      for (const Framing* framing :
           {static_cast<const Framing*>(&raw), static_cast<const Framing*>(&json),
            static_cast<const Framing*>(&pb)}) {
        const Match match = framing->matches(stream);
        ASSERT_NE(match, Match::needs_more);
        claims += match == Match::yes ? 1 : 0;
      }
      ASSERT_LE(claims, 1) << size << " " << byte;
    }
  }
  // And each is claimed by its own.
  testing::Random random(91);
  for (int round = 0; round < 1000; ++round) {
    const Message message = testing::random_message(random);
    for (const Framing* framing :
         {static_cast<const Framing*>(&raw), static_cast<const Framing*>(&json),
          static_cast<const Framing*>(&pb)}) {
      std::string stream;
      ASSERT_TRUE(framing->make_encoder()->encode(message, stream).is_ok());
      ASSERT_EQ(framing->matches(stream), Match::yes) << framing->name();
    }
  }
}

TEST(PbFraming, makes_decoders_and_encoders_with_its_own_limits) {
  const PbFraming framing({.max_frame_bytes = 50});
  const auto decoder = framing.make_decoder();
  decoder->feed(golden_frame);
  EXPECT_EQ(decoder->next().error().code(), Code::resource_exhausted);
  std::string out;
  EXPECT_EQ(framing.make_encoder()->encode(golden_erpc_call(), out).code(),
            Code::resource_exhausted);
}

TEST(PbFraming, any_message_survives_the_round_trip) {
  testing::Random random(92);
  for (int round = 0; round < 3000; ++round) {
    const Message message = testing::random_message(random);
    ASSERT_EQ(decoded(encoded(message)), message);
  }
}

TEST(PbFraming, encoding_takes_at_most_one_allocation) {
  testing::Random random(93);
  for (int round = 0; round < 300; ++round) {
    const Message message = testing::random_message(random, 2000);
    std::string out;
    const std::size_t before = allocations().count;
    ASSERT_TRUE(PbEncoder().encode(message, out).is_ok());
    ASSERT_LE(allocations().count - before, 1U);
  }
}

TEST(PbFraming, random_damage_never_crashes) {
  testing::Random random(94);
  for (int round = 0; round < 20000; ++round) {
    std::string frame = golden_frame;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) {
      frame[5 + random() % (frame.size() - 5)] = static_cast<char>(random());
    }
    PbDecoder decoder;
    decoder.feed(frame);
    const auto next = decoder.next();
    ASSERT_TRUE(!next || next->has_value());
  }
}

}  // namespace
}  // namespace parley::wire
