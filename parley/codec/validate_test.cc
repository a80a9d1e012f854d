#include "parley/codec/validate.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "parley/codec/signature.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::validate_test {

enum class Colour : std::uint8_t { none, red };

struct Numbers {
  std::int8_t small = 5;
  std::int64_t wide = 0;
  std::uint64_t natural = 1;
  double ratio = 0.5;
  float share = 0.1F;
  std::vector<int> marks;
  int from_three = 3;
  int up_to_three = 3;
};

struct Texts {
  std::string name = "abc";
  std::string bytes = "abc";
  std::string exactly = "ab";
  std::vector<std::string> tags;
  std::vector<std::byte> blob;
  std::vector<int> many = {1};
  std::map<std::string, int> stock;
  std::string pattern = "7";
  std::vector<std::string> patterns;
};

struct NonZeros {
  int number = 1;
  double real = 1;
  bool flag = true;
  std::string text = "a";
  std::vector<int> list = {0};
  std::map<int, int> map = {{0, 0}};
  Colour colour = Colour::red;
  std::chrono::seconds pause{1};
  std::chrono::sys_seconds since{std::chrono::seconds(1)};
  std::optional<int> maybe;
};

struct Item {
  int quantity = 1;
};
struct Leaf {
  Item item;
};
struct Node {
  Item item;
  std::unique_ptr<Node> next;
};
struct Everywhere {
  Item inside;
  std::optional<Item> maybe;
  std::vector<Item> items;
  std::deque<Item> queue;
  std::array<Item, 2> pair;
  std::map<std::string, Item> by_name;
  std::unordered_map<int, Item> by_number;
  std::variant<std::monostate, Item, std::string> choice;
  std::unique_ptr<Item> pointer;
  std::tuple<int, Item> both;
  std::vector<std::vector<Leaf>> grid;
};
struct Flattened {
  Item item;
  std::variant<std::monostate, Leaf, std::string> choice;
};

struct Answers {
  int coded = 1;
  int ours = 1;
};

struct Login {
  std::string password = "a long one";
  int pin = 1234;
  double weight = 1;
};

struct All {
  std::string text = "abc";
  int number = 5;
};

// Counts how often it was looked at.
struct Watched {
  static inline int looks = 0;
  int value = 1;
};
struct WithoutRules {
  std::vector<Watched> watched;
  std::string text;
};
struct WithRules {
  std::vector<Watched> watched;
  int number = 1;
};
struct RuleOnWatched {
  Watched watched;
};
struct OnlyDescribed {
  int number = 0;
};

class Private {
 public:
  static constexpr auto parley_fields() {
    return field_table<Private>(
        field<&Private::cents_>("cents").range(1, 9),
        property<[](const Private& p) { return p.cents_ * 2; },
                 [](Private& p, int twice) { p.cents_ = twice / 2; }>("twice")
            .range(1, 12));
  }
  void set(int cents) { cents_ = cents; }

 private:
  int cents_ = 1;
};

}  // namespace parley::codec::validate_test

namespace validate_test = parley::codec::validate_test;
using parley::codec::field;
using parley::codec::field_rules;
using parley::codec::unbounded;

template <>
struct parley::Representation<validate_test::Watched> {
  static int encode(const validate_test::Watched& watched) {
    ++validate_test::Watched::looks;
    return watched.value;
  }
  static Status decode(int value, validate_test::Watched& watched) {
    watched.value = value;
    return {};
  }
};

template <>
inline constexpr auto parley::fields<validate_test::Numbers> = field_rules<validate_test::Numbers>(
    field<&validate_test::Numbers::small>().range(-5, 5),
    field<&validate_test::Numbers::wide>().range(-9'007'199'254'740'993, 9'007'199'254'740'993),
    field<&validate_test::Numbers::natural>().range(1, 18'446'744'073'709'551'614U),
    field<&validate_test::Numbers::ratio>().range(0, 0.5),
    field<&validate_test::Numbers::share>().range(0.1, 0.2),
    field<&validate_test::Numbers::marks>().range(1, 6),
    field<&validate_test::Numbers::from_three>().range(3, unbounded),
    field<&validate_test::Numbers::up_to_three>().range(unbounded, 3));

template <>
inline constexpr auto parley::fields<validate_test::Texts> = field_rules<validate_test::Texts>(
    field<&validate_test::Texts::name>().characters(2, 3),
    field<&validate_test::Texts::bytes>().bytes(2, 3),
    field<&validate_test::Texts::exactly>().bytes(2),
    field<&validate_test::Texts::tags>().characters(1, unbounded).elements(0, 2),
    field<&validate_test::Texts::blob>().bytes(0, 2),
    field<&validate_test::Texts::many>().elements(1, 2),
    field<&validate_test::Texts::stock>().elements(0, 1),
    field<&validate_test::Texts::pattern>().matches("7"),
    field<&validate_test::Texts::patterns>().matches("8"));

template <>
inline constexpr auto parley::fields<validate_test::NonZeros> =
    field_rules<validate_test::NonZeros>(field<&validate_test::NonZeros::number>().non_zero(),
                                         field<&validate_test::NonZeros::real>().non_zero(),
                                         field<&validate_test::NonZeros::flag>().non_zero(),
                                         field<&validate_test::NonZeros::text>().non_zero(),
                                         field<&validate_test::NonZeros::list>().non_zero(),
                                         field<&validate_test::NonZeros::map>().non_zero(),
                                         field<&validate_test::NonZeros::colour>().non_zero(),
                                         field<&validate_test::NonZeros::pause>().non_zero(),
                                         field<&validate_test::NonZeros::since>().non_zero(),
                                         field<&validate_test::NonZeros::maybe>().non_zero());

template <>
inline constexpr auto parley::fields<validate_test::Item> =
    field_rules<validate_test::Item>(field<&validate_test::Item::quantity>().range(1, 100));

template <>
inline constexpr auto parley::fields<validate_test::Flattened> =
    field_rules<validate_test::Flattened>(field<&validate_test::Flattened::item>().flatten(),
                                          field<&validate_test::Flattened::choice>().flatten());

template <>
inline constexpr auto parley::fields<validate_test::Answers> = field_rules<validate_test::Answers>(
    field<&validate_test::Answers::coded>().non_zero().otherwise(1001, "choose one"),
    field<&validate_test::Answers::ours>().non_zero().otherwise(parley::Code::permission_denied,
                                                                "not for you"));

template <>
inline constexpr auto parley::fields<validate_test::Login> = field_rules<validate_test::Login>(
    field<&validate_test::Login::password>().characters(8, 64).matches("o").secret(),
    field<&validate_test::Login::pin>().range(1000, 9999).secret(),
    field<&validate_test::Login::weight>().range(0, 5).secret());

template <>
inline constexpr auto parley::fields<validate_test::All> = field_rules<validate_test::All>(
    field<&validate_test::All::text>().matches("b").non_zero().bytes(0, 5),
    field<&validate_test::All::number>().non_zero().range(-9, 9));

template <>
inline constexpr auto parley::fields<validate_test::WithRules> =
    field_rules<validate_test::WithRules>(field<&validate_test::WithRules::number>().non_zero());
template <>
inline constexpr auto parley::fields<validate_test::RuleOnWatched> =
    field_rules<validate_test::RuleOnWatched>(
        field<&validate_test::RuleOnWatched::watched>().range(1, 5));
template <>
inline constexpr auto parley::fields<validate_test::OnlyDescribed> =
    field_rules<validate_test::OnlyDescribed>(
        field<&validate_test::OnlyDescribed::number>().described("how many").required());

namespace parley::codec::validate_test {
namespace {

// Knows only patterns that stand for themselves.
class Literally final : public PatternMatcher {
 public:
  [[nodiscard]] Result<bool> matches(std::string_view pattern,
                                     std::string_view text) const override {
    return text.find(pattern) != std::string_view::npos;
  }
};

const Literally literally;
const ValidateOptions with_patterns{.patterns = &literally};

template <class T>
std::string broken(const T& value) {
  const Status status = validate(value, with_patterns);
  if (status.is_ok()) return "";
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.business_code(), 0);
  EXPECT_EQ(status.cause(), "");
  return status.message();
}

// What is broken in a T that is good but for this.
template <class T, class M, class V>
std::string broken_with(M T::* member, V value) {
  T object{};
  EXPECT_EQ(broken(object), "");
  object.*member = std::move(value);
  return broken(object);
}

TEST(Validate, a_range_holds_both_its_ends_and_nothing_outside) {
  EXPECT_EQ(broken_with(&Numbers::small, std::int8_t{-5}), "");
  EXPECT_EQ(broken_with(&Numbers::small, std::int8_t{6}), "$.small: 6 is bigger than 5");
  EXPECT_EQ(broken_with(&Numbers::small, std::int8_t{-6}), "$.small: -6 is smaller than -5");
  EXPECT_EQ(broken_with(&Numbers::from_three, std::numeric_limits<int>::max()), "");
  EXPECT_EQ(broken_with(&Numbers::from_three, 2), "$.from_three: 2 is smaller than 3");
  EXPECT_EQ(broken_with(&Numbers::up_to_three, std::numeric_limits<int>::min()), "");
  EXPECT_EQ(broken_with(&Numbers::up_to_three, 4), "$.up_to_three: 4 is bigger than 3");
}

TEST(Validate, integers_are_compared_to_the_last_bit) {
  EXPECT_EQ(broken_with(&Numbers::wide, 9'007'199'254'740'993), "");
  EXPECT_EQ(broken_with(&Numbers::wide, 9'007'199'254'740'994),
            "$.wide: 9007199254740994 is bigger than 9007199254740993");
  EXPECT_EQ(broken_with(&Numbers::wide, -9'007'199'254'740'994),
            "$.wide: -9007199254740994 is smaller than -9007199254740993");
  EXPECT_EQ(broken_with(&Numbers::natural, 18'446'744'073'709'551'614U), "");
  EXPECT_EQ(broken_with(&Numbers::natural, 18'446'744'073'709'551'615U),
            "$.natural: 18446744073709551615 is bigger than 18446744073709551614");
  EXPECT_EQ(broken_with(&Numbers::natural, 0U), "$.natural: 0 is smaller than 1");
}

TEST(Validate, floating_point_numbers_have_ranges_and_nan_is_in_none) {
  EXPECT_EQ(broken_with(&Numbers::ratio, 0.0), "");
  EXPECT_EQ(broken_with(&Numbers::ratio, 0.5000001), "$.ratio: 0.5000001 is bigger than 0.5");
  EXPECT_EQ(broken_with(&Numbers::ratio, -1e-9), "$.ratio: -1e-09 is smaller than 0");
  EXPECT_EQ(broken_with(&Numbers::ratio, std::numeric_limits<double>::quiet_NaN()),
            "$.ratio: NaN is in no range");
  EXPECT_EQ(broken_with(&Numbers::share, 0.2F), "") << "the ends are rounded to floats";
  EXPECT_EQ(broken_with(&Numbers::share, 0.25F), "$.share: 0.25 is bigger than 0.2");
}

TEST(Validate, a_range_is_that_of_each_element_of_a_list) {
  EXPECT_EQ(broken_with(&Numbers::marks, std::vector{1, 6}), "");
  EXPECT_EQ(broken_with(&Numbers::marks, std::vector{1, 6, 7}), "$.marks[2]: 7 is bigger than 6");
}

TEST(Validate, lengths_are_in_bytes_or_in_characters_as_said) {
  EXPECT_EQ(broken_with(&Texts::name, "水水水"), "");
  EXPECT_EQ(broken_with(&Texts::name, "水"), "$.name: \"水\" has 1 character, fewer than 2");
  EXPECT_EQ(broken_with(&Texts::name, "abcd"), "$.name: \"abcd\" has 4 characters, more than 3");
  EXPECT_EQ(broken_with(&Texts::bytes, "水"), "") << "one character of three bytes";
  EXPECT_EQ(broken_with(&Texts::bytes, "水水"), "$.bytes: \"水水\" has 6 bytes, more than 3");
  EXPECT_EQ(broken_with(&Texts::exactly, "abc"), "$.exactly: \"abc\" has 3 bytes, not 2");
  EXPECT_EQ(broken_with(&Texts::blob, std::vector<std::byte>(2)), "");
  EXPECT_EQ(broken_with(&Texts::blob, std::vector<std::byte>(3)),
            "$.blob: the value has 3 bytes, more than 2");
}

TEST(Validate, a_list_counts_its_elements_and_measures_each) {
  using List = std::vector<std::string>;
  EXPECT_EQ(broken_with(&Texts::tags, List{"a", "b"}), "");
  EXPECT_EQ(broken_with(&Texts::tags, List{"a", "b", "c"}),
            "$.tags: the list has 3 elements, more than 2");
  EXPECT_EQ(broken_with(&Texts::tags, List{"a", ""}),
            "$.tags[1]: \"\" has 0 characters, fewer than 1");
  EXPECT_EQ(broken_with(&Texts::many, std::vector<int>{}),
            "$.many: the list has 0 elements, fewer than 1");
  EXPECT_EQ(broken_with(&Texts::stock, std::map<std::string, int>{{"a", 1}}), "");
  EXPECT_EQ(broken_with(&Texts::stock, std::map<std::string, int>{{"a", 1}, {"b", 1}}),
            "$.stock: the map has 2 elements, more than 1");
}

TEST(Validate, a_pattern_is_that_of_a_text_or_of_each_in_a_list) {
  EXPECT_EQ(broken_with(&Texts::pattern, "a7b"), "");
  EXPECT_EQ(broken_with(&Texts::pattern, "a8b"), "$.pattern: \"a8b\" does not match 7");
  using List = std::vector<std::string>;
  EXPECT_EQ(broken_with(&Texts::patterns, List{"8", "18"}), "");
  EXPECT_EQ(broken_with(&Texts::patterns, List{"8", "9"}), "$.patterns[1]: \"9\" does not match 8");
}

TEST(Validate, a_pattern_that_nobody_matches_is_an_error_and_never_passed) {
  const Status status = validate(Texts());
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_EQ(status.message(),
            "$.pattern: there is nobody to match the pattern 7: give ValidateOptions::patterns a "
            "RegexPatterns (parley/codec/regex/regex.h)");
  EXPECT_EQ(check_rules<std::vector<Texts>>().code(), Code::failed_precondition);
  EXPECT_TRUE(check_rules<std::vector<Texts>>(with_patterns).is_ok());
  EXPECT_TRUE(check_rules<Everywhere>().is_ok()) << "it has no patterns";
}

TEST(Validate, non_zero_is_what_is_not_zero_false_or_empty) {
  EXPECT_EQ(broken_with(&NonZeros::number, 0), "$.number: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::number, -1), "");
  EXPECT_EQ(broken_with(&NonZeros::real, -0.0), "$.real: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::flag, false), "$.flag: it must not be false");
  EXPECT_EQ(broken_with(&NonZeros::text, ""), "$.text: it must not be empty");
  EXPECT_EQ(broken_with(&NonZeros::list, std::vector<int>{}), "$.list: it must not be empty");
  EXPECT_EQ(broken_with(&NonZeros::map, std::map<int, int>{}), "$.map: it must not be empty");
  EXPECT_EQ(broken_with(&NonZeros::colour, Colour::none), "$.colour: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::pause, std::chrono::seconds(0)), "$.pause: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::since, std::chrono::sys_seconds()), "$.since: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::maybe, std::optional<int>(0)), "$.maybe: it must not be 0");
  EXPECT_EQ(broken_with(&NonZeros::maybe, std::optional<int>(1)), "");
}

TEST(Validate, lengths_go_before_range_non_zero_and_pattern) {
  EXPECT_EQ(broken_with(&All::text, "xxxxxx"), "$.text: \"xxxxxx\" has 6 bytes, more than 5");
  EXPECT_EQ(broken_with(&All::text, ""), "$.text: it must not be empty");
  EXPECT_EQ(broken_with(&All::text, "xx"), "$.text: \"xx\" does not match b");
  EXPECT_EQ(broken_with(&All::number, 10), "$.number: 10 is bigger than 9");
  EXPECT_EQ(broken_with(&All::number, 0), "$.number: it must not be 0");
}

TEST(Validate, rules_hold_wherever_a_struct_is) {
  const auto put = [](auto change) {
    Everywhere value;
    EXPECT_EQ(broken(value), "");
    change(value);
    return broken(value);
  };
  const Item bad{.quantity = 0};
  const std::string what = ": 0 is smaller than 1";
  EXPECT_EQ(put([&](Everywhere& v) { v.inside = bad; }), "$.inside.quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.maybe = bad; }), "$.maybe.quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.items = {{}, {}, {}, bad}; }), "$.items[3].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.queue = {{}, bad}; }), "$.queue[1].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.pair[1] = bad; }), "$.pair[1].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.by_name["green tea"] = bad; }),
            "$.by_name[\"green tea\"].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.by_number[7] = bad; }),
            "$.by_number[\"7\"].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.choice = bad; }), "$.choice.Item.quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.choice = "text"; }), "");
  EXPECT_EQ(put([&](Everywhere& v) { v.pointer = std::make_unique<Item>(bad); }),
            "$.pointer.quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { std::get<1>(v.both) = bad; }), "$.both[1].quantity" + what);
  EXPECT_EQ(put([&](Everywhere& v) { v.grid = {{}, {Leaf(), Leaf{.item = bad}}}; }),
            "$.grid[1][1].item.quantity" + what);
}

TEST(Validate, what_is_flattened_keeps_its_rules) {
  Flattened value;
  EXPECT_EQ(broken(value), "");
  value.choice = Leaf{.item = {.quantity = 101}};
  EXPECT_EQ(broken(value), "$.Leaf.item.quantity: 101 is bigger than 100");
  value.choice = "text";
  EXPECT_EQ(broken(value), "");
  value.item.quantity = -1;
  EXPECT_EQ(broken(value), "$.quantity: -1 is smaller than 1");
}

TEST(Validate, private_members_and_properties_have_rules_in_their_table) {
  Private value;
  EXPECT_EQ(broken(value), "");
  value.set(10);
  EXPECT_EQ(broken(value), "$.cents: 10 is bigger than 9");
  value.set(8);
  EXPECT_EQ(broken(value), "$.twice: 16 is bigger than 12");
}

TEST(Validate, a_rule_sees_what_a_type_travels_as) {
  EXPECT_EQ(broken(RuleOnWatched{}), "");
  EXPECT_EQ(broken(RuleOnWatched{.watched = {.value = 6}}), "$.watched: 6 is bigger than 5");
}

TEST(Validate, the_arguments_of_a_call_are_a_tuple) {
  EXPECT_EQ(broken(std::tuple<int, Item>(0, {})), "");
  EXPECT_EQ(broken(std::tuple<int, Item>(0, {.quantity = 0})),
            "$[1].quantity: 0 is smaller than 1");
  const std::tuple<int, Item> arguments(0, {.quantity = 0});
  const Type& named = arguments_type<std::tuple<int, Item>, "count", "item">();
  EXPECT_EQ(validate_as(named, &arguments).message(), "$.item.quantity: 0 is smaller than 1");
}

TEST(Validate, a_rule_may_have_a_code_and_words_of_its_own) {
  EXPECT_TRUE(validate(Answers()).is_ok());
  const Status coded = validate(Answers{.coded = 0});
  EXPECT_EQ(coded.code(), Code::invalid_argument);
  EXPECT_EQ(coded.business_code(), 1001);
  EXPECT_EQ(coded.message(), "choose one");
  EXPECT_EQ(coded.cause(), "$.coded: it must not be 0");
  const Status ours = validate(Answers{.coded = 1, .ours = 0});
  EXPECT_EQ(ours.code(), Code::permission_denied);
  EXPECT_EQ(ours.business_code(), 0);
  EXPECT_EQ(ours.message(), "not for you");
  EXPECT_EQ(ours.cause(), "$.ours: it must not be 0");
}

TEST(Validate, values_are_shown_short_and_harmless) {
  EXPECT_EQ(broken_with(&Texts::name, std::string(1000, 'x')),
            "$.name: \"" + std::string(64, 'x') + "...\" has 1000 characters, more than 3");
  EXPECT_EQ(broken_with(&Texts::pattern, "a\n\x1b[31m\x7f\"\xC2\x9B\xE2\x80\xAE"),
            "$.pattern: \"a\\u000a\\u001b[31m\\u007f\\\"\\u009b\\u202e\" does not match 7");
  EXPECT_EQ(broken_with(&Texts::pattern, "\xFF"),
            "$.pattern: a text that is not UTF-8 does not match 7");
}

TEST(Validate, what_is_secret_is_not_shown) {
  EXPECT_EQ(broken_with(&Login::password, "short"),
            "$.password: the value has 5 characters, fewer than 8");
  EXPECT_EQ(broken_with(&Login::password, "12345678"), "$.password: the value does not match o");
  EXPECT_EQ(broken_with(&Login::pin, 12'345), "$.pin: the value is bigger than 9999");
  EXPECT_EQ(broken_with(&Login::pin, 1), "$.pin: the value is smaller than 1000");
  EXPECT_EQ(broken_with(&Login::weight, 6), "$.weight: the value is bigger than 5");
}

TEST(Validate, a_type_without_rules_is_not_looked_at) {
  EXPECT_FALSE(has_rules(type_of<WithoutRules>()));
  EXPECT_FALSE(has_rules(type_of<std::map<std::string, std::vector<WithoutRules>>>()));
  EXPECT_FALSE(has_rules(type_of<OnlyDescribed>())) << "nothing to check";
  EXPECT_TRUE(has_rules(type_of<WithRules>()));
  EXPECT_TRUE(has_rules(type_of<Node>())) << "a type that holds itself";
  EXPECT_TRUE(has_rules(type_of<std::vector<std::optional<Everywhere>>>()));
  const WithoutRules none{.watched = std::vector<Watched>(3), .text = {}};
  const WithRules some{.watched = std::vector<Watched>(3), .number = 1};
  Watched::looks = 0;
  EXPECT_TRUE(validate(none).is_ok());
  EXPECT_TRUE(validate(some).is_ok());
  EXPECT_EQ(Watched::looks, 0) << "the fields without rules are passed by";
  EXPECT_TRUE(validate(RuleOnWatched()).is_ok());
  EXPECT_EQ(Watched::looks, 1);
}

TEST(Validate, rules_are_shown_to_whoever_makes_schemas) {
  const Members& members = type_of<Texts>().members();
  const Rules* const tags = members.rules(members.find("tags"));
  ASSERT_NE(tags, nullptr);
  EXPECT_EQ(tags->unit, Unit::characters);
  EXPECT_EQ(tags->min_length, 1U);
  EXPECT_EQ(tags->max_length, Rules::any_length);
  EXPECT_EQ(tags->max_elements, 2U);
  EXPECT_EQ(members.rules(members.find("pattern"))->pattern, "7");
  EXPECT_EQ(type_of<OnlyDescribed>().members().rules(0)->description, "how many");
  EXPECT_EQ(type_of<WithRules>().members().rules(0), nullptr);
  const Members& numbers = type_of<Numbers>().members();
  EXPECT_EQ(numbers.rules(2)->max.natural, 18'446'744'073'709'551'614U);
  EXPECT_EQ(numbers.rules(3)->max.real, 0.5);
  EXPECT_EQ(type_of<Flattened>().members().rules(0)->max.integer, 100);
}

Node chain(std::size_t length) {
  Node first;
  Node* last = &first;
  for (std::size_t i = 1; i < length; ++i) {
    last->next = std::make_unique<Node>();
    last = last->next.get();
  }
  return first;
}

TEST(Validate, nesting_has_a_limit_with_a_name) {
  // The items are the innermost.
  EXPECT_TRUE(validate(chain(63)).is_ok());
  const Status status = validate(chain(64));
  EXPECT_EQ(status.code(), Code::resource_exhausted);
  EXPECT_TRUE(status.message().ends_with(".item: nested deeper than max_depth (64)")) << status;
  EXPECT_TRUE(validate(chain(64), {.max_depth = 65}).is_ok());
}

TEST(Validate, the_deepest_value_fits_a_small_stack) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  const auto run = [] {
    Node first = chain(63);
    Node* last = &first;
    while (last->next != nullptr) last = last->next.get();
    last->item.quantity = 0;
    EXPECT_EQ(validate(first).code(), Code::invalid_argument);
  };
  EXPECT_LT(testing::stack_used_by(run), 32U << 10);
}

}  // namespace
}  // namespace parley::codec::validate_test
