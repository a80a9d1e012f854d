// Every kind of type, as protobuf has it. Bytes are written as the fields they are.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/codec/protobuf.h"

namespace parley::codec::protobuf_types {

enum class Colour { red, green = 7, blue = -3 };
enum class Small : std::uint8_t { none, some = 200 };

struct Scalars {
  bool flag = false;
  std::int8_t i8 = 0;
  std::int32_t i32 = 0;
  std::int64_t i64 = 0;
  std::uint16_t u16 = 0;
  std::uint64_t u64 = 0;
  float f32 = 0;
  double f64 = 0;
  std::string text{};
  std::vector<std::byte> bytes{};
  Colour colour = Colour::red;
  Small small = Small::none;
  Json json{};
  friend bool operator==(const Scalars&, const Scalars&) = default;
};

struct Encoded {
  std::int32_t zigzag = 0;
  std::int64_t sfixed = 0;
  std::uint32_t fixed = 0;
  std::vector<std::int64_t> zigzags{};
  std::optional<std::int16_t> maybe{};
  std::map<std::int32_t, std::uint64_t> map{};
  friend bool operator==(const Encoded&, const Encoded&) = default;
};

struct Started {
  int seven = 7;
  std::string text = "text";
  std::optional<int> three = 3;
  std::vector<int> list = {1};
  friend bool operator==(const Started&, const Started&) = default;
};

struct Inner {
  int a = 1;
  int b = 2;
  std::vector<int> list = {9};
  friend bool operator==(const Inner&, const Inner&) = default;
};
struct Outer {
  Inner plain;
  std::optional<Inner> maybe;
  std::unique_ptr<Inner> pointer;
  std::vector<Inner> list;
  std::map<std::string, Inner> map;
};

using Shape = std::variant<std::monostate, Inner, std::string, std::vector<int>, std::int32_t>;
struct Drawing {
  std::string title;
  Shape flat;
  Shape nested;
  friend bool operator==(const Drawing&, const Drawing&) = default;
};

struct Times {
  std::chrono::milliseconds span{};
  std::chrono::sys_time<std::chrono::nanoseconds> moment{};
  std::vector<std::chrono::seconds> spans;
  friend bool operator==(const Times&, const Times&) = default;
};

struct Nested {
  std::vector<std::vector<int>> grid;
  std::vector<std::map<std::string, int>> maps;
  std::vector<std::optional<int>> maybes;
  std::map<int, std::vector<std::string>> lists;
  std::optional<std::vector<int>> list;
  std::array<std::array<int, 2>, 2> square{};
  std::deque<std::string> deque;
  std::deque<int> numbers;
  std::vector<bool> bits;
  std::set<int> set;
  std::unordered_map<std::uint64_t, std::string> hashed;
  friend bool operator==(const Nested&, const Nested&) = default;
};

struct Keeping {
  int known = 0;
  UnknownFields others;
};
struct Plain {
  int known = 0;
};
struct Strict {
  int known = 0;
};

struct Cents {
  std::int64_t count = 0;
  friend bool operator==(const Cents&, const Cents&) = default;
};
struct Words {
  std::vector<std::string> list;
};
struct Bill {
  Cents total;
  std::vector<Cents> parts;
  Words words;
};

struct Needed {
  int number = 0;
  std::vector<int> list;
  Inner inner;
};

}  // namespace parley::codec::protobuf_types

namespace types = parley::codec::protobuf_types;
using parley::codec::field;

template <>
inline constexpr auto parley::fields<types::Encoded> = parley::codec::field_rules<types::Encoded>(
    field<&types::Encoded::zigzag>().encoded_as(parley::codec::Wire::zigzag),
    field<&types::Encoded::sfixed>().encoded_as(parley::codec::Wire::fixed),
    field<&types::Encoded::fixed>().encoded_as(parley::codec::Wire::fixed),
    field<&types::Encoded::zigzags>().encoded_as(parley::codec::Wire::zigzag),
    field<&types::Encoded::maybe>().encoded_as(parley::codec::Wire::fixed),
    field<&types::Encoded::map>()
        .encoded_as(parley::codec::Wire::fixed)
        .keys_encoded_as(parley::codec::Wire::zigzag));
template <>
inline constexpr auto parley::fields<types::Drawing> =
    parley::codec::field_rules<types::Drawing>(field<&types::Drawing::flat>().flatten().number(11),
                                               field<&types::Drawing::nested>().number(5));
template <>
inline constexpr auto parley::fields<types::Strict> =
    parley::codec::field_rules<types::Strict>().on_unknown(parley::codec::OnUnknown::refuse);
template <>
inline constexpr auto parley::fields<types::Needed> = parley::codec::field_rules<types::Needed>(
    field<&types::Needed::number>().required(), field<&types::Needed::list>().required(),
    field<&types::Needed::inner>().required().number(2'000));
template <>
struct parley::Representation<types::Cents> {
  static std::int64_t encode(const types::Cents& cents) { return cents.count; }
  static parley::Status decode(std::int64_t count, types::Cents& cents) {
    if (count < 0) return parley::Status(parley::Code::invalid_argument, "a debt");
    cents.count = count;
    return {};
  }
};
template <>
struct parley::Representation<types::Words> {
  static std::vector<std::string> encode(const types::Words& words) { return words.list; }
  static parley::Status decode(std::vector<std::string> list, types::Words& words) {
    words.list = std::move(list);
    return {};
  }
};

namespace parley::codec::protobuf_types {
namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    if (!out.empty()) out += ' ';
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 3) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

template <class T>
void expect_bytes(const T& value, std::string_view bytes) {
  const auto written = encode_protobuf(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(hex(*written), bytes);
  const auto read = decode_protobuf<T>(unhex(bytes));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
std::string problem(std::string_view bytes, const ProtobufOptions& options = {}) {
  const auto read = decode_protobuf<T>(unhex(bytes), {}, options);
  return read ? "none" : read.error().message();
}

TEST(ProtobufTypes, what_is_zero_is_left_out_and_what_is_absent_is_zero) {
  expect_bytes(Scalars(), "");
  expect_bytes(Scalars{.flag = true, .u16 = 300}, "08 01 28 ac 02");
  expect_bytes(Scalars{.i8 = -1}, "10 ff ff ff ff ff ff ff ff ff 01");
  expect_bytes(Scalars{.i32 = -2}, "18 fe ff ff ff ff ff ff ff ff 01");
  expect_bytes(Scalars{.f32 = 1.5F, .f64 = -2}, "3d 00 00 c0 3f 41 00 00 00 00 00 00 00 c0");
  expect_bytes(Scalars{.text = "tea", .bytes = {std::byte{0xFF}}}, "4a 03 74 65 61 52 01 ff");
  expect_bytes(Scalars{.colour = Colour::green, .small = Small::some}, "58 07 60 c8 01");
  expect_bytes(Scalars{.colour = Colour::blue}, "58 fd ff ff ff ff ff ff ff ff 01");
  expect_bytes(Scalars{.json = {"[1]"}}, "6a 03 5b 31 5d");
  const auto zero = encode_protobuf(Scalars{.f64 = -0.0}).value();
  EXPECT_EQ(hex(zero), "41 00 00 00 00 00 00 00 80");
  EXPECT_TRUE(std::signbit(decode_protobuf<Scalars>(zero)->f64));

  // What the initialisers say is not what a foreign peer meant that left out a zero.
  expect_bytes(Started{.seven = 0, .text = "", .three = std::nullopt, .list = {}}, "");
  expect_bytes(Started{}, "08 07 12 04 74 65 78 74 18 03 22 01 01");
  Started used;
  ASSERT_TRUE(decode_protobuf_into("", used).is_ok());
  EXPECT_EQ(used, (Started{.seven = 0, .text = "", .three = std::nullopt, .list = {}}));
}

TEST(ProtobufTypes, an_optional_is_written_whenever_it_holds_something) {
  using Maybe = std::tuple<std::optional<int>, std::optional<std::string>, std::optional<Inner>>;
  expect_bytes(Maybe(), "");
  expect_bytes(Maybe(0, "", std::nullopt), "08 00 12 00");
  expect_bytes(Maybe(std::nullopt, std::nullopt, Inner{.a = 0, .b = 0, .list = {}}), "1a 00");
}

TEST(ProtobufTypes, integers_may_be_zigzag_or_fixed) {
  expect_bytes(Encoded{.zigzag = -1}, "08 01");
  expect_bytes(Encoded{.zigzag = -2'147'483'648}, "08 ff ff ff ff 0f");
  expect_bytes(Encoded{.sfixed = -2, .fixed = 1}, "11 fe ff ff ff ff ff ff ff 1d 01 00 00 00");
  expect_bytes(Encoded{.zigzags = {1, -1, std::numeric_limits<std::int64_t>::min()}},
               "22 0c 02 01 ff ff ff ff ff ff ff ff ff 01");
  expect_bytes(Encoded{.maybe = -1}, "2d ff ff ff ff");
  expect_bytes(Encoded{.map = {{-1, 1}}}, "32 0b 08 01 11 01 00 00 00 00 00 00 00");
}

TEST(ProtobufTypes, lists_of_numbers_are_packed_and_read_in_both_forms) {
  using List = std::tuple<std::vector<int>, std::vector<double>, std::array<bool, 2>>;
  expect_bytes(List({3, 270, 86'942}, {1}, {true, false}),
               "0a 06 03 8e 02 9e a7 05 12 08 00 00 00 00 00 00 f0 3f 1a 02 01 00");
  const List expected({3, 270}, {}, {true, true});
  EXPECT_EQ(decode_protobuf<List>(unhex("08 03 08 8e 02 18 01 18 01")).value(), expected);
  EXPECT_EQ(decode_protobuf<List>(unhex("08 03 18 01 08 8e 02 18 01")).value(), expected)
      << "other fields may stand between elements";
  EXPECT_EQ(decode_protobuf<List>(unhex("0a 01 03 1a 01 01 08 8e 02 18 01")).value(), expected);
  List used({9, 9, 9}, {9}, {});
  ASSERT_TRUE(decode_protobuf_into(unhex("08 03 18 01 08 8e 02 18 01"), used).is_ok());
  EXPECT_EQ(used, expected);
  EXPECT_EQ(problem<List>("18 01"), "$[2]: expected 2 elements, got 1");
  EXPECT_EQ(problem<List>("1a 03 01 01 01"), "$[2]: expected 2 elements, got more");
}

TEST(ProtobufTypes, a_struct_is_a_message_left_out_when_it_is_empty) {
  Outer outer;
  outer.plain = {.a = 0, .b = 0, .list = {}};
  EXPECT_EQ(hex(encode_protobuf(outer).value()), "");
  outer.plain.b = 5;
  outer.pointer = std::make_unique<Inner>(Inner{.a = 0, .b = 0, .list = {}});
  outer.list = {{.a = 1, .b = 0, .list = {}}, {.a = 0, .b = 0, .list = {}}};
  outer.map[""] = {.a = 0, .b = 0, .list = {}};
  const std::string bytes = encode_protobuf(outer).value();
  EXPECT_EQ(hex(bytes), "0a 02 10 05 1a 00 22 02 08 01 22 00 2a 04 0a 00 12 00");
  Outer used;
  used.list.resize(3);
  used.maybe.emplace();
  ASSERT_TRUE(decode_protobuf_into(bytes, used).is_ok());
  EXPECT_EQ(used.plain, outer.plain);
  EXPECT_EQ(used.maybe, std::nullopt);
  EXPECT_EQ(*used.pointer, *outer.pointer);
  EXPECT_EQ(used.list, outer.list);
  EXPECT_EQ(used.map, outer.map);
}

TEST(ProtobufTypes, a_message_that_comes_twice_is_merged_and_of_a_number_the_last_holds) {
  const auto outer = decode_protobuf<Outer>(
      unhex("0a 04 08 01 10 02 12 04 18 01 10 07 0a 04 10 03 18 04 12 04 18 02 08 06 1a 02 08 01 "
            "1a 02 10 02"));
  ASSERT_TRUE(outer) << outer.error();
  EXPECT_EQ(outer->plain, (Inner{.a = 1, .b = 3, .list = {4}}));
  EXPECT_EQ(outer->maybe, (Inner{.a = 6, .b = 7, .list = {1, 2}}));
  EXPECT_EQ(*outer->pointer, (Inner{.a = 1, .b = 2, .list = {}}));
  EXPECT_EQ(decode_protobuf<Scalars>(unhex("18 01 18 02")).value().i32, 2);
}

TEST(ProtobufTypes, entries_of_maps_may_be_incomplete_in_any_order_and_come_again) {
  using Map = std::map<std::string, int>;
  using Message = std::tuple<Map>;
  expect_bytes(Message({{"a", 1}}), "0a 05 0a 01 61 10 01");
  const auto read = [](std::string_view bytes) {
    return std::get<0>(decode_protobuf<Message>(unhex(bytes)).value());
  };
  EXPECT_EQ(read("0a 05 10 01 0a 01 61"), (Map{{"a", 1}})) << "value first";
  EXPECT_EQ(read("0a 03 0a 01 61"), (Map{{"a", 0}}));
  EXPECT_EQ(read("0a 02 10 05"), (Map{{"", 5}}));
  EXPECT_EQ(read("0a 00"), (Map{{"", 0}}));
  EXPECT_EQ(read("0a 05 0a 01 61 10 01 0a 05 0a 01 61 10 02"), (Map{{"a", 2}})) << "the last";
  EXPECT_EQ(read("0a 0a 0a 01 62 0a 01 61 10 01 10 02"), (Map{{"a", 2}})) << "the last";
  EXPECT_EQ(read("0a 07 0a 01 61 18 01 10 01"), (Map{{"a", 1}})) << "unknown";
  const auto outer =
      decode_protobuf<Outer>(unhex("2a 0b 0a 01 61 12 02 08 05 12 02 10 06 2a 03 0a 01 62"));
  ASSERT_TRUE(outer) << outer.error();
  EXPECT_EQ(outer->map.at("a"), (Inner{.a = 5, .b = 6, .list = {}})) << "merged in the entry";
  EXPECT_EQ(outer->map.at("b"), (Inner{.a = 0, .b = 0, .list = {}}));
  EXPECT_EQ(problem<Message>("0a 06 0a 01 61 12 01 78"),
            "$[0].a: expected a varint (wire type 0), "
            "got a length and bytes (wire type 2) at "
            "byte 5");
}

TEST(ProtobufTypes, a_variant_is_a_oneof_of_which_the_last_holds) {
  expect_bytes(Drawing(), "");
  expect_bytes(Drawing{.title = "a", .flat = std::string(), .nested = 0},
               "0a 01 61 62 00 2a 02 20 "
               "00");
  expect_bytes(Drawing{.title = "", .flat = std::vector<int>{1}, .nested = std::vector<int>()},
               "6a 03 0a 01 01 2a 02 1a 00");
  const auto read = [](std::string_view bytes) {
    Drawing used{.title = "old", .flat = Inner{}, .nested = Inner{}};
    const Status status = decode_protobuf_into(unhex(bytes), used);
    EXPECT_TRUE(status.is_ok()) << status;
    return used;
  };
  EXPECT_EQ(read("5a 02 08 05 62 01 78").flat, Shape("x"));
  EXPECT_EQ(read("62 01 78 5a 02 08 05").flat, Shape(Inner{.a = 5, .b = 0, .list = {}}));
  EXPECT_EQ(read("5a 02 08 05 5a 02 10 06").flat, Shape(Inner{.a = 5, .b = 6, .list = {}}));
  EXPECT_EQ(read("5a 02 08 05 62 01 78 5a 02 10 06").flat, Shape(Inner{.a = 0, .b = 6, .list = {}}))
      << "made anew";
  EXPECT_EQ(read("2a 04 0a 02 08 05 2a 04 0a 02 10 06").nested,
            Shape(Inner{.a = 5, .b = 6, .list = {}}));
  EXPECT_EQ(read("2a 04 0a 02 08 05 2a 03 12 01 78").nested, Shape("x"));
  EXPECT_EQ(read("").nested, Shape());
  EXPECT_EQ(read("").flat, Shape());
  EXPECT_EQ(problem<Drawing>("2a 04 0a 02 08 80"),
            "$.nested.Inner.a: the input ends within a varint at byte 5");
}

TEST(ProtobufTypes, times_are_google_s_messages) {
  using namespace std::chrono;
  const sys_time<nanoseconds> moment(seconds(1) + nanoseconds(2));
  expect_bytes(Times{.span = milliseconds(-1'500), .moment = moment, .spans = {seconds(0)}},
               "0a 16 08 ff ff ff ff ff ff ff ff ff 01 10 80 b6 ca 91 fe ff ff ff ff 01 12 04 08 "
               "01 10 02 1a 00");
  expect_bytes(Times{.span = {}, .moment = sys_time<nanoseconds>(nanoseconds(-1)), .spans = {}},
               "12 11 08 ff ff ff ff ff ff ff ff ff 01 10 ff 93 eb dc 03");
  EXPECT_EQ(problem<Times>("12 02 10 ff"), "$.moment: the input ends within a varint at byte 3");
  EXPECT_EQ(problem<Times>("12 06 10 80 94 eb dc 03"),
            "$.moment: 1000000000 nanoseconds beside 0 seconds: expected 0 to 999999999");
  EXPECT_EQ(problem<Times>("0a 0d 08 01 10 ff ff ff ff ff ff ff ff ff 01"),
            "$.span: -1 nanoseconds beside 1 seconds: expected 0 to 999999999");
  EXPECT_EQ(problem<Times>("0a 0b 08 ff ff ff ff ff ff ff ff 7f"),
            "$.span: a length of 11, but 10 bytes are left at byte 1");
  EXPECT_EQ(problem<Times>("0a 0a 08 ff ff ff ff ff ff ff ff 7f"),
            "$.span: 9223372036854775807 seconds do not fit the unit and size of this duration");
}

TEST(ProtobufTypes, what_proto3_has_no_form_for_is_alone_in_a_message) {
  Nested nested;
  nested.grid = {{1, 2}, {}, {3}};
  nested.maps = {{{"a", 1}}, {}};
  nested.maybes = {1, std::nullopt, 0};
  nested.lists = {{7, {"x", ""}}, {8, {}}};
  nested.list.emplace();
  nested.square = {{{1, 2}, {3, 4}}};
  nested.deque = {"b", "a"};
  nested.numbers = {3, 1, 2};
  nested.bits = {true, false, true};
  nested.set = {5, 4};
  nested.hashed = {{1, "one"}, {2, "two"}};
  const std::string bytes = encode_protobuf(nested).value();
  EXPECT_EQ(decode_protobuf<Nested>(bytes).value(), nested);
  Nested used = nested;
  used.grid.resize(9);
  used.deque.resize(9);
  ASSERT_TRUE(decode_protobuf_into(bytes, used).is_ok());
  EXPECT_EQ(used, nested);
  EXPECT_TRUE(
      hex(bytes).starts_with("0a 04 0a 02 01 02 0a 00 0a 03 0a 01 03 12 07 0a 05 0a 01 61 "
                             "10 01 12 00 1a 02 08 01 1a 00 1a 02 08 00"))
      << hex(bytes);
}

TEST(ProtobufTypes, a_type_that_is_no_struct_is_field_1_of_a_message) {
  expect_bytes(150, "08 96 01");
  expect_bytes(std::string("tea"), "0a 03 74 65 61");
  expect_bytes(std::vector<std::string>{"a", ""}, "0a 01 61 0a 00");
  expect_bytes(std::map<int, int>{{1, 2}}, "0a 04 08 01 10 02");
  expect_bytes(Shape("x"), "0a 03 12 01 78");
  expect_bytes(std::optional<int>(0), "08 00");
  expect_bytes(Cents{5}, "08 05");
  expect_bytes(std::tuple<>(), "");
}

TEST(ProtobufTypes, a_type_that_travels_as_another_is_that_one) {
  const Bill bill{.total = {250}, .parts = {{100}, {0}}, .words = {{"a", "b"}}};
  const std::string bytes = encode_protobuf(bill).value();
  EXPECT_EQ(hex(bytes), "08 fa 01 12 02 64 00 1a 01 61 1a 01 62");
  const auto read = decode_protobuf<Bill>(bytes);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->parts, bill.parts);
  EXPECT_EQ(read->words.list, bill.words.list);
  EXPECT_EQ(problem<Bill>("12 0b 64 ff ff ff ff ff ff ff ff ff 01"), "$.parts[1]: a debt");
  EXPECT_EQ(problem<Bill>("1a 01 61 08 01 1a 01 62"),
            "$.words: the field comes again, and its type, which travels as another one, cannot be "
            "put together at byte 5");
  EXPECT_EQ(hex(encode_protobuf(std::vector<Words>{{{"a"}}, {}}).value()), "0a 03 0a 01 61 0a 00");
  EXPECT_EQ(decode_protobuf<std::vector<Words>>(unhex("0a 03 0a 01 61 0a 00"))->at(0).list,
            std::vector<std::string>{"a"});
}

TEST(ProtobufTypes, unknown_fields_are_skipped_refused_or_kept) {
  const std::string_view all =
      "08 01 10 05 1a 01 78 21 01 02 03 04 05 06 07 08 2d 01 02 03 04 33 "
      "08 01 3b 3c 34 98 06 01";
  EXPECT_EQ(decode_protobuf<Plain>(unhex(all)).value().known, 1);
  ProtobufOptions strict;
  strict.refuse_unknown_fields = true;
  EXPECT_EQ(problem<Plain>(all, strict),
            "$: unknown field 2 (refuse_unknown_fields is on) at byte 2");
  EXPECT_EQ(problem<Strict>(all), "$: unknown field 2 (its type refuses them) at byte 2");
  auto keeping = decode_protobuf<Keeping>(unhex(all), {}, strict);
  ASSERT_TRUE(keeping) << keeping.error();
  EXPECT_EQ(hex(encode_protobuf(*keeping).value()), all) << "written back";
  ASSERT_TRUE(decode_protobuf_into(unhex("08 02"), *keeping).is_ok());
  EXPECT_EQ(keeping->others.protobuf, "") << "nothing old is left";
  keeping->others.protobuf = unhex("12 05");
  EXPECT_EQ(encode_protobuf(*keeping).error().message(),
            "$: what UnknownFields holds cannot be written: $: a length of 5, but 0 bytes are left "
            "at byte 1");
  keeping->others.protobuf = unhex("08 05");
  EXPECT_EQ(encode_protobuf(*keeping).error().message(),
            "$: what UnknownFields holds cannot be written: field 1 is known");
}

TEST(ProtobufTypes, what_is_required_is_always_written_and_must_be_there) {
  const Needed needed{.number = 0, .list = {}, .inner = {.a = 0, .b = 0, .list = {}}};
  const std::string bytes = encode_protobuf(needed).value();
  EXPECT_EQ(hex(bytes), "08 00 82 7d 00") << "an empty list is no field at all";
  EXPECT_TRUE(decode_protobuf<Needed>(bytes));
  EXPECT_EQ(problem<Needed>("08 00"), "$.inner: the field is required and missing");
  EXPECT_EQ(problem<Needed>("82 7d 00"), "$.number: the field is required and missing");
}

TEST(ProtobufTypes, a_view_shows_the_input_itself) {
  const std::string bytes = unhex("0a 03 74 65 61 12 01 ff");
  using Views = std::tuple<std::string_view, std::span<const std::byte>>;
  const auto views = decode_protobuf<Views>(bytes);
  ASSERT_TRUE(views) << views.error();
  EXPECT_EQ(std::get<0>(*views).data(), bytes.data() + 2) << "nothing was copied";
  EXPECT_EQ(std::get<1>(*views).size(), 1u);
  EXPECT_EQ(encode_protobuf(*views).value(), bytes);
  ProtobufOptions options;
  options.refuse_views = true;
  EXPECT_EQ(decode_protobuf<Views>(bytes, {}, options).error().message(),
            "$[0]: a view would show bytes that are gone: use std::string or a vector");
  Bytes two = Bytes::copy_of("foo");
  two.append(Bytes::copy_of("bar"));
  EXPECT_EQ(encode_protobuf(two).value(),
            "\x0A\x06"
            "foobar");
}

}  // namespace
}  // namespace parley::codec::protobuf_types
