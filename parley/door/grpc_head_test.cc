#include "parley/door/grpc_head.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "parley/door/post.h"

namespace parley::door {
namespace {

using namespace std::chrono_literals;

TEST(GrpcHead, a_timeout_is_written_in_eight_digits) {
  EXPECT_EQ(write_grpc_timeout(250ns), "250n");
  EXPECT_EQ(write_grpc_timeout(250ms), "250000u");
  EXPECT_EQ(write_grpc_timeout(100'000'001ns), "100001u") << "rounded up";
  EXPECT_EQ(write_grpc_timeout(24h), "86400000m");
  EXPECT_EQ(write_grpc_timeout(100'000h), "6000000M");
  EXPECT_EQ(write_grpc_timeout(-1s), "0n");
  EXPECT_EQ(*parse_timeout(write_grpc_timeout(1500ms)), 1500ms);
}

TEST(GrpcHead, a_message_travels_in_visible_ASCII) {
  const std::string special =
      "\t\ntest with whitespace\r\nand Unicode BMP \xE2\x98\xBA and 100%\t\n";
  const std::string text = escape_grpc_message(special);
  EXPECT_TRUE(text.starts_with("%09%0Atest with whitespace%0D%0A")) << text;
  EXPECT_EQ(unescape_grpc_message(text), special);
  EXPECT_EQ(unescape_grpc_message(escape_grpc_message(" x ")), " x ");
  EXPECT_EQ(unescape_grpc_message("100% %zz %4"), "100% %zz %4");
}

TEST(GrpcHead, metadata_is_text_or_base64) {
  http::Headers headers;
  EXPECT_TRUE(
      put_grpc_metadata({{"Tea", "green"}, {"raw-bin", std::string("\0\xFF", 2)}}, headers));
  EXPECT_EQ(headers.get("raw-bin"), "AP8") << "without padding";
  wire::Metadata back;
  EXPECT_TRUE(take_grpc_metadata(headers, back).is_ok());
  EXPECT_EQ(back, (wire::Metadata{{"tea", "green"}, {"raw-bin", std::string("\0\xFF", 2)}}));
  http::Headers several;
  ASSERT_TRUE(several.add("raw-bin", "YQ==,Yg").is_ok());
  ASSERT_TRUE(several.add("grpc-timeout", "1S").is_ok());
  wire::Metadata two;
  EXPECT_TRUE(take_grpc_metadata(several, two).is_ok());
  EXPECT_EQ(two, (wire::Metadata{{"raw-bin", "a"}, {"raw-bin", "b"}}));
  ASSERT_TRUE(several.add("x-bin", "!").is_ok());
  EXPECT_EQ(take_grpc_metadata(several, two).code(), Code::invalid_argument);
}

TEST(GrpcHead, what_cannot_stand_in_a_field_is_left_out) {
  http::Headers headers;
  EXPECT_FALSE(put_grpc_metadata({{"a b", "x"},
                                  {"grpc-status", "0"},
                                  {"umlaut", "\xC3\xBC"},
                                  {"line", "a\nb"},
                                  {"Content-Type", "x"},
                                  {"fine", "y"}},
                                 headers));
  EXPECT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.get("fine"), "y");
}

// Such a field would cost a stream all of its trailers, its status among them.
TEST(GrpcHead, names_that_may_be_no_trailers_are_no_metadata) {
  http::Headers headers;
  wire::Metadata back;
  for (const char* const name :
       {"content-length", "transfer-encoding", "host", "connection", "upgrade", "expect", "trailer",
        "te", "keep-alive", "content-encoding", "Expect", "Content-Encoding"}) {
    EXPECT_FALSE(put_grpc_metadata(name, "x", headers)) << name;
    ASSERT_TRUE(headers.add(name, "x").is_ok());
    EXPECT_TRUE(take_grpc_metadata(headers, back).is_ok());
    EXPECT_TRUE(back.empty()) << name;
    headers.clear();
  }
  EXPECT_TRUE(put_grpc_metadata("expects", "x", headers));
}

TEST(GrpcHead, a_message_is_cut_between_characters) {
  for (const std::string& character :
       std::vector<std::string>{"x", "%", "\xCF\x83", "\xE2\x98\xBA", "\xF0\x9F\x98\x88"}) {
    std::string text;
    while (text.size() < 5000) text += character;
    const std::string escaped = escape_grpc_message(text);
    EXPECT_LE(escaped.size(), most_grpc_message_bytes);
    EXPECT_GT(escaped.size(), most_grpc_message_bytes - 12);
    const std::string back = unescape_grpc_message(escaped);
    EXPECT_EQ(back.size() % character.size(), 0U) << character;
    EXPECT_TRUE(text.starts_with(back));
  }
  EXPECT_EQ(unescape_grpc_message(escape_grpc_message("\xCF\x83\xCF")), "\xCF\x83\xCF")
      << "what is no UTF-8 travels byte by byte";
}

TEST(GrpcHead, a_status_travels_with_its_cause_and_business_code) {
  const auto there_and_back = [](const Status& status) {
    http::Headers trailers;
    put_grpc_status(status, trailers);
    Status back(Code::unknown, "nothing was read");
    EXPECT_TRUE(take_grpc_status(trailers, back));
    return back;
  };
  for (const Status& status :
       {Status(), Status(Code::not_found, "no tea"), Status(Code::aborted, ""),
        Status::business(1001, "sold out").with_cause("a \"cause\"\n")}) {
    EXPECT_EQ(there_and_back(status), status);
  }
  http::Headers trailers;
  put_grpc_status(Status(Code::not_found, "no tea"), trailers);
  EXPECT_EQ(trailers.size(), 2U) << "no details where there are none";
  Status none;
  EXPECT_FALSE(take_grpc_status(http::Headers(), none));
  ASSERT_TRUE(trailers.set("grpc-status", "x").is_ok());
  EXPECT_TRUE(take_grpc_status(trailers, none));
  EXPECT_EQ(none.code(), Code::unknown);
}

}  // namespace
}  // namespace parley::door
