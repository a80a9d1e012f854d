#include "parley/wire/raw_framing.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/testing/golden_raw.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;

Message golden_call() {
  return {.seq = 1295,
          .type = MessageType::call,
          .method = "/math/add",
          .metadata = {{"author", "an d&=y"}},
          .body_codec = BodyCodec::json,
          .body = Bytes::copy_of(R"({"a":"x"})")};
}

Message golden_reply() {
  return {.seq = -1,
          .type = MessageType::reply,
          .status = Status::business(1001, "bad é").with_cause("cause x"),
          .metadata = {{"author", "an d&=y"}}};
}

std::string encoded(const Message& message, RawLimits limits = {}) {
  std::string out;
  const Status status = RawEncoder(limits).encode(message, out);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

Message decoded(std::string_view bytes, RawLimits limits = {}) {
  RawDecoder decoder(limits);
  decoder.feed(bytes);
  auto next = decoder.next();
  EXPECT_TRUE(next && next->has_value()) << next.error();
  EXPECT_EQ(decoder.buffered(), 0u);
  return next && *next ? std::move(**next) : Message{};
}

// The error of encoding, which must not touch what the buffer held.
Status encode_error(const Message& message, RawLimits limits = {}) {
  std::string out = "before";
  Status status = RawEncoder(limits).encode(message, out);
  EXPECT_EQ(out, "before");
  Bytes tail = Bytes::copy_of("tail");
  EXPECT_EQ(RawEncoder(limits).encode_apart(message, out, tail), status);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(tail, "tail");
  return status;
}

TEST(RawFraming, writes_the_golden_frames_byte_by_byte) {
  EXPECT_EQ(encoded(golden_call()), from_hex(testing::golden_raw_call));
  EXPECT_EQ(encoded(golden_reply()), from_hex(testing::golden_raw_reply));
}

TEST(RawFraming, reads_the_golden_frames) {
  EXPECT_EQ(decoded(from_hex(testing::golden_raw_call)), golden_call());
  EXPECT_EQ(decoded(from_hex(testing::golden_raw_reply)), golden_reply());
}

TEST(RawFraming, appends_to_what_the_buffer_holds) {
  std::string out = "x";
  RawEncoder framing;
  ASSERT_TRUE(framing.encode(golden_call(), out).is_ok());
  ASSERT_TRUE(framing.encode(golden_reply(), out).is_ok());
  EXPECT_EQ(out, "x" + encoded(golden_call()) + encoded(golden_reply()));
  EXPECT_EQ(RawFraming().name(), "raw");
}

TEST(RawFraming, a_body_kept_apart_is_shared_and_makes_the_same_bytes) {
  Message message = golden_call();
  message.body.append(Bytes::copy_of("second piece"));
  std::string head;
  Bytes tail;
  ASSERT_TRUE(RawEncoder().encode_apart(message, head, tail).is_ok());
  EXPECT_EQ(head + tail.to_string(), encoded(message));
  EXPECT_EQ(tail.piece(0).data(), message.body.piece(0).data());
}

TEST(RawFraming, makes_decoders_with_its_own_limits) {
  const RawFraming framing({.max_frame_bytes = 50});
  const auto decoder = framing.make_decoder();
  decoder->feed(from_hex(testing::golden_raw_call));
  EXPECT_EQ(decoder->next().error().code(), Code::resource_exhausted);
}

TEST(RawFraming, a_method_of_255_bytes_is_the_longest) {
  Message message = golden_call();
  const std::string name(256, 'm');
  message.method = std::string_view(name).substr(1);
  EXPECT_EQ(decoded(encoded(message)), message);
  message.method = name;
  const Status status = encode_error(message);
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.message(),
            "raw frame: method name of 256 bytes (\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm…\"); the "
            "format carries at most 255");
}

TEST(RawFraming, metadata_of_65535_bytes_is_the_longest) {
  Message message = golden_call();
  message.metadata = {{"k", std::string(65533, 'v')}};
  EXPECT_EQ(decoded(encoded(message)), message);
  message.metadata = {{"k", std::string(65534, 'v')}};
  const Status status = encode_error(message);
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(status.message(),
            "raw frame: metadata of 65536 bytes as query text for method \"/math/add\"; the format "
            "carries at most 65535: move large values to the body");
  message.metadata = {{"k", std::string(30000, ' ')}};
  EXPECT_EQ(encode_error(message).code(), Code::resource_exhausted);
  message.metadata = {{"k", std::string(1'000'000, 'v')}};
  const std::size_t before = allocations().bytes;
  EXPECT_EQ(encode_error(message).code(), Code::resource_exhausted);
  EXPECT_LT(allocations().bytes - before, 10000u) << "hopeless text is not even written";
}

TEST(RawFraming, max_metadata_entries_holds_in_both_directions) {
  const RawLimits wide{.max_metadata_entries = 3};
  const RawLimits narrow{.max_metadata_entries = 2};
  Message message = golden_call();
  message.metadata = {{"a", ""}, {"b", ""}, {"c", ""}};
  const std::string frame = encoded(message, wide);
  EXPECT_EQ(decoded(frame, wide), message);
  EXPECT_EQ(encode_error(message, narrow).message(),
            "raw frame: metadata of 3 entries for method \"/math/add\" is more than "
            "max_metadata_entries (2)");
  RawDecoder decoder(narrow);
  decoder.feed(frame);
  EXPECT_EQ(decoder.next().error().code(), Code::resource_exhausted);
}

TEST(RawFraming, max_frame_bytes_holds_in_both_directions) {
  const std::string frame = encoded(golden_call());
  const RawLimits exact{.max_frame_bytes = frame.size()};
  const RawLimits narrow{.max_frame_bytes = frame.size() - 1};
  EXPECT_EQ(encoded(golden_call(), exact), frame);
  EXPECT_EQ(decoded(frame, exact), golden_call());
  const Status status = encode_error(golden_call(), narrow);
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_EQ(status.message(),
            "raw frame: a frame of 59 bytes is larger than max_frame_bytes (58); send less at once "
            "or raise the limit on both sides");
  RawDecoder decoder(narrow);
  decoder.feed(frame);
  EXPECT_EQ(decoder.next().error(), status);
}

TEST(RawFraming, a_body_beyond_the_default_limit_is_refused_before_it_is_copied) {
  Message message = golden_call();
  message.body = Bytes::from(std::string(RawLimits().max_frame_bytes, 'b'));
  const std::size_t before = allocations().bytes;
  EXPECT_EQ(encode_error(message).code(), Code::resource_exhausted);
  EXPECT_LT(allocations().bytes - before, 10000u);
}

TEST(RawFraming, a_status_too_long_is_cut_and_still_arrives) {
  Message message = golden_reply();
  std::string text;
  while (text.size() < 100000) text += "ошибка ";
  message.status = Status(Code::not_found, text).with_cause(text);
  const Message back = decoded(encoded(message));
  EXPECT_EQ(back.status.code(), Code::not_found);
  for (std::string part : {back.status.message(), back.status.cause()}) {
    ASSERT_TRUE(part.ends_with("…"));
    part.resize(part.size() - std::string_view("…").size());
    EXPECT_TRUE(text.starts_with(part));
    EXPECT_GT(part.size(), 1000u);
  }
  EXPECT_EQ(back.metadata, message.metadata);
}

TEST(RawFraming, a_status_is_cut_to_what_max_frame_bytes_leaves) {
  Message message = golden_reply();
  message.status = Status(Code::not_found, std::string(500, 'm'));
  const RawLimits narrow{.max_frame_bytes = 100};
  const std::string frame = encoded(message, narrow);
  EXPECT_LE(frame.size(), 100u);
  const Message back = decoded(frame, narrow);
  EXPECT_EQ(back.status.code(), Code::not_found);
  EXPECT_TRUE(back.status.message().ends_with("m…"));
  EXPECT_EQ(encode_error(message, {.max_frame_bytes = 30}).code(), Code::resource_exhausted);
}

TEST(RawFraming, a_message_type_that_is_none_is_refused) {
  Message message = golden_call();
  message.type = static_cast<MessageType>(0);
  EXPECT_EQ(encode_error(message).code(), Code::unimplemented);
  message.type = MessageType::open;
  EXPECT_EQ(encode_error(message).message(),
            "raw frame: it carries no open, only calls, pushes and their like, whole");
  EXPECT_FALSE(RawEncoder().has(MessageType::open));
  message.type = MessageType::call;
  EXPECT_TRUE(RawEncoder().has(MessageType::call));
  message.more = true;
  EXPECT_EQ(encode_error(message).message(),
            "raw frame: it carries no body in parts, only calls, pushes and their like, whole");
}

TEST(RawFraming, says_how_large_a_body_may_be) {
  const RawLimits limits{.max_frame_bytes = 1000};
  Message message = golden_call();
  message.metadata = {};
  message.method = {};
  message.body = Bytes::from(std::string(RawEncoder(limits).max_body_bytes(), 'b'));
  EXPECT_EQ(decoded(encoded(message, limits), limits), message);
  EXPECT_EQ(RawEncoder({.max_frame_bytes = 3}).max_body_bytes(), 0U);
}

TEST(RawFraming, is_told_by_the_first_bytes_of_a_stream) {
  const RawFraming framing;
  for (const auto golden :
       {testing::golden_raw_call, testing::golden_raw_md5_call, testing::golden_raw_reply}) {
    const std::string frame = from_hex(golden);
    for (std::size_t size = 0; size < 6; ++size) {
      EXPECT_EQ(framing.matches(frame.substr(0, size)), Match::needs_more) << size;
    }
    EXPECT_EQ(framing.matches(frame), Match::yes);
  }
  EXPECT_EQ(framing.matches("G"), Match::no);
  EXPECT_EQ(framing.matches("\xf0PRL"), Match::no);
  // A frame of erpc's json and one of its pb.
  EXPECT_EQ(framing.matches(from_hex("0000008a 00 7b22")), Match::no);
  EXPECT_EQ(framing.matches(from_hex("0000003c 00 088f")), Match::no);
  EXPECT_EQ(framing.matches(from_hex("0000000d 00 0131")), Match::no) << "no frame is so small";
}

TEST(RawFraming, sends_all_five_types_and_any_codec) {
  for (std::uint8_t type = 1; type <= 5; ++type) {
    Message message = golden_call();
    message.type = static_cast<MessageType>(type);
    message.body_codec = static_cast<BodyCodec>('\xee');
    EXPECT_EQ(decoded(encoded(message)), message);
  }
}

TEST(RawFraming, encoding_takes_at_most_one_allocation) {
  testing::Random random(21);
  for (int round = 0; round < 500; ++round) {
    const Message message = testing::random_message(random, 2000);
    std::string out;
    const std::size_t before = allocations().count;
    const Status status = RawEncoder().encode(message, out);
    const std::size_t taken = allocations().count - before;
    ASSERT_TRUE(status.is_ok()) << status;
    ASSERT_LE(taken, 1u);
    out.clear();
    const std::size_t again = allocations().count;
    ASSERT_TRUE(RawEncoder().encode(message, out).is_ok());
    ASSERT_EQ(allocations().count, again) << "a buffer that is large enough needs none";
  }
}

TEST(RawFraming, many_messages_in_one_buffer_do_not_move_it_each_time) {
  std::string out;
  const Message message = golden_call();
  const std::size_t before = allocations().count;
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(RawEncoder().encode(message, out).is_ok());
  EXPECT_LT(allocations().count - before, 30u);
}

TEST(RawFraming, any_message_survives_the_round_trip) {
  testing::Random random(22);
  for (int round = 0; round < 3000; ++round) {
    const Message message = testing::random_message(random);
    ASSERT_EQ(decoded(encoded(message)), message);
  }
}

}  // namespace
}  // namespace parley::wire
