#include "parley/http/cookies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::http {
namespace {

const std::chrono::sys_seconds november(std::chrono::seconds(784'111'777));

int year_of(const char* text) {
  const auto date = parse_cookie_date(text);
  if (!date) return 0;
  return static_cast<int>(
      std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*date)).year());
}

void refused(const SetCookie& cookie) {
  const auto text = write_set_cookie(cookie);
  EXPECT_EQ(text.error().code(), Code::invalid_argument) << text.value_or("");
}

TEST(Cookies, of_a_request_are_read_as_they_came) {
  Headers headers;
  EXPECT_TRUE(headers.add("Cookie", "a=1; b=\"2\";c = x=y ;; junk; =z; a=3; (=1").is_ok());
  EXPECT_TRUE(headers.add("cookie", "d=").is_ok());
  std::string text;
  for (const Cookie& it : cookies_of(headers)) {
    text += std::string(it.name) + ":" + std::string(it.value) + " ";
  }
  EXPECT_EQ(text, "a:1 b:\"2\" c:x=y a:3 d: ");
  EXPECT_EQ(cookie_of(headers, "a"), "1");
  EXPECT_EQ(cookie_of(headers, "A"), std::nullopt);
  std::string many;
  for (std::size_t i = 0; i <= max_cookies; ++i) many += "a=b;";
  EXPECT_TRUE(headers.add("Cookie", many).is_ok());
  EXPECT_EQ(cookies_of(headers).size(), max_cookies);
}

TEST(Cookies, are_set_with_all_their_attributes) {
  SetCookie cookie{.name = "a", .value = "1"};
  EXPECT_EQ(*write_set_cookie(cookie), "a=1");
  cookie = {.name = "__Secure-a",
            .value = "1",
            .path = "/tea",
            .domain = "shop.example",
            .expires = november,
            .max_age = std::chrono::seconds(60),
            .secure = true,
            .http_only = true,
            .partitioned = true,
            .same_site = SameSite::none};
  Headers headers;
  EXPECT_TRUE(add_cookie(headers, cookie).is_ok());
  EXPECT_EQ(headers.get("Set-Cookie"),
            "__Secure-a=1; Path=/tea; Domain=shop.example; Expires=Sun, 06 Nov 1994 08:49:37 GMT; "
            "Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned");
  EXPECT_EQ(*parse_set_cookie(*headers.get("Set-Cookie")), cookie);
  cookie.same_site = SameSite::strict;
  EXPECT_EQ(*parse_set_cookie(*write_set_cookie(cookie)), cookie);
  cookie.same_site = SameSite::lax;
  EXPECT_EQ(*parse_set_cookie(*write_set_cookie(cookie)), cookie);
}

TEST(Cookies, that_clients_would_drop_or_misread_are_not_set) {
  for (const auto* name : {"", "a b", "a=", "a;", "a\r\n"}) refused({.name = name});
  for (const auto* value : {"a b", "a;b", "a,b", "\"a\"", "a\\", "a\r\nb", "\xc3\xa4"}) {
    refused({.name = "a", .value = value});
  }
  refused({.name = "a", .value = std::string(max_cookie_bytes, 'x')});
  EXPECT_TRUE(
      write_set_cookie({.name = "a", .value = std::string(max_cookie_bytes - 1, 'x')}).has_value());
  for (const auto* path : {"tea", "/a;b", "/a\n"}) refused({.name = "a", .path = path});
  for (const auto* domain : {".a", "a;b", "a b"}) refused({.name = "a", .domain = domain});
  refused({.name = "a", .same_site = SameSite::none});
  refused({.name = "a", .partitioned = true});
  refused({.name = "__Secure-a"});
  refused({.name = "__Host-a", .path = "/"});
  refused({.name = "__host-a", .path = "/tea", .secure = true});
  refused({.name = "__Host-a", .path = "/", .domain = "a", .secure = true});
  EXPECT_TRUE(write_set_cookie({.name = "__Host-a", .path = "/", .secure = true}).has_value());
}

TEST(Cookies, that_a_server_sets_are_read_leniently) {
  const auto cookie = parse_set_cookie(
      " a = \"x y\" ; PATH=/b; path=c; Domain=.Shop.Example; Max-Age=x; max-age=-5; Secure=1; "
      "SameSite=what; Unknown=1; Expires=soon");
  ASSERT_TRUE(cookie.has_value()) << cookie.error();
  const SetCookie expected{.name = "a",
                           .value = "\"x y\"",
                           .domain = "shop.example",
                           .max_age = std::chrono::seconds(-5),
                           .secure = true};
  EXPECT_EQ(*cookie, expected);
  EXPECT_EQ(parse_set_cookie("a=b; Max-Age=99999999999999999999")->max_age,
            std::chrono::hours(24) * 366 * 100);
  EXPECT_EQ(parse_set_cookie("a=b; Path=/" + std::string(max_cookie_attribute_bytes, 'x'))->path,
            "");
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("=b"), std::string("a=b\n"),
        std::string("; a=b"), "a=" + std::string(max_cookie_bytes, 'x')}) {
    EXPECT_EQ(parse_set_cookie(text).error().code(), Code::invalid_argument) << text;
  }
}

TEST(Cookies, have_dates_in_many_forms) {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "6 november 1994 8:49:37", "08:49:37 nov 6 94"}) {
    EXPECT_EQ(parse_cookie_date(text), november) << text;
  }
  EXPECT_EQ(year_of("Mon, 01 Jan 69 00:00:00"), 2069);
  EXPECT_EQ(year_of("Mon, 01 Jan 70 00:00:00"), 1970);
  for (const auto* text : {"", "Sun, 06 Nov 1994", "06 Nov 1994 24:00:00", "31 Feb 1994 01:00:00",
                           "06 Nov 1600 08:49:37", "06 Foo 1994 08:49:37"}) {
    EXPECT_EQ(parse_cookie_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace parley::http
