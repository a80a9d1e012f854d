#include "parley/codec/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using testing::Dice;
using testing::Point;
using testing::Sample;
using testing::Tree;

struct Item {
  std::string tea;
  int quantity = 1;
  std::optional<double> price;
  friend bool operator==(const Item&, const Item&) = default;
};

struct Order {
  int id = 0;
  std::vector<Item> items;
  std::map<std::string, int> stock;
  friend bool operator==(const Order&, const Order&) = default;
};

struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};

template <class T>
void expect_json(const T& value, std::string_view text) {
  const auto written = encode_json(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(*written, text);
  const auto read = decode_json<T>(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

TEST(Json, every_integer_type_reaches_both_of_its_ends) {
  expect_json(std::numeric_limits<std::int8_t>::min(), "-128");
  expect_json(std::numeric_limits<std::int8_t>::max(), "127");
  expect_json(std::numeric_limits<std::int16_t>::min(), "-32768");
  expect_json(std::numeric_limits<std::int16_t>::max(), "32767");
  expect_json(std::numeric_limits<std::int32_t>::min(), "-2147483648");
  expect_json(std::numeric_limits<std::int32_t>::max(), "2147483647");
  expect_json(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
  expect_json(std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
  expect_json(std::numeric_limits<std::uint8_t>::max(), "255");
  expect_json(std::numeric_limits<std::uint16_t>::max(), "65535");
  expect_json(std::numeric_limits<std::uint32_t>::max(), "4294967295");
  expect_json(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
  expect_json(std::uint64_t{0}, "0");
}

TEST(Json, writes_the_shortest_number_that_reads_back) {
  expect_json(0.1, "0.1");
  expect_json(-2.5, "-2.5");
  expect_json(100.0, "100");
  expect_json(0.000001, "0.000001");
  expect_json(123456789.123456, "123456789.123456");
  expect_json(0.1 + 0.2, "0.30000000000000004");
  expect_json(1e300, "1e+300");
  expect_json(5e-324, "5e-324");
  expect_json(std::numeric_limits<double>::max(), "1.7976931348623157e+308");
  expect_json(0.1F, "0.1");
  expect_json(16777216.0F, "16777216");
  expect_json(std::numeric_limits<float>::denorm_min(), "1e-45");
}

// Byte by byte, as the specification says it.
std::string plainly_escaped(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view specials = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    const std::size_t at = specials.find(c);
    if (at != std::string_view::npos) {
      out += {'\\', letters[at]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out += std::string("\\u00") + digits[byte >> 4] + digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

TEST(Json, strings_of_every_length_with_an_escape_at_every_place_survive) {
  for (const std::string_view special : {"\n", "\"", "\\", "\x01", "ä", "茶"}) {
    for (std::size_t size = 0; size < 70; ++size) {
      for (std::size_t at = 0; at <= size; at += size < 40 ? 1 : 7) {
        std::string text(size, 'x');
        text.insert(at, special);
        text.insert(at / 2, special);
        const std::string written = encode_json(text).value();
        ASSERT_EQ(written, plainly_escaped(text));
        ASSERT_EQ(decode_json<std::string>(written).value(), text);
        // Not at the end of the input, where whole chunks may be looked at.
        const std::string pair =
            "[" + written + "," + written + ",\"" + std::string(40, 'y') + "\"]";
        ASSERT_EQ(decode_json<std::vector<std::string>>(pair).value()[1], text);
        ASSERT_FALSE(decode_json<std::string>(written.substr(0, written.size() - 1)));
      }
    }
  }
}

TEST(Json, a_string_with_escapes_is_refused_where_it_goes_wrong) {
  const auto problem = [](const std::string& text) {
    const auto read = decode_json<std::string>(text);
    return read ? "none" : read.error().message();
  };
  const std::string plain(30, 'x');
  EXPECT_EQ(problem("\"\\n" + plain + "\n\""),
            "$: a control character (byte 0x0a) in a string: write it as an escape at line 1, "
            "column 34 (byte 33)");
  EXPECT_EQ(problem("\"\\n" + plain + "\\x\""),
            "$: no such escape: a backslash and 'x' at line 1, column 34 (byte 33)");
  EXPECT_EQ(problem("\"\\n" + plain + "\xFF\""),
            "$: a string that is not UTF-8 at line 1, column 1 (byte 0)");
  EXPECT_EQ(problem("\"\\n" + plain + "\\\""),
            "$: a string without closing quote at line 1, column 1 (byte 0)");
  EXPECT_EQ(problem("\"\\ud83d\\u00e9\""),
            "$: a high surrogate without a low one at line 1, column 2 (byte 1)");
  Limits limits;
  limits.max_string_bytes = 20;
  EXPECT_EQ(decode_json<std::string>("\"\\n" + plain + "\"", limits).error().message(),
            "$: a string of 32 bytes, more than max_string_bytes (20)");
}

TEST(Json, integers_of_every_number_of_digits_survive) {
  for (std::uint64_t power = 1; power < 10'000'000'000'000'000'000U; power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 7 / 3}) {
      EXPECT_EQ(encode_json(value).value(), std::to_string(value));
      EXPECT_EQ(decode_json<std::uint64_t>(std::to_string(value) + " ").value(), value);
      const auto negative = -static_cast<std::int64_t>(value / 2);
      EXPECT_EQ(encode_json(negative).value(), std::to_string(negative));
      EXPECT_EQ(
          decode_json<std::vector<std::int64_t>>("[" + std::to_string(negative) + "]").value()[0],
          negative);
    }
  }
}

TEST(Json, keeps_the_sign_of_zero) {
  EXPECT_EQ(encode_json(-0.0).value(), "-0");
  EXPECT_TRUE(std::signbit(decode_json<double>("-0").value()));
  EXPECT_TRUE(std::signbit(decode_json<double>("-0.0e5").value()));
  EXPECT_TRUE(std::signbit(decode_json<float>("-0").value()));
  EXPECT_FALSE(std::signbit(decode_json<double>("0").value()));
  EXPECT_EQ(decode_json<int>("-0").value(), 0);
  EXPECT_EQ(decode_json<unsigned>("-0").value(), 0u);
}

TEST(Json, rounds_to_the_nearest_double_whatever_the_length) {
  EXPECT_EQ(decode_json<double>("9007199254740993").value(), 9007199254740992.0);
  EXPECT_EQ(decode_json<double>("9007199254740993.00000000000000000001").value(),
            9007199254740994.0);
  EXPECT_EQ(decode_json<double>("123456789012345678901234567890").value(),
            123456789012345678901234567890.0);
  EXPECT_EQ(decode_json<double>("2.2250738585072011e-308").value(), 2.2250738585072011e-308);
  EXPECT_EQ(decode_json<double>("1" + std::string(400, '0') + "e-400").value(), 1.0);
  EXPECT_EQ(decode_json<double>("0." + std::string(400, '0') + "1e401").value(), 1.0);
  // By way of a double this would be rounded twice, to the wrong float.
  EXPECT_EQ(decode_json<float>("16777217.0000000001").value(), 16777218.0F);
}

TEST(Json, a_number_too_small_to_tell_from_zero_is_zero) {
  EXPECT_EQ(decode_json<double>("1e-999").value(), 0.0);
  EXPECT_TRUE(std::signbit(decode_json<double>("-1e-999").value()));
  EXPECT_EQ(decode_json<double>("0." + std::string(500, '0') + "1").value(), 0.0);
  EXPECT_EQ(decode_json<float>("1e-60").value(), 0.0F);
  EXPECT_EQ(decode_json<double>("0e999999999999").value(), 0.0);
}

TEST(Json, strings_are_escaped_only_where_they_must_be) {
  expect_json(std::string("tea"), R"("tea")");
  expect_json(std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f"),
              "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  expect_json(std::string("é€水\xF0\x9F\x8D\xB5"), "\"é€水\xF0\x9F\x8D\xB5\"");
  expect_json(std::string(1, '\0'), R"("\u0000")");
  expect_json(std::string(), R"("")");
}

TEST(Json, reads_every_escape) {
  EXPECT_EQ(decode_json<std::string>(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC")").value(),
            "\"\\/\b\f\n\r\tAé€");
  EXPECT_EQ(decode_json<std::string>(R"("\ud83c\udf75")").value(), "\xF0\x9F\x8D\xB5");
  EXPECT_EQ(decode_json<std::string>(R"("\uDBFF\uDFFF")").value(), "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(decode_json<std::string>(R"("\uffff\ud7ff\ue000")").value(),
            "\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80");
}

// The scanner looks at sixteen bytes at a time, and at sixty-four in long strings: what is special
// must be found at each place.
TEST(Json, finds_what_is_special_at_every_place_of_a_string) {
  for (std::size_t before = 0; before < 200; ++before) {
    for (const std::size_t after : {0, 1, 14, 15, 16, 17, 47, 48, 63, 64, 65, 130}) {
      for (const std::string_view special : {"\"", "\\", "\n", "é", "\x1f", " ", "!", "#"}) {
        const std::string text = std::string(before, 'a').append(special) + std::string(after, 'b');
        const std::string written = encode_json(text).value();
        ASSERT_EQ(written, plainly_escaped(text));
        ASSERT_EQ(decode_json<std::string>(written).value(), text);
      }
    }
  }
}

TEST(Json, a_long_string_that_is_not_utf8_or_has_a_control_character_is_refused) {
  for (std::size_t before = 0; before < 200; ++before) {
    for (const char bad : {'\xff', '\n', '\x1f', '\0'}) {
      std::string text(200, 'x');
      text[before] = bad;
      ASSERT_FALSE(decode_json<std::string>('"' + text + '"')) << before;
      if (bad == '\xff') ASSERT_FALSE(encode_json(text)) << before;
    }
  }
}

TEST(Json, containers_become_arrays_and_objects) {
  expect_json(std::vector<int>{}, "[]");
  expect_json(std::vector<int>{1, -2, 3}, "[1,-2,3]");
  expect_json(std::vector<bool>{true, false, true}, "[true,false,true]");
  expect_json(std::vector<std::vector<int>>{{}, {1}, {2, 3}}, "[[],[1],[2,3]]");
  expect_json(std::array<int, 3>{1, 2, 3}, "[1,2,3]");
  expect_json(std::array<int, 0>{}, "[]");
  expect_json(std::map<std::string, int>{{"a", 1}, {"red tea", 2}, {"é\n", 3}},
              R"({"a":1,"red tea":2,"é\n":3})");
  expect_json(std::unordered_map<std::string, bool>{{"", true}}, R"({"":true})");
  expect_json(std::pair<int, std::string>{1, "x"}, R"([1,"x"])");
  expect_json(std::tuple<bool, double, std::vector<int>>{true, 0.5, {1}}, "[true,0.5,[1]]");
  expect_json(std::tuple<>(), "[]");
}

TEST(Json, structs_become_objects) {
  expect_json(Nothing{}, "{}");
  expect_json(
      Order{.id = 7, .items = {{.tea = "oolong", .quantity = 2, .price = 4.5}}, .stock = {}},
      R"({"id":7,"items":[{"tea":"oolong","quantity":2,"price":4.5}],"stock":{}})");
  expect_json(Tree{.name = "a", .kids = {{.name = "b", .kids = {}}}},
              R"({"name":"a","kids":[{"name":"b","kids":[]}]})");
}

TEST(Json, an_empty_optional_is_left_out_of_an_object_and_null_elsewhere) {
  expect_json(Item{.tea = "x", .quantity = 1, .price = {}}, R"({"tea":"x","quantity":1})");
  expect_json(std::vector<std::optional<int>>{1, {}, 3}, "[1,null,3]");
  expect_json(std::optional<std::string>{}, "null");
  EXPECT_EQ(decode_json<Item>(R"({"price":null})")->price, std::nullopt);
}

TEST(Json, a_raw_value_is_kept_to_the_byte) {
  expect_json(Json{R"({"a": [1.50, "\u00e9"]})"}, R"({"a": [1.50, "\u00e9"]})");
  EXPECT_EQ(decode_json<Json>(" \n[ 1 ]\t").value().text, "[ 1 ]");
  EXPECT_EQ(encode_json(Json{}).value(), "null");
  EXPECT_FALSE(decode_json<Json>("[1,]"));
  EXPECT_EQ(
      encode_json(std::vector<Json>{{"1"}, {"[1,]"}}).error().message(),
      "$[1]: this Json cannot be written: $[1]: expected a value, got ']' at line 1, column 4 "
      "(byte 3)");
  EXPECT_FALSE(encode_json(Json{""}));
}

TEST(Json, random_values_survive_the_round_trip) {
  Dice dice(20261121);
  for (int i = 0; i < 2000; ++i) {
    const Sample sample = dice.sample();
    const auto text = encode_json(sample);
    ASSERT_TRUE(text) << text.error();
    const auto read = decode_json<Sample>(*text);
    ASSERT_TRUE(read) << read.error() << "\n" << *text;
    ASSERT_EQ(*read, sample) << *text;
    Sample indented = decode_json<Sample>(indent_json(*text)).value();
    indented.anything = sample.anything;  // kept to the byte, so it is indented too
    ASSERT_EQ(indented, sample);
  }
}

TEST(Json, random_doubles_and_floats_come_back_bit_by_bit) {
  Dice dice(1);
  for (int i = 0; i < 100'000; ++i) {
    const double value = dice.real();
    const std::string text = encode_json(value).value();
    ASSERT_EQ(std::bit_cast<std::uint64_t>(decode_json<double>(text).value()),
              std::bit_cast<std::uint64_t>(value))
        << text;
    const float small = dice.real32();
    ASSERT_EQ(decode_json<float>(encode_json(small).value()).value(), small);
  }
}

TEST(Json, a_reused_object_keeps_nothing_of_what_it_held) {
  Dice dice(2);
  Sample reused;
  for (int i = 0; i < 500; ++i) {
    const Sample sample = dice.sample();
    ASSERT_TRUE(decode_json_into(encode_json(sample).value(), reused).is_ok());
    ASSERT_EQ(reused, sample);
  }
  ASSERT_TRUE(decode_json_into("{}", reused).is_ok());
  EXPECT_EQ(reused, Sample());
}

TEST(Json, a_reused_object_reuses_its_memory) {
  std::vector<std::string> texts = {std::string(100, 'a'), std::string(100, 'b'), "c"};
  const char* const memory = texts[1].data();
  ASSERT_TRUE(decode_json_into(R"(["x","y"])", texts).is_ok());
  EXPECT_EQ(texts, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(texts[1].data(), memory);
}

TEST(Json, absent_members_take_the_default_of_the_struct_that_holds_them) {
  struct Outer {
    Item item = {.tea = "house blend", .quantity = 3, .price = 1.0};
    int grid[2] = {4, 5};
  };
  Outer outer;
  outer.item = {};
  outer.grid[1] = 0;
  ASSERT_TRUE(decode_json_into("{}", outer).is_ok());
  EXPECT_EQ(outer.item, (Item{.tea = "house blend", .quantity = 3, .price = 1.0}));
  EXPECT_EQ(outer.grid[1], 5);
  ASSERT_TRUE(decode_json_into(R"({"item":{}})", outer).is_ok());
  EXPECT_EQ(outer.item, Item());
}

TEST(Json, members_come_in_any_order_and_keys_may_be_escaped) {
  EXPECT_EQ(decode_json<Item>(R"( { "quantity" : 5 , "tea" : "x" } )").value(),
            (Item{.tea = "x", .quantity = 5, .price = {}}));
  EXPECT_EQ(decode_json<Item>(R"({"\u0074ea":"y"})")->tea, "y");
  EXPECT_EQ((decode_json<std::map<std::string, int>>(R"({"\n\u00e9":1})").value()),
            (std::map<std::string, int>{{"\né", 1}}));
  // A key that begins like a member's is another key.
  EXPECT_EQ(decode_json<Item>(R"({"tea":"x","teapot":1,"te":2})")->tea, "x");
}

TEST(Json, unknown_members_are_skipped_or_refused_as_the_option_says) {
  constexpr std::string_view text = R"({"tea":"x","colour":{"deep":[1,{}]},"quantity":2})";
  EXPECT_EQ(decode_json<Item>(text)->quantity, 2);
  const auto refused = decode_json<Item>(text, {}, {.refuse_unknown_fields = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
  EXPECT_EQ(refused.error().message(), "$.colour: unknown field (refuse_unknown_fields is on)");
}

TEST(Json, absent_members_are_defaults_or_refused_as_the_option_says) {
  EXPECT_EQ(decode_json<Item>(R"({"tea":"x"})")->quantity, 1);
  const JsonOptions options{.require_all_fields = true};
  EXPECT_EQ(decode_json<Item>(R"({"tea":"x"})", {}, options).error().message(),
            "$.quantity: the field is missing (require_all_fields is on)");
  EXPECT_TRUE(decode_json<Item>(R"({"tea":"x","quantity":2})", {}, options));
  EXPECT_EQ(
      decode_json<Order>(R"({"id":1,"items":[{}],"stock":{}})", {}, options).error().message(),
      "$.items[0].tea: the field is missing (require_all_fields is on)");
}

TEST(Json, appends_to_a_text_and_leaves_it_alone_on_an_error) {
  std::string out = "data: ";
  ASSERT_TRUE(encode_json_to(out, std::vector<int>{1, 2}).is_ok());
  EXPECT_EQ(out, "data: [1,2]");
  EXPECT_FALSE(encode_json_to(out, std::vector<double>{1, NAN}).is_ok());
  EXPECT_EQ(out, "data: [1,2]");
  std::string much;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(encode_json_to(much, std::string(37, 'x')).is_ok());
  EXPECT_EQ(much.size(), 39'000u);
}

TEST(Json, works_from_a_table_without_the_type) {
  const Type& type = type_of<Item>();
  Item item;
  ASSERT_TRUE(decode_json_as(R"({"tea":"x","quantity":3})", type, &item).is_ok());
  std::string out;
  ASSERT_TRUE(encode_json_as(out, type, &item).is_ok());
  EXPECT_EQ(out, R"({"tea":"x","quantity":3})");
}

TEST(Json, a_text_in_a_larger_buffer_ends_where_it_ends) {
  const std::string buffer = "1234567890";
  EXPECT_EQ(decode_json<int>(std::string_view(buffer).substr(0, 3)).value(), 123);
  EXPECT_EQ(decode_json<double>(std::string_view("1.5e10").substr(0, 3)).value(), 1.5);
  EXPECT_FALSE(decode_json<bool>(std::string_view("true").substr(0, 3)));
  EXPECT_FALSE(decode_json<int>(std::string_view()));
}

TEST(Json, is_indented_for_people) {
  EXPECT_EQ(indent_json(R"({"a":[1,{"b":"x,{\"y"},[]],"c":{},"d":""})"),
            R"({
  "a": [
    1,
    {
      "b": "x,{\"y"
    },
    []
  ],
  "c": {},
  "d": ""
})");
  EXPECT_EQ(indent_json("[ \n ]"), "[]");
  EXPECT_EQ(indent_json("[[],{}]"), "[\n  [],\n  {}\n]");
  EXPECT_EQ(indent_json(" 1 "), "1");
  EXPECT_EQ(indent_json(R"(["a"])"), "[\n  \"a\"\n]");
  EXPECT_EQ(indent_json("[1"), "[1");
}

}  // namespace
}  // namespace parley::codec
