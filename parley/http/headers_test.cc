#include "parley/http/headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::http {
namespace {

Headers three() {
  Headers headers;
  EXPECT_TRUE(headers.add("Accept", "text/html").is_ok());
  EXPECT_TRUE(headers.add("Set-Cookie", "a=1").is_ok());
  EXPECT_TRUE(headers.add("set-cookie", "b=2").is_ok());
  return headers;
}

std::string text_of(const Headers& headers) {
  std::string text;
  for (const auto [name, value] : headers) {
    text += std::string(name) + "=" + std::string(value) + ";";
  }
  return text;
}

TEST(Headers, are_found_in_any_case_and_kept_as_they_came) {
  const Headers headers = three();
  EXPECT_EQ(headers.get("ACCEPT"), "text/html");
  EXPECT_EQ(headers.get("Set-Cookie"), "a=1");
  EXPECT_EQ(headers.get("Acceptx"), std::nullopt);
  EXPECT_EQ(headers.count("SET-COOKIE"), 2u);
  EXPECT_EQ(text_of(headers), "Accept=text/html;Set-Cookie=a=1;set-cookie=b=2;");
}

TEST(Headers, set_leaves_one_and_remove_none) {
  Headers headers = three();
  EXPECT_TRUE(headers.set("SET-COOKIE", "c=3").is_ok());
  EXPECT_EQ(text_of(headers), "Accept=text/html;SET-COOKIE=c=3;");
  EXPECT_TRUE(headers.set("Age", "7").is_ok());
  EXPECT_EQ(headers.remove("set-cookie"), 1u);
  EXPECT_EQ(headers.remove("set-cookie"), 0u);
  EXPECT_EQ(text_of(headers), "Accept=text/html;Age=7;");
  EXPECT_EQ(headers.text_bytes(), std::string("Accepttext/htmlAge7").size());
}

TEST(Headers, refuse_what_could_end_a_line) {
  Headers headers = three();
  for (const std::string_view value :
       {std::string_view("a\r\nX: b"), std::string_view("a\nb"), std::string_view("a\rb"),
        std::string_view("a\0b", 3), std::string_view("a\x01"), std::string_view("a\x7f")}) {
    EXPECT_EQ(headers.add("X", value).code(), Code::invalid_argument) << value;
    EXPECT_EQ(headers.set("Accept", value).code(), Code::invalid_argument) << value;
  }
  for (const std::string_view name : {"", "a b", "a:", "a\r\n", "\xc3\xa4", "(a)"}) {
    EXPECT_EQ(headers.add(name, "x").code(), Code::invalid_argument) << name;
  }
  EXPECT_TRUE(headers == three());
  EXPECT_TRUE(headers.add("X", " \t caf\xc3\xa9 und Tee\t").is_ok());
  EXPECT_EQ(headers.get("x"), "caf\xc3\xa9 und Tee");
}

TEST(Headers, name_what_they_refuse_and_why) {
  Headers headers;
  const Status status = headers.add("X-Name", "tea\r\nSet-Cookie: evil");
  EXPECT_NE(status.message().find("\"X-Name\""), std::string::npos) << status;
  EXPECT_NE(status.message().find("tea\\x0d\\x0aSet-Cookie"), std::string::npos) << status;
}

TEST(Headers, find_an_element_in_lists_over_several_lines) {
  Headers headers;
  EXPECT_TRUE(headers.add("Connection", "te, ,Keep-Alive").is_ok());
  EXPECT_TRUE(headers.add("connection", "\"a, close\"").is_ok());
  EXPECT_TRUE(headers.has_element("Connection", "keep-alive"));
  EXPECT_FALSE(headers.has_element("Connection", "close"));
  EXPECT_TRUE(headers.add("connection", "CLOSE").is_ok());
  EXPECT_TRUE(headers.has_element("Connection", "close"));
}

TEST(Headers, hold_no_more_than_they_say) {
  Headers headers;
  for (std::size_t i = 0; i < Headers::most_fields; ++i) {
    ASSERT_TRUE(headers.add("a", "b").is_ok());
  }
  EXPECT_EQ(headers.add("a", "b").code(), Code::resource_exhausted);
  EXPECT_EQ(headers.size(), Headers::most_fields);
  headers.clear();
  EXPECT_EQ(headers.add("a", std::string(Headers::most_bytes, 'x')).code(),
            Code::resource_exhausted);
  EXPECT_TRUE(headers.add("a", std::string(Headers::most_bytes - 1, 'x')).is_ok());
}

TEST(Headers, are_equal_in_order_and_value_with_names_in_any_case) {
  Headers a;
  Headers b;
  EXPECT_TRUE(a.add("Age", "x").is_ok());
  EXPECT_TRUE(b.add("AGE", "x").is_ok());
  EXPECT_TRUE(a == b);
  EXPECT_TRUE(b.set("Age", "X").is_ok());
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace parley::http
