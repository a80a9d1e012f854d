#include "parley/codec/form.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "parley/codec/testing/sample.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::form_test {

enum class Colour { red, green = 7 };

struct Address {
  std::string street;
  int number = 1;
  friend bool operator==(const Address&, const Address&) = default;
};

struct Search {
  int id = 0;
  std::string tea = "oolong";
  std::vector<std::string> tags;
  Colour colour = Colour::red;
  std::vector<std::byte> raw;
  std::chrono::milliseconds wait{0};
  std::optional<int> limit;
  std::optional<std::string> note;
  Address to;
  std::map<std::string, int> stock;
  friend bool operator==(const Search&, const Search&) = default;
};

struct Circle {
  double radius = 0;
  friend bool operator==(const Circle&, const Circle&) = default;
};
struct Square {
  double side = 0;
  friend bool operator==(const Square&, const Square&) = default;
};
struct Drawing {
  std::variant<std::monostate, Circle, std::string> shape;
  std::variant<Circle, Square> other;
  friend bool operator==(const Drawing&, const Drawing&) = default;
};

struct Strict {
  int known = 0;
};

struct Needs {
  int id = 0;
  Address home;
};

struct NeedsLists {
  std::vector<int> list;
  std::map<std::string, int> map;
  int number = 0;
  friend bool operator==(const NeedsLists&, const NeedsLists&) = default;
};

struct Tree {
  int value = 0;
  std::unique_ptr<Tree> next;
};

struct Money {
  long cents = 0;
  friend bool operator==(const Money&, const Money&) = default;
};

}  // namespace parley::codec::form_test

template <>
inline constexpr auto parley::fields<parley::codec::form_test::Drawing> =
    parley::codec::field_rules<parley::codec::form_test::Drawing>(
        parley::codec::field<&parley::codec::form_test::Drawing::other>().flatten());
template <>
inline constexpr auto parley::fields<parley::codec::form_test::Strict> =
    parley::codec::field_rules<parley::codec::form_test::Strict>().on_unknown(
        parley::codec::OnUnknown::refuse);
template <>
inline constexpr auto parley::fields<parley::codec::form_test::Needs> =
    parley::codec::field_rules<parley::codec::form_test::Needs>(
        parley::codec::field<&parley::codec::form_test::Needs::id>().required(),
        parley::codec::field<&parley::codec::form_test::Needs::home>().flatten());
template <>
inline constexpr auto parley::fields<parley::codec::form_test::NeedsLists> =
    parley::codec::field_rules<parley::codec::form_test::NeedsLists>(
        parley::codec::field<&parley::codec::form_test::NeedsLists::list>().required(),
        parley::codec::field<&parley::codec::form_test::NeedsLists::map>().required(),
        parley::codec::field<&parley::codec::form_test::NeedsLists::number>().required());
template <>
struct parley::Representation<parley::codec::form_test::Money> {
  static std::string encode(const parley::codec::form_test::Money& money) {
    return std::to_string(money.cents) + " ct";
  }
  static parley::Status decode(const std::string& text, parley::codec::form_test::Money& money) {
    if (!text.ends_with(" ct"))
      return parley::Status(parley::Code::invalid_argument, "expected cents as in \"12 ct\"");
    money.cents = std::stol(text);
    return {};
  }
};

namespace parley::codec {
namespace {

using namespace form_test;
using testing::Dice;

template <class T>
void expect_form(const T& value, std::string_view text) {
  const auto written = encode_form(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(*written, text);
  const auto read = decode_form<T>(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
std::string problem(std::string_view text, const Limits& limits = {},
                    const FormOptions& options = {}) {
  const auto value = decode_form<T>(text, limits, options);
  return value ? "none" : value.error().message();
}

TEST(Form, a_struct_is_its_members_as_pairs) {
  Search search{.id = 7,
                .tea = "green tea & co",
                .tags = {"a", "b=c"},
                .colour = Colour::green,
                .raw = {std::byte{0xFB}, std::byte{0xFF}},
                .wait = std::chrono::milliseconds(1'500),
                .limit = 5,
                .note = "",
                .to = {.street = "grün+", .number = 2},
                .stock = {{"red tea", 1}, {"x.y", 2}}};
  expect_form(search,
              "id=7&tea=green+tea+%26+co&tags=a&tags=b%3Dc&colour=green&raw=%2B%2F8%3D&wait=1.500s"
              "&limit=5&note=&to.street=gr%C3%BCn%2B&to.number=2&stock.red+tea=1&stock.x.y=2");
  search = {};
  expect_form(search, "id=0&tea=oolong&colour=red&raw=&wait=0s&to.street=&to.number=1");
}

TEST(Form, pairs_come_in_any_order_and_lists_in_two_styles) {
  const auto search =
      decode_form<Search>("to.number=3&tags%5B%5D=a&id=1&&tags=b&to.street=x&tags[]=c&");
  ASSERT_TRUE(search) << search.error();
  EXPECT_EQ(search->to.number, 3);
  EXPECT_EQ(search->to.street, "x");
  EXPECT_EQ(search->tags, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(search->tea, "oolong");
  EXPECT_TRUE(decode_form<Search>(""));
  EXPECT_EQ(decode_form<Search>("note").value().note, "") << "a key alone has an empty value";
}

TEST(Form, nothing_old_is_left_in_a_reused_object) {
  Search search;
  search.id = 7;
  search.tea = "x";
  search.tags = {"a", "b"};
  search.limit = 5;
  search.note = "old";
  search.to = {.street = "x", .number = 3};
  search.stock = {{"a", 1}};
  ASSERT_TRUE(decode_form_into("tags=c&limit=", search).is_ok());
  Search expected;
  expected.tags = {"c"};
  EXPECT_EQ(search, expected) << "an empty value is an empty optional of a number";
}

TEST(Form, maps_variants_and_representations_follow_a_dot) {
  expect_form(Drawing{.shape = Circle{1.5}, .other = Square{2}},
              "shape.Circle.radius=1.5&Square.side=2");
  expect_form(Drawing{.shape = "a b", .other = Circle{2}}, "shape.string=a+b&Circle.radius=2");
  expect_form(Drawing{.shape = {}, .other = Circle{2}}, "Circle.radius=2");
  expect_form(std::map<std::string, std::vector<int>>{{"a.b", {1, 2}}, {"c", {3}}},
              "a.b=1&a.b=2&c=3");
  expect_form(std::map<int, Address>{{-1, {.street = "x", .number = 2}}},
              "-1.street=x&-1.number=2");
  expect_form(std::map<Colour, bool>{{Colour::green, true}}, "green=true");
  expect_form(std::map<std::string, Money>{{"a", {5}}}, "a=5+ct");
  EXPECT_EQ((problem<std::map<std::string, Money>>("a=5")), "$.a: expected cents as in \"12 ct\"");
  EXPECT_EQ((problem<std::map<int, int>>("x=5")), "$.x: expected an integer, got \"x\"");
  EXPECT_EQ((problem<std::map<int, int>>("1=5&1=6")), "$[\"1\"]: the key appears twice");
  EXPECT_EQ(problem<Drawing>("shape.Oval=1"),
            "$.shape: no alternative \"Oval\": expected nothing, Circle, string");
  EXPECT_EQ(problem<Drawing>("shape.Circle.radius=1&shape.string=x"),
            "$.shape: more than one alternative");
  EXPECT_EQ(problem<Drawing>("Circle.radius=1&Square.side=2"),
            "$.Square: there is 'Circle' already, and only one of them");
}

TEST(Form, lists_of_any_container_and_of_one_length) {
  struct Lists {
    std::array<int, 2> pair{};
    std::tuple<int, std::string> both;
    std::set<int> set;
    std::deque<bool> deque;
    std::vector<bool> bits;
    std::vector<Money> prices;
  };
  const std::string text =
      "pair=1&pair=2&both=3&both=x&set=4&set=5&deque=true&bits=false&bits=true&prices=6+ct";
  const auto lists = decode_form<Lists>(text);
  ASSERT_TRUE(lists) << lists.error();
  EXPECT_EQ(encode_form(*lists).value(), text);
  EXPECT_EQ(problem<Lists>("pair=1"), "$.pair: expected an array of 2 elements, got 1");
  EXPECT_EQ(problem<Lists>("both=1&both=x&both=y"),
            "$.both: expected an array of 2 elements, got 3");
  EXPECT_EQ(problem<Lists>("set=1&set=x"), "$.set[1]: expected an integer, got \"x\"");
  struct Deep {
    std::vector<std::vector<int>> rows;
    std::vector<Address> homes;
    std::vector<std::optional<int>> some;
  };
  EXPECT_EQ(problem<Deep>("rows=1"), "$.rows: a list of arrays cannot be in a form: use JSON");
  EXPECT_EQ(problem<Deep>("homes=1"), "$.homes: a list of objects cannot be in a form: use JSON");
  EXPECT_EQ(encode_form(Deep{.rows = {{1}}, .homes = {}, .some = {}}).error().message(),
            "$.rows[0]: a list of arrays cannot be in a form: use JSON");
  EXPECT_EQ(encode_form(Deep{.rows = {}, .homes = {}, .some = {1, {}}}).error().message(),
            "$.some[1]: an empty optional in a list cannot be in a form");
}

TEST(Form, what_is_wrong_is_told_with_its_place) {
  EXPECT_EQ(problem<Search>("id=1&tea=%4"),
            "$: a percent sign without two hexadecimal digits (byte 9)");
  EXPECT_EQ(problem<Search>("%zz=1"), "$: a percent sign without two hexadecimal digits (byte 0)");
  EXPECT_EQ(problem<Search>("tea=a%"), "$: a percent sign without two hexadecimal digits (byte 5)");
  EXPECT_EQ(problem<Search>("tea=a b"),
            "$: a space or control character must be escaped: write '+' (byte 5)");
  EXPECT_EQ(problem<Search>("tea=a\n"),
            "$: a space or control character must be escaped: write it as '%' and two digits "
            "(byte 5)");
  EXPECT_EQ(problem<Search>("x=1&%ff=1"), "$: a key that is not UTF-8 (byte 4)");
  EXPECT_EQ(problem<Search>("tea=%ff"), "$.tea: a text that is not UTF-8");
  EXPECT_EQ(problem<Search>("id=1&id=1"), "$.id: the key appears twice");
  EXPECT_EQ(problem<Search>("id=x"), "$.id: expected an integer, got \"x\"");
  EXPECT_EQ(problem<Search>("to.number=%00"), "$.to.number: expected an integer, got \"\\u0000\"");
  EXPECT_EQ(problem<Search>("raw=!"), "$.raw: expected bytes in base64, got \"!\"");
  EXPECT_EQ(problem<Search>("id.x=1"), "$.id.x: this is a single value without members");
  EXPECT_EQ(problem<Search>("to=1"),
            "$.to: expected a member behind a dot, as in key.member=value");
  EXPECT_EQ(problem<Search>("stock=1"),
            "$.stock: expected the key of an entry behind a dot, as in key.entry=value");
  EXPECT_EQ(problem<int>("1"), "$: a form is read into a struct or a map, not into an integer");
  EXPECT_EQ(encode_form(1).error().message(),
            "$: a form is made of a struct or a map, not of an integer");
}

TEST(Form, required_missing_and_unknown_keys_follow_rules_and_options) {
  EXPECT_EQ(problem<Needs>("street=x"), "$.id: the field is required and missing");
  EXPECT_EQ(decode_form<Needs>("id=1&street=x").value().home.street, "x") << "flattened";
  EXPECT_EQ(problem<Strict>("know=1"),
            "$.know: unknown field, did you mean 'known'? (its type refuses them)");
  EXPECT_EQ(problem<Search>("x=1"), "none");
  FormOptions options;
  options.refuse_unknown_fields = true;
  EXPECT_EQ(problem<Search>("to.numbr=1", {}, options),
            "$.to.numbr: unknown field, did you mean 'number'? (refuse_unknown_fields is on)");
  options = {};
  options.require_all_fields = true;
  EXPECT_EQ(problem<Address>("street=x", {}, options),
            "$.number: the field is missing (require_all_fields is on)");
  EXPECT_EQ(problem<Address>("street=x"), "none");
  options = {};
  options.enums_as_numbers = true;
  EXPECT_EQ(encode_form(std::map<int, Colour>{{1, Colour::green}}, {}, options).value(), "1=7");
}

TEST(Form, an_empty_list_is_absent_and_nobody_can_ask_for_it) {
  expect_form(NeedsLists{}, "number=0");
  EXPECT_EQ(problem<NeedsLists>("list=1"), "$.number: the field is required and missing");
  EXPECT_EQ(problem<NeedsLists>("number=0", {}, {.require_all_fields = true}), "none");
  NeedsLists reused{.list = {1}, .map = {{"a", 1}}};
  ASSERT_TRUE(decode_form_into("number=0", reused).is_ok());
  EXPECT_EQ(reused, NeedsLists{});
}

TEST(Form, a_view_shows_what_is_not_escaped) {
  struct Shown {
    std::string_view text;
  };
  const std::string form = "text=gr\xC3\xBCn";
  EXPECT_EQ(decode_form<Shown>(form).value().text.data(), form.data() + 5);
  EXPECT_EQ(problem<Shown>("text=a+b"),
            "$.text: a text with escapes cannot be shown by a view: use std::string or a vector");
  FormOptions options;
  options.refuse_views = true;
  EXPECT_EQ(problem<Shown>("text=a", {}, options),
            "$.text: a view would show text that is gone: use std::string or a vector");
}

TEST(Form, what_would_be_read_as_something_else_is_not_written) {
  EXPECT_EQ(
      (encode_form(std::map<std::string, Address>{{"a.b", {}}}).error().message()),
      "$[\"a.b\"]: this key cannot be in a form: its dots or brackets would be taken for others");
  EXPECT_FALSE((encode_form(std::map<std::string, std::vector<int>>{{"a[]", {1}}})));
  expect_form(std::map<std::string, int>{{"a.b[]", 1}}, "a.b%5B%5D=1");
  std::string out = "/find?";
  EXPECT_FALSE(encode_form_to(out, std::map<std::string, std::string>{{"a", "\xff"}}).is_ok());
  EXPECT_EQ(out, "/find?");
  EXPECT_TRUE(encode_form_to(out, std::map<int, int>{{1, 2}, {3, 4}}).is_ok());
  EXPECT_EQ(out, "/find?1=2&3=4");
}

TEST(Form, limits_have_names) {
  EXPECT_EQ(problem<Search>("id=12", {.max_bytes = 4}),
            "$: the form has 5 bytes, more than max_bytes (4)");
  EXPECT_EQ(problem<Search>("id=12", {.max_bytes = 5}), "none");
  EXPECT_EQ(problem<Search>("a=1&b=2&c=3", {.max_elements = 2}),
            "$: more pairs than max_elements (2)");
  EXPECT_EQ(problem<Search>("a=1&b=2&c=3", {.max_elements = 3}), "none");
  EXPECT_EQ(problem<Search>("a=1234", {.max_string_bytes = 3}),
            "$: a string of 4 bytes, more than max_string_bytes (3)");
  EXPECT_EQ(problem<Search>("1234=a", {.max_string_bytes = 3}),
            "$: a string of 4 bytes, more than max_string_bytes (3)");
  EXPECT_EQ(problem<Search>("1234=a", {.max_string_bytes = 4}), "none");
  EXPECT_EQ(problem<Search>("to.number=1", {.max_depth = 1}),
            "$.to: nested deeper than max_depth (1)");
  EXPECT_EQ(problem<Search>("to.number=1", {.max_depth = 2}), "none");
  EXPECT_EQ(encode_form(Search(), {.max_depth = 1}).error().code(), Code::resource_exhausted);
}

void go_deep() {
  for (const std::size_t levels : {64U, 65U}) {
    std::string text;
    for (std::size_t i = 1; i < levels; ++i) text += "next.";
    text += "value=1";
    const auto tree = decode_form<Tree>(text);
    EXPECT_EQ(tree.has_value(), levels == 64) << tree.error();
    if (!tree) continue;
    EXPECT_TRUE(encode_form(*tree).value().ends_with(text));
  }
}

TEST(Form, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{52} << 10);
}

TEST(Form, random_texts_survive_as_keys_and_values) {
  Dice dice(31);
  for (int i = 0; i < 1'000; ++i) {
    std::map<std::string, std::string> map;
    for (std::size_t left = dice.below(6); left > 0; --left) map[dice.text()] = dice.text();
    const std::string text = encode_form(map).value();
    ASSERT_EQ((decode_form<std::map<std::string, std::string>>(text).value()), map) << text;
  }
}

}  // namespace
}  // namespace parley::codec
