#include "parley/wire/status_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "parley/wire/query.h"

namespace parley::wire {
namespace {

std::string encoded(const Status& status, std::size_t limit = max_status_text) {
  std::string text;
  append_status_text(text, status, limit);
  return text;
}

Status decoded(std::string_view text) {
  Status status;
  const Status went = decode_status_text(text, status);
  EXPECT_TRUE(went.is_ok()) << went;
  return status;
}

Status decode_error(std::string_view text) {
  Status out(Code::internal, "untouched");
  Status went = decode_status_text(text, out);
  EXPECT_EQ(out, Status(Code::internal, "untouched"));
  return went;
}

TEST(StatusText, is_that_of_the_golden_vectors) {
  EXPECT_EQ(encoded({}), "code=0");
  const Status status = Status::business(1001, "bad é").with_cause("cause x");
  EXPECT_EQ(encoded(status), "code=1001&msg=bad%20%C3%A9&cause=cause%20x");
  EXPECT_EQ(decoded(encoded(status)), status);
  EXPECT_TRUE(decoded("code=0").is_ok());
}

TEST(StatusText, leaves_out_what_is_empty) {
  EXPECT_EQ(encoded(Status(Code::not_found, "")), "code=404");
  EXPECT_EQ(encoded(Status(Code::not_found, "").with_cause("c")), "code=404&cause=c");
}

TEST(StatusText, is_read_in_any_order_with_missing_and_unknown_keys) {
  EXPECT_EQ(decoded("cause=c&new=1&msg=m&code=404"), Status(Code::not_found, "m").with_cause("c"));
  EXPECT_EQ(decoded("code=404&code=500&msg=m&msg=n"), Status(Code::not_found, "m"));
  EXPECT_EQ(decoded("c%6Fde=404"), Status(Code::not_found, ""));
  EXPECT_TRUE(decoded("").is_ok());
  EXPECT_TRUE(decoded("x=y").is_ok());
  EXPECT_TRUE(decoded("code=0&msg=m&cause=c").is_ok());
}

TEST(StatusText, an_error_that_lost_its_number_is_no_success) {
  EXPECT_EQ(decoded("msg=m"), Status(Code::unknown, "m"));
  EXPECT_EQ(decoded("cause=c"), Status(Code::unknown, "").with_cause("c"));
}

TEST(StatusText, a_code_that_is_no_32_bit_number_is_refused) {
  for (const char* text : {"code=", "code", "code=4x", "code=x", "code=1.5", "code=2147483648",
                           "code=-2147483649", "code=%204", "code=4%00", "code=--4"}) {
    const Status status = decode_error(text);
    EXPECT_EQ(status.code(), Code::invalid_argument) << text;
    EXPECT_NE(status.message().find("is not a whole number"), std::string::npos) << status;
  }
  EXPECT_EQ(decoded("code=2147483647").business_code(), 2147483647);
  EXPECT_EQ(decoded("code=-2147483648").business_code(), -2147483647 - 1);
  EXPECT_LT(decode_error("code=" + std::string(60000, '9')).message().size(), 200u);
}

TEST(StatusText, a_malformed_escape_is_refused_in_every_part) {
  for (const char* text : {"code=%zz", "code=1&msg=%", "cause=%4", "%q=1"}) {
    EXPECT_NE(decode_error(text).message().find("malformed percent escape"), std::string::npos);
  }
}

TEST(StatusText, a_long_cause_is_cut_before_the_message) {
  const Status status = Status(Code::internal, "short").with_cause(std::string(70000, 'c'));
  const std::string text = encoded(status);
  EXPECT_EQ(text.size(), max_status_text);
  const Status back = decoded(text);
  EXPECT_EQ(back.message(), "short");
  EXPECT_TRUE(back.cause().ends_with("ccc…"));
  EXPECT_EQ(back.code(), Code::internal);
}

TEST(StatusText, a_long_message_leaves_a_quarter_to_a_long_cause) {
  const Status status =
      Status(Code::internal, std::string(70000, 'm')).with_cause(std::string(70000, 'c'));
  const Status back = decoded(encoded(status, 1000));
  EXPECT_TRUE(back.message().ends_with("mmm…"));
  EXPECT_TRUE(back.cause().ends_with("ccc…"));
  EXPECT_GT(back.cause().size(), 200u);
  EXPECT_GT(back.message().size(), 700u);
}

TEST(StatusText, a_long_message_takes_the_room_a_short_cause_leaves) {
  const Status status = Status(Code::internal, std::string(70000, 'm')).with_cause("why");
  const std::string text = encoded(status);
  EXPECT_EQ(text.size(), max_status_text);
  EXPECT_EQ(decoded(text).cause(), "why");
}

TEST(StatusText, is_cut_between_two_characters_at_every_limit) {
  std::string message;
  for (int i = 0; i < 8; ++i) message += "aé€😀";
  const Status status = Status(Code::internal, message).with_cause(message);
  const std::size_t whole = encoded(status).size();
  std::size_t last = 0;
  for (std::size_t limit = 0; limit <= whole; ++limit) {
    const std::string text = encoded(status, limit);
    ASSERT_LE(text.size(), std::max<std::size_t>(limit, 8)) << text;
    const Status back = decoded(text);
    for (std::string part : {back.message(), back.cause()}) {
      if (part.empty() || part == message) continue;
      ASSERT_TRUE(part.ends_with("…")) << part;
      part.resize(part.size() - std::string_view("…").size());
      ASSERT_TRUE(message.starts_with(part));
      // The first byte that was cut off starts a character.
      ASSERT_NE(static_cast<unsigned char>(message[part.size()]) & 0xC0U, 0x80U);
    }
    last = text.size();
  }
  EXPECT_EQ(last, whole);
}

TEST(StatusText, text_that_is_not_utf8_is_cut_too) {
  const Status status(Code::internal, std::string(70000, '\x80'));
  const Status back = decoded(encoded(status));
  EXPECT_GT(back.message().size(), 21000u);
  EXPECT_TRUE(back.message().ends_with("\x80…"));
}

TEST(StatusText, any_status_survives_the_round_trip) {
  std::mt19937 random(11);
  const auto text = [&random] {
    std::string made(random() % 8, '\0');
    for (char& c : made) c = static_cast<char>(random());
    return made;
  };
  for (int round = 0; round < 2000; ++round) {
    Status status(static_cast<Code>(1 + random() % 18), text());
    if (random() % 2 == 0) {
      status = Status::business(static_cast<std::int32_t>(1000 + random() % 100000), text());
    }
    status = status.with_cause(text());
    ASSERT_EQ(decoded(encoded(status)), status);
  }
}

}  // namespace
}  // namespace parley::wire
