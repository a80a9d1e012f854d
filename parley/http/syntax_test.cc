#include "parley/http/syntax.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace parley::http {
namespace {

std::vector<std::string> elements_of(std::string_view list) {
  std::vector<std::string> elements;
  for (std::string_view element; next_element(list, element);) elements.emplace_back(element);
  return elements;
}

// By the list of RFC 9110 5.6.2, not by our table.
TEST(Syntax, a_token_is_made_of_what_the_rfc_lists) {
  const std::string_view others = "!#$%&'*+-.^_`|~";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool is_alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool is_good = is_alphanumeric || others.find(c) != std::string_view::npos;
    EXPECT_EQ(is_token({&c, 1}), is_good) << i;
    EXPECT_EQ(is_token(std::string("a") + c), is_good) << i;
  }
  EXPECT_FALSE(is_token(""));
}

TEST(Syntax, a_value_has_no_control_and_no_blank_at_its_ends) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool is_blank = c == ' ' || c == '\t';
    const bool is_control = (i < 0x20 && !is_blank) || i == 0x7f;
    EXPECT_EQ(is_field_value(std::string("a") + c + "b"), !is_control) << i;
    EXPECT_EQ(is_field_value({&c, 1}), !is_control && !is_blank) << i;
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value("a "));
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
}

TEST(Syntax, names_are_the_same_in_any_case_of_ascii) {
  EXPECT_TRUE(same_name("Content-Length", "cONTENT-lENGTH"));
  EXPECT_FALSE(same_name("Content-Length", "Content-Lengt"));
  EXPECT_FALSE(same_name("a^", "a~")) << "only letters have a case";
  EXPECT_FALSE(same_name("\xc3\x84", "\xc3\xa4"));
}

TEST(Syntax, a_list_is_parted_at_commas_outside_of_quotes) {
  using List = std::vector<std::string>;
  EXPECT_EQ(elements_of("gzip;q=1, br"), (List{"gzip;q=1", "br"}));
  EXPECT_EQ(elements_of(" ,, a ,\t,b,"), (List{"a", "b"}));
  EXPECT_EQ(elements_of("\"a, b\", c"), (List{"\"a, b\"", "c"}));
  EXPECT_EQ(elements_of("\"a\\\", b\", c"), (List{"\"a\\\", b\"", "c"}));
  EXPECT_EQ(elements_of("\"open, a"), (List{"\"open, a"}));
  EXPECT_EQ(elements_of("\"open\\"), (List{"\"open\\"}));
  EXPECT_EQ(elements_of(" , "), List{});
}

TEST(Syntax, what_is_shown_of_outside_text_is_short_and_has_no_controls) {
  EXPECT_EQ(quoted("a b"), "\"a b\"");
  EXPECT_EQ(quoted("a\r\n\"\\\xff"), "\"a\\x0d\\x0a\\\"\\\\\\xff\"");
  EXPECT_EQ(quoted("abcdef", 3), "\"abc\"...");
}

}  // namespace
}  // namespace parley::http
