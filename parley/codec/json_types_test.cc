// Types beyond numbers, texts and plain structs, as JSON has them.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/codec/json.h"

namespace parley::codec::json_types_test {

enum class Colour { red, green = 7, blue = -3 };
enum Weekday : unsigned char { monday = 1, sunday = 200 };
enum class Level { low, high, odd };

struct Circle {
  double radius = 0;
  friend bool operator==(const Circle&, const Circle&) = default;
};
struct Square {
  double side = 0;
  friend bool operator==(const Square&, const Square&) = default;
};

struct Nest {
  std::vector<Nest> inner;
};

struct Shown {
  std::string text;
};

struct Node {
  int value = 0;
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
};

}  // namespace parley::codec::json_types_test

template <>
inline constexpr parley::codec::EnumRange
    parley::enum_range<parley::codec::json_types_test::Weekday> = {0, 255};
template <>
inline constexpr auto parley::enum_names<parley::codec::json_types_test::Level> =
    parley::codec::names_of_enum<parley::codec::json_types_test::Level>(
        {{parley::codec::json_types_test::Level::low, "LOW"},
         {parley::codec::json_types_test::Level::high, "very \"high\""},
         {parley::codec::json_types_test::Level::odd, "2nd"}});
template <>
inline constexpr auto parley::alternative_names<
    std::variant<long, std::vector<parley::codec::json_types_test::Level>>> =
    std::array<std::string_view, 2>{"one", "many"};

template <>
struct parley::Representation<parley::codec::json_types_test::Nest> {
  using Nest = parley::codec::json_types_test::Nest;
  static const std::vector<Nest>& encode(const Nest& nest) { return nest.inner; }
  static parley::Status decode(std::vector<Nest> inner, Nest& nest) {
    nest.inner = std::move(inner);
    return {};
  }
};
template <>
struct parley::Representation<parley::codec::json_types_test::Shown> {
  using Shown = parley::codec::json_types_test::Shown;
  static std::string_view encode(const Shown& shown) { return shown.text; }
  static parley::Status decode(std::string_view text, Shown& shown) {
    shown.text = text;
    return {};
  }
};

namespace parley::codec::json_types_test {
namespace {

template <class T>
void expect_json(const T& value, std::string_view text) {
  const auto written = encode_json(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(*written, text);
  const auto read = decode_json<T>(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
std::string problem(std::string_view text, const JsonOptions& options = {}) {
  const auto read = decode_json<T>(text, {}, options);
  return read ? "none" : read.error().message();
}

TEST(JsonTypes, enums_travel_by_name_and_are_read_by_number_too) {
  expect_json(Colour::red, "\"red\"");
  expect_json(std::vector<Colour>{Colour::green, Colour::blue}, R"(["green","blue"])");
  expect_json(sunday, "\"sunday\"");
  expect_json(Level::high, R"("very \"high\"")");
  expect_json(static_cast<Colour>(5), "5");
  EXPECT_EQ(decode_json<Colour>("-3").value(), Colour::blue);
  JsonOptions numbers;
  numbers.enums_as_numbers = true;
  EXPECT_EQ(encode_json(Colour::green, {}, numbers).value(), "7");
}

TEST(JsonTypes, a_name_that_is_no_value_of_the_enum_is_told_with_the_nearest) {
  EXPECT_EQ(problem<Colour>("\"gren\""), R"($: "gren" is no Colour: did you mean "green"?)");
  EXPECT_EQ(problem<Colour>("\"purple\""),
            R"($: "purple" is no Colour: expected blue, red, green)");
  EXPECT_EQ(problem<Weekday>("256"), "$: 256 does not fit uint8 (0 to 255)");
  EXPECT_EQ(problem<Colour>("[]"), "$: expected the name of a Colour, got array");
}

TEST(JsonTypes, bytes_are_base64) {
  using Vector = std::vector<std::byte>;
  expect_json(Vector{std::byte{0xFB}, std::byte{0xFF}}, "\"+/8=\"");
  expect_json(Vector{}, "\"\"");
  EXPECT_EQ(decode_json<Vector>(R"("-_8")").value().size(), 2u);
  EXPECT_EQ(problem<Vector>("\"a\""), R"($: expected bytes in base64, got "a")");
  expect_json(Bytes::copy_of("foobar"), "\"Zm9vYmFy\"");
  Bytes two = Bytes::copy_of("foo");
  two.append(Bytes::copy_of("bar"));
  EXPECT_EQ(encode_json(two).value(), "\"Zm9vYmFy\"");
}

TEST(JsonTypes, a_view_shows_the_text_itself) {
  const std::string text = R"(["plain","grün"])";
  const auto views = decode_json<std::vector<std::string_view>>(text);
  ASSERT_TRUE(views) << views.error();
  EXPECT_EQ((*views)[1], "grün");
  EXPECT_EQ((*views)[0].data(), text.data() + 2) << "nothing was copied";
  EXPECT_EQ(encode_json(*views).value(), text);
  EXPECT_EQ(problem<std::string_view>(R"("a\nb")"),
            "$: a string with escapes cannot be shown by a view: use std::string");
  EXPECT_EQ(problem<std::span<const std::byte>>("\"Zm9v\""),
            "$: bytes are base64 in JSON, which a view cannot show: use a vector");
  JsonOptions options;
  options.refuse_views = true;
  EXPECT_EQ(problem<std::string_view>("\"a\"", options),
            "$: a view would show text that is gone: use std::string or a vector");
}

TEST(JsonTypes, durations_are_decimal_seconds) {
  using namespace std::chrono;
  expect_json(milliseconds(1'500), "\"1.500s\"");
  expect_json(seconds(-3), "\"-3s\"");
  expect_json(nanoseconds(-1), "\"-0.000000001s\"");
  expect_json(microseconds(2), "\"0.000002s\"");
  expect_json(hours(1), "\"3600s\"");
  expect_json(duration<double>(0.5), "\"0.500s\"");
  expect_json(nanoseconds::min(), "\"-9223372036.854775808s\"");
  EXPECT_EQ(decode_json<milliseconds>("\"1.0009s\"").value(), milliseconds(1'000));
  for (const char* text : {"\"1\"", "\"s\"", "\"1.s\"", "\"1.0000000001s\"", "\"--1s\"", "\"+1s\"",
                           "\"1e3s\"", "\"9223372036854775808s\"", "\" 1s\""}) {
    EXPECT_NE(problem<seconds>(text).find("expected a duration in seconds"), std::string::npos)
        << text;
  }
  EXPECT_EQ(problem<nanoseconds>("\"9223372037s\""),
            R"($: "9223372037s" does not fit the unit and size of this duration)");
}

TEST(JsonTypes, a_duration_of_any_unit_is_read_back_or_refused) {
  using namespace std::chrono;
  using Frames = duration<std::int64_t, std::ratio<1, 30>>;
  for (const std::int64_t count : {0, 1, 2, 29, 30, 31, -1, -29, -31, 1'000'000'007}) {
    EXPECT_EQ(decode_json<Frames>(encode_json(Frames(count)).value()).value(), Frames(count));
  }
  for (const double seconds : {0.3, 0.1, -0.3, 12.7, -1e-9, 0.999999999}) {
    const duration<double> span(seconds);
    EXPECT_EQ(decode_json<duration<double>>(encode_json(span).value()).value(), span) << seconds;
  }
  expect_json(duration<double>(0.3), "\"0.300s\"");
  expect_json(seconds::min(), "\"-9223372036854775808s\"");
  expect_json(seconds::max(), "\"9223372036854775807s\"");
  EXPECT_FALSE(encode_json(hours::max()));
  EXPECT_FALSE(encode_json(minutes::min()));
  EXPECT_FALSE(encode_json(sys_time<hours>(hours::max())));
  for (const double odd : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    EXPECT_FALSE(encode_json(duration<double>(odd))) << odd;
  }
}

TEST(JsonTypes, points_in_time_are_rfc_3339) {
  using namespace std::chrono;
  using Millis = sys_time<milliseconds>;
  expect_json(Millis(milliseconds(0)), "\"1970-01-01T00:00:00Z\"");
  expect_json(Millis(milliseconds(-1)), "\"1969-12-31T23:59:59.999Z\"");
  expect_json(sys_seconds(sys_days(year(2024) / 2 / 29)) + seconds(86'399),
              "\"2024-02-29T23:59:59Z\"");
  expect_json(sys_seconds(seconds(-62'167'219'200)), "\"0000-01-01T00:00:00Z\"");
  expect_json(sys_seconds(seconds(253'402'300'799)), "\"9999-12-31T23:59:59Z\"");
  EXPECT_FALSE(encode_json(sys_seconds(seconds(253'402'300'800))));
  EXPECT_FALSE(encode_json(sys_seconds(seconds(-62'167'219'201))));
  const auto moment = decode_json<sys_seconds>("\"2026-11-21T09:30:00Z\"").value();
  EXPECT_EQ(decode_json<sys_seconds>("\"2026-11-21t11:00:00+01:30\"").value(), moment);
  EXPECT_EQ(decode_json<sys_seconds>("\"2026-11-21T06:30:00.9-03:00\"").value(), moment);
  EXPECT_EQ(decode_json<sys_seconds>("\"2016-12-31T23:59:60Z\"").value(),
            decode_json<sys_seconds>("\"2017-01-01T00:00:00Z\"").value());
  for (const char* text :
       {"2026-11-21", "2026-11-21T09:30Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T09:30:00", "2026-11-21T09:30:00+1:00",
        "2026-11-21T09:30:00.Z", "2026-11-21T09:30:00Zx", "2026-11-21 09:30:00Z", "",
        "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:60Z", "9999-12-31T23:00:00-01:00"}) {
    EXPECT_NE(problem<sys_seconds>('"' + std::string(text) + '"').find("expected a time as in"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(problem<sys_time<nanoseconds>>("\"9999-01-01T00:00:00Z\"").find("does not fit"),
            std::string::npos);
}

TEST(JsonTypes, a_type_may_hold_itself_through_a_unique_ptr) {
  const std::string text =
      R"({"value":1,"left":{"value":2},"right":{"value":3,"left":{"value":4}}})";
  auto node = decode_json<Node>(text);
  ASSERT_TRUE(node) << node.error();
  EXPECT_EQ(node->right->left->value, 4);
  EXPECT_EQ(node->left->right, nullptr);
  EXPECT_EQ(encode_json(*node).value(), text);
  ASSERT_TRUE(decode_json_into(R"({"value":5,"left":null})", *node).is_ok());
  EXPECT_EQ(node->left, nullptr);
  EXPECT_EQ(node->right, nullptr) << "absent, so reset";
  const auto nodes = decode_json<std::vector<std::unique_ptr<Node>>>(R"([{"value":1},null])");
  ASSERT_TRUE(nodes) << nodes.error();
  EXPECT_EQ(encode_json(*nodes).value(), R"([{"value":1},null])");
}

TEST(JsonTypes, a_struct_that_can_only_be_moved_is_reset_when_absent) {
  struct Owner {
    Node tree;
    std::vector<std::unique_ptr<int>> numbers;
    int plain = 4;
  };
  Owner owner;
  ASSERT_TRUE(decode_json_into(R"({"tree":{"value":3},"numbers":[1,2],"plain":5})", owner).is_ok());
  EXPECT_EQ(*owner.numbers[1], 2);
  ASSERT_TRUE(decode_json_into("{}", owner).is_ok());
  EXPECT_EQ(owner.tree.value, 0);
  EXPECT_TRUE(owner.numbers.empty());
  EXPECT_EQ(owner.plain, 4);
}

TEST(JsonTypes, a_variant_is_an_object_with_the_name_of_its_alternative) {
  using Shape = std::variant<std::monostate, Circle, Square, std::string, std::vector<int>>;
  expect_json(Shape(), "null");
  expect_json(Shape(Circle{2}), R"({"Circle":{"radius":2}})");
  expect_json(Shape("text"), R"({"string":"text"})");
  expect_json(Shape(std::vector<int>{1}), R"({"list":[1]})");
  expect_json(std::variant<long, std::vector<Level>>(std::vector<Level>{Level::low}),
              R"({"many":["LOW"]})");
  EXPECT_EQ(problem<Shape>("{}"), "$: no alternative: expected null, Circle, Square, string, list");
  EXPECT_EQ(problem<Shape>(R"({"Oval":1})"),
            R"($: no alternative "Oval": expected null, Circle, Square, string, list)");
  EXPECT_EQ(problem<Shape>(R"({"string":"a","list":[]})"), "$: more than one alternative");
  EXPECT_EQ(problem<Shape>(R"({"Circle":{"radius":"x"}})"),
            "$.Circle.radius: expected number, got string");
  EXPECT_EQ(problem<Shape>("1"),
            "$: expected an object with the name of one alternative, got number");
  EXPECT_NE((problem<std::variant<int, bool>>("null")), "none");
}

TEST(JsonTypes, sets_and_deques_are_arrays) {
  expect_json(std::set<std::string>{"b", "a"}, R"(["a","b"])");
  expect_json(std::deque<int>{3, 1}, "[3,1]");
  expect_json(std::unordered_set<int>{4}, "[4]");
  EXPECT_EQ(decode_json<std::set<int>>("[2,1,2]").value(), (std::set<int>{1, 2}));
  std::set<int> old = {9};
  ASSERT_TRUE(decode_json_into("[1]", old).is_ok());
  EXPECT_EQ(old, std::set<int>{1});
  std::deque<int> reused = {9, 9};
  ASSERT_TRUE(decode_json_into("[1]", reused).is_ok());
  EXPECT_EQ(reused, std::deque<int>{1});
  EXPECT_EQ(problem<std::set<int>>(R"([1,"x"])"), "$[1]: expected integer, got string");
}

TEST(JsonTypes, elements_of_sets_and_deques_may_have_a_member_called_second) {
  struct Range {
    int first = 0;
    int second = 0;
    bool operator==(const Range&) const = default;
  };
  expect_json(std::deque<std::pair<int, int>>{{1, 2}, {3, 4}}, "[[1,2],[3,4]]");
  expect_json(std::set<std::pair<int, std::string>>{{1, "a"}, {3, "b"}}, R"([[1,"a"],[3,"b"]])");
  expect_json(std::deque<Range>{{7, 8}}, R"([{"first":7,"second":8}])");
}

TEST(JsonTypes, arrays_may_be_nested_as_deep_as_the_limit_says) {
  std::string text;
  for (int i = 0; i < 900; ++i) text += '[';
  for (int i = 0; i < 900; ++i) text += ']';
  Limits limits;
  limits.max_depth = 1'000;
  const auto nest = decode_json<Nest>(text, limits);
  ASSERT_TRUE(nest) << nest.error();
  EXPECT_EQ(encode_json(*nest, limits).value(), text);
  EXPECT_FALSE(encode_json(*nest));
}

TEST(JsonTypes, a_view_inside_a_representation_need_not_live_on) {
  JsonOptions options;
  options.refuse_views = true;
  EXPECT_EQ(decode_json<Shown>("\"tea\"", {}, options).value().text, "tea");
  EXPECT_FALSE(decode_json<std::vector<std::string_view>>("[\"tea\"]", {}, options));
}

TEST(JsonTypes, keys_of_maps_may_be_numbers_truth_values_and_enums) {
  expect_json(std::map<int, std::string>{{-2, "b"}, {10, "a"}}, R"({"-2":"b","10":"a"})");
  expect_json(std::map<bool, int>{{false, 0}, {true, 1}}, R"({"false":0,"true":1})");
  expect_json(std::map<Colour, int>{{Colour::red, 1}}, R"({"red":1})");
  expect_json(std::map<Level, int>{{Level::odd, 1}}, R"({"2nd":1})");
  expect_json(std::map<Level, int>{{static_cast<Level>(9), 1}}, R"({"9":1})");
  EXPECT_EQ(encode_json(std::map<std::string, int>{{"\xFF", 1}}).error().message(),
            "$[key 0]: a string that is not UTF-8 cannot be written as JSON");
  expect_json(std::unordered_map<std::uint64_t, int>{{18446744073709551615U, 1}},
              R"({"18446744073709551615":1})");
  EXPECT_EQ((problem<std::map<int, int>>(R"({"1":1,"01":2})")),
            R"($["01"]: expected an integer in the key)");
  EXPECT_EQ((problem<std::map<int, int>>(R"({"1.0":2})")),
            R"($["1.0"]: expected integer, got 1.0: write it without point and exponent)");
  EXPECT_EQ((problem<std::map<std::int8_t, int>>(R"({"128":1})")),
            R"($["128"]: 128 does not fit int8 (-128 to 127))");
  EXPECT_EQ((problem<std::map<bool, int>>(R"({"yes":1})")),
            R"($.yes: expected a key "true" or "false")");
  EXPECT_EQ((problem<std::map<int, int>>(R"({"1":1,"1":2})")), R"($["1"]: the key appears twice)");
}

}  // namespace
}  // namespace parley::codec::json_types_test
