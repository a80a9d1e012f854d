#include "parley/codec/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/codec/json.h"

namespace parley::codec::fields_test {

struct Address {
  std::string street;
  int number = 1;
  friend bool operator==(const Address&, const Address&) = default;
};

struct Order {
  int id = 0;
  std::string tea;
  Address to;
  int priority = 3;
  friend bool operator==(const Order&, const Order&) = default;
};

struct Flags {
  std::string owner;
  unsigned low : 3;
  unsigned high : 5;
};

struct Counter {
  int& value;
};

struct Plain {
  int inherited = 1;
};
struct Derived : Plain {
  int own = 2;
};

class Account {
 public:
  Account() = default;
  explicit Account(long cents) : cents_(cents) {}
  [[nodiscard]] long cents() const { return cents_; }

  static constexpr auto parley_fields() {
    return field_table<Account>(field<&Account::cents_>("cents"),
                                field<&Account::owners_>("owners"));
  }

 private:
  long cents_ = 0;
  std::vector<std::string> owners_;
};

struct Circle {
  double radius = 0;
};
struct Square {
  double side = 0;
};
struct Drawing {
  std::string title;
  std::variant<std::monostate, Circle, Square> shape;
  bool filled = false;
};

struct Strict {
  int known = 0;
};
struct Lenient {
  int known = 0;
};
struct Keeping {
  int known = 0;
  UnknownFields others;
};

struct Money {
  long cents = 0;
};
struct Bill {
  Money total;
  std::vector<Money> parts;
};

}  // namespace parley::codec::fields_test

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Order> =
    parley::codec::field_rules<parley::codec::fields_test::Order>(
        parley::codec::field<&parley::codec::fields_test::Order::id>().number(7).required(),
        parley::codec::field<&parley::codec::fields_test::Order::tea>().named("kind of \"tea\""),
        parley::codec::field<&parley::codec::fields_test::Order::to>().flatten(),
        parley::codec::field<&parley::codec::fields_test::Order::priority>().default_to(
            [] { return 9; }));

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Flags> =
    parley::codec::field_table<parley::codec::fields_test::Flags>(
        parley::codec::field<&parley::codec::fields_test::Flags::owner>(),
        parley::codec::property<
            [](const parley::codec::fields_test::Flags& f) { return unsigned{f.low}; },
            [](parley::codec::fields_test::Flags& f, unsigned low) { f.low = low & 7; }>("low"));

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Counter> =
    parley::codec::field_table<parley::codec::fields_test::Counter>(
        parley::codec::property<
            [](const parley::codec::fields_test::Counter& c) { return c.value; },
            [](parley::codec::fields_test::Counter& c, int value) { c.value = value; }>("value"));

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Derived> =
    parley::codec::field_table<parley::codec::fields_test::Derived>(
        parley::codec::field<&parley::codec::fields_test::Derived::inherited>(),
        parley::codec::field<&parley::codec::fields_test::Derived::own>());

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Drawing> =
    parley::codec::field_rules<parley::codec::fields_test::Drawing>(
        parley::codec::field<&parley::codec::fields_test::Drawing::shape>().flatten());

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Strict> =
    parley::codec::field_rules<parley::codec::fields_test::Strict>().on_unknown(
        parley::codec::OnUnknown::refuse);
template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Lenient> =
    parley::codec::field_rules<parley::codec::fields_test::Lenient>().on_unknown(
        parley::codec::OnUnknown::ignore);

template <>
struct parley::Representation<parley::codec::fields_test::Money> {
  static std::string encode(const parley::codec::fields_test::Money& money) {
    return std::to_string(money.cents) + " ct";
  }
  static parley::Status decode(const std::string& text, parley::codec::fields_test::Money& money) {
    if (!text.ends_with(" ct"))
      return parley::Status(parley::Code::invalid_argument, "expected cents as in \"12 ct\"");
    money.cents = std::stol(text);
    return {};
  }
};

namespace parley::codec::fields_test {
namespace {

std::string error_of(const Status& status) { return status.message(); }

TEST(Fields, a_rule_changes_the_name_and_leaves_the_others_as_they_are) {
  const Order order{.id = 1, .tea = "oolong", .to = {.street = "Mill Lane", .number = 7}};
  const std::string text =
      R"({"id":1,"kind of \"tea\"":"oolong","street":"Mill Lane","number":7,"priority":3})";
  EXPECT_EQ(encode_json(order).value(), text);
  EXPECT_EQ(decode_json<Order>(text).value(), order);
  EXPECT_EQ(decode_json<Order>(R"({"number":7,"kind of \u0022tea\u0022":"oolong","id":1,)"
                               R"("priority":3,"street":"Mill Lane"})")
                .value(),
            order);
}

TEST(Fields, what_is_required_must_be_there_and_defaults_stand_in_for_the_rest) {
  const auto missing = decode_json<Order>(R"({"street":"x"})");
  ASSERT_FALSE(missing);
  EXPECT_EQ(error_of(missing.error()), "$.id: the field is required and missing");
  const auto order = decode_json<Order>(R"({"id":5})");
  ASSERT_TRUE(order) << order.error();
  EXPECT_EQ(order->priority, 9);
  EXPECT_EQ(order->to.number, 1);
}

TEST(Fields, numbers_are_positions_unless_given) {
  const auto fields = type_of<Order>().members().fields();
  ASSERT_EQ(fields.size(), 5u) << "flattened";
  EXPECT_EQ(fields[0].number, 7u);
  EXPECT_EQ(fields[1].number, 2u);
  EXPECT_EQ(fields[4].number, 5u);
}

struct Twice {
  int first = 0;
  int second = 0;
};
struct Same {
  int first = 0;
  int second = 0;
};

}  // namespace
}  // namespace parley::codec::fields_test

template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Twice> =
    parley::codec::field_rules<parley::codec::fields_test::Twice>(
        parley::codec::field<&parley::codec::fields_test::Twice::first>().named("second"));
template <>
inline constexpr auto parley::fields<parley::codec::fields_test::Same> =
    parley::codec::field_rules<parley::codec::fields_test::Same>(
        parley::codec::field<&parley::codec::fields_test::Same::first>().number(2));

namespace parley::codec::fields_test {
namespace {

struct Inner {
  int x = 1;
  int y = 2;
  UnknownFields rest;
};
struct Outer {
  Inner in;
  int z = 3;
};
struct Around {
  Inner in;
};
struct Several {
  std::array<Inner, 2> array;
  std::pair<int, Inner> pair;
  std::vector<Inner> list = std::vector<Inner>(1);
};
struct MaybeInner {
  std::optional<Inner> in;
};
struct Chosen {
  std::variant<std::monostate, Circle, Square> shape;
};
struct Grid {
  int cells[2] = {4, 5};
};

}  // namespace
}  // namespace parley::codec::fields_test

namespace fields_test = parley::codec::fields_test;
template <>
inline constexpr auto parley::fields<fields_test::Inner> =
    parley::codec::field_rules<fields_test::Inner>(
        parley::codec::field<&fields_test::Inner::x>().default_to([] { return 5; }),
        parley::codec::field<&fields_test::Inner::y>().number(40));
template <>
inline constexpr auto parley::fields<fields_test::Outer> =
    parley::codec::field_rules<fields_test::Outer>(
        parley::codec::field<&fields_test::Outer::in>().flatten().number(20));
template <>
inline constexpr auto parley::fields<fields_test::MaybeInner> =
    parley::codec::field_rules<fields_test::MaybeInner>(
        parley::codec::field<&fields_test::MaybeInner::in>().flatten());
template <>
inline constexpr auto parley::fields<fields_test::Chosen> =
    parley::codec::field_rules<fields_test::Chosen>(
        parley::codec::field<&fields_test::Chosen::shape>().flatten().required());
template <>
inline constexpr auto parley::fields<fields_test::Grid> =
    parley::codec::field_table<fields_test::Grid>(
        parley::codec::field<&fields_test::Grid::cells>());

namespace parley::codec::fields_test {
namespace {

TEST(Fields, a_flattened_struct_keeps_its_defaults_numbers_and_unknown_members) {
  EXPECT_EQ(decode_json<Inner>("{}").value().x, 5);
  EXPECT_EQ(decode_json<Around>("{}").value().in.x, 5);
  EXPECT_EQ(decode_json<Around>(R"({"in":{}})").value().in.x, 5);
  auto outer = decode_json<Outer>(R"({"y":7,"new":[1]})");
  ASSERT_TRUE(outer) << outer.error();
  EXPECT_EQ(outer->in.x, 5);
  EXPECT_EQ(encode_json(*outer).value(), R"({"x":5,"y":7,"z":3,"new":[1]})");
  ASSERT_TRUE(decode_json_into(R"({"x":1})", *outer).is_ok());
  EXPECT_EQ(outer->in.rest.json, "") << "nothing old is left";
  const auto fields = type_of<Outer>().members().fields();
  EXPECT_EQ(fields[0].number, 20u);
  EXPECT_EQ(fields[1].number, 40u) << "its own";
  EXPECT_EQ(fields[2].number, 3u);
}

TEST(Fields, a_default_holds_wherever_the_struct_stands_by_value) {
  const auto several = decode_json<Several>("{}");
  ASSERT_TRUE(several) << several.error();
  EXPECT_EQ(several->array[0].x, 5);
  EXPECT_EQ(several->array[1].x, 5);
  EXPECT_EQ(several->pair.second.x, 5);
  EXPECT_EQ(several->list.at(0).x, 1) << "as the outer initialiser says";
  EXPECT_EQ(decode_json<Several>(R"({"list":[{}]})")->list.at(0).x, 5) << "it is decoded";
}

TEST(Fields, an_outer_initialiser_holds_when_the_inner_struct_is_absent_as_a_whole) {
  struct Server {
    int port = 8080;
    std::string host;
  };
  struct Shop {
    Server main{.port = 8443, .host = {}};
  };
  EXPECT_EQ(decode_json<Shop>("{}")->main.port, 8443);
  EXPECT_EQ(decode_json<Shop>(R"({"main":{"host":"x"}})")->main.port, 8080);
}

TEST(Fields, of_a_required_flattened_variant_one_alternative_must_be_there) {
  EXPECT_EQ(error_of(decode_json<Chosen>("{}").error()),
            "$.Circle: none of the alternatives is there, and one must be");
  EXPECT_TRUE(decode_json<Chosen>(R"({"Square":{"side":1}})"));
  JsonOptions all;
  all.require_all_fields = true;
  EXPECT_TRUE(decode_json<Drawing>(R"({"title":"a","filled":true})", {}, all))
      << "std::monostate is one of them";
}

TEST(Fields, an_array_may_stand_in_a_table) {
  EXPECT_EQ(encode_json(Grid()).value(), R"({"cells":[4,5]})");
  EXPECT_EQ(decode_json<Grid>(R"({"cells":[6,7]})").value().cells[1], 7);
}

TEST(Fields, unknown_members_are_written_back_at_the_depth_they_came_from) {
  Limits limits;
  limits.max_depth = 1;
  const auto keeping = decode_json<Keeping>(R"({"known":1,"new":2})", limits);
  ASSERT_TRUE(keeping) << keeping.error();
  EXPECT_EQ(encode_json(*keeping, limits).value(), R"({"known":1,"new":2})");
  Keeping blank;
  blank.others.json = " ";
  EXPECT_EQ(encode_json(blank).value(), R"({"known":0})");
}

TEST(FieldsDeathTest, only_structs_and_variants_can_be_flattened) {
  EXPECT_DEATH((void)encode_json(MaybeInner()), "only a struct or a std::variant can be flattened");
}

TEST(FieldsDeathTest, two_fields_of_one_name_or_number_end_the_program) {
  EXPECT_DEATH((void)encode_json(Twice()), "the struct 'Twice' has two fields named 'second'");
  EXPECT_DEATH((void)encode_json(Same()), "the struct 'Same' has two fields numbered '2'");
}

TEST(Fields, a_table_describes_what_the_language_does_not_give_away) {
  Flags flags{};
  ASSERT_TRUE(decode_json_into(R"({"owner":"tea","low":5})", flags).is_ok());
  flags.high = 31;
  EXPECT_EQ(flags.low, 5u);
  EXPECT_EQ(encode_json(flags).value(), R"({"owner":"tea","low":5})");
  ASSERT_TRUE(decode_json_into(R"({"owner":"x"})", flags).is_ok());
  EXPECT_EQ(flags.low, 0u) << "an absent property is reset";

  EXPECT_EQ(encode_json(Derived()).value(), R"({"inherited":1,"own":2})");
  EXPECT_EQ(decode_json<Derived>(R"({"own":5,"inherited":4})").value().inherited, 4);

  const auto account = decode_json<Account>(R"({"cents":12,"owners":["a","b"]})");
  ASSERT_TRUE(account) << account.error();
  EXPECT_EQ(account->cents(), 12);
  EXPECT_EQ(encode_json(*account).value(), R"({"cents":12,"owners":["a","b"]})");
}

TEST(Fields, a_reference_is_reached_by_functions) {
  int value = 3;
  Counter counter{value};
  EXPECT_EQ(encode_json(counter).value(), R"({"value":3})");
  ASSERT_TRUE(decode_json_into(R"({"value":4})", counter).is_ok());
  EXPECT_EQ(value, 4);
  const Status status = decode_json_into("{}", counter);
  EXPECT_EQ(error_of(status), "$.value: the field is missing, and its type has no default");
}

TEST(Fields, a_flattened_variant_is_one_of_several_members) {
  Drawing drawing{.title = "a", .shape = Square{2}, .filled = true};
  EXPECT_EQ(encode_json(drawing).value(), R"({"title":"a","Square":{"side":2},"filled":true})");
  ASSERT_TRUE(decode_json_into(R"({"Circle":{"radius":1.5},"title":"b"})", drawing).is_ok());
  EXPECT_EQ(std::get<Circle>(drawing.shape).radius, 1.5);
  EXPECT_EQ(encode_json(drawing).value(),
            R"({"title":"b","Circle":{"radius":1.5},"filled":false})");
  ASSERT_TRUE(decode_json_into(R"({"title":"c"})", drawing).is_ok());
  EXPECT_EQ(drawing.shape.index(), 0u) << "none of them: as it is by default";
  const Status both = decode_json_into(R"({"Circle":{"radius":1},"Square":{"side":2}})", drawing);
  EXPECT_EQ(error_of(both), "$.Square: there is 'Circle' already, and only one of them");
}

TEST(Fields, what_happens_to_unknown_members_is_said_beside_the_type) {
  JsonOptions strict;
  strict.refuse_unknown_fields = true;
  EXPECT_EQ(error_of(decode_json<Strict>(R"({"know":1})").error()),
            "$.know: unknown field, did you mean 'known'? (its type refuses them)");
  EXPECT_TRUE(decode_json<Lenient>(R"({"other":1})", {}, strict));
  EXPECT_TRUE(decode_json<Order>(R"({"id":1,"other":1})"));
  EXPECT_FALSE(decode_json<Order>(R"({"id":1,"other":1})", {}, strict));
}

TEST(Fields, unknown_members_are_kept_where_there_is_room_for_them) {
  const std::string text = R"({"known":1,"new":[1,{"a":null}],"n\u0065wer":"x"})";
  auto keeping = decode_json<Keeping>(text);
  ASSERT_TRUE(keeping) << keeping.error();
  EXPECT_EQ(encode_json(*keeping).value(), text);
  ASSERT_TRUE(decode_json_into(R"({"known":2})", *keeping).is_ok());
  EXPECT_EQ(encode_json(*keeping).value(), R"({"known":2})") << "nothing old is left";
  keeping->others.json = "\"open";
  EXPECT_FALSE(encode_json(*keeping)) << "what is put there by hand is checked";
  keeping->others.json = R"("new": [ {"known": 1} ] , "kn\u006fwn":3)";
  EXPECT_EQ(error_of(encode_json(*keeping).error()),
            R"($: what UnknownFields holds cannot be written: "known" is known)");
  keeping->others.json = R"("new": [ {"known": 1} ] )";
  EXPECT_TRUE(encode_json(*keeping));
}

TEST(Fields, a_type_may_travel_as_another) {
  const Bill bill{.total = {250}, .parts = {{100}, {150}}};
  const std::string text = R"({"total":"250 ct","parts":["100 ct","150 ct"]})";
  EXPECT_EQ(encode_json(bill).value(), text);
  EXPECT_EQ(decode_json<Bill>(text).value().parts[1].cents, 150);
  EXPECT_EQ(error_of(decode_json<Bill>(R"({"parts":["1 ct","2 euros"]})").error()),
            "$.parts[1]: expected cents as in \"12 ct\"");
  EXPECT_EQ(error_of(decode_json<Bill>(R"({"total":1})").error()),
            "$.total: expected string, got number");
}

}  // namespace
}  // namespace parley::codec::fields_test
