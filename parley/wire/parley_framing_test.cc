#include "parley/wire/parley_framing.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/random.h"
#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/testing/golden_parley.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using namespace std::chrono_literals;
using parley::testing::allocations;
using parley::testing::from_hex;

const ParleyLimits least{.takes = {}};

// Both directions of one connection in one process.
class Line {
 public:
  explicit Line(const ParleyLimits& limits = least) : encoder_(limits), decoder_(limits) {
    encoder_.start(bytes_);
    encoder_.allow(limits.takes);
  }

  // What the messages become; the hello is not in it.
  std::string written(const std::vector<Message>& messages) {
    std::string out;
    for (const Message& message : messages) {
      const Status status = encoder_.encode(message, out);
      EXPECT_TRUE(status.is_ok()) << status;
    }
    bytes_ += out;
    return out;
  }
  std::string written(const Message& message) { return written(std::vector<Message>{message}); }

  // The error of a message, which must not touch what the buffer held.
  Status refused(const Message& message) {
    std::string out = "before";
    Status status = encoder_.encode(message, out);
    EXPECT_EQ(out, "before");
    Bytes tail = Bytes::copy_of("tail");
    EXPECT_EQ(encoder_.encode_apart(message, out, tail), status);
    EXPECT_EQ(out, "before");
    EXPECT_EQ(tail, "tail");
    return status;
  }

  void come(std::string_view hex) { bytes_ += from_hex(hex); }

  // What all that was written or came is read as, behind the hello.
  std::vector<Message> read() {
    decoder_.feed(std::exchange(bytes_, {}));
    std::vector<Message> messages;
    for (;;) {
      auto next = decoder_.next();
      EXPECT_TRUE(next) << next.error();
      if (!next || !*next) break;
      if ((*next)->type != MessageType::hello) messages.push_back(*std::move(*next));
    }
    EXPECT_EQ(decoder_.buffered(), 0U);
    return messages;
  }

  ParleyEncoder& encoder() { return encoder_; }
  ParleyDecoder& decoder() { return decoder_; }

 private:
  std::string bytes_;
  ParleyEncoder encoder_;
  ParleyDecoder decoder_;
};

Message call_of(std::int32_t seq, std::string_view method, std::string_view body = {}) {
  return {
      .seq = seq, .method = method, .body_codec = BodyCodec::json, .body = Bytes::copy_of(body)};
}

struct Golden {
  std::string_view hex;
  Message message;
};

// In the order in which they can be sent: the method of the second call is one that is kept.
std::vector<Golden> golden_messages() {
  Message full = call_of(300, "/math/add", R"({"a":1})");
  full.timeout = 1500ms;
  full.metadata = {{"tag", "a"}, {"tag", "b"}};
  return {
      {testing::golden_parley_call, call_of(1, "/math/add", R"({"a":1})")},
      {testing::golden_parley_second_call, call_of(2, "/math/add", R"({"a":1})")},
      {testing::golden_parley_full_call, full},
      {testing::golden_parley_reply,
       {.seq = 1,
        .type = MessageType::reply,
        .body_codec = BodyCodec::json,
        .body = Bytes::copy_of("3")}},
      {testing::golden_parley_error,
       {.seq = 2, .type = MessageType::reply, .status = Status(Code::not_found, "no")}},
      {testing::golden_parley_business,
       {.seq = 3,
        .type = MessageType::reply,
        .status = Status::business(1001, "bad").with_cause("x")}},
      {testing::golden_parley_open,
       {.seq = 5, .type = MessageType::open, .method = "/chat", .body_codec = BodyCodec::protobuf}},
      {testing::golden_parley_data,
       {.seq = 5, .type = MessageType::data, .own = true, .body = Bytes::copy_of("\x08\x01")}},
      {testing::golden_parley_credit, {.seq = 5, .type = MessageType::credit, .value = 131072}},
      {testing::golden_parley_end, {.seq = 5, .type = MessageType::end, .own = true}},
      {testing::golden_parley_end_with_status,
       {.seq = 5, .type = MessageType::end, .status = Status(Code::aborted, "")}},
      {testing::golden_parley_cancel, {.seq = 2, .type = MessageType::cancel}},
      {testing::golden_parley_ping, {.type = MessageType::ping, .value = 0x0102030405060708}},
      {testing::golden_parley_pong, {.type = MessageType::pong, .value = 0x0102030405060708}},
      {testing::golden_parley_go_away,
       {.type = MessageType::go_away, .status = Status(Code::unavailable, "bye"), .value = 5000}},
  };
}

TEST(ParleyFraming, writes_the_golden_frames_byte_by_byte) {
  Line line;
  for (const auto& [hex, message] : golden_messages()) {
    EXPECT_EQ(line.written(message), from_hex(hex)) << hex;
  }
  std::string hello;
  ParleyEncoder(least).start(hello);
  EXPECT_EQ(hello, from_hex(testing::golden_parley_hello));
  hello.clear();
  ParleyEncoder({.takes = {.max_frame = 131072, .max_names = 300}}).start(hello);
  EXPECT_EQ(hello, from_hex(testing::golden_parley_hello_with_settings));
}

TEST(ParleyFraming, reads_the_golden_frames) {
  Line line;
  for (const auto& golden : golden_messages()) line.come(golden.hex);
  line.come(testing::golden_parley_push);
  const std::vector<Message> messages = line.read();
  std::size_t at = 0;
  for (const auto& golden : golden_messages()) {
    EXPECT_EQ(messages.at(at++), golden.message) << golden.hex;
  }
  EXPECT_EQ(messages.at(at).method, "/news");
  EXPECT_EQ(messages.at(at).body_codec, BodyCodec::plain);
  EXPECT_EQ(messages.at(at).body, "hi");
}

TEST(ParleyFraming, the_hello_says_what_the_other_side_takes) {
  ParleyDecoder decoder;
  decoder.feed(from_hex(testing::golden_parley_hello_with_settings).substr(0, 6));
  EXPECT_FALSE(*decoder.next());
  EXPECT_EQ(decoder.settings(), nullptr);
  decoder.feed(from_hex(testing::golden_parley_hello_with_settings).substr(6));
  EXPECT_EQ((*decoder.next())->type, MessageType::hello);
  EXPECT_EQ(*decoder.settings(), (Settings{.max_frame = 131072, .max_names = 300}));
}

TEST(ParleyFraming, settings_of_later_versions_are_skipped) {
  ParleyDecoder decoder;
  decoder.feed(from_hex("f0 50 52 4c 07 05 06 ac02 09 01"));
  EXPECT_EQ((*decoder.next())->type, MessageType::hello);
  EXPECT_EQ(*decoder.settings(), (Settings{.max_names = 300}));
}

// A server has as many of them as it has callers, most of them at rest.
TEST(ParleyFraming, who_only_answers_holds_no_memory_for_names) {
  const ParleyFraming framing;
  const std::size_t before = allocations().bytes;
  const auto encoder = framing.make_encoder();
  const auto decoder = framing.make_decoder();
  EXPECT_LT(allocations().bytes - before, 800U);
  std::string out;
  EXPECT_TRUE(encoder->encode_answer(1, BodyCodec::json, "3", out).is_ok());
  EXPECT_LT(allocations().bytes - before, 1'000U);
}

TEST(ParleyFraming, a_method_is_kept_up_to_the_number_of_names_the_other_side_takes) {
  Line line;
  std::vector<Message> sent;
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back("/method/" + std::to_string(i));
  for (int round = 0; round < 2; ++round) {
    for (const std::string& name : names) sent.push_back(call_of(1, name));
  }
  const std::string bytes = line.written(sent);
  EXPECT_EQ(line.read(), sent);
  std::size_t as_text = 0;
  for (const std::string& name : names) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = bytes.find(name + "j", at)) != std::string::npos; ++at) ++found;
    as_text += found;
  }
  EXPECT_EQ(as_text, 128U + 2 * (200 - 128)) << "128 names are sent once, the others each time";
}

TEST(ParleyFraming, a_name_is_known_by_its_text_not_by_where_it_stands) {
  Line line;
  std::string name = "/one";
  const std::string first = line.written(call_of(1, name));
  name = "/two";
  (void)line.written(call_of(2, name));
  const std::string elsewhere = "/one";
  const std::string third = line.written(call_of(3, elsewhere));
  EXPECT_LT(third.size(), first.size());
  const std::vector<Message> messages = line.read();
  EXPECT_EQ(messages.at(0).method, "/one");
  EXPECT_EQ(messages.at(1).method, "/two");
  EXPECT_EQ(messages.at(2).method, "/one");
}

TEST(ParleyFraming, a_message_that_is_refused_keeps_no_name) {
  Line line;
  Message large = call_of(1, "/late", std::string(70'000, 'x'));
  EXPECT_EQ(line.refused(large).code(), Code::resource_exhausted);
  const std::string bytes = line.written(call_of(1, "/late"));
  EXPECT_NE(bytes.find("/late"), std::string::npos);
  EXPECT_EQ(line.read().at(0).method, "/late");
}

TEST(ParleyFraming, a_small_call_costs_five_bytes_beside_its_body) {
  Line line;
  (void)line.written(call_of(1, "/math/add", "[1,2]"));
  EXPECT_EQ(line.written(call_of(2, "/math/add", "[1,2]")).size(), 5U + 5U);
}

TEST(ParleyFraming, a_large_body_goes_in_parts_and_comes_whole) {
  const ParleyLimits limits{.takes = {.max_message = 1'000'000}};
  for (const MessageType type : {MessageType::call, MessageType::reply, MessageType::push,
                                 MessageType::data, MessageType::auth_call}) {
    Line line(limits);
    Message message{.seq = 9, .type = type};
    if (type == MessageType::call || type == MessageType::push) message.method = "/put";
    if (type != MessageType::data) message.metadata = {{"k", std::string(1000, 'v')}};
    if (type == MessageType::reply) message.status = Status(Code::internal, "with a body");
    std::string body;
    for (int i = 0; i < 300'000; ++i) body += static_cast<char>(i % 251);
    message.body = Bytes::copy_of(body.substr(0, 100'000));
    message.body.append(Bytes::copy_of(body.substr(100'000)));
    EXPECT_GT(line.written(message).size(), body.size());
    EXPECT_EQ(line.read(), std::vector<Message>{message}) << name_of(type);
    EXPECT_EQ(line.decoder().unfinished(), 0U);
  }
}

TEST(ParleyFraming, other_messages_may_stand_between_the_parts_of_a_body) {
  Line line;
  line.come(testing::golden_parley_parts);
  line.come(testing::golden_parley_extension);
  const std::vector<Message> messages = line.read();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].type, MessageType::ping);
  EXPECT_EQ(messages[1].type, MessageType::push);
  EXPECT_EQ(messages[1].method, "/big");
  EXPECT_EQ(messages[1].body, "abc");
}

TEST(ParleyFraming, a_caller_may_cut_a_body_itself) {
  Line line;
  Message begin = call_of(7, "/put", "first ");
  begin.more = true;
  (void)line.written(begin);
  const std::string_view second = "second ";
  std::string out;
  const Message middle{.seq = 7, .type = MessageType::part, .own = true, .more = true};
  ASSERT_TRUE(line.encoder().encode(middle, second, out).is_ok());
  (void)line.written(call_of(8, "/small"));
  const Message last{
      .seq = 7, .type = MessageType::part, .own = true, .body = Bytes::copy_of("third")};
  ASSERT_TRUE(line.encoder().encode(last, out).is_ok());
  ParleyDecoder& decoder = line.decoder();
  const std::vector<Message> small = line.read();
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small[0].seq, 8);
  decoder.feed(out);
  const auto whole = decoder.next();
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->body, "first second third");
  EXPECT_EQ((*whole)->seq, 7);
  EXPECT_FALSE((*whole)->more);
}

TEST(ParleyFraming, a_body_kept_apart_is_shared_and_makes_the_same_bytes) {
  Line line;
  Line other;
  const Message message = call_of(1, "/put", std::string(50'000, 'x'));
  std::string head;
  Bytes tail;
  ASSERT_TRUE(line.encoder().encode_apart(message, head, tail).is_ok());
  EXPECT_EQ(tail.piece(0).data(), message.body.piece(0).data());
  EXPECT_EQ(head + tail.to_string(), other.written(message));
}

TEST(ParleyFraming, a_body_that_lies_whole_in_a_chunk_is_shared_not_copied) {
  Line line;
  const std::string frame = line.written(call_of(1, "/put", std::string(50'000, 'x')));
  ParleyDecoder& decoder = line.decoder();
  decoder.feed(from_hex(testing::golden_parley_hello));
  ASSERT_TRUE(decoder.next());
  const Bytes chunk = Bytes::copy_of(frame);
  decoder.feed(chunk);
  const auto message = decoder.next();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->body.piece(0).data(), chunk.piece(0).data() + frame.size() - 50'000);
}

TEST(ParleyFraming, a_status_too_long_is_cut_and_still_arrives) {
  Line line;
  const std::string message = "é" + std::string(20'000, 'm');
  const std::string cause(20'000, 'c');
  (void)line.written({.seq = 1,
                      .type = MessageType::reply,
                      .status = Status(Code::internal, message).with_cause(cause)});
  (void)line.written({.seq = 2,
                      .type = MessageType::reply,
                      .status = Status(Code::internal, "short").with_cause(cause)});
  const std::vector<Message> messages = line.read();
  const Status& both = messages.at(0).status;
  EXPECT_EQ(both.code(), Code::internal);
  EXPECT_EQ(both.message().size() + both.cause().size(), 16'384U);
  EXPECT_EQ(both.cause().size(), 4'096U);
  EXPECT_TRUE(both.message().ends_with("m…"));
  EXPECT_TRUE(both.is_remote());
  EXPECT_EQ(messages.at(1).status.message(), "short");
  EXPECT_EQ(messages.at(1).status.cause().size(), 16'384U - 5);
}

TEST(ParleyFraming, a_deadline_travels_in_microseconds) {
  Line line;
  Message message = call_of(1, "/x");
  message.timeout = 1'234'567'891ns;
  (void)line.written(message);
  message.timeout = -5s;
  (void)line.written(message);
  message.timeout = std::chrono::hours(24 * 365 * 40);
  (void)line.written(message);
  const std::vector<Message> messages = line.read();
  EXPECT_EQ(messages.at(0).timeout, 1'234'567us);
  EXPECT_EQ(messages.at(1).timeout, 0us) << "there is no time left";
  EXPECT_FALSE(messages.at(2).timeout) << "40 years are no deadline";
}

TEST(ParleyFraming, a_body_must_wait_for_the_hello_of_a_side_that_takes_more) {
  ParleyEncoder encoder;
  std::string out;
  const Message message = call_of(1, "/put", std::string(100'000, 'x'));
  EXPECT_EQ(encoder.max_body_bytes(), 65'536U);
  EXPECT_EQ(encoder.encode(message, out).message(),
            "parley CALL: 100000 bytes are more than max_message (65536)");
  encoder.allow({.max_message = 200'000});
  EXPECT_EQ(encoder.max_body_bytes(), 200'000U);
  EXPECT_TRUE(encoder.encode(message, out).is_ok());
  // What this side takes, it does not exceed itself.
  ParleyEncoder careful({.takes = {.max_message = 150'000}});
  careful.allow({.max_message = 200'000});
  EXPECT_EQ(careful.max_body_bytes(), 150'000U);
}

TEST(ParleyFraming, filters_stand_behind_the_codec) {
  Line line;
  const Message call{.seq = 1,
                     .type = MessageType::call,
                     .method = "/z",
                     .body_codec = BodyCodec::json,
                     .is_filtered = true,
                     .filters = FilterPipe("zc"),
                     .body = Bytes::from(from_hex("aabb"))};
  line.come(testing::golden_parley_filtered_call);
  EXPECT_EQ(line.read(), std::vector{call});
  // The same, but for the name, which is kept.
  std::string frame = from_hex(testing::golden_parley_filtered_call);
  frame[3] = '\x01';
  EXPECT_EQ(line.written(call), frame);
  std::string apart;
  Bytes tail;
  ASSERT_TRUE(ParleyEncoder().encode_apart(call, apart, tail).is_ok());
  EXPECT_EQ(apart + tail.to_string(), frame);
}

TEST(ParleyFraming, filters_hold_for_a_body_in_parts_as_a_whole) {
  Line line;
  const Message call{.seq = 1,
                     .type = MessageType::call,
                     .method = "/z",
                     .is_filtered = true,
                     .filters = FilterPipe("z"),
                     .body = Bytes::from(std::string(60'000, 'x'))};
  Message wide = call;
  wide.metadata.add("key", std::string(10'000, 'v'));
  (void)line.written(wide);
  EXPECT_EQ(line.read(), std::vector{wide});
}

TEST(ParleyFraming, the_filters_of_a_stream_stand_in_its_open) {
  Line line;
  const Message open{
      .seq = 3, .type = MessageType::open, .method = "/s", .filters = FilterPipe("g")};
  (void)line.written(open);
  EXPECT_EQ(line.read(), std::vector{open});
  const Message data{.seq = 3,
                     .type = MessageType::data,
                     .own = true,
                     .is_filtered = true,
                     .filters = FilterPipe("g"),
                     .body = Bytes::copy_of("x")};
  EXPECT_EQ(line.refused(data).message(),
            "parley DATA: it names no filters: those of its OPEN hold");
}

TEST(ParleyFraming, a_body_that_has_not_gone_through_its_filters_is_refused) {
  Line line;
  const Message call{.seq = 1, .type = MessageType::call, .filters = FilterPipe("z")};
  EXPECT_EQ(line.refused(call).message(),
            "parley CALL: its body has not gone through its filters: use filter_body()");
}

TEST(ParleyFraming, a_codec_whose_id_has_the_high_bit_is_refused) {
  Line line;
  const auto codec = static_cast<BodyCodec>('\x80');
  EXPECT_EQ(line.refused({.seq = 1, .body_codec = codec}).message(),
            "parley CALL: a codec of id 128; the format carries those below 128");
  std::string out;
  EXPECT_FALSE(ParleyEncoder().encode_answer(1, codec, "x", out).is_ok());
  EXPECT_EQ(out, "");
}

TEST(ParleyFraming, what_a_frame_cannot_carry_is_refused) {
  Line line;
  const auto problem = [&](const Message& message) { return line.refused(message).message(); };
  EXPECT_EQ(problem(call_of(0, "/x")), "parley CALL: an id of 0; they begin with 1");
  EXPECT_EQ(problem({.seq = -1, .type = MessageType::reply}),
            "parley REPLY: an id of -1; they begin with 1");
  EXPECT_EQ(problem({.type = MessageType::push, .more = true}),
            "parley PUSH: an id of 0; they begin with 1");
  const std::string name(256, 'm');
  EXPECT_EQ(problem(call_of(1, name)),
            "parley CALL: a method name of 256 bytes; the format carries at most 255");
  EXPECT_EQ(problem({.type = MessageType::ping, .body = Bytes::copy_of("x")}),
            "parley PING: it carries no body");
  EXPECT_EQ(problem({.seq = 1, .type = MessageType::open, .more = true}),
            "parley OPEN: it carries no body");
  EXPECT_EQ(problem({.seq = 1, .type = MessageType::data, .metadata = {{"k", "v"}}}),
            "parley DATA: it carries no metadata");
  Message many = call_of(1, "/x");
  for (int i = 0; i < 1025; ++i) many.metadata.add("k", "v");
  EXPECT_EQ(problem(many),
            "parley CALL: 1025 entries of metadata are more than max_metadata_entries (1024)");
  Message wide = call_of(1, "/x");
  wide.metadata = {{"k", std::string(70'000, 'v')}};
  EXPECT_EQ(problem(wide),
            "parley CALL: 70058 bytes with the metadata are more than the other side's max_frame "
            "(65536): move large values to the body");
  EXPECT_EQ(
      problem(
          {.seq = 1, .type = MessageType::part, .body = Bytes::copy_of(std::string(65'530, 'x'))}),
      "parley PART: 65530 bytes are more than the other side's max_frame (65536)");
  EXPECT_EQ(line.refused({.type = MessageType::hello}).code(), Code::unimplemented);
  EXPECT_EQ(line.refused({.type = static_cast<MessageType>(77)}).code(), Code::unimplemented);
  EXPECT_TRUE(line.encoder().has(MessageType::open));
  EXPECT_FALSE(line.encoder().has(MessageType::hello));
}

TEST(ParleyFraming, is_told_by_the_first_bytes_of_a_stream) {
  const ParleyFraming framing;
  const std::string hello = from_hex(testing::golden_parley_hello);
  EXPECT_EQ(framing.matches(""), Match::needs_more);
  EXPECT_EQ(framing.matches(hello.substr(0, 3)), Match::needs_more);
  EXPECT_EQ(framing.matches(hello.substr(0, 4)), Match::yes);
  EXPECT_EQ(framing.matches("GET "), Match::no);
  EXPECT_EQ(framing.matches(std::string_view("\0", 1)), Match::no);
  EXPECT_EQ(framing.name(), "parley");
}

TEST(ParleyFraming, calls_of_a_known_method_allocate_nothing) {
  Line line;
  std::string out;
  out.reserve(10'000);
  Message message = call_of(1, "/a/method/with/a/long/name", "[1,2]");
  ASSERT_TRUE(line.encoder().encode(message, out).is_ok());
  (void)line.read();
  line.decoder().feed(std::exchange(out, {}));
  ASSERT_TRUE(*line.decoder().next());
  out.reserve(10'000);
  const std::size_t before = allocations().count;
  for (int i = 2; i < 300; ++i) {
    message.seq = i;
    ASSERT_TRUE(line.encoder().encode(message, out).is_ok());
  }
  EXPECT_EQ(allocations().count - before, 0U);
  line.decoder().feed(Bytes::from(std::move(out)));
  const std::size_t before_reading = allocations().count;
  for (int i = 2; i < 300; ++i) {
    Message read;
    ASSERT_TRUE(*line.decoder().next(read));
    EXPECT_EQ(read.method, message.method);
  }
  EXPECT_EQ(allocations().count - before_reading, 0U);
}

TEST(ParleyFraming, any_message_survives_the_round_trip) {
  testing::Random random(7);
  const ParleyLimits limits{.takes = {.max_message = 200'000}};
  Line line(limits);
  for (int i = 0; i < 2000; ++i) {
    const Message message = testing::random_parley_message(random, i % 100 == 0 ? 150'000 : 200);
    (void)line.written(message);
    const std::vector<Message> back = line.read();
    ASSERT_EQ(back, std::vector<Message>{message}) << name_of(message.type) << " " << i;
  }
}

// A body in one piece may be written by code of its own, one in two never is.
TEST(ParleyFraming, a_call_is_the_same_bytes_whether_its_body_lies_in_one_piece_or_in_two) {
  testing::Random random(19);
  ParleyEncoder whole;
  ParleyEncoder pieces;
  std::size_t calls = 0;
  for (int i = 0; i < 2'000; ++i) {
    Message message = testing::random_parley_message(random, i % 10 == 0 ? 4'200 : 200);
    if (message.type != MessageType::call || message.body.size() < 2 || message.more) continue;
    ++calls;
    const std::string body = message.body.to_string();
    message.body = Bytes::copy_of(body);
    std::string in_one;
    ASSERT_TRUE(whole.encode(message, in_one).is_ok());
    message.body = Bytes::copy_of(body.substr(0, 1));
    message.body.append(Bytes::copy_of(body.substr(1)));
    ASSERT_EQ(message.body.piece_count(), 2U);
    std::string in_two;
    ASSERT_TRUE(pieces.encode(message, in_two).is_ok());
    ASSERT_EQ(in_one, in_two) << i;
  }
  EXPECT_GT(calls, 50U);
}

// One message serves all that are read so.
TEST(ParleyFraming, what_is_read_at_a_glance_is_what_the_reader_proper_reads) {
  testing::Random random(23);
  Random numbers(23);
  ParleyEncoder encoder;
  std::string bytes;
  encoder.start(bytes);
  std::vector<Message> sent;
  for (int i = 0; i < 3'000; ++i) {
    Message message = testing::random_parley_message(random, i % 10 == 0 ? 4'200 : 40);
    if (i % 3 != 0) {
      message = {.seq = static_cast<std::int32_t>(1 + numbers.below(1'000'000)),
                 .type = i % 3 == 1 ? MessageType::call : MessageType::reply,
                 .method = i % 3 == 1 ? "/math/add" : "",
                 .body_codec = BodyCodec::json,
                 .body = Bytes::copy_of(std::string(numbers.below(30), 'x'))};
      if (i % 6 == 1) message.timeout = std::chrono::microseconds(numbers.below(1'000'000'000));
    }
    if (message.more) continue;
    ASSERT_TRUE(encoder.encode(message, bytes).is_ok());
    sent.push_back(std::move(message));
  }
  ParleyDecoder decoder;
  decoder.feed(bytes);
  ASSERT_TRUE(decoder.next());  // the hello
  Message plain;
  std::size_t plains = 0;
  for (const Message& message : sent) {
    if (decoder.next_plain(plain)) {
      ++plains;
      ASSERT_EQ(plain, message);
      continue;
    }
    Message fresh;
    const auto came = decoder.next(fresh);
    ASSERT_TRUE(came && *came);
    ASSERT_EQ(fresh, message);
  }
  EXPECT_FALSE(decoder.next_plain(plain));
  EXPECT_GT(plains, 1'900U);
}

// What a decoder makes of many frames at a time is what it makes of them one by one, and their
// bodies lie in what was fed.
TEST(ParleyFraming, plain_messages_are_read_in_rows) {
  ParleyEncoder encoder;
  std::string bytes;
  encoder.start(bytes);
  std::vector<Message> sent;
  const std::int32_t last = std::numeric_limits<std::int32_t>::max();
  for (const std::int32_t seq : {1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, last - 1, last}) {
    for (const std::int64_t microseconds : {-1, 0, 1, 127, 128, 30'000'000}) {
      for (const std::size_t size : {0U, 1U, 9U, 100U, 130U, 4'000U}) {
        Message message{.seq = seq,
                        .type = size % 2 == 0 ? MessageType::call : MessageType::reply,
                        .body_codec = BodyCodec::json,
                        .body = Bytes::copy_of(std::string(size, 'x'))};
        if (message.type == MessageType::call) {
          message.method = "/math/add";
          if (microseconds >= 0) message.timeout = std::chrono::microseconds(microseconds);
        }
        ASSERT_TRUE(encoder.encode(message, bytes).is_ok());
        sent.push_back(std::move(message));
      }
    }
  }
  for (const std::size_t row_size : {1U, 3U, 64U}) {
    const Bytes chunk = Bytes::copy_of(bytes);
    ParleyDecoder decoder;
    decoder.feed(chunk);
    ASSERT_TRUE(decoder.next());  // the hello
    struct Larger {
      Message message;
      std::uint64_t beside = 7;
    };
    std::vector<Larger> row(row_size);
    std::size_t at = 0;
    Message fresh;  // the first call says the name
    ASSERT_TRUE(*decoder.next(fresh));
    ASSERT_EQ(fresh, sent[at++]);
    while (at < sent.size()) {
      const std::size_t count =
          decoder.next_plain(MessageRow(&row.front().message, sizeof(Larger), row.size()));
      ASSERT_GT(count, 0U) << at;
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(row[i].message, sent[at]) << at;
        ASSERT_EQ(row[i].beside, 7U);
        if (!sent[at].body.empty()) {
          ASSERT_EQ(row[i].message.body.first_block().get(), chunk.first_block().get());
        }
        ++at;
      }
    }
    EXPECT_EQ(decoder.next_plain(MessageRow(row.front().message)), 0U);
  }
}

// Takes answers by next_answers() as far as they go, what is between by next().
TEST(ParleyFraming, plain_answers_that_come_together_are_read_as_one_by_one) {
  Random numbers(31);
  ParleyEncoder encoder;
  std::string bytes;
  encoder.start(bytes);
  const std::size_t hello = bytes.size();
  std::vector<Message> sent;
  for (int i = 0; i < 2'000; ++i) {
    const bool is_small = numbers.below(2) == 0;
    const std::uint64_t most = is_small ? 300 : 0x7fffffff;
    Message message{
        .seq = static_cast<std::int32_t>(1 + numbers.below(most)),
        .type = MessageType::reply,
        .body_codec = BodyCodec::json,
        .body = Bytes::copy_of(std::string(numbers.below(i % 10 == 0 ? 5'000 : 9), 'x'))};
    if (i % 7 == 0) message.status = Status(Code::not_found, "no such thing");
    if (i % 11 == 0) message.type = MessageType::cancel, message.body = {};
    if (i % 11 == 0) message.status = {}, message.body_codec = {};
    ASSERT_TRUE(encoder.encode(message, bytes).is_ok());
    sent.push_back(std::move(message));
  }
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{7}, std::size_t{4'000}, bytes.size()}) {
    ParleyDecoder decoder;
    std::size_t next = 0;
    std::size_t at_once = 0;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      decoder.feed(std::string_view(bytes).substr(at, step));
      for (;;) {
        std::array<PlainAnswer, 5> answers;
        Bytes chunk;
        const std::size_t count = decoder.next_answers(answers, chunk);
        for (const PlainAnswer& answer : std::span(answers).first(count)) {
          const Message& message = sent[next++];
          ASSERT_EQ(answer.seq, message.seq);
          ASSERT_EQ(answer.codec, message.body_codec);
          ASSERT_TRUE(message.body == answer.body && message.status.is_ok());
          ASSERT_EQ(message.type, MessageType::reply);
        }
        at_once += count;
        if (count == answers.size()) continue;
        Message message;
        const auto came = decoder.next(message);
        ASSERT_TRUE(came);
        if (!*came) break;
        if (message.type == MessageType::hello) continue;
        ASSERT_EQ(message, sent[next++]);
      }
    }
    EXPECT_EQ(next, sent.size()) << step << " behind a hello of " << hello;
    if (step > 1'000) EXPECT_GT(at_once, 700U) << step;
  }
}

TEST(ParleyFraming, an_answer_that_is_not_written_as_it_should_be_is_left_to_the_reader_proper) {
  // Frames of a REPLY: a number of 0, one and a size that are longer than they have to be, no
  // codec, filters, a number that ends beyond the frame, one of more than 28 bits.
  for (const std::string_view hex : {"0203006a31", "020481006a31", "028300016a31", "020101",
                                     "020301ea31", "02028181", "020780808080076a31"}) {
    std::string bytes;
    ParleyEncoder().start(bytes);
    ParleyDecoder decoder;
    decoder.feed(bytes);
    ASSERT_TRUE(decoder.next());
    const std::string frame = from_hex(hex);
    decoder.feed(frame + std::string(8, '\0'));
    std::array<PlainAnswer, 4> answers;
    Bytes chunk;
    EXPECT_EQ(decoder.next_answers(answers, chunk), 0U) << hex;
    EXPECT_EQ(decoder.buffered(), frame.size() + 8);
  }
}

TEST(ParleyFraming, a_plain_call_is_written_as_any_other) {
  Random numbers(29);
  ParleyEncoder plain;
  ParleyEncoder other;
  const auto in_pieces = [&](const PlainCall& call) {
    Message message{.seq = call.seq,
                    .type = MessageType::call,
                    .method = call.method,
                    .body_codec = call.codec,
                    .body = Bytes::copy_of(call.body.substr(0, 1)),
                    .timeout = call.timeout};
    message.body.append(Bytes::copy_of(call.body.substr(1)));
    std::string out;
    EXPECT_TRUE(other.encode(message, out).is_ok());
    return out;
  };
  std::string out = "before";
  EXPECT_FALSE(plain.encode_call({.seq = 1, .method = "/add", .body = "12"}, out))
      << "the other side does not know the name yet";
  EXPECT_EQ(out, "before");
  const PlainCall first{.seq = 1, .method = "/add", .codec = BodyCodec::json, .body = "12"};
  ASSERT_TRUE(plain
                  .encode({.seq = 1,
                           .type = MessageType::call,
                           .method = "/add",
                           .body_codec = BodyCodec::json,
                           .body = Bytes::copy_of("12")},
                          out)
                  .is_ok());
  EXPECT_EQ(out, "before" + in_pieces(first));
  for (std::size_t size = 2; size < 200; ++size) {
    const std::string body(size, 'x');
    PlainCall call{.seq = static_cast<std::int32_t>(1 + numbers.below(0x7ffffffe)),
                   .method = "/add",
                   .codec = BodyCodec::json,
                   .body = body};
    if (size % 2 == 0) call.timeout = std::chrono::microseconds(numbers.below(1'000'000'000));
    out.clear();
    ASSERT_TRUE(plain.encode_call(call, out));
    ASSERT_EQ(out, in_pieces(call)) << size;
    std::array<char, Encoder::most_small_call> room{};
    const char* const end = plain.write_call(call, room.data());
    ASSERT_EQ(end != nullptr, size <= 64) << size;
    if (end == nullptr) continue;
    ASSERT_EQ(std::string_view(room.data(), static_cast<std::size_t>(end - room.data())), out);
  }
  std::array<char, Encoder::most_small_call> room{};
  PlainCall odd{.seq = 1, .method = "/add", .codec = BodyCodec::json, .body = "12"};
  odd.timeout = std::chrono::hours(24 * 365 * 100);
  EXPECT_EQ(plain.write_call(odd, room.data()), nullptr) << "longer than the format has";
  odd.timeout = std::chrono::microseconds(-1);
  EXPECT_NE(plain.write_call(odd, room.data()), nullptr) << "none is left";
  odd.seq = 0;
  EXPECT_EQ(plain.write_call(odd, room.data()), nullptr);
  odd.seq = 1;
  odd.method = "/added";
  EXPECT_EQ(plain.write_call(odd, room.data()), nullptr) << "no name that is kept";
  out.clear();
  EXPECT_FALSE(plain.encode_call({.seq = 0, .method = "/add", .body = "12"}, out));
  EXPECT_FALSE(
      plain.encode_call({.seq = 1, .method = "/add", .body = std::string(5'000, 'x')}, out));
  EXPECT_EQ(out, "");
}

TEST(ParleyFraming, a_small_answer_is_the_same_bytes_in_room_as_in_a_string) {
  const ParleyEncoder encoder;
  for (const std::int32_t seq : {1, 127, 128, 1'000'000, 0x7fffffff}) {
    for (std::size_t size = 0; size < 200; ++size) {
      std::string body;
      for (std::size_t i = 0; i < size; ++i) body += static_cast<char>('a' + i % 26);
      std::string out;
      ASSERT_TRUE(encoder.encode_answer(seq, BodyCodec::json, body, out).is_ok());
      std::array<char, Encoder::most_small_answer> room{};
      const char* const end = encoder.write_answer(seq, BodyCodec::json, body, room.data());
      ASSERT_EQ(end != nullptr, size <= 96) << size;
      if (end != nullptr)
        ASSERT_EQ(std::string_view(room.data(), static_cast<std::size_t>(end - room.data())), out);
    }
  }
  std::array<char, Encoder::most_small_answer> room{};
  EXPECT_EQ(encoder.write_answer(0, BodyCodec::json, "1", room.data()), nullptr);
  EXPECT_EQ(encoder.write_answer(1, static_cast<BodyCodec>(0x80), "1", room.data()), nullptr);
}

}  // namespace
}  // namespace parley::wire
