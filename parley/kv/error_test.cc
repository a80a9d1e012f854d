#include "parley/kv/error.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace parley::kv {
namespace {

TEST(KvError, goes_through_a_status_unchanged) {
  for (const std::string cause : {"", "/a", "[zz != b] [6 != 1]", "/x at index 7", " "}) {
    const Error error{.code = ErrorCode::compare_failed, .cause = cause, .index = 12};
    EXPECT_EQ(error_of(status_of(error)), error) << cause;
  }
}

TEST(KvError, a_status_of_anything_else_is_none) {
  EXPECT_FALSE(error_of(Status()));
  EXPECT_FALSE(error_of(Status(Code::not_found, "no method")));
  EXPECT_FALSE(error_of(Status::business(10'999, "out of tea")));
  EXPECT_FALSE(error_of(Status::business(10'100, "not of the tree")));
}

TEST(KvError, says_in_the_words_of_the_house_what_a_caller_can_act_on) {
  const Status status = status_of({.code = ErrorCode::key_not_found, .cause = "/a", .index = 3});
  EXPECT_EQ(status.code(), Code::not_found);
  EXPECT_EQ(status.to_string(), "not_found/10100: Key not found (cause: /a at index 3)");
  EXPECT_EQ(status_of({.code = ErrorCode::key_exists}).code(), Code::already_exists);
  EXPECT_EQ(status_of({.code = ErrorCode::history_cleared}).code(), Code::out_of_range);
}

TEST(KvError, each_number_has_its_message_and_its_status_of_http) {
  struct Row {
    int number;
    int http;
    const char* message;
  };
  constexpr std::array<Row, 20> rows = {{
      {100, 404, "Key not found"},
      {101, 412, "Compare failed"},
      {102, 403, "Not a file"},
      {104, 400, "Not a directory"},
      {105, 412, "Key already exists"},
      {107, 400, "Root is read only"},
      {108, 403, "Directory not empty"},
      {110, 401, "The request requires user authentication"},
      {201, 400, "PrevValue is Required in POST form"},
      {202, 400, "The given TTL in POST form is not a number"},
      {203, 400, "The given index in POST form is not a number"},
      {209, 400, "Invalid field"},
      {210, 400, "Invalid POST form"},
      {211, 400, "Value provided on refresh"},
      {212, 400, "A TTL must be provided on refresh"},
      {300, 500, "Raft Internal Error"},
      {301, 500, "During Leader Election"},
      {400, 400, "watcher is cleared due to etcd recovery"},
      {401, 400, "The event in requested index is outdated and cleared"},
      {500, 400, "Internal error"},
  }};
  for (const Row& row : rows) {
    const auto code = static_cast<ErrorCode>(row.number);
    EXPECT_EQ(message_of(code), row.message);
    EXPECT_EQ(http_status(code), row.http) << row.number;
    EXPECT_EQ(error_of(status_of({.code = code}))->code, code);
  }
  EXPECT_EQ(message_of(static_cast<ErrorCode>(99)), "");
}

}  // namespace
}  // namespace parley::kv
