// JSON as protobuf maps it (JsonOptions::protobuf_mapping): https://protobuf.dev, "ProtoJSON".
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/base/testing/witness.h"
#include "parley/codec/fields.h"
#include "parley/codec/json.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/schema.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::protobuf_json_test {

enum class Colour { none, red, blue = -2 };

struct Inner {
  std::int32_t some_number = 0;
  std::string text;
  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Message {
  bool is_good = false;
  std::int8_t i8 = 0;
  std::int32_t i32 = 5;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0;
  std::string a_text = "default";
  std::vector<std::byte> raw_bytes;
  Colour colour = Colour::none;
  std::optional<std::int32_t> maybe;
  Inner plain_inner;
  std::unique_ptr<Inner> far_inner;
  std::vector<std::int64_t> long_list;
  std::vector<Inner> inners;
  std::map<std::int64_t, std::string> by_number;
  std::map<std::string, Inner> by_name;
  std::variant<std::monostate, std::int32_t, Inner> choice;
  std::chrono::nanoseconds span{};
  std::chrono::sys_time<std::chrono::microseconds> at{};
  friend bool operator==(const Message&, const Message&) = default;
};

struct Tree {
  std::vector<Tree> kids;
};

struct Renamed {
  std::int32_t first_one = 0;
  std::variant<std::monostate, std::int32_t, std::string> choice;
};

struct Clash {
  std::int32_t a = 0;
  std::int32_t b = 0;
};
struct Swapped {
  std::int32_t a = 0;
  std::int32_t b = 0;
};
struct Camel {
  std::int32_t foo_bar = 0;
  std::int32_t other = 0;
};

}  // namespace parley::codec::protobuf_json_test

template <>
inline constexpr auto parley::fields<parley::codec::protobuf_json_test::Renamed> =
    parley::codec::field_rules<parley::codec::protobuf_json_test::Renamed>(
        parley::codec::field<&parley::codec::protobuf_json_test::Renamed::first_one>().json_name(
            "@id"),
        parley::codec::field<&parley::codec::protobuf_json_test::Renamed::choice>().oneof(
            {{}, {"a_number", 2, parley::codec::Wire::zigzag, "n\""}, {"a_text", 3}}));
template <>
inline constexpr auto parley::fields<parley::codec::protobuf_json_test::Clash> =
    parley::codec::field_rules<parley::codec::protobuf_json_test::Clash>(
        parley::codec::field<&parley::codec::protobuf_json_test::Clash::a>().json_name("b"));
template <>
inline constexpr auto parley::fields<parley::codec::protobuf_json_test::Swapped> =
    parley::codec::field_rules<parley::codec::protobuf_json_test::Swapped>(
        parley::codec::field<&parley::codec::protobuf_json_test::Swapped::a>().json_name("b"),
        parley::codec::field<&parley::codec::protobuf_json_test::Swapped::b>().json_name("a"));
template <>
inline constexpr auto parley::fields<parley::codec::protobuf_json_test::Camel> =
    parley::codec::field_rules<parley::codec::protobuf_json_test::Camel>(
        parley::codec::field<&parley::codec::protobuf_json_test::Camel::other>().json_name(
            "fooBar"));

template <>
inline constexpr auto parley::alternative_names<
    std::variant<std::monostate, std::int32_t, parley::codec::protobuf_json_test::Inner>> =
    std::array<std::string_view, 3>{"", "as_number", "as_inner"};
template <>
inline constexpr auto parley::fields<parley::codec::protobuf_json_test::Message> =
    parley::codec::field_rules<parley::codec::protobuf_json_test::Message>(
        parley::codec::field<&parley::codec::protobuf_json_test::Message::choice>()
            .flatten()
            .number(40));

namespace parley::codec::protobuf_json_test {
namespace {

constexpr JsonOptions mapped{.protobuf_mapping = true};

template <class T>
std::string written(const T& value) {
  return encode_json(value, {}, mapped).value();
}
template <class T>
Result<T> read(std::string_view text) {
  return decode_json<T>(text, {}, mapped);
}

Message full() {
  Message m;
  m.is_good = true;
  m.i8 = -5;
  m.i32 = 7;
  m.i64 = std::numeric_limits<std::int64_t>::min();
  m.u64 = std::numeric_limits<std::uint64_t>::max();
  m.f32 = 1.5F;
  m.f64 = -0.25;
  m.a_text = "grün \"\n";
  m.raw_bytes = {std::byte{0}, std::byte{255}, std::byte{62}};
  m.colour = Colour::blue;
  m.maybe = 0;
  m.plain_inner = {.some_number = 1, .text = "p"};
  m.far_inner = std::make_unique<Inner>();
  m.long_list = {0, -1};
  m.inners = {{}, {.some_number = 0, .text = "x"}};
  m.by_number = {{-3, "three"}};
  m.by_name["ann"] = {.some_number = 4, .text = ""};
  m.choice = Inner{.some_number = 0, .text = "o"};
  m.span = std::chrono::nanoseconds(-1'500'000'000);
  m.at = std::chrono::sys_time<std::chrono::microseconds>(
      std::chrono::microseconds(1'700'000'000'123'456));
  return m;
}

constexpr std::string_view full_text =
    R"({"isGood":true,"i8":-5,"i32":7,"i64":"-9223372036854775808","u64":"18446744073709551615",)"
    R"("f32":1.5,"f64":-0.25,"aText":"grün \"\n","rawBytes":"AP8+","colour":"blue","maybe":0,)"
    R"("plainInner":{"someNumber":1,"text":"p"},"farInner":{},"longList":["0","-1"],)"
    R"("inners":[{},{"text":"x"}],"byNumber":{"-3":"three"},"byName":{"ann":{"someNumber":4}},)"
    R"("asInner":{"text":"o"},"span":"-1.500s","at":"2023-11-14T22:13:20.123456Z"})";

TEST(ProtobufJson, members_have_the_names_and_forms_of_protobuf) {
  EXPECT_EQ(written(full()), full_text);
  const auto back = read<Message>(full_text);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(written(*back), full_text);
  EXPECT_EQ(encode_protobuf(*back).value(), encode_protobuf(full()).value());
  // Plain JSON is another one.
  EXPECT_TRUE(encode_json(full()).value().starts_with(R"({"is_good":true,)"));
  EXPECT_FALSE(decode_json<Message>(full_text, {}, {.refuse_unknown_fields = true}));
}

TEST(ProtobufJson, what_the_wire_leaves_out_is_absent_and_what_is_absent_is_zero) {
  Message zero;
  zero.i32 = 0;
  zero.a_text.clear();
  EXPECT_EQ(written(zero), "{}");
  const auto read_zero = read<Message>("{}");
  ASSERT_TRUE(read_zero) << read_zero.error();
  EXPECT_EQ(read_zero->i32, 0);
  EXPECT_EQ(read_zero->a_text, "");
  EXPECT_EQ(decode_json<Message>("{}")->i32, 5);
  Message reused = full();
  ASSERT_TRUE(decode_json_into(R"({"i8":1})", reused, {}, mapped).is_ok());
  EXPECT_EQ(written(reused), R"({"i8":1})");
  // -0.0 is not zero; a oneof has presence.
  zero.f64 = -0.0;
  zero.choice = 0;
  EXPECT_EQ(written(zero), R"({"f64":-0,"asNumber":0})");
}

TEST(ProtobufJson, null_is_absent_except_in_a_list) {
  const auto all = read<Message>(
      R"({"isGood":null,"i64":null,"aText":null,"inners":null,"byName":null,"plainInner":null,)"
      R"("farInner":null,"maybe":null,"asInner":null,"asNumber":7,"colour":null,"span":null})");
  ASSERT_TRUE(all) << all.error();
  EXPECT_EQ(written(*all), R"({"asNumber":7})");
  EXPECT_FALSE(read<Message>(R"({"longList":["1",null]})"));
  EXPECT_FALSE(read<Message>(R"({"byName":{"a":null}})"));
}

TEST(ProtobufJson, reads_every_form_of_a_number_and_no_other) {
  const auto i64 = [](const std::string& text) {
    const auto message = read<Message>(R"({"i64":)" + text + "}");
    return message ? std::to_string(message->i64) : message.error().message();
  };
  EXPECT_EQ(i64("12"), "12");
  EXPECT_EQ(i64(R"("12")"), "12");
  EXPECT_EQ(i64("1.2e1"), "12");
  EXPECT_EQ(i64("12.0"), "12");
  EXPECT_EQ(i64(R"("-1.2e1")"), "-12");
  EXPECT_EQ(i64(R"("1\u00322")"), "122");
  EXPECT_EQ(i64("1.25"), "$.i64: expected integer, got 1.25");
  EXPECT_EQ(i64(R"("")"), "$.i64: expected integer, got \"\"");
  EXPECT_EQ(i64(R"(" 1")"), "$.i64: expected integer, got \" 1\"");
  EXPECT_EQ(i64(R"("1x")"), "$.i64: expected integer, got \"1x\"");
  EXPECT_EQ(i64("true"), "$.i64: expected integer, got boolean");
  EXPECT_NE(i64("9223372036854775808").find("does not fit int64"), std::string::npos);
  EXPECT_NE(i64("1e30").find("does not fit int64"), std::string::npos);
  EXPECT_NE(i64("1e19").find("does not fit int64"), std::string::npos);
  EXPECT_FALSE(read<Message>(R"({"i8":"128"})"));
  EXPECT_FALSE(read<Message>(R"({"isGood":"true"})"));
  EXPECT_TRUE(std::isnan(read<Message>(R"({"f64":"NaN"})")->f64));
  EXPECT_EQ(read<Message>(R"({"f32":"-Infinity"})")->f32, -std::numeric_limits<float>::infinity());
  EXPECT_EQ(read<Message>(R"({"f32":"1.5"})")->f32, 1.5F);
  EXPECT_FALSE(read<Message>(R"({"f32":1e39})"));
  EXPECT_FALSE(read<Message>(R"({"f64":"nan"})"));
  EXPECT_FALSE(read<Message>(R"({"f64":"NaN""Infinity"})"));
  Message special;
  special.i32 = 0;
  special.a_text.clear();
  special.f32 = std::numeric_limits<float>::quiet_NaN();
  special.f64 = std::numeric_limits<double>::infinity();
  EXPECT_EQ(written(special), R"({"f32":"NaN","f64":"Infinity"})");
  EXPECT_FALSE(encode_json(special));
}

TEST(ProtobufJson, an_integer_with_a_point_or_an_exponent_is_read_exactly) {
  const auto number = [](const std::string& text) {
    const auto message = read<std::vector<std::int64_t>>("[" + text + "]");
    return message ? std::to_string(message->at(0)) : message.error().message();
  };
  // More digits than a double has.
  EXPECT_EQ(number("9007199254740993.0"), "9007199254740993");
  EXPECT_EQ(number("9223372036854775807.000"), "9223372036854775807");
  EXPECT_EQ(number("-9223372036854775808.0"), "-9223372036854775808");
  EXPECT_EQ(number("922337203685477580.7e1"), "9223372036854775807");
  EXPECT_EQ(number(R"("9007199254740993000e-3")"), "9007199254740993");
  EXPECT_EQ(number("1000000000000000000000000000000e-30"), "1");
  EXPECT_EQ(number("0.00000000000000000000000000007e29"), "7");
  EXPECT_EQ(number("-0.0e5"), "0");
  EXPECT_EQ(number("0e999999999999"), "0");
  EXPECT_EQ(read<std::vector<std::uint64_t>>("[1.8446744073709551615e19]")->at(0),
            std::numeric_limits<std::uint64_t>::max());
  const std::string beyond = " does not fit int64 (-9223372036854775808 to 9223372036854775807)";
  EXPECT_EQ(number("9223372036854775808.0"), "$[0]: 9223372036854775808.0" + beyond);
  EXPECT_EQ(number("-9223372036854775809e0"), "$[0]: -9223372036854775809e0" + beyond);
  EXPECT_EQ(number("1e999999999999"), "$[0]: 1e999999999999" + beyond);
  EXPECT_EQ(number("184467440737095516160.0"), "$[0]: 184467440737095516160.0" + beyond);
  EXPECT_EQ(number("9007199254740993.5"), "$[0]: expected integer, got 9007199254740993.5");
  EXPECT_EQ(number("9223372036854775807.1"), "$[0]: expected integer, got 9223372036854775807.1");
  EXPECT_EQ(number("1e-999999999999"), "$[0]: expected integer, got 1e-999999999999");
  EXPECT_EQ(read<std::vector<std::uint8_t>>("[-1.0]").error().message(),
            "$[0]: -1.0 does not fit uint8 (0 to 255)");
}

TEST(ProtobufJson, reads_either_name_enums_by_number_and_any_base64) {
  EXPECT_EQ(read<Message>(R"({"a_text":"x"})")->a_text, "x");
  EXPECT_EQ(read<Message>(R"({"aText":"x"})")->a_text, "x");
  EXPECT_EQ(read<Message>(R"({"aText":"x","a_text":"y"})").error().message(),
            "$.a_text: the member appears twice");
  EXPECT_EQ(read<Message>(R"({"colour":-2})")->colour, Colour::blue);
  EXPECT_EQ(read<Message>(R"({"colour":1.0})")->colour, Colour::red);
  EXPECT_EQ(static_cast<int>(read<Message>(R"({"colour":77})")->colour), 77);
  EXPECT_FALSE(read<Message>(R"({"colour":"RED"})"));
  for (const char* text : {"AP8+", "AP8-"}) {
    EXPECT_EQ(read<Message>(R"({"rawBytes":")" + std::string(text) + "\"}")->raw_bytes.size(), 3U);
  }
  EXPECT_EQ(read<Message>(R"({"asNumber":1,"asInner":{}})").error().message(),
            "$.as_inner: there is 'as_number' already, and only one of them");
  EXPECT_EQ(read<Message>(R"({"at":"2023-11-14T23:13:20+01:00"})")->at.time_since_epoch().count(),
            1'700'000'000'000'000);
}

TEST(ProtobufJson, a_json_name_of_ones_own_goes_before_that_made_of_the_name) {
  Renamed renamed{.first_one = 1, .choice = 2};
  EXPECT_EQ(written(renamed), R"({"@id":1,"n\"":2})");
  EXPECT_EQ(written(read<Renamed>(R"({"@id":1,"n\"":2})").value()), written(renamed));
  EXPECT_EQ(written(read<Renamed>(R"({"first_one":1,"a_number":2})").value()), written(renamed));
  EXPECT_EQ(written(read<Renamed>(R"({"firstOne":1,"aNumber":2})").value()), "{}");
  renamed.choice = "x";
  EXPECT_EQ(written(renamed), R"({"@id":1,"aText":"x"})");
  EXPECT_EQ(encode_json(renamed).value(), R"({"first_one":1,"a_text":"x"})");
  const std::string proto = proto_of(types_of<Renamed>());
  EXPECT_NE(proto.find(R"(first_one = 1 [json_name = "@id"];)"), std::string::npos) << proto;
  EXPECT_NE(proto.find(R"(a_number = 2 [json_name = "n\""];)"), std::string::npos) << proto;
  EXPECT_NE(proto.find("a_text = 3;"), std::string::npos) << proto;
}

TEST(ProtobufJson, a_json_name_may_be_the_name_of_another_field) {
  const Swapped swapped{.a = 1, .b = 2};
  EXPECT_EQ(written(swapped), R"({"b":1,"a":2})");
  const auto back = read<Swapped>(R"({"b":1,"a":2})");
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->a, 1);
  EXPECT_EQ(back->b, 2);
}

TEST(ProtobufJson, what_would_be_called_like_another_field_keeps_its_name) {
  struct Two {
    std::int32_t foo_bar = 0;
    std::int32_t fooBar = 0;
    std::int32_t foo__bar = 0;
  };
  EXPECT_EQ(written(Two{1, 2, 3}), R"({"foo_bar":1,"fooBar":2,"foo__bar":3})");
  const auto two = read<Two>(R"({"foo_bar":4,"fooBar":5,"foo__bar":6})");
  ASSERT_TRUE(two) << two.error();
  EXPECT_EQ(two->foo_bar, 4);
  EXPECT_EQ(two->fooBar, 5);
  EXPECT_EQ(two->foo__bar, 6);
}

TEST(ProtobufJsonDeathTest, a_json_name_is_that_of_one_field) {
  EXPECT_DEATH(written(Camel()), "'Camel' has two fields called the same .* 'fooBar'");
  EXPECT_DEATH(written(Clash()), "'Clash' has two fields called the same in protobuf's JSON 'b'");
}

enum class Mask : std::uint64_t { none, all = ~std::uint64_t{0} };

TEST(ProtobufJson, numbers_of_enums_above_2_63_are_not_negative) {
  struct Filter {
    Mask mask = Mask::none;
  };
  const std::string text = encode_json(Filter{Mask::all}, {}, mapped).value();
  EXPECT_EQ(text, R"({"mask":18446744073709551615})");
  EXPECT_EQ(read<Filter>(text).value().mask, Mask::all);
}

TEST(ProtobufJson, options_and_limits_hold) {
  EXPECT_TRUE(read<Message>(R"({"unknown":[1]})"));
  EXPECT_FALSE(decode_json<Message>(R"({"unknown":[1]})", {},
                                    {.refuse_unknown_fields = true, .protobuf_mapping = true}));
  EXPECT_FALSE(
      decode_json<Inner>("{}", {}, {.require_all_fields = true, .protobuf_mapping = true}));
  EXPECT_EQ(encode_json(full(), {}, {.protobuf_mapping = true, .enums_as_numbers = true})
                    .value()
                    .find("\"colour\":-2") != std::string::npos,
            true);
  EXPECT_EQ(decode_json<Message>(full_text, {.max_bytes = 10}, mapped).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(
      decode_json<Message>(R"({"longList":[1,2,3]})", {.max_elements = 2}, mapped).error().code(),
      Code::resource_exhausted);
  EXPECT_EQ(
      decode_json<Message>(R"({"aText":"abcd"})", {.max_string_bytes = 3}, mapped).error().code(),
      Code::resource_exhausted);
  EXPECT_EQ(encode_json(full(), {.max_depth = 1}, mapped).error().code(), Code::resource_exhausted);
}

TEST(ProtobufJson, of_tuples_variants_and_json_is_what_the_proto_says) {
  EXPECT_EQ(written(std::tuple(std::int64_t{1}, false, std::string("x"))),
            R"({"argument1":"1","argument3":"x"})");
  const auto tuple = read<std::tuple<std::int64_t, bool>>(R"({"argument2":true})");
  ASSERT_TRUE(tuple) << tuple.error();
  EXPECT_EQ(*tuple, std::tuple(0, true));
  using Choice = std::variant<std::monostate, std::int32_t, Inner>;
  EXPECT_EQ(written(Choice(7)), R"({"asNumber":7})");
  EXPECT_EQ(written(Choice()), "{}");
  EXPECT_EQ(std::get<std::int32_t>(read<Choice>(R"({"as_number":8})").value()), 8);
  EXPECT_EQ(read<Choice>("{}")->index(), 0U);
  EXPECT_EQ(read<Choice>(R"({"asNumber":1,"asInner":{}})").error().message(),
            "$: more than one alternative");
  EXPECT_EQ(written(Json{R"({"a":1})"}), R"("{\"a\":1}")");
  EXPECT_EQ(read<Json>(R"("[1]")")->text, "[1]");
  EXPECT_FALSE(read<Json>(R"("[")"));
  EXPECT_FALSE(encode_json(Json{"nonsense"}, {}, mapped));
  EXPECT_EQ(encode_json(std::vector<Json>{{"[[1]]"}}, {.max_depth = 2}, mapped).error().code(),
            Code::resource_exhausted);
}

TEST(ProtobufJson, times_beyond_those_of_protobuf_are_refused) {
  EXPECT_EQ(encode_json(std::chrono::seconds(315'576'000'001), {}, mapped).error().code(),
            Code::invalid_argument);
  EXPECT_TRUE(encode_json(std::chrono::seconds(-315'576'000'000), {}, mapped));
  const std::chrono::sys_seconds year_zero(std::chrono::seconds(-62'150'000'000));
  EXPECT_EQ(encode_json(year_zero, {}, mapped).error().code(), Code::invalid_argument);
  EXPECT_TRUE(encode_json(year_zero));
  // Nor read, nor written otherwise than protobuf does.
  const auto time = [](const std::string& text) {
    const auto at = read<std::chrono::sys_seconds>(text);
    return at ? "" : at.error().message();
  };
  EXPECT_EQ(time(R"("2023-11-14T22:13:20Z")"), "");
  EXPECT_EQ(time(R"("2023-11-14t22:13:20Z")"),
            "$: expected a time as in \"2026-11-21T09:30:00Z\", got \"2023-11-14t22:13:20Z\"");
  EXPECT_EQ(time(R"("0000-11-14T22:13:20Z")"),
            "$: a time outside the years 0001 to 9999 cannot be written for protobuf");
  EXPECT_EQ(read<std::chrono::seconds>(R"("315576000001s")").error().message(),
            "$: a duration beyond 10,000 years cannot be written for protobuf");
  EXPECT_TRUE(decode_json<std::chrono::sys_seconds>(R"("0000-11-14t22:13:20Z")"));
  using Nanoseconds = std::chrono::sys_time<std::chrono::nanoseconds>;
  EXPECT_EQ(read<Nanoseconds>(R"("2300-01-01T00:00:00Z")").error().message(),
            "$: \"2300-01-01T00:00:00Z\" does not fit the unit and size of this time");
}

void go_deep() {
  for (const std::size_t levels : {32U, 33U}) {
    std::string text;
    for (std::size_t i = 1; i < levels; ++i) text += R"({"kids":[)";
    text += "{}";
    for (std::size_t i = 1; i < levels; ++i) text += "]}";
    const auto tree = read<Tree>(text);
    EXPECT_EQ(tree.has_value(), levels == 32) << tree.error();
    if (!tree) continue;
    EXPECT_EQ(written(*tree), text);
  }
}

TEST(ProtobufJson, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{52} << 10);
}

// json_format is protobuf's own mapping in Python; the .proto is the one we write.
TEST(ProtobufJsonWitness, python_protobuf_maps_as_we_do) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("google.protobuf.json_format");
  if (python.empty() || witness.ask("protoc --version").code != 0) {
    GTEST_SKIP() << "there is no protobuf to ask (Debian: python3-protobuf, protobuf-compiler)";
  }
  witness.write("ours.proto", proto_of(types_of<Message>()));
  (void)witness.output_of("protoc -I. -I/usr/include --python_out=. ours.proto");
  witness.write("map.py", R"(import sys, ours_pb2
from google.protobuf import json_format
for line in sys.stdin:
    message = ours_pb2.Message()
    if sys.argv[1] == "write":
        message.ParseFromString(bytes.fromhex(line))
        print(json_format.MessageToJson(message, indent=0, ensure_ascii=False).replace("\n", ""))
    else:
        json_format.Parse(line, message)
        print(message.SerializeToString(deterministic=True).hex())
)");
  Message other;
  other.f32 = std::numeric_limits<float>::quiet_NaN();
  other.f64 = -std::numeric_limits<double>::infinity();
  other.choice = -7;
  other.span = std::chrono::nanoseconds(1);
  std::vector<std::string> bytes;
  std::vector<std::string> texts;
  for (const Message& message : {full(), Message(), std::move(other)}) {
    bytes.push_back(parley::testing::to_hex(encode_protobuf(message).value()));
    texts.push_back(written(message));
  }
  // Enums have longer names in our .proto, which proto3 wants to differ within a file.
  std::vector<std::string> for_python = texts;
  for_python[0].replace(for_python[0].find(R"("blue")"), 6, R"("COLOUR_BLUE")");
  const std::vector<std::string> read_by_them =
      witness.lines_of(python + " map.py read", for_python);
  ASSERT_EQ(read_by_them.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto message = decode_protobuf<Message>(parley::testing::from_hex(read_by_them[i]));
    ASSERT_TRUE(message) << message.error();
    EXPECT_EQ(written(*message), texts[i]);
  }
  const std::vector<std::string> theirs = witness.lines_of(python + " map.py write", bytes);
  ASSERT_EQ(theirs.size(), texts.size());
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    std::string text = theirs[i];
    const std::size_t name = text.find("COLOUR_BLUE");
    if (name != std::string::npos) text.replace(name, 11, "blue");
    const auto message = read<Message>(text);
    ASSERT_TRUE(message) << message.error() << text;
    EXPECT_EQ(written(*message), texts[i]) << text;
  }
}

}  // namespace
}  // namespace parley::codec::protobuf_json_test
