#include "parley/wire/ws_payload.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/golden_ws.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;
using testing::golden_erpc_call;

struct Format {
  Status (*encode)(const Message&, std::string&, const ErpcLimits&);
  Result<Message> (*decode)(Bytes, const ErpcLimits&);
  std::string golden;
};

std::vector<Format> formats() {
  return {{encode_ws_json, decode_ws_json, std::string(testing::golden_ws_json)},
          {encode_ws_pb, decode_ws_pb, from_hex(testing::golden_ws_pb)}};
}

std::string encoded(const Format& format, const Message& message, const ErpcLimits& limits = {}) {
  std::string out;
  const Status status = format.encode(message, out, limits);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

Status encode_error(const Format& format, const Message& message, const ErpcLimits& limits = {}) {
  std::string out = "before";
  Status status = format.encode(message, out, limits);
  EXPECT_EQ(out, "before");
  return status;
}

Message read_json(std::string_view text) {
  auto message = decode_ws_json(Bytes::copy_of(text));
  EXPECT_TRUE(message) << message.error();
  return message ? *std::move(message) : Message();
}

TEST(WsPayload, writes_and_reads_the_golden_payloads) {
  for (const Format& format : formats()) {
    EXPECT_EQ(encoded(format, golden_erpc_call()), format.golden);
    EXPECT_EQ(format.decode(Bytes::copy_of(format.golden), {}).value(), golden_erpc_call());
  }
}

TEST(WsPayload, a_status_that_is_not_ok_stands_where_erpc_does_not_look) {
  const Message reply{.seq = 7,
                      .type = MessageType::reply,
                      .status = Status::business(1001, "bad").with_cause("x")};
  EXPECT_EQ(encoded(formats()[0], reply),
            R"({"seq":7,"mtype":2,"serviceMethod":"","status":"code=1001&msg=bad&cause=x",)"
            R"("meta":"","bodyCodec":0,"body":"","xferPipe":[]})");
  EXPECT_EQ(encoded(formats()[1], reply), from_hex("0807 1002 4219") + "code=1001&msg=bad&cause=x");
  for (const Format& format : formats()) {
    EXPECT_EQ(format.decode(Bytes::from(encoded(format, reply)), {}).value(), reply);
  }
}

TEST(WsPayload, any_message_survives_the_round_trip) {
  for (const Format& format : formats()) {
    testing::Random random(101);
    for (int round = 0; round < 2000; ++round) {
      Message message = testing::random_message(random);
      message.body.append(Bytes::from(testing::random_text(random, 20)));
      const auto back = format.decode(Bytes::from(encoded(format, message)), {});
      ASSERT_TRUE(back) << back.error();
      ASSERT_EQ(*back, message);
    }
  }
}

TEST(WsPayload, an_old_body_that_is_no_json_string_is_read) {
  const std::string begin =
      R"({"seq":1,"mtype":1,"serviceMethod":"/a","meta":"","bodyCodec":106,"body":")";
  for (const std::string body :
       {R"({"a":"say \"hi\""})", "line\n\"x\"", "\\", "\\\"", R"(","xferPipe":[]})"}) {
    std::string escaped;
    for (const char c : body) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
    EXPECT_EQ(read_json(begin + escaped + R"(","xferPipe":[]})").body, body);
  }
  EXPECT_EQ(decode_ws_json(Bytes::from(begin + "\\\\\"a\"\",\"xferPipe\":[]}")).error().code(),
            Code::invalid_argument);
}

TEST(WsPayload, a_browser_may_leave_out_what_it_does_not_need) {
  EXPECT_EQ(
      read_json(R"({"mtype":1,"serviceMethod":"/a","bodyCodec":106,"body":{"b":[1]}})"),
      (Message{
          .method = "/a", .body_codec = BodyCodec::json, .body = Bytes::copy_of(R"({"b":[1]})")}));
}

TEST(WsPayload, transfer_filters_are_refused_by_their_name) {
  const Status json =
      decode_ws_json(Bytes::copy_of(R"({"mtype":1,"xferPipe":[103, 109]})")).error();
  EXPECT_EQ(json.code(), Code::unimplemented);
  EXPECT_NE(json.message().find("ws-json message: transfer filter 'g'"), std::string::npos) << json;
  const Status pb = decode_ws_pb(Bytes::from(from_hex("1001 3a0167"))).error();
  EXPECT_EQ(pb.code(), Code::unimplemented);
  EXPECT_NE(pb.message().find("ws-pb message: transfer filter 'g'"), std::string::npos) << pb;
}

TEST(WsPayload, says_what_is_wrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Case{"", "expected '{' at offset 0"},
           Case{R"({"seq":1})", "it has no mtype"},
           Case{R"({"mtype":1,"xferPipe":7})", "expected '[' at offset 22"},
           Case{R"({"mtype":1,"xferPipe":[256]})",
                "xferPipe: expected a whole number from 0 to 255 at offset 23"},
           Case{R"({"mtype":1,"xferPipe":[],"xferPipe":[]})", "xferPipe stands there twice"},
       }) {
    const Status error = decode_ws_json(Bytes::copy_of(text)).error();
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_EQ(error.message(), std::string("ws-json message: ") + message);
  }
  EXPECT_EQ(decode_ws_pb(Bytes()).error().message(), "ws-pb message: unknown message type 0");
  EXPECT_EQ(decode_ws_pb(Bytes::from(from_hex("1001 3205"))).error().message(),
            "ws-pb message: a field of 5 bytes, but only 0 are left in the frame, at offset 4");
}

TEST(WsPayload, a_payload_cut_short_is_refused) {
  for (const Format& format : formats()) {
    for (std::size_t size = 0; size < format.golden.size(); ++size) {
      const auto message = format.decode(Bytes::copy_of(format.golden.substr(0, size)), {});
      // What protobuf has read so far may end between two fields.
      ASSERT_TRUE(!message || !(*message == golden_erpc_call())) << size;
    }
  }
}

TEST(WsPayload, limits_hold_in_both_directions) {
  for (const Format& format : formats()) {
    const ErpcLimits exact{.max_frame_bytes = format.golden.size()};
    const ErpcLimits narrow{.max_frame_bytes = format.golden.size() - 1};
    EXPECT_EQ(encoded(format, golden_erpc_call(), exact), format.golden);
    EXPECT_TRUE(format.decode(Bytes::copy_of(format.golden), exact));
    EXPECT_EQ(encode_error(format, golden_erpc_call(), narrow).code(), Code::resource_exhausted);
    EXPECT_EQ(format.decode(Bytes::copy_of(format.golden), narrow).error().code(),
              Code::resource_exhausted);

    Message message = golden_erpc_call();
    message.metadata = {{"a", ""}, {"b", ""}};
    EXPECT_EQ(encode_error(format, message, {.max_metadata_entries = 1}).code(),
              Code::resource_exhausted);
    EXPECT_EQ(
        format.decode(Bytes::from(encoded(format, message)), ErpcLimits{.max_metadata_entries = 1})
            .error()
            .code(),
        Code::resource_exhausted);
    const std::string name(256, 'm');
    message.method = name;
    EXPECT_EQ(encode_error(format, message).code(), Code::invalid_argument);
    message = {.type = MessageType::open};
    EXPECT_EQ(encode_error(format, message).code(), Code::unimplemented);

    message = {.type = MessageType::reply,
               .status = Status(Code::not_found, std::string(100'000, 'm'))};
    const std::string cut = encoded(format, message, {.max_frame_bytes = 400});
    EXPECT_LE(cut.size(), 400U);
    EXPECT_EQ(format.decode(Bytes::copy_of(cut), {})->status.code(), Code::not_found);
  }
}

TEST(WsPayload, a_body_beyond_the_limit_is_refused_before_it_is_copied) {
  Message message = golden_erpc_call();
  message.body = Bytes::from(std::string(ErpcLimits().max_frame_bytes + 1, 'b'));
  for (const Format& format : formats()) {
    const std::size_t before = allocations().bytes;
    EXPECT_EQ(encode_error(format, message).code(), Code::resource_exhausted);
    EXPECT_LT(allocations().bytes - before, 10000U);
  }
  // As it would stand there, that is: each byte takes six.
  message.body = Bytes::from(std::string(ErpcLimits().max_frame_bytes / 4, '\x01'));
  std::string out;
  const std::size_t before = allocations().bytes;
  EXPECT_EQ(encode_ws_json(message, out).code(), Code::resource_exhausted);
  EXPECT_LT(allocations().bytes - before, 10000U);
}

TEST(WsPayload, method_and_body_share_the_payload_and_outlive_it) {
  for (const Format& format : formats()) {
    Message message = golden_erpc_call();
    message.body = Bytes::copy_of("plain text");
    Message back;
    const char* data = nullptr;
    std::size_t size = 0;
    {
      Bytes payload = Bytes::from(encoded(format, message));
      data = payload.flatten().data();
      size = payload.size();
      back = format.decode(payload, {}).value();
    }
    EXPECT_EQ(back, message);
    EXPECT_GE(back.body.piece(0).data(), data);
    EXPECT_LT(back.body.piece(0).data(), data + size);
    EXPECT_GE(back.method.data(), data);
    EXPECT_LT(back.method.data(), data + size);
  }
}

TEST(WsPayload, a_payload_of_several_pieces_is_read) {
  for (const Format& format : formats()) {
    Bytes payload = Bytes::copy_of(format.golden.substr(0, 20));
    payload.append(Bytes::copy_of(format.golden.substr(20)));
    EXPECT_EQ(format.decode(payload, {}).value(), golden_erpc_call());
  }
}

TEST(WsPayload, random_damage_never_crashes) {
  testing::Random random(102);
  for (const Format& format : formats()) {
    for (int round = 0; round < 10000; ++round) {
      std::string payload = format.golden;
      for (std::size_t i = 1 + random() % 3; i > 0; --i) {
        payload[random() % payload.size()] = static_cast<char>(random());
      }
      (void)format.decode(Bytes::from(payload), {});
    }
  }
}

}  // namespace
}  // namespace parley::wire
