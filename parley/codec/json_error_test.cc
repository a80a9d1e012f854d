// Errors name the place, and limits hold. The messages are part of what users see: a table.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "parley/codec/json.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec {
namespace {

struct Item {
  std::string tea;
  std::uint8_t quantity = 0;
  std::optional<double> price;
};

struct Order {
  std::int32_t id = 0;
  std::vector<Item> items;
  std::map<std::string, int> stock;
  std::tuple<int, std::string> pair;
  std::array<bool, 2> flags{};
  std::vector<bool> bits;
  float weight = 0;
};

struct Tree {
  std::vector<Tree> kids;
};

struct Maps {
  std::map<std::string, Maps> inner;
};

struct Row {
  std::string_view text;
  std::string_view message;
};

template <class T>
void expect_errors(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    const auto result = decode_json<T>(row.text);
    ASSERT_FALSE(result) << row.text;
    EXPECT_EQ(result.error().message(), row.message) << row.text;
    EXPECT_EQ(result.error().code(), Code::invalid_argument) << row.text;
  }
}

TEST(JsonError, a_wrong_type_is_named_with_its_path) {
  expect_errors<Order>({
      {R"([])", "$: expected object, got array"},
      {R"({"id":"x"})", "$.id: expected integer, got string"},
      {R"({"id":null})", "$.id: expected integer, got null"},
      {R"({"id":true})", "$.id: expected integer, got boolean"},
      {R"({"items":{}})", "$.items: expected array, got object"},
      {R"({"items":[{},{},{},{"quantity":"x"}]})",
       "$.items[3].quantity: expected integer, got string"},
      {R"({"items":[{"tea":1}]})", "$.items[0].tea: expected string, got number"},
      {R"({"items":[{"price":"1"}]})", "$.items[0].price: expected number, got string"},
      {R"({"stock":{"red tea":"x"}})", "$.stock[\"red tea\"]: expected integer, got string"},
      {R"({"stock":{"red":"x"}})", "$.stock.red: expected integer, got string"},
      {R"({"stock":{"":"x"}})", "$.stock[\"\"]: expected integer, got string"},
      {R"({"stock":{"a\"b":[]}})", "$.stock[\"a\\\"b\"]: expected integer, got array"},
      {R"({"stock":{"é":[]}})", "$.stock[\"é\"]: expected integer, got array"},
      {R"({"stock":{"1a":[]}})", "$.stock[\"1a\"]: expected integer, got array"},
      {R"({"stock":[]})", "$.stock: expected object, got array"},
      {R"({"pair":[1,2]})", "$.pair[1]: expected string, got number"},
      {R"({"pair":7})", "$.pair: expected array, got number"},
      {R"({"flags":[true,0]})", "$.flags[1]: expected boolean, got number"},
      {R"({"bits":[true,null]})", "$.bits[1]: expected boolean, got null"},
      {R"({"weight":"1"})", "$.weight: expected number, got string"},
  });
}

TEST(JsonError, a_number_that_does_not_fit_is_named_with_the_range) {
  expect_errors<Order>({
      {R"({"id":2147483648})", "$.id: 2147483648 does not fit int32 (-2147483648 to 2147483647)"},
      {R"({"id":-2147483649})", "$.id: -2147483649 does not fit int32 (-2147483648 to 2147483647)"},
      {R"({"items":[{"quantity":256}]})", "$.items[0].quantity: 256 does not fit uint8 (0 to 255)"},
      {R"({"items":[{"quantity":-1}]})", "$.items[0].quantity: -1 does not fit uint8 (0 to 255)"},
      {R"({"items":[{"price":1e309}]})", "$.items[0].price: 1e309 does not fit double"},
      {R"({"items":[{"price":-1e309}]})", "$.items[0].price: -1e309 does not fit double"},
      {R"({"weight":3.5e38})", "$.weight: 3.5e38 does not fit float"},
      {R"({"id":100000000000000000000000000000000000000000000000000})",
       "$.id: 10000000000000000000000000000000... does not fit int32 (-2147483648 to 2147483647)"},
  });
  EXPECT_FALSE(decode_json<std::uint64_t>("18446744073709551616"));
  EXPECT_FALSE(decode_json<std::int64_t>("9223372036854775808"));
  EXPECT_FALSE(decode_json<std::int64_t>("-9223372036854775809"));
  EXPECT_FALSE(decode_json<std::uint64_t>("99999999999999999999"));
  EXPECT_FALSE(decode_json<std::int8_t>("-129"));
  EXPECT_FALSE(decode_json<std::uint16_t>("65536"));
}

TEST(JsonError, an_integer_must_be_written_as_one) {
  expect_errors<int>({
      {"1.0", "$: expected integer, got 1.0: write it without point and exponent"},
      {"1e2", "$: expected integer, got 1e2: write it without point and exponent"},
      {"1E0", "$: expected integer, got 1E0: write it without point and exponent"},
      {"0.5", "$: expected integer, got 0.5: write it without point and exponent"},
  });
}

TEST(JsonError, an_array_of_fixed_length_says_how_many_it_got) {
  expect_errors<std::tuple<int, std::string>>({
      {"[1]", "$: expected an array of 2 elements, got 1"},
      {"[]", "$: expected an array of 2 elements, got 0"},
      {R"([1,"x",3])", "$: expected an array of 2 elements, got 3"},
      {R"([1,"x",3,[4,5],{}])", "$: expected an array of 2 elements, got 5"},
      {"{}", "$: expected array, got object"},
      {R"([1,"x",])", "$[2]: expected a value, got ']' at line 1, column 8 (byte 7)"},
  });
  expect_errors<std::tuple<>>({{"[1]", "$: expected an array of 0 elements, got 1"}});
  expect_errors<std::tuple<int>>({{"[]", "$: expected an array of 1 element, got 0"}});
  expect_errors<std::pair<int, int>>({{"[1]", "$: expected an array of 2 elements, got 1"}});
  expect_errors<std::array<int, 3>>({{"[1,2]", "$: expected an array of 3 elements, got 2"},
                                     {"[1,2,3,4]", "$: expected an array of 3 elements, got 4"}});
}

TEST(JsonError, syntax_is_named_with_line_column_and_byte) {
  expect_errors<Order>({
      {"", "$: expected object, got the end of the text at line 1, column 1 (byte 0)"},
      {"{\n  \"id\": 1,\n  \"items\": [{]\n}",
       "$.items[0]: expected a key in quotes, got ']' at line 3, column 14 (byte 26)"},
      {R"({"id":1,})", "$: expected a key in quotes, got '}' at line 1, column 9 (byte 8)"},
      {R"({"id":01})",
       "$.id: a number must not start with 0: expected '.' or its end, got '1' at line 1, column 8 "
       "(byte 7)"},
      {R"({"id" 1})", "$: expected ':' behind a key, got '1' at line 1, column 7 (byte 6)"},
      {R"({"id":1 "items":[]})",
       "$: expected ',' or '}' in an object, got '\"' at line 1, column 9 (byte 8)"},
      {R"({"bits":[true true]})",
       "$.bits: expected ',' or ']' in an array, got 't' at line 1, column 15 (byte 14)"},
      {R"({} x)",
       "$: expected the end of the text behind the value, got 'x' at line 1, column 4 "
       "(byte 3)"},
      {R"({"items":[{"tea":"a)",
       "$.items[0].tea: a string without closing quote at line 1, column 18 (byte 17)"},
      {"{\"items\":[{\"tea\":\"\n\"}]}",
       "$.items[0].tea: a control character (byte 0x0a) in a string: write it as an escape at line "
       "1, column 19 (byte 18)"},
      {"{\"items\":[{\"tea\":\"a\xFF\"}]}",
       "$.items[0].tea: a string that is not UTF-8 at line 1, column 18 (byte 17)"},
      {R"({"items":[{"tea":"\ud800"}]})",
       "$.items[0].tea: a high surrogate without a low one at line 1, column 19 (byte 18)"},
      {R"({"items":[{"tea":"\q"}]})",
       "$.items[0].tea: no such escape: a backslash and 'q' at line 1, column 19 (byte 18)"},
      {R"({"bits":[tru]})", "$.bits[0]: expected a value, got 't' at line 1, column 10 (byte 9)"},
      {"{\"id\":\xFF}", "$.id: expected integer, got byte 0xff at line 1, column 7 (byte 6)"},
  });
}

TEST(JsonError, what_is_skipped_is_named_as_well) {
  expect_errors<Order>({
      {R"({"new":[0,{"deep one":[1,}]})",
       "$.new[1][\"deep one\"][1]: expected a value, got '}' at line 1, column 26 (byte 25)"},
      {R"({"new":"\ud800"})",
       "$.new: a high surrogate without a low one at line 1, column 9 (byte 8)"},
  });
  EXPECT_EQ(validate_json(R"({"a":[1,{"b c":tru}]})").message(),
            "$.a[1][\"b c\"]: expected a value, got 't' at line 1, column 16 (byte 15)");
}

TEST(JsonError, a_key_that_appears_twice_is_refused) {
  expect_errors<Order>({
      {R"({"id":1,"id":1})", "$.id: the key appears twice"},
      {R"({"id":1,"weight":1,"\u0069d":2})", "$.id: the key appears twice"},
      {R"({"stock":{"red tea":1,"red tea":2}})", "$.stock[\"red tea\"]: the key appears twice"},
      {R"({"stock":{"a":1,"\u0061":2}})", "$.stock[\"\\u0061\"]: the key appears twice"},
  });
  EXPECT_TRUE(decode_json<Order>(R"({"unknown":1,"unknown":2})"));
}

TEST(JsonError, what_json_cannot_say_is_an_error_with_its_path) {
  Order order;
  order.items.resize(2);
  order.items[1].price = std::numeric_limits<double>::infinity();
  EXPECT_EQ(encode_json(order).error().message(),
            "$.items[1].price: infinity cannot be written as JSON: use std::optional for a number "
            "that may be missing");
  order.items[1].price = 1;
  order.weight = NAN;
  EXPECT_EQ(encode_json(order).error().message().substr(0, 13), "$.weight: NaN");
  EXPECT_EQ(encode_json(-std::numeric_limits<double>::infinity()).error().message().substr(0, 12),
            "$: -infinity");
  order.weight = 0;
  order.items[0].tea = "a\xFF";
  EXPECT_EQ(encode_json(order).error().message(),
            "$.items[0].tea: a string that is not UTF-8 cannot be written as JSON");
  EXPECT_EQ(encode_json(order).error().code(), Code::invalid_argument);
  order.items[0].tea = "";
  order.stock["\xC0\x80"] = 1;
  EXPECT_EQ(encode_json(order).error().message(),
            "$.stock[key 0]: a string that is not UTF-8 cannot be written as JSON");
  EXPECT_EQ(
      encode_json(std::map<std::string, double>{{"red tea", NAN}}).error().message().substr(0, 18),
      "$[\"red tea\"]: NaN ");
  EXPECT_EQ(encode_json(std::pair<int, double>{1, NAN}).error().message().substr(0, 8), "$[1]: Na");
}

TEST(JsonError, a_long_key_and_a_long_path_are_shown_in_part) {
  const std::string key(10'000, 'k');
  const auto long_key =
      decode_json<std::map<std::string, int>>("{\"" + key + "\":true}").error().message();
  EXPECT_EQ(long_key, "$." + std::string(64, 'k') + "...: expected integer, got boolean");
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "[0,";
  const auto long_path = validate_json(deep + "x", {.max_depth = 2000}).message();
  EXPECT_LT(long_path.size(), 700u);
  EXPECT_EQ(long_path.substr(0, 10), "$...[1][1]");
}

template <class T>
void expect_limit(const std::string& text, const Limits& tight, const Limits& wide,
                  std::string_view message) {
  const auto refused = decode_json<T>(text, tight);
  ASSERT_FALSE(refused) << text;
  EXPECT_EQ(refused.error().code(), Code::resource_exhausted);
  EXPECT_EQ(refused.error().message(), message);
  const auto taken = decode_json<T>(text, wide);
  EXPECT_TRUE(taken) << taken.error();
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Limits, depth_is_limited_where_the_type_is_known) {
  expect_limit<Tree>(R"({"kids":[{"kids":[]}]})", {.max_depth = 3}, {.max_depth = 4},
                     "$.kids[0].kids: nested deeper than max_depth (3)");
  expect_limit<Maps>(R"({"inner":{"a":{}}})", {.max_depth = 2}, {.max_depth = 3},
                     "$.inner.a: nested deeper than max_depth (2)");
  expect_limit<std::tuple<std::array<int, 1>>>("[[1]]", {.max_depth = 1}, {.max_depth = 2},
                                               "$[0]: nested deeper than max_depth (1)");
}

TEST(Limits, depth_is_limited_in_what_is_skipped) {
  expect_limit<Tree>(R"({"new":[{"a":[]}]})", {.max_depth = 3}, {.max_depth = 4},
                     "$.new[0].a: nested deeper than max_depth (3)");
  expect_limit<Json>(nested(3), {.max_depth = 2}, {.max_depth = 3},
                     "$[0][0]: nested deeper than max_depth (2)");
  EXPECT_TRUE(validate_json(nested(64)).is_ok());
  EXPECT_EQ(validate_json(nested(65)).code(), Code::resource_exhausted);
  EXPECT_EQ(validate_json(std::string(1'000'000, '[')).code(), Code::resource_exhausted);
  EXPECT_EQ(validate_json("[[]]", {.max_depth = 1}).code(), Code::resource_exhausted);
}

TEST(Limits, depth_is_limited_when_writing_too) {
  Tree tree;
  for (int i = 0; i < 40; ++i) {
    Tree parent;
    parent.kids.push_back(std::move(tree));
    tree = std::move(parent);
  }
  EXPECT_EQ(encode_json(tree).error().code(), Code::resource_exhausted);
  EXPECT_TRUE(encode_json(tree, {.max_depth = 100}));
  const std::vector<Json> raw = {Json{"[[]]"}};
  EXPECT_EQ(encode_json(raw, {.max_depth = 2}).error().code(), Code::resource_exhausted);
  EXPECT_TRUE(encode_json(raw, {.max_depth = 3}));
}

TEST(Limits, the_size_of_the_text_is_limited) {
  expect_limit<std::string>("\"abcdef\"", {.max_bytes = 7}, {.max_bytes = 8},
                            "$: the text has 8 bytes, more than max_bytes (7)");
  EXPECT_EQ(validate_json("[1]", {.max_bytes = 2}).code(), Code::resource_exhausted);
  EXPECT_EQ(validate_json(std::string((16 << 20) + 1, ' ')).code(), Code::resource_exhausted);
}

TEST(Limits, the_elements_of_each_array_and_object_are_limited) {
  const Limits two{.max_elements = 2};
  const Limits three{.max_elements = 3};
  constexpr std::string_view message = "$: more elements than max_elements (2)";
  expect_limit<std::vector<int>>("[1,2,3]", two, three, message);
  expect_limit<std::vector<bool>>("[true,true,true]", two, three, message);
  expect_limit<std::map<std::string, int>>(R"({"a":1,"b":2,"c":3})", two, three, message);
  expect_limit<Json>("[1,2,3]", two, three, message);
  expect_limit<Json>(R"({"a":1,"b":2,"c":3})", two, three, message);
  expect_limit<Tree>(R"({"a":1,"b":2,"kids":[]})", two, three, message);
  expect_limit<Tree>(R"({"new":[1,2,3]})", two, three,
                     "$.new: more elements than max_elements (2)");
  EXPECT_TRUE(decode_json<std::vector<int>>("[]", {.max_elements = 0}));
  EXPECT_FALSE(decode_json<std::vector<int>>("[1]", {.max_elements = 0}));
}

TEST(Limits, the_bytes_of_each_string_and_key_are_limited) {
  const Limits three{.max_string_bytes = 3};
  const Limits four{.max_string_bytes = 4};
  constexpr std::string_view message = "$: a string of 4 bytes, more than max_string_bytes (3)";
  expect_limit<std::string>("\"abcd\"", three, four, message);
  expect_limit<std::string>(R"("\n\n")", three, four, message);
  expect_limit<Json>("\"abcd\"", three, four, message);
  expect_limit<std::map<std::string, int>>(R"({"abcd":1})", three, four, message);
  expect_limit<std::optional<Maps>>(R"({"abcd":1})", three, four, message);
}

// Everything that recurses, at the default depth and just beyond it.
void go_deep() {
  for (const int levels : {32, 33}) {
    std::string trees;
    std::string maps;
    for (int i = 0; i < levels; ++i) trees += "{\"kids\":[";
    for (int i = 0; i < levels; ++i) trees += "]}";
    for (int i = 0; i < levels; ++i) maps += i + 1 < levels ? "{\"inner\":{\"a\":" : "{\"inner\":{";
    maps += "}";
    for (int i = 0; i + 1 < levels; ++i) maps += "}}";
    maps += "}";
    const bool fits = levels == 32;
    const auto tree = decode_json<Tree>(trees);
    EXPECT_EQ(tree.has_value(), fits) << tree.error();
    const auto map = decode_json<Maps>(maps);
    EXPECT_EQ(map.has_value(), fits) << map.error();
    EXPECT_EQ(validate_json(trees).is_ok(), fits);
    EXPECT_EQ(decode_json<Json>(maps).has_value(), fits);
    EXPECT_EQ(indent_json(trees) != trees, fits);
    if (!fits) break;
    EXPECT_EQ(encode_json(*tree).value(), trees);
    EXPECT_EQ(encode_json(*map).value(), maps);
  }
}

TEST(Limits, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{32} << 10);
}

}  // namespace
}  // namespace parley::codec
