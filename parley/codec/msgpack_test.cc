#include "parley/codec/msgpack.h"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/testing/hex.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/sample.h"

// Of its own, since other tests have types of these names.
namespace parley::codec::msgpack_test {

enum class Colour { red, green = 7, blue = -3 };

struct Circle {
  double radius = 0;
  friend bool operator==(const Circle&, const Circle&) = default;
};
struct Square {
  double side = 0;
  friend bool operator==(const Square&, const Square&) = default;
};
struct Drawing {
  std::string title;
  std::variant<std::monostate, Circle, Square> shape;
  bool filled = false;
  friend bool operator==(const Drawing&, const Drawing&) = default;
};

struct Place {
  std::string street;
  int number = 1;
};
struct Order {
  int id = 0;
  Place to;
  std::optional<std::string> note;
  int priority = 3;
};

struct Known {
  int known = 0;
};
struct Keeping {
  int known = 0;
  UnknownFields others;
  std::optional<int> late;
};

struct Money {
  long cents = 0;
};

struct Node {
  int value = 0;
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
};

}  // namespace parley::codec::msgpack_test

template <>
inline constexpr auto parley::fields<parley::codec::msgpack_test::Drawing> =
    parley::codec::field_rules<parley::codec::msgpack_test::Drawing>(
        parley::codec::field<&parley::codec::msgpack_test::Drawing::shape>().flatten());
template <>
inline constexpr auto parley::fields<parley::codec::msgpack_test::Order> =
    parley::codec::field_rules<parley::codec::msgpack_test::Order>(
        parley::codec::field<&parley::codec::msgpack_test::Order::id>().required(),
        parley::codec::field<&parley::codec::msgpack_test::Order::to>().flatten(),
        parley::codec::field<&parley::codec::msgpack_test::Order::priority>().default_to(
            [] { return 9; }));
template <>
struct parley::Representation<parley::codec::msgpack_test::Money> {
  static std::string encode(const parley::codec::msgpack_test::Money& money) {
    return std::to_string(money.cents) + " ct";
  }
  static parley::Status decode(const std::string& text, parley::codec::msgpack_test::Money& money) {
    if (!text.ends_with(" ct"))
      return parley::Status(parley::Code::invalid_argument, "expected cents as in \"12 ct\"");
    money.cents = std::stol(text);
    return {};
  }
};

namespace parley::codec {
namespace {

using namespace msgpack_test;
using parley::testing::from_hex;
using parley::testing::to_hex;
using testing::Dice;
using testing::Sample;

template <class T>
void expect_bytes(const T& value, std::string_view hex) {
  const auto written = encode_msgpack(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(to_hex(*written), to_hex(from_hex(hex)));
  const auto read = decode_msgpack<T>(*written);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
Result<T> read(std::string_view hex) {
  return decode_msgpack<T>(from_hex(hex));
}

template <class T>
std::string problem(std::string_view hex, const MsgpackOptions& options = {}) {
  const auto value = decode_msgpack<T>(from_hex(hex), {}, options);
  return value ? "none" : value.error().message();
}

TEST(Msgpack, integers_take_the_fewest_bytes) {
  expect_bytes(0, "00");
  expect_bytes(127, "7f");
  expect_bytes(128, "cc80");
  expect_bytes(255, "ccff");
  expect_bytes(256, "cd0100");
  expect_bytes(65'535, "cdffff");
  expect_bytes(65'536, "ce00010000");
  expect_bytes(std::uint32_t{4'294'967'295}, "ceffffffff");
  expect_bytes(std::int64_t{4'294'967'296}, "cf0000000100000000");
  expect_bytes(std::numeric_limits<std::uint64_t>::max(), "cfffffffffffffffff");
  expect_bytes(-1, "ff");
  expect_bytes(std::int8_t{-32}, "e0");
  expect_bytes(-33, "d0df");
  expect_bytes(std::int16_t{-128}, "d080");
  expect_bytes(-129, "d1ff7f");
  expect_bytes(-32'768, "d18000");
  expect_bytes(-32'769, "d2ffff7fff");
  expect_bytes(std::numeric_limits<std::int32_t>::min(), "d280000000");
  expect_bytes(std::int64_t{-2'147'483'649}, "d3ffffffff7fffffff");
  expect_bytes(std::numeric_limits<std::int64_t>::min(), "d38000000000000000");
}

TEST(Msgpack, integers_are_read_in_any_size_that_holds_them) {
  for (const char* hex : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005",
                          "d10005", "d200000005", "d30000000000000005"}) {
    EXPECT_EQ(read<std::uint8_t>(hex).value(), 5) << hex;
    EXPECT_EQ(read<std::int64_t>(hex).value(), 5) << hex;
    EXPECT_EQ(read<double>(hex).value(), 5.0) << hex;
  }
  EXPECT_EQ(read<std::int8_t>("d3ffffffffffffff80").value(), -128);
  EXPECT_EQ(problem<std::int8_t>("cc80"), "$: 128 does not fit int8 (-128 to 127)");
  EXPECT_EQ(problem<std::int8_t>("d1ff7f"), "$: -129 does not fit int8 (-128 to 127)");
  EXPECT_EQ(problem<std::uint64_t>("ff"), "$: -1 does not fit uint64 (0 to 18446744073709551615)");
  EXPECT_EQ(problem<std::int64_t>("cf8000000000000000").substr(0, 41),
            "$: 9223372036854775808 does not fit int64");
  EXPECT_EQ(problem<int>("ca3f800000"), "$: expected integer, got float");
  EXPECT_EQ(problem<int>("cb3ff0000000000000"), "$: expected integer, got float");
}

TEST(Msgpack, floats_keep_their_width_and_every_value) {
  expect_bytes(1.5F, "ca3fc00000");
  expect_bytes(0.1, "cb3fb999999999999a");
  expect_bytes(-0.0, "cb8000000000000000");
  expect_bytes(std::numeric_limits<double>::infinity(), "cb7ff0000000000000");
  EXPECT_TRUE(std::isnan(read<double>("cb7ff8000000000000").value()));
  EXPECT_EQ(to_hex(encode_msgpack(std::bit_cast<float>(0x7fc00001)).value()), "ca7fc00001");
  EXPECT_EQ(read<double>("ca3fc00000").value(), 1.5);
  EXPECT_EQ(read<float>("cb3fb999999999999a").value(), 0.1F) << "the nearest";
  EXPECT_EQ(problem<float>("cb7fefffffffffffff"), "$: the number does not fit float");
  EXPECT_EQ(read<float>("cb7ff0000000000000").value(), std::numeric_limits<float>::infinity());
}

TEST(Msgpack, floats_take_integers_they_hold_exactly) {
  EXPECT_EQ(read<double>("cf0020000000000000").value(), 9007199254740992.0);
  EXPECT_EQ(problem<double>("cf0020000000000001"),
            "$: the integer 9007199254740993 cannot be held exactly by double");
  EXPECT_EQ(read<double>("cf8000000000000000").value(), std::ldexp(1.0, 63));
  EXPECT_EQ(read<double>("d38000000000000000").value(), -std::ldexp(1.0, 63));
  EXPECT_EQ(read<float>("ce01000000").value(), 16777216.0F);
  EXPECT_EQ(problem<float>("ce01000001"),
            "$: the integer 16777217 cannot be held exactly by float");
  EXPECT_EQ(problem<double>("c3"), "$: expected number, got boolean");
}

TEST(Msgpack, texts_and_bytes_are_two_things) {
  using Vector = std::vector<std::byte>;
  expect_bytes(std::string(), "a0");
  expect_bytes(std::string("grün"), "a5 67 72 c3 bc 6e");
  expect_bytes(Vector{std::byte{0xFF}}, "c4 01 ff");
  expect_bytes(Bytes::copy_of("ab"), "c4 02 61 62");
  for (const auto& [size, head] : std::map<std::size_t, std::pair<std::string, std::string>>{
           {31, {"bf", "c41f"}},
           {32, {"d920", "c420"}},
           {255, {"d9ff", "c4ff"}},
           {256, {"da0100", "c50100"}},
           {65'535, {"daffff", "c5ffff"}},
           {65'536, {"db00010000", "c600010000"}}}) {
    const std::string text(size, 'x');
    EXPECT_EQ(encode_msgpack(text).value(), from_hex(head.first) + text);
    EXPECT_EQ(decode_msgpack<std::string>(from_hex(head.first) + text).value(), text);
    EXPECT_EQ(encode_msgpack(Vector(size)).value(),
              from_hex(head.second) + std::string(size, '\0'));
    EXPECT_EQ(decode_msgpack<Vector>(from_hex(head.second) + text).value().size(), size);
  }
  EXPECT_EQ(read<Vector>("a2 ff 00").value().size(), 2U) << "the raw of older encoders";
  EXPECT_EQ(problem<std::string>("c4 01 61"), "$: expected string, got bytes");
  EXPECT_EQ(problem<std::string>("a2 c3 28"), "$: a string that is not UTF-8 (byte 0)");
  EXPECT_EQ(encode_msgpack(std::string("\xff")).error().message(),
            "$: a string that is not UTF-8 cannot be written as MessagePack: use bytes");
}

TEST(Msgpack, a_view_shows_the_message_itself) {
  const std::string bytes = from_hex("92 a5 67 72 c3 bc 6e a1 61");
  const auto views = decode_msgpack<std::vector<std::string_view>>(bytes);
  ASSERT_TRUE(views) << views.error();
  EXPECT_EQ((*views)[0], "grün");
  EXPECT_EQ((*views)[0].data(), bytes.data() + 2) << "nothing was copied";
  EXPECT_EQ(encode_msgpack(*views).value(), bytes);
  const std::string binary = from_hex("c4 02 ff 00");
  const auto span = decode_msgpack<std::span<const std::byte>>(binary);
  ASSERT_TRUE(span) << span.error();
  EXPECT_EQ(static_cast<const void*>(span->data()), binary.data() + 2);
  EXPECT_EQ(encode_msgpack(*span).value(), binary);
  MsgpackOptions options;
  options.refuse_views = true;
  EXPECT_EQ(problem<std::string_view>("a1 61", options),
            "$: a view would show bytes that are gone: use std::string or a vector");
  EXPECT_EQ(problem<std::string>("a1 61", options), "none");
}

TEST(Msgpack, lists_tuples_and_sets_are_arrays) {
  expect_bytes(std::vector<int>{1, -1}, "92 01 ff");
  expect_bytes(std::vector<bool>{true, false}, "92 c3 c2");
  expect_bytes(std::deque<int>{1, 2}, "92 01 02");
  expect_bytes(std::set<std::string>{"b", "a"}, "92 a1 61 a1 62");
  expect_bytes(std::tuple<int, std::string, std::optional<bool>>{1, "x", std::nullopt},
               "93 01 a1 78 c0");
  expect_bytes(std::pair<bool, float>{true, 1.0F}, "92 c3 ca 3f 80 00 00");
  expect_bytes(std::array<std::uint8_t, 2>{1, 200}, "92 01 cc c8");
  EXPECT_EQ(problem<decltype(std::tuple(1, 2))>("93 01 02 03"),
            "$: expected an array of 2 elements, got 3");
  EXPECT_EQ(problem<decltype(std::array{1})>("90"), "$: expected an array of 1 element, got 0");
  const std::vector<int> sixteen(16, 0);
  EXPECT_EQ(to_hex(encode_msgpack(sixteen).value()).substr(0, 6), "dc0010");
  const std::vector<bool> many(65'536, true);
  EXPECT_EQ(to_hex(encode_msgpack(many).value()).substr(0, 10), "dd00010000");
  EXPECT_EQ(decode_msgpack<std::vector<bool>>(encode_msgpack(many).value()).value(), many);
  EXPECT_EQ(read<std::vector<int>>("dd 00 00 00 01 07").value(), std::vector<int>{7});
  std::vector<std::string> reused = {"long enough to have memory of its own", "b", "c"};
  ASSERT_TRUE(decode_msgpack_into(from_hex("91 a1 78"), reused).is_ok());
  EXPECT_EQ(reused, std::vector<std::string>{"x"});
}

TEST(Msgpack, the_keys_of_maps_keep_their_kind) {
  expect_bytes(std::map<int, std::string>{{-2, "b"}, {300, "a"}}, "82 fe a1 62 cd 01 2c a1 61");
  expect_bytes(std::map<std::string, int>{{"a", 1}}, "81 a1 61 01");
  expect_bytes(std::map<bool, int>{{false, 0}, {true, 1}}, "82 c2 00 c3 01");
  expect_bytes(std::map<Colour, int>{{Colour::green, 1}}, "81 a5 67 72 65 65 6e 01");
  expect_bytes(std::unordered_map<std::uint64_t, int>{{1ULL << 63, 1}},
               "81 cf 80 00 00 00 00 00 00 00 01");
  EXPECT_EQ((problem<std::map<int, int>>("82 01 01 cc 01 02")), "$[\"1\"]: the key appears twice");
  EXPECT_EQ((problem<std::map<int, int>>("82 01 01 a1 78 02")),
            "$[key 1]: expected integer, got string");
  EXPECT_EQ((problem<std::map<std::string, bool>>("81 a1 78 02")),
            "$.x: expected boolean, got integer");
  std::map<int, int> old = {{9, 9}};
  ASSERT_TRUE(decode_msgpack_into(from_hex("81 01 02"), old).is_ok());
  EXPECT_EQ(old, (std::map<int, int>{{1, 2}}));
}

TEST(Msgpack, a_struct_is_a_map_with_its_members_in_any_order) {
  const Order order{.id = 1, .to = {.street = "x", .number = 7}, .note = {}, .priority = 2};
  const std::string bytes = encode_msgpack(order).value();
  EXPECT_EQ(to_hex(bytes),
            to_hex(from_hex("84 a2 69 64 01 a6 73 74 72 65 65 74 a1 78 a6 6e 75 6d 62 65 72 07"
                            " a8 70 72 69 6f 72 69 74 79 02")));
  EXPECT_EQ(read<Order>("82 a6 6e 75 6d 62 65 72 07 a2 69 64 05").value().to.number, 7);
  EXPECT_EQ(read<Order>("81 d9 02 69 64 05").value().id, 5) << "a key in more bytes than it needs";
  Order reused{.id = 4, .to = {.street = "old", .number = 4}, .note = "old", .priority = 4};
  ASSERT_TRUE(decode_msgpack_into(from_hex("81 a2 69 64 05"), reused).is_ok());
  EXPECT_EQ(reused.id, 5);
  EXPECT_EQ(reused.to.street, "");
  EXPECT_EQ(reused.to.number, 1);
  EXPECT_EQ(reused.note, std::nullopt);
  EXPECT_EQ(reused.priority, 9);
  EXPECT_EQ(problem<Order>("80"), "$.id: the field is required and missing");
  EXPECT_EQ(problem<Order>("82 a2 69 64 01 a2 69 64 01"), "$.id: the key appears twice");
  EXPECT_EQ(problem<Order>("81 01 02"),
            "$: expected the name of a member as a string, got integer");
  EXPECT_EQ(read<Order>("82 a2 69 64 01 a4 6e 6f 74 65 c0").value().note, std::nullopt);
}

TEST(Msgpack, options_refuse_what_is_unknown_or_missing) {
  MsgpackOptions options;
  EXPECT_EQ(problem<Known>("81 a4 6b 6e 6f 77 01", options), "none");
  options.refuse_unknown_fields = true;
  EXPECT_EQ(problem<Known>("81 a4 6b 6e 6f 77 01", options),
            "$.know: unknown field, did you mean 'known'? (refuse_unknown_fields is on)");
  options = {};
  options.require_all_fields = true;
  EXPECT_EQ(problem<Known>("80", options),
            "$.known: the field is missing (require_all_fields is on)");
  EXPECT_EQ(problem<Known>("80"), "none");
  options = {};
  options.enums_as_numbers = true;
  EXPECT_EQ(to_hex(encode_msgpack(Colour::green, {}, options).value()), "07");
}

TEST(Msgpack, unknown_members_are_skipped_whatever_they_are) {
  for (const char* value :
       {"c0", "c3", "07", "e1", "ca 00 00 00 00", "a1 61", "c4 01 ff", "92 01 90", "81 01 80",
        "81 92 01 02 c3", "d4 05 00", "d8 05 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        "c7 03 ff 01 02 03", "c8 00 01 05 00", "c9 00 00 00 00 05"}) {
    const std::string hex = "82 a1 78 " + std::string(value) + " a5 6b 6e 6f 77 6e 05";
    const auto known = read<Known>(hex);
    ASSERT_TRUE(known) << hex << known.error();
    EXPECT_EQ(known->known, 5);
  }
  EXPECT_EQ(problem<Known>("81 a1 78 a1 ff"), "$.x: a string that is not UTF-8 (byte 3)");
  EXPECT_EQ(problem<Known>("81 a1 78 92 01 c1"), "$.x[1]: 0xc1 starts no value (byte 5)");
  EXPECT_EQ(problem<Known>("81 a1 78 81 05 a2 61"),
            "$.x[\"5\"]: the message ends within this value (byte 5)");
}

TEST(Msgpack, unknown_members_are_kept_where_there_is_room_for_them) {
  const std::string bytes = from_hex("83 a5 6b 6e 6f 77 6e 05 a1 78 92 01 90 a1 79 c7 01 05 aa");
  auto keeping = decode_msgpack<Keeping>(bytes);
  ASSERT_TRUE(keeping) << keeping.error();
  EXPECT_EQ(encode_msgpack(*keeping).value(), bytes) << "counted in the head, too";
  keeping->late = 1;
  EXPECT_EQ(encode_msgpack(*keeping).value()[0], '\x84');
  ASSERT_TRUE(decode_msgpack_into(from_hex("81 a5 6b 6e 6f 77 6e 06"), *keeping).is_ok());
  EXPECT_EQ(to_hex(encode_msgpack(*keeping).value()), "81a56b6e6f776e06") << "nothing old is left";
  keeping->others.msgpack = from_hex("a1 78");
  EXPECT_EQ(
      encode_msgpack(*keeping).error().message(),
      "$: what UnknownFields holds cannot be written: $: expected a value, got the end of the "
      "message (byte 2)");
  keeping->others.msgpack = from_hex("05 a1 78 a5 6b 6e 6f 77 6e 05");
  EXPECT_EQ(encode_msgpack(*keeping).error().message(),
            "$: what UnknownFields holds cannot be written: \"known\" is known");
}

TEST(Msgpack, enums_travel_by_name_and_are_read_by_number_too) {
  expect_bytes(Colour::green, "a5 67 72 65 65 6e");
  expect_bytes(static_cast<Colour>(5), "05");
  EXPECT_EQ(read<Colour>("fd").value(), Colour::blue);
  EXPECT_EQ(problem<Colour>("a4 67 72 65 6e"), R"($: "gren" is no Colour: did you mean "green"?)");
  EXPECT_EQ(problem<Colour>("90"), "$: expected the name of a Colour, got array");
}

TEST(Msgpack, a_variant_is_a_map_with_the_name_of_its_alternative) {
  using Shape = std::variant<std::monostate, Circle, std::string, std::vector<int>>;
  expect_bytes(Shape(), "c0");
  expect_bytes(Shape("x"), "81 a6 73 74 72 69 6e 67 a1 78");
  expect_bytes(Shape(std::vector<int>{1}), "81 a4 6c 69 73 74 91 01");
  expect_bytes(Shape(Circle{1}),
               "81 a6 43 69 72 63 6c 65 81 a6 72 61 64 69 75 73 "
               "cb 3f f0 00 00 00 00 00 00");
  EXPECT_EQ(problem<Shape>("80"), "$: no alternative: expected nil, Circle, string, list");
  EXPECT_EQ(problem<Shape>("82 a4 6c 69 73 74 90 c0 c0"), "$: more than one alternative");
  EXPECT_EQ(problem<Shape>("81 a1 78 90"),
            "$: no alternative \"x\": expected nil, Circle, string, list");
  EXPECT_EQ(problem<Shape>("81 a4 6c 69 73 74 c0"), "$.list: expected array, got nil");
  EXPECT_EQ(problem<Shape>("01"),
            "$: expected a map with the name of one alternative, got integer");
  EXPECT_NE((problem<std::variant<int, bool>>("c0")), "none");
}

TEST(Msgpack, a_flattened_variant_is_one_of_several_members) {
  Drawing drawing{.title = "a", .shape = Square{2}, .filled = true};
  const std::string bytes = encode_msgpack(drawing).value();
  EXPECT_EQ(bytes[0], '\x83');
  EXPECT_EQ(decode_msgpack<Drawing>(bytes).value(), drawing);
  ASSERT_TRUE(decode_msgpack_into(from_hex("81 a5 74 69 74 6c 65 a1 63"), drawing).is_ok());
  EXPECT_EQ(drawing.shape.index(), 0U) << "none of them: as it is by default";
  EXPECT_EQ(encode_msgpack(drawing).value()[0], '\x82');
  EXPECT_EQ(problem<Drawing>("82 a6 43 69 72 63 6c 65 80 a6 53 71 75 61 72 65 80"),
            "$.Square: there is 'Circle' already, and only one of them");
}

TEST(Msgpack, a_type_may_travel_as_another_or_hold_itself) {
  EXPECT_EQ(encode_msgpack(Money{25}).value(), from_hex("a5") + "25 ct");
  EXPECT_EQ(read<Money>("a5 32 35 20 63 74").value().cents, 25);
  EXPECT_EQ(problem<std::vector<Money>>("91 a1 78"), "$[0]: expected cents as in \"12 ct\"");
  auto node = decode_json<Node>(R"({"value":1,"right":{"value":3,"left":{"value":4}}})").value();
  const std::string bytes = encode_msgpack(node).value();
  EXPECT_EQ(decode_msgpack<Node>(bytes).value().right->left->value, 4);
  ASSERT_TRUE(decode_msgpack_into(from_hex("81 a4 6c 65 66 74 80"), node).is_ok());
  EXPECT_NE(node.left, nullptr);
  EXPECT_EQ(node.right, nullptr) << "absent, so reset";
}

TEST(Msgpack, json_is_a_text) {
  expect_bytes(Json{"[1, null]"}, "a9 5b 31 2c 20 6e 75 6c 6c 5d");
  EXPECT_EQ(read<Json>("a3 20 31 0a").value().text, "1");
  EXPECT_EQ(problem<Json>("a1 5b").substr(0, 14), "$: no JSON: $[");
  EXPECT_EQ(problem<Json>("01"), "$: expected string, got integer");
  EXPECT_EQ(encode_msgpack(Json{"["}).error().message().substr(0, 32),
            "$: this Json cannot be written: ");
}

TEST(Msgpack, points_in_time_are_timestamps_in_their_shortest_form) {
  using namespace std::chrono;
  using Nanos = sys_time<nanoseconds>;
  expect_bytes(sys_seconds(seconds(0)), "d6 ff 00 00 00 00");
  expect_bytes(sys_seconds(seconds(4'294'967'295)), "d6 ff ff ff ff ff");
  expect_bytes(sys_seconds(seconds(4'294'967'296)), "d7 ff 00 00 00 01 00 00 00 00");
  expect_bytes(Nanos(nanoseconds(1)), "d7 ff 00 00 00 04 00 00 00 00");
  expect_bytes(sys_seconds(seconds((1LL << 34) - 1)), "d7 ff 00 00 00 03 ff ff ff ff");
  expect_bytes(sys_seconds(seconds(1LL << 34)), "c7 0c ff 00 00 00 00 00 00 00 04 00 00 00 00");
  expect_bytes(Nanos(nanoseconds(-1)), "c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff");
  EXPECT_EQ(read<sys_seconds>("c7 08 ff 00 00 00 04 00 00 00 07").value(), sys_seconds(seconds(7)));
  EXPECT_EQ(problem<sys_seconds>("d7 ff ee 6b 28 00 00 00 00 00"),
            "$: a timestamp has less than 1000000000 nanoseconds, not 1000000000 (byte 0)");
  EXPECT_EQ(problem<sys_seconds>("d5 ff 00 00"),
            "$: a timestamp has 4, 8 or 12 bytes, not 2 (byte 0)");
  EXPECT_EQ(problem<sys_seconds>("d6 05 00 00 00 00"),
            "$: expected a timestamp (extension -1), got extension 5");
  EXPECT_EQ(problem<sys_seconds>("00"), "$: expected a timestamp (extension -1), got integer");
  EXPECT_EQ(problem<Nanos>("c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff"),
            "$: this timestamp does not fit the unit and size of its field");
}

TEST(Msgpack, durations_are_seconds_and_nanoseconds) {
  using namespace std::chrono;
  expect_bytes(milliseconds(1'500), "92 01 ce 1d cd 65 00");
  expect_bytes(nanoseconds(-1), "92 00 ff");
  expect_bytes(hours(1), "92 cd 0e 10 00");
  EXPECT_EQ(read<nanoseconds>("92 ff ff").value(), nanoseconds(-1'000'000'001));
  for (const char* hex : {"92 01 ff", "92 ff 01", "92 00 ce 3b 9a ca 00"}) {
    EXPECT_NE(problem<nanoseconds>(hex).find("of one sign"), std::string::npos) << hex;
  }
  EXPECT_EQ(problem<nanoseconds>("92 cf 00 00 00 02 25 c1 7d 05 00"),
            "$: this duration does not fit the unit and size of its field");
  EXPECT_EQ(problem<seconds>("91 00"), "$: expected an array of 2 elements, got 1");
  EXPECT_EQ(problem<seconds>("92 00 a0"), "$[1]: expected integer, got string");
}

// The writer puts what it writes together in pieces.
TEST(Msgpack, messages_of_every_size_are_whole) {
  using Row = std::pair<std::string, std::vector<std::uint32_t>>;
  for (std::size_t size = 0; size < 5'000; size += size < 4'200 && size > 1'900 ? 1 : 97) {
    const Row row{std::string(size, 'x'), {1, 1'000, 1'000'000}};
    const auto bytes = encode_msgpack(row);
    ASSERT_TRUE(bytes) << bytes.error();
    ASSERT_EQ(decode_msgpack<Row>(*bytes).value(), row) << size;
  }
  std::vector<std::map<std::string, double>> rows(300);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i][std::string(i * 11, 'k')] = 0.5;
  EXPECT_EQ(decode_msgpack<decltype(rows)>(encode_msgpack(rows).value()).value(), rows);
  std::string out = "before";
  ASSERT_TRUE(encode_msgpack_to(out, rows).is_ok());
  EXPECT_EQ(out, "before" + encode_msgpack(rows).value());
}

TEST(Msgpack, a_list_that_begins_with_its_longest_asks_for_no_memory_as_if_all_were_so_long) {
  std::vector<std::string> texts(20'000);
  texts[0] = std::string(3'000, 'x');
  texts[1] = texts[0];
  const std::string bytes = encode_msgpack(texts).value();
  EXPECT_LE(bytes.capacity(), 8 * (2 * texts[0].size() + 2'048));
  EXPECT_EQ(decode_msgpack<std::vector<std::string>>(bytes).value(), texts);
}

TEST(Msgpack, random_values_of_every_type_survive) {
  Dice dice(5);
  Sample reused;
  for (int i = 0; i < 1'000; ++i) {
    const Sample sample = dice.sample();
    const auto bytes = encode_msgpack(sample);
    ASSERT_TRUE(bytes) << bytes.error();
    ASSERT_TRUE(validate_msgpack(*bytes).is_ok());
    ASSERT_EQ(decode_msgpack<Sample>(*bytes).value(), sample);
    ASSERT_TRUE(decode_msgpack_into(*bytes, reused).is_ok());
    ASSERT_EQ(reused, sample);
    // The same through JSON and back.
    const auto other = decode_json<Sample>(encode_json(reused).value());
    ASSERT_EQ(encode_msgpack(*other).value().size(), bytes->size());
  }
}

}  // namespace
}  // namespace parley::codec
