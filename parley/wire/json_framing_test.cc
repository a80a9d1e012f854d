#include "parley/wire/json_framing.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>

#include "parley/base/testing/allocations.h"
#include "parley/base/testing/hex.h"
#include "parley/wire/impl/json_text.h"
#include "parley/wire/testing/erpc_cases.h"
#include "parley/wire/testing/golden_json.h"
#include "parley/wire/testing/golden_raw.h"
#include "parley/wire/testing/random_message.h"

namespace parley::wire {
namespace {

using parley::testing::allocations;
using parley::testing::from_hex;
using testing::erpc_framed;
using testing::golden_erpc_call;

const std::string golden_frame =
    from_hex(testing::golden_json_head) + std::string(testing::golden_json_text);

std::string encoded(const Message& message, const ErpcLimits& limits = {}) {
  std::string out;
  const Status status = JsonEncoder(limits).encode(message, out);
  EXPECT_TRUE(status.is_ok()) << status;
  return out;
}

Message decoded(std::string_view frame) { return testing::only_message<JsonDecoder>(frame); }
Message read(std::string_view text) { return decoded(erpc_framed(text)); }
Status error_of(std::string_view text) {
  return testing::first_error<JsonDecoder>(erpc_framed(text));
}

// The error of encoding, which must not touch what the buffer held.
Status encode_error(const Message& message, const ErpcLimits& limits = {}) {
  std::string out = "before";
  Status status = JsonEncoder(limits).encode(message, out);
  Bytes tail = Bytes::copy_of("tail");
  EXPECT_EQ(JsonEncoder(limits).encode_apart(message, out, tail), status);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(tail, "tail");
  return status;
}

// A frame as erpc writes it, with only the quotes of its body escaped.
std::string old_text(std::string_view body) {
  std::string text = R"({"seq":1,"mtype":1,"serviceMethod":"/a","status":"code=0","meta":"",)"
                     R"("bodyCodec":106,"body":")";
  for (const char c : body) text += c == '"' ? std::string("\\\"") : std::string(1, c);
  return text + "\"}";
}

TEST(JsonFraming, writes_the_golden_frame_byte_by_byte) {
  EXPECT_EQ(encoded(golden_erpc_call()), golden_frame);
}

TEST(JsonFraming, reads_the_golden_frame) { EXPECT_EQ(decoded(golden_frame), golden_erpc_call()); }

TEST(JsonFraming, reads_the_golden_frame_cut_at_every_two_places) {
  const std::string stream = golden_frame + golden_frame;
  testing::check_every_two_cuts<JsonDecoder>(stream, {golden_erpc_call(), golden_erpc_call()});
}

TEST(JsonFraming, a_body_of_any_bytes_comes_back) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  Message message = golden_erpc_call();
  for (const std::string& body :
       {all, std::string(R"({"text":"a \"quote\", a \\ and\na line"})"), std::string(R"(\)"),
        std::string("\"}"), std::string(R"(\"})"), std::string("\xff\xfe"), std::string()}) {
    message.body = Bytes::copy_of(body);
    EXPECT_EQ(decoded(encoded(message)), message) << body;
  }
}

TEST(JsonFraming, a_body_is_escaped_as_any_reader_of_json_expects) {
  Message message{.type = MessageType::push};
  message.body = Bytes::copy_of("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9");
  EXPECT_EQ(encoded(message).substr(5),
            R"({"seq":0,"mtype":3,"serviceMethod":"","status":"code=0","meta":"","bodyCodec":0,)"
            R"("body":"\"\\/\b\f\n\r\t\u0001\u001f)"
            "\x7f\xc3\xa9\"}");
}

TEST(JsonFraming, reads_every_escape_of_json) {
  EXPECT_EQ(read(R"({"mtype":1,"body":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00"})").body,
            "\"\\/\b\f\n\r\tAé€😀");
  EXPECT_EQ(read(R"({"mtype":1,"body":"\ud83d \ude00 \ud83d\u0041"})").body,
            "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
            "A");
}

TEST(JsonFraming, reads_old_bodies_that_are_no_json_strings) {
  for (const std::string body :
       {"line\nline\t\"x\"", R"({"a":"say \"hi\""})", R"(C:\path\x)", "\\", "\\\"", "\"",
        "\\\\\"\\", "\x01\"\\u00zz", R"(a","seq":7,"b":")", "bytes \xff\x00\"\n"}) {
    EXPECT_EQ(read(old_text(body)).body, body);
  }
  EXPECT_EQ(read(old_text("{\n  \"a\": \"x\"\n}")).seq, 1);
}

TEST(JsonFraming, where_an_old_body_is_a_json_string_the_meaning_of_json_counts) {
  EXPECT_EQ(read(old_text(R"({"a":"x\ny"})")).body, "{\"a\":\"x\ny\"}");
  EXPECT_EQ(read(old_text(R"(\\)")).body, "\\");
}

TEST(JsonFraming, a_broken_frame_does_not_pass_for_an_old_one) {
  // A quote without a backslash: erpc writes no such body.
  EXPECT_EQ(error_of(R"({"mtype":1,"body":"x","seq":bad,"meta":"a"})").message(),
            "json frame: seq: expected a whole number from -2147483648 to 2147483647 at offset 28");
  EXPECT_EQ(error_of(R"({"mtype":1,"body":"x)").message(),
            "json frame: a string does not end; it began at offset 18");
  EXPECT_EQ(error_of(R"({"mtype":1,"body":"\x" })").message(),
            "json frame: an unknown escape in a string at offset 19");
}

TEST(JsonFraming, takes_keys_in_any_order_with_spaces_and_skips_those_it_does_not_know) {
  Message expected = golden_erpc_call();
  expected.status = Status::business(1001, "bad");
  EXPECT_EQ(read("\t{ \"new\" : {\"seq\":[1,-2.5e+3,{}],\"x\":[[],null,true,false]},\r\n"
                 "\"body\":\"{\\\"a\\\":\\\"x\\\"}\" , \"bodyCodec\":106,"
                 "\"meta\":\"author=an+d%26%3dy\",\"status\":\"msg=bad&code=1001\","
                 "\"xferPipe\":[1],\"s\\u0065rviceMethod\":\"\\/math\\u002fadd\","
                 "\"mtype\":1,\"seq\":1295 } \n"),
            expected);
}

TEST(JsonFraming, only_the_message_type_must_be_there) {
  EXPECT_EQ(read(R"({"mtype":3})"), Message{.type = MessageType::push});
  EXPECT_EQ(error_of(R"({"seq":1234567})").message(), "json frame: it has no mtype");
}

TEST(JsonFraming, a_key_that_stands_there_twice_is_refused) {
  for (const std::string member :
       {R"("seq":1)", R"("mtype":1)", R"("serviceMethod":"a")", R"("status":"")", R"("meta":"")",
        R"("bodyCodec":1)", R"("body":"a")"}) {
    const Status error = error_of("{" + member + "," + member + "}");
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_NE(error.message().find(" stands there twice"), std::string::npos) << error;
  }
  EXPECT_EQ(read(R"({"mtype":1,"other":1,"other":2})").seq, 0);
}

TEST(JsonFraming, a_body_that_is_no_string_is_its_own_text) {
  EXPECT_EQ(read(R"({"mtype":1,"body": {"a": [1, "x"]} })").body, R"({"a": [1, "x"]})");
  EXPECT_EQ(read(R"({"mtype":1,"body":[1]})").body, "[1]");
  EXPECT_EQ(read(R"({"mtype":1,"body":-1.5e3})").body, "-1.5e3");
  EXPECT_EQ(read(R"({"mtype":1,"body":true})").body, "true");
  EXPECT_TRUE(read(R"({"mtype":1,"body":null})").body.empty());
}

TEST(JsonFraming, a_method_is_read_with_the_escapes_of_gos_quotes) {
  // %q of the bytes 01 7f ff 07 0b, a quote and U+E0001.
  EXPECT_EQ(read(R"({"mtype":1,"serviceMethod":"\x01\x7f\xff\a\v\"\U000e0001"})").method,
            "\x01\x7f\xff\a\v\"\xf3\xa0\x80\x81");
  EXPECT_EQ(error_of(R"({"mtype":1,"meta":"\x41"})").message(),
            "json frame: an unknown escape in a string at offset 19");
}

TEST(JsonFraming, says_what_is_wrong_with_the_text) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Case{"            ", "expected '{' at offset 12"},
           Case{"[1,2,3,4,5,6]", "expected '{' at offset 0"},
           Case{R"({"mtype":1} x)", "expected nothing more at offset 12"},
           Case{R"({"mtype":1,})", "expected a key at offset 11"},
           Case{R"({"mtype" 1  })", "expected ':' at offset 9"},
           Case{R"({"mtype":1 "a":2})", "expected ',' or '}' at offset 11"},
           Case{R"({"mtype":1,"a":tru})", "expected a value at offset 15"},
           Case{R"({"mtype":1,"a":01})", "expected a value at offset 15"},
           Case{R"({"mtype":1,"a":1.})", "expected a value at offset 15"},
           Case{R"({"mtype":1,"a":[1)", "expected ',' or ']' at offset 17"},
           Case{R"({"mtype":1,"meta":3})", "meta: expected a string at offset 18"},
           Case{R"({"mtype":1,"seq":"1"})",
                "seq: expected a whole number from -2147483648 to 2147483647 at offset 17"},
           Case{R"({"mtype":1,"seq":2147483648})",
                "seq: expected a whole number from -2147483648 to 2147483647 at offset 17"},
           Case{R"({"mtype":1,"seq":1.0})",
                "seq: expected a whole number from -2147483648 to 2147483647 at offset 17"},
           Case{R"({"mtype":1,"bodyCodec":256})",
                "bodyCodec: expected a whole number from 0 to 255 at offset 23"},
           Case{R"({"mtype":1,"meta":"\u12"})", "an unknown escape in a string at offset 19"},
           Case{"{\"mtype\":1,\"meta\":\"a\nb\"}", "a control character in a string at offset 20"},
           Case{R"({"mtype":6,"seq":1})", "unknown message type 6"},
           Case{R"({"mtype":0,"seq":1})", "unknown message type 0"},
       }) {
    const Status error = error_of(text);
    EXPECT_EQ(error.code(), Code::invalid_argument) << text;
    EXPECT_EQ(error.message(), std::string("json frame: ") + message) << text;
  }
  EXPECT_EQ(error_of(R"({"mtype":1,"meta":"%2g"})").code(), Code::invalid_argument);
  EXPECT_NE(error_of(R"({"mtype":1,"status":"code=x"})").message().find("json frame: status: "),
            std::string::npos);
}

TEST(JsonFraming, levels_are_counted) {
  const std::string begin = R"({"mtype":1,"a":)";
  EXPECT_EQ(read(begin + std::string(64, '[') + std::string(64, ']') + "}").seq, 0);
  EXPECT_EQ(error_of(begin + std::string(1000000, '[')).message(),
            "json frame: more than 64 levels at offset 79");
}

TEST(JsonFraming, a_transfer_filter_is_refused_by_its_name) {
  std::string frame = golden_frame;
  frame[4] = '\x01';
  frame[5] = 'g';
  const Status error = testing::first_error<JsonDecoder>(frame);
  EXPECT_EQ(error.code(), Code::unimplemented);
  EXPECT_NE(error.message().find("json frame: transfer filter 'g' is not registered"),
            std::string::npos);
}

TEST(JsonFraming, a_length_that_is_no_frame_is_refused_at_once) {
  EXPECT_EQ(testing::first_error<JsonDecoder>(from_hex("0000000b")).message(),
            "json frame: it claims a size of 11 bytes, but the smallest frame has 12");
  const Status error = testing::first_error<JsonDecoder>(from_hex("01000000"));
  EXPECT_EQ(error.code(), Code::resource_exhausted);
  EXPECT_EQ(error.message(),
            "json frame: a frame of 16777220 bytes is larger than max_frame_bytes (16777216); "
            "send less at once or raise the limit on both sides");
}

TEST(JsonFraming, max_frame_bytes_holds_in_both_directions) {
  const ErpcLimits exact{.max_frame_bytes = golden_frame.size()};
  const ErpcLimits narrow{.max_frame_bytes = golden_frame.size() - 1};
  EXPECT_EQ(encoded(golden_erpc_call(), exact), golden_frame);
  EXPECT_EQ(encode_error(golden_erpc_call(), narrow).code(), Code::resource_exhausted);
  for (const auto& [limits, is_ok] : {std::pair(exact, true), std::pair(narrow, false)}) {
    JsonDecoder decoder(limits);
    decoder.feed(golden_frame);
    EXPECT_EQ(decoder.next().has_value(), is_ok);
  }
  Message message = golden_erpc_call();
  message.body = Bytes::from(std::string(1000, '\x01'));
  EXPECT_EQ(encode_error(message, {.max_frame_bytes = 6000}).code(), Code::resource_exhausted);
  EXPECT_EQ(encoded(message, {.max_frame_bytes = 6200}).size(), golden_frame.size() - 13 + 6000);
}

TEST(JsonFraming, max_metadata_entries_holds_in_both_directions) {
  const ErpcLimits narrow{.max_metadata_entries = 2};
  Message message = golden_erpc_call();
  message.metadata = {{"a", ""}, {"b", ""}, {"c", ""}};
  EXPECT_EQ(encode_error(message, narrow).code(), Code::resource_exhausted);
  JsonDecoder decoder(narrow);
  decoder.feed(encoded(message));
  EXPECT_EQ(decoder.next().error().code(), Code::resource_exhausted);
}

TEST(JsonFraming, a_method_of_255_bytes_is_the_longest) {
  Message message = golden_erpc_call();
  const std::string name(256, '"');
  message.method = std::string_view(name).substr(1);
  EXPECT_EQ(decoded(encoded(message)), message);
  message.method = name;
  EXPECT_EQ(encode_error(message).code(), Code::invalid_argument);
  EXPECT_EQ(error_of(R"({"mtype":1,"serviceMethod":")" + std::string(256, 'm') + "\"}").code(),
            Code::invalid_argument);
}

TEST(JsonFraming, metadata_may_be_longer_than_in_raw) {
  Message message = golden_erpc_call();
  message.metadata = {{"k", std::string(100'000, '&')}};
  EXPECT_EQ(decoded(encoded(message)), message);
}

TEST(JsonFraming, a_status_too_long_is_cut_and_still_arrives) {
  Message message = golden_erpc_call();
  message.type = MessageType::reply;
  message.status = Status(Code::not_found, std::string(100'000, 'm'));
  const ErpcLimits narrow{.max_frame_bytes = 400};
  EXPECT_LE(encoded(message, narrow).size(), 400U);
  const Message back = decoded(encoded(message, narrow));
  EXPECT_EQ(back.status.code(), Code::not_found);
  EXPECT_TRUE(back.status.message().ends_with("m…"));
}

TEST(JsonFraming, what_it_cannot_carry_is_refused) {
  Message message = golden_erpc_call();
  message.type = MessageType::open;
  EXPECT_EQ(encode_error(message).code(), Code::unimplemented);
  EXPECT_FALSE(JsonEncoder().has(MessageType::open));
  EXPECT_TRUE(JsonEncoder().has(MessageType::auth_reply));
  message.type = MessageType::call;
  message.more = true;
  EXPECT_EQ(encode_error(message).code(), Code::unimplemented);
}

TEST(JsonFraming, a_body_is_kept_apart_where_it_needs_no_escape) {
  Message message = golden_erpc_call();
  for (const std::string_view body : {"plain text", "with a \"quote\""}) {
    message.body = Bytes::copy_of(body);
    message.body.append(Bytes::copy_of(" second piece"));
    std::string head;
    Bytes tail = Bytes::copy_of("before");
    ASSERT_TRUE(JsonEncoder().encode_apart(message, head, tail).is_ok());
    EXPECT_EQ(head + tail.to_string(), encoded(message));
    if (body == "plain text") {
      EXPECT_EQ(tail.piece(0).data(), message.body.piece(0).data());
    } else {
      EXPECT_TRUE(tail.empty());
    }
  }
}

TEST(JsonFraming, says_how_large_a_body_may_be) {
  const ErpcLimits limits{.max_frame_bytes = 1000};
  Message message;
  message.body = Bytes::from(std::string(JsonEncoder(limits).max_body_bytes(), 'b'));
  EXPECT_LE(encoded(message, limits).size(), 1000U);
  EXPECT_EQ(JsonEncoder({.max_frame_bytes = 3}).max_body_bytes(), 0U);
}

TEST(JsonFraming, a_method_and_a_body_without_escapes_are_views_of_the_chunk) {
  Message message = golden_erpc_call();
  message.metadata = {};
  message.body = Bytes::copy_of("plain");
  const std::string frame = encoded(message);
  JsonDecoder decoder;
  decoder.feed(frame);
  Message back;
  const std::size_t before = allocations().count;
  ASSERT_TRUE(decoder.next(back).value());
  EXPECT_EQ(allocations().count, before);
  EXPECT_EQ(decoder.copied_bytes(), 0U);
  EXPECT_EQ(back, message);
}

TEST(JsonFraming, a_message_outlives_its_decoder_and_chunk) {
  Message message;
  {
    JsonDecoder decoder;
    decoder.feed(erpc_framed(R"({"mtype":1,"serviceMethod":"/\u0041","body":"\u0042"})"));
    message = decoder.next().value().value();
  }
  EXPECT_EQ(message.method, "/A");
  EXPECT_EQ(message.body, "B");
}

// Else a message that counts for nothing could hold megabytes.
TEST(JsonFraming, a_small_message_does_not_keep_a_large_frame) {
  const std::string text =
      R"({"mtype":1,"serviceMethod":"/x","body":"{}","more":")" + std::string(100'000, ' ') + "\"}";
  const Bytes chunk = Bytes::from(erpc_framed(text));
  JsonDecoder decoder;
  decoder.feed(chunk);
  const Message message = *decoder.next().value();
  EXPECT_EQ(message.method, "/x");
  EXPECT_EQ(message.body, "{}");
  const std::string_view frame = chunk.piece(0);
  for (const std::string_view shown : {message.method, message.body.piece(0)}) {
    EXPECT_TRUE(shown.data() < frame.data() || shown.data() >= frame.data() + frame.size());
  }
}

TEST(JsonFraming, a_status_longer_than_any_that_is_sent_is_refused) {
  const std::string text = R"({"mtype":2,"status":"code=1&msg=)" + std::string(65'536, 'x') + "\"}";
  JsonDecoder decoder;
  decoder.feed(erpc_framed(text));
  EXPECT_EQ(decoder.next().error().message(),
            "json frame: a status of 65547 bytes is longer than any that is sent");
}

TEST(JsonFraming, a_text_protocol_is_told_by_its_own_first_bytes) {
  JsonDecoder decoder;
  decoder.feed("GET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(decoder.next().error().message().find("its first bytes are \"GET \""),
            std::string::npos);
}

TEST(JsonFraming, a_claim_takes_no_memory_before_its_bytes_come) {
  JsonDecoder decoder;
  const std::size_t before = allocations().bytes;
  decoder.feed(from_hex("00fffff0 00 7b"));
  EXPECT_FALSE(decoder.next()->has_value());
  EXPECT_LT(allocations().bytes - before, 1000U);
}

TEST(JsonFraming, feeding_byte_by_byte_is_linear) {
  for (const std::size_t size : {1000U, 300'000U}) {
    Message message = golden_erpc_call();
    message.body = Bytes::from(std::string(size, '"'));
    const std::string stream = encoded(message);
    JsonDecoder decoder;
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

TEST(JsonFraming, is_told_by_the_first_bytes_of_a_stream) {
  const JsonFraming framing;
  for (std::size_t size = 0; size < 6; ++size) {
    EXPECT_EQ(framing.matches(golden_frame.substr(0, size)), Match::needs_more) << size;
  }
  EXPECT_EQ(framing.matches(golden_frame.substr(0, 6)), Match::yes);
  EXPECT_EQ(framing.matches("{\"seq\":"), Match::no);
  EXPECT_EQ(framing.matches("\xf0PRL"), Match::no);
  EXPECT_EQ(framing.matches(from_hex(testing::golden_raw_call)), Match::no);
  EXPECT_EQ(framing.matches(from_hex("0000003c 00 088f")), Match::no) << "pb";
  EXPECT_EQ(framing.matches(from_hex("0000000b 00 7b22")), Match::no) << "no frame is so small";
  EXPECT_EQ(framing.matches(from_hex("0000008a 01 67")), Match::yes) << "a filter hides the rest";
  EXPECT_EQ(framing.name(), "json");
}

TEST(JsonFraming, makes_decoders_and_encoders_with_its_own_limits) {
  const JsonFraming framing({.max_frame_bytes = 50});
  const auto decoder = framing.make_decoder();
  decoder->feed(golden_frame);
  EXPECT_EQ(decoder->next().error().code(), Code::resource_exhausted);
  std::string out;
  EXPECT_EQ(framing.make_encoder()->encode(golden_erpc_call(), out).code(),
            Code::resource_exhausted);
}

TEST(JsonFraming, any_message_survives_the_round_trip) {
  testing::Random random(71);
  for (int round = 0; round < 3000; ++round) {
    const Message message = testing::random_message(random);
    ASSERT_EQ(decoded(encoded(message)), message);
  }
}

TEST(JsonFraming, encoding_takes_at_most_one_allocation) {
  testing::Random random(72);
  for (int round = 0; round < 300; ++round) {
    const Message message = testing::random_message(random, 2000);
    std::string out;
    const std::size_t before = allocations().count;
    ASSERT_TRUE(JsonEncoder().encode(message, out).is_ok());
    ASSERT_LE(allocations().count - before, 1U);
  }
}

TEST(JsonFraming, random_damage_never_crashes) {
  testing::Random random(73);
  for (int round = 0; round < 20000; ++round) {
    std::string frame = golden_frame;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) {
      constexpr std::string_view likely = "\"\\{}[],:0u";
      const std::size_t place = 5 + random() % (frame.size() - 5);
      frame[place] =
          random() % 2 == 0 ? likely[random() % likely.size()] : static_cast<char>(random());
    }
    JsonDecoder decoder;
    decoder.feed(frame);
    const auto next = decoder.next();
    ASSERT_TRUE(!next || next->has_value());
  }
}

}  // namespace
}  // namespace parley::wire
