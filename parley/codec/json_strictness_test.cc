// What is JSON and what is not, category by category. Each text is judged four ways, which must
// agree: validated, kept as raw Json, skipped as an unknown member, and skipped inside an array.
#include <gtest/gtest.h>

#include "parley/codec/json.h"

namespace parley::codec {
namespace {

struct Nothing {};

std::string wrapped(std::string_view before, std::string_view text, std::string_view behind) {
  std::string all(before);
  all.append(text).append(behind);
  return all;
}

bool is_accepted(const std::string& text) {
  const bool accepted = validate_json(text).is_ok();
  const auto raw = decode_json<Json>(text);
  EXPECT_EQ(raw.has_value(), accepted) << text;
  // Inside something larger a text may end up as something else: only whole values are put there.
  const bool is_sealed = text.find_first_of("\",]}") == std::string::npos || accepted;
  if (is_sealed) {
    EXPECT_EQ(decode_json<Nothing>(wrapped("{\"x\":", text, "}")).has_value(), accepted) << text;
    EXPECT_EQ(decode_json<std::vector<Json>>(wrapped("[", text, "]")).has_value(),
              accepted || text.find_first_not_of(" \t\r\n") == std::string::npos)
        << text;
  }
  if (accepted) {
    EXPECT_TRUE(validate_json(indent_json(text)).is_ok()) << text;
    EXPECT_EQ(encode_json(*raw).value(), raw->text);
  }
  return accepted;
}

void expect_accepted(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) EXPECT_TRUE(is_accepted(text)) << text;
}
void expect_refused(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) EXPECT_FALSE(is_accepted(text)) << text;
}

TEST(JsonStrictness, numbers) {
  expect_accepted({"0", "-0", "1", "-1", "10", "1234567890123456789012345678901234567890", "0.0",
                   "-0.5", "1.25", "1e5", "1E5", "1e+5", "1e-5", "1.5E-05", "0e0", "1e0", "1e9999",
                   "-1e-9999", "0.000"});
  expect_refused({"+1",   ".5",  "5.",       "-",         "--1",   "01",    "-01", "00",
                  "0x10", "1e",  "1e+",      "1.e5",      "1e5.5", "1.2.3", "1 2", "1_000",
                  "NaN",  "nan", "Infinity", "-Infinity", "inf",   "1f",    "1a",  "\xEF\xBC\x91",
                  "-a",   "1-",  "1+1",      "0b1",       "1,5"});
}

TEST(JsonStrictness, literals) {
  expect_accepted({"true", "false", "null"});
  expect_refused({"True", "TRUE", "tru", "truee", "true1", "fals", "nul", "nulll", "NULL",
                  "undefined", "nil", "t", "f", "n", "yes", "true false"});
}

TEST(JsonStrictness, strings) {
  expect_accepted({R"("")", R"("a")", R"("\"")", R"("\\")", R"("\/")", R"("\b\f\n\r\t")",
                   R"("\u0000")", R"("\u12aB")", R"("\ud834\udd1e")", R"("\\u0000")", "\"\x7f\"",
                   R"("' // /* */ {[")"});
  expect_refused({"\"",          "\"a",        "a",           "'a'",         R"("\")",
                  R"("\a")",     R"("\x41")",  R"("\0")",     R"("\u")",     R"("\u1")",
                  R"("\u12")",   R"("\u123")", R"("\u123g")", R"("\u 123")", R"("\U0041")",
                  R"("\u+041")", R"("a" "b")", R"("a"b)",     R"(\"a")",     "\"\\",
                  "\"\\u12"});
}

TEST(JsonStrictness, control_characters_in_strings) {
  for (int c = 0; c < 0x20; ++c) {
    const std::string text = std::string("\"a") + static_cast<char>(c) + "b\"";
    EXPECT_FALSE(is_accepted(text)) << c;
  }
  expect_accepted({"\"\x7f\"", "\" \""});
}

TEST(JsonStrictness, surrogates) {
  expect_accepted({R"("\ud800\udc00")", R"("\uDBFF\uDFFF")", R"("x\ud83d\ude00y")", R"("\ue000")",
                   R"("\ud7ff")"});
  expect_refused({R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")",
                  R"("\ud800\n")", R"("\ud800\u0041")", R"("\udc00\ud800")", R"("\ud800\u")",
                  R"("\ud800\udc0")", R"("\udfff")", R"("\ud800\\dc00")", R"("\ud800 \udc00")"});
}

TEST(JsonStrictness, encoding) {
  expect_accepted({"\"\xC2\x80\"", "\"\xDF\xBF\"", "\"\xE0\xA0\x80\"", "\"\xED\x9F\xBF\"",
                   "\"\xEF\xBF\xBF\"", "\"\xF0\x90\x80\x80\"", "\"\xF4\x8F\xBF\xBF\"",
                   "{\"\xC3\xA9\":1}"});
  expect_refused({"\"\x80\"",
                  "\"\xBF\"",
                  "\"\xC0\x80\"",
                  "\"\xC1\xBF\"",
                  "\"\xC2\"",
                  "\"\xC2x\"",
                  "\"\xE0\x80\x80\"",
                  "\"\xE2\x82\"",
                  "\"\xED\xA0\x80\"",
                  "\"\xED\xBF\xBF\"",
                  "\"\xF0\x80\x80\x80\"",
                  "\"\xF0\x9F\x8D\"",
                  "\"\xF4\x90\x80\x80\"",
                  "\"\xF5\x80\x80\x80\"",
                  "\"\xFF\"",
                  "\"\xFE\xFF\"",
                  "{\"\xFF\":1}",
                  "\"long enough for sixteen bytes at once \xFF and some more behind it\"",
                  "\xEF\xBB\xBF 1",
                  std::string("1\0", 2),
                  std::string("\0", 1),
                  "\xFF",
                  std::string("1\0 ", 3),
                  "\xC2\xA0 1",
                  "\xE2\x80\xA8"});
}

TEST(JsonStrictness, arrays) {
  expect_accepted(
      {"[]", "[ ]", "[1]", "[1,2]", "[ 1 , 2 ]", "[[],[[]]]", "[null]", "[\n1\r\n,\t2 ]"});
  expect_refused({"[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1]]", "[[1]",
                  "[1}", "[1;2]", "[1:2]", "[1] [2]", "[\"a\"", "[1,2"});
}

TEST(JsonStrictness, objects) {
  expect_accepted({"{}", "{ }", R"({"a":1})", R"({ "a" : 1 , "b" : 2 })", R"({"":0})",
                   R"({"a":{"b":{}}})", R"({"a":1,"a":2})", R"({"\u0061":1})"});
  expect_refused({"{",
                  "}",
                  R"({"a"})",
                  R"({"a":})",
                  R"({"a":1)",
                  R"({"a":1,})",
                  R"({,"a":1})",
                  R"({"a" 1})",
                  R"({a:1})",
                  R"({'a':1})",
                  R"({1:1})",
                  R"({null:1})",
                  R"({"a"::1})",
                  R"({"a":1 "b":2})",
                  R"({"a":1,,"b":2})",
                  R"({"a":1}})",
                  R"({"a":1])",
                  R"({"a","b"})",
                  R"({[]:1})",
                  R"({"a":1;"b":2})",
                  R"({"a":1:2})",
                  R"({"a)"});
}

TEST(JsonStrictness, white_space_and_comments) {
  expect_accepted({" 1", "1 ", "\t\r\n 1\t\r\n ", " { } "});
  expect_refused({"", " ", "\n\n", "\v1", "\f1", "// x\n1", "1 // x", "/* x */ 1", "# x\n1",
                  "[1 /**/]", "1\v", "{/**/}", "\u00A0[]", ";", "1;"});
}

// The same grammar holds where the type is known.
TEST(JsonStrictness, typed_values_are_as_strict) {
  for (const char* text : {"01", "+1", "1.", "1e", "--1", "", " ", "1,", "1 1", "0x1", "-"}) {
    EXPECT_FALSE(decode_json<int>(text)) << text;
    EXPECT_FALSE(decode_json<double>(text)) << text;
  }
  for (const char* text : {"[1,]", "[,1]", "[1 2]", "[1", "[", "[1]]", "[1}", "[1,,2]"}) {
    EXPECT_FALSE(decode_json<std::vector<int>>(text)) << text;
    EXPECT_FALSE((decode_json<std::array<int, 1>>(text))) << text;
    EXPECT_FALSE((decode_json<std::tuple<int>>(text))) << text;
  }
  for (const char* text : {"[true,]", "[tru]", "[true false]", "[1]", "[", "[true"}) {
    EXPECT_FALSE(decode_json<std::vector<bool>>(text)) << text;
  }
  for (const char* text : {R"({"a":1,})", R"({,"a":1})", R"({"a" 1})", R"({a:1})", R"({"a":1)", "{",
                           R"({"a":1 "b":2})", R"({"a":1]})", R"({"a)", R"({"a":)"}) {
    EXPECT_FALSE((decode_json<std::map<std::string, int>>(text))) << text;
    struct A {
      int a;
      int b;
    };
    EXPECT_FALSE(decode_json<A>(text)) << text;
  }
  for (const char* text : {"\"\xFF\"", R"("\ud800")", "\"\n\"", R"("\q")", "\"a", "\"\\"}) {
    EXPECT_FALSE(decode_json<std::string>(text)) << text;
    EXPECT_FALSE((decode_json<std::map<std::string, int>>(wrapped("{", text, ":1}")))) << text;
  }
  EXPECT_FALSE(decode_json<bool>("tru"));
  EXPECT_FALSE(decode_json<bool>("truth"));
  EXPECT_FALSE(decode_json<std::optional<int>>("nul"));
  EXPECT_FALSE(decode_json<std::optional<int>>("nullx"));
}

}  // namespace
}  // namespace parley::codec
