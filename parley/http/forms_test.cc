#include "parley/http/forms.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/http/testing/memory_exchange.h"

namespace parley::http {
namespace {

TEST(Forms, are_pairs_in_their_order_with_repeated_names_kept) {
  const auto form = parse_form("tea=green+tea&size=%C3%BC&tea=oolong&&flag&=x&a=b=c");
  ASSERT_TRUE(form.has_value()) << form.error();
  const std::vector<FormPair> pairs = {
      {"tea", "green tea"}, {"size", "\xc3\xbc"}, {"tea", "oolong"}, {"flag", ""}, {"", "x"},
      {"a", "b=c"}};
  EXPECT_EQ(form->pairs, pairs);
  EXPECT_EQ(form->get("tea"), "green tea");
  EXPECT_EQ(form->all("tea"), (std::vector<std::string_view>{"green tea", "oolong"}));
  EXPECT_EQ(form->get("Tea"), std::nullopt);
  EXPECT_EQ(write_form(*form), "tea=green+tea&size=%C3%BC&tea=oolong&flag=&=x&a=b%3Dc");
  EXPECT_EQ(parse_form(write_form(*form))->pairs, pairs);
  EXPECT_TRUE(parse_form("")->pairs.empty());
}

TEST(Forms, are_unescaped_strictly_unless_told_otherwise) {
  EXPECT_EQ(*unescape("a%20b+c"), "a b+c");
  EXPECT_EQ(*unescape("a+b", {.plus_is_space = true}), "a b");
  for (const auto* text : {"%", "%4", "100%", "%zz", "%-1", "% 1"}) {
    EXPECT_EQ(unescape(text).error().code(), Code::invalid_argument) << text;
    EXPECT_EQ(*unescape(text, {.keep_lone_percents = true}), text);
  }
  for (const auto* text :
       {"%ff", "%c3", "%c0%80", "%ed%a0%80", "%f4%90%80%80", "%e0%80%80", "%f0%80%80%80", "%80"}) {
    EXPECT_EQ(unescape(text).error().code(), Code::invalid_argument) << text;
    EXPECT_TRUE(unescape(text, {.allow_any_bytes = true}).has_value()) << text;
  }
  EXPECT_EQ(*unescape("%f0%9f%8d%b5%e2%82%ac%0d%0a"), "\xf0\x9f\x8d\xb5\xe2\x82\xac\r\n");
  EXPECT_EQ(unescape("%00").error().code(), Code::invalid_argument);
  EXPECT_EQ(*unescape("%00", {.allow_controls = true}), std::string(1, '\0'));
  EXPECT_EQ(escape("a b/~\xc3"), "a%20b%2F~%C3");
}

TEST(Forms, have_their_escapes_taken_off_as_their_options_say) {
  const FormOptions loose{.unescape = {.keep_lone_percents = true}};
  EXPECT_EQ(parse_form("tea=a+b")->get("tea"), "a b");
  EXPECT_EQ(parse_form("tea=a+b", loose)->get("tea"), "a+b");
  EXPECT_EQ(parse_form("tea=100%").error().code(), Code::invalid_argument);
  EXPECT_EQ(parse_form("tea=100%", loose)->get("tea"), "100%");
}

TEST(Forms, keep_to_their_limits) {
  EXPECT_TRUE(parse_form("a&b", {.max_pairs = 2}).has_value());
  EXPECT_EQ(parse_form("a&b", {.max_pairs = 1}).error().code(), Code::resource_exhausted);
  EXPECT_TRUE(parse_form("a&b", {.max_bytes = 3}).has_value());
  EXPECT_EQ(parse_form("a&b", {.max_bytes = 2}).error().code(), Code::resource_exhausted);
}

TEST(Forms, come_as_the_body_of_a_request) {
  testing::MemoryExchange exchange(Method::post);
  exchange.with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
      .sends({"tea=gr", "een"});
  EXPECT_EQ(read_form(exchange)->get("tea"), "green");
  testing::MemoryExchange json(Method::post);
  json.with("Content-Type", "application/json").sends({"{}"});
  EXPECT_EQ(read_form(json).error().code(), Code::invalid_argument);
  testing::MemoryExchange large(Method::post);
  large.with("Content-Type", "application/x-www-form-urlencoded").sends({"tea=green"});
  EXPECT_EQ(read_form(large, {.max_bytes = 8}).error().code(), Code::resource_exhausted);
}

}  // namespace
}  // namespace parley::http
