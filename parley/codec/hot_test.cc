#include "parley/codec/hot.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/testing/random_types.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::hot_test {

using testing::Dice;
using testing::Leaf;
using testing::random_value;

// Each twice: by its table, and hot.
template <bool hot>
struct Nothing {};
template <bool hot>
struct Maybes {
  std::optional<std::string> text;
  std::optional<double> real;
  std::optional<std::vector<std::string>> texts;
  std::unique_ptr<std::int32_t> owned;
};
template <bool hot>
struct Line {
  bool gift = false;
  std::string name;
  std::int8_t small = 0;
  std::uint64_t big = 0;
  double price = 0;
  float ratio = 0;
  std::vector<std::string> labels;
};
template <bool hot>
struct Order {
  std::int64_t id = 0;
  std::vector<Line<hot>> lines;
  std::optional<Line<hot>> extra;
  Maybes<hot> maybes;
  Nothing<hot> nothing;
  std::map<std::string, std::vector<bool>> bits;
  std::vector<std::optional<std::int16_t>> gaps;
  std::vector<std::byte> bytes;
  std::vector<std::vector<std::uint32_t>> grid;
  Leaf leaf = Leaf::oolong;
  std::string last;
};

// What lies in itself: in a list, by itself, and by way of what is not hot.
template <bool hot>
struct Tree {
  std::vector<Tree<hot>> kids;
};
template <bool hot>
struct Chain {
  std::unique_ptr<Chain<hot>> next;
};
template <bool hot>
struct Names {
  std::map<std::string, Names<hot>> inner;
};

}  // namespace parley::codec::hot_test

namespace parley {

template <>
inline constexpr bool is_hot<codec::hot_test::Nothing<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Maybes<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Line<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Order<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Tree<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Chain<true>> = true;
template <>
inline constexpr bool is_hot<codec::hot_test::Names<true>> = true;
template <bool hot>
inline constexpr auto fields<codec::hot_test::Line<hot>> =
    codec::field_rules<codec::hot_test::Line<hot>>(
        codec::field<&codec::hot_test::Line<hot>::name>().named("grüner name"),
        codec::field<&codec::hot_test::Line<hot>::price>().required());

}  // namespace parley

namespace parley::codec::hot_test {
namespace {

Line<false> random_line(Dice& dice) {
  return {.gift = dice.below(2) == 0,
          .name = dice.text(),
          .small = dice.integer<std::int8_t>(),
          .big = dice.integer<std::uint64_t>(),
          .price = dice.real(),
          .ratio = dice.real32(),
          .labels = random_value<std::vector<std::string>>(dice)};
}

Order<false> random_order(Dice& dice) {
  Order<false> order;
  order.id = dice.integer<std::int64_t>();
  for (std::size_t left = dice.below(4); left > 0; --left) order.lines.push_back(random_line(dice));
  if (dice.below(2) == 0) order.extra = random_line(dice);
  randomize(order.maybes.text, dice);
  randomize(order.maybes.real, dice);
  randomize(order.maybes.texts, dice);
  if (dice.below(2) == 0) order.maybes.owned = std::make_unique<std::int32_t>(7);
  randomize(order.bits, dice);
  randomize(order.gaps, dice);
  randomize(order.bytes, dice);
  randomize(order.grid, dice);
  randomize(order.leaf, dice);
  order.last = std::string(dice.below(40), 'x') + dice.text();
  return order;
}

TEST(Hot, the_text_is_that_of_the_table_to_the_byte) {
  Dice dice(11);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = encode_json(random_order(dice)).value();
    const auto hot = decode_json<Order<true>>(text);
    ASSERT_TRUE(hot) << hot.error();
    ASSERT_EQ(encode_json(*hot).value(), text);
    // Behind what is there already, in a string with and without room.
    std::string out = "before";
    if (i % 2 == 0) out.reserve(dice.below(2000));
    ASSERT_TRUE(encode_json_to(out, *hot).is_ok());
    ASSERT_EQ(out, "before" + text);
  }
}

TEST(Hot, each_length_of_a_text_has_its_room) {
  for (std::size_t size = 0; size < 300; ++size) {
    Line<true> line{.name = std::string(size, '\n'), .labels = {}};
    line.labels.resize(size, std::string(size % 17, 'y'));
    const Line<false> cold{.name = line.name, .labels = line.labels};
    ASSERT_EQ(encode_json(line).value(), encode_json(cold).value()) << size;
  }
}

TEST(Hot, it_has_code_of_its_own_and_only_for_json) {
  EXPECT_NE(type_of<Order<true>>().hot, nullptr);
  EXPECT_EQ(type_of<Order<false>>().hot, nullptr);
  const JsonOptions mapped{.protobuf_mapping = true};
  EXPECT_EQ(encode_json(Order<true>(), {}, mapped).value(),
            encode_json(Order<false>(), {}, mapped).value());
  EXPECT_EQ(encode_msgpack(Order<true>()).value(), encode_msgpack(Order<false>()).value());
}

TEST(Hot, options_and_limits_hold_and_errors_name_the_place) {
  const JsonOptions numbers{.enums_as_numbers = true};
  EXPECT_NE(encode_json(Order<true>(), {}, numbers)->find(R"("leaf":0)"), std::string::npos);
  EXPECT_NE(encode_json(Order<true>())->find(R"("leaf":"oolong")"), std::string::npos);

  Order<true> order;
  order.lines.resize(3);
  order.lines[2].price = std::numeric_limits<double>::infinity();
  std::string out = "kept";
  Status status = encode_json_to(out, order);
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_EQ(status.message().substr(0, 17), "$.lines[2].price:");
  EXPECT_EQ(out, "kept");

  order.lines[2].price = 0;
  order.lines[1].labels = {"fine", "\xFF"};
  EXPECT_EQ(encode_json(order).error().message(),
            "$.lines[1].labels[1]: a string that is not UTF-8 cannot be written as JSON");

  order.lines[1].labels.clear();
  EXPECT_TRUE(encode_json(order, {.max_depth = 4}));
  for (std::size_t depth = 1; depth < 4; ++depth) {
    EXPECT_EQ(encode_json(order, {.max_depth = depth}).error().code(), Code::resource_exhausted);
  }
}

// A T in a T, in as many objects as `levels`.
template <template <bool> class T, bool hot>
T<hot> in_each_other(std::size_t levels) {
  T<hot> value;
  for (std::size_t i = 1; i < levels; ++i) {
    T<hot> outer;
    if constexpr (requires { outer.kids; }) {
      outer.kids.push_back(std::move(value));
    } else if constexpr (requires { outer.next; }) {
      outer.next = std::make_unique<T<hot>>(std::move(value));
    } else {
      outer.inner.emplace("a", std::move(value));
    }
    value = std::move(outer);
  }
  return value;
}

// What it says beyond max_depth, hot as by its table.
template <template <bool> class T>
void expect_the_same_refusal(std::size_t levels) {
  const Limits enough{.max_depth = 100};
  for (std::size_t depth = 1; depth <= 100; ++depth) {
    const auto cold = encode_json(in_each_other<T, false>(levels), {.max_depth = depth});
    const auto hot = encode_json(in_each_other<T, true>(levels), {.max_depth = depth});
    ASSERT_EQ(hot.has_value(), cold.has_value()) << depth;
    if (!cold) {
      EXPECT_EQ(hot.error().code(), Code::resource_exhausted);
      EXPECT_EQ(hot.error().message(), cold.error().message());
    }
  }
  EXPECT_TRUE(encode_json(in_each_other<T, true>(levels), enough));
}

TEST(Hot, what_lies_too_deep_is_refused_as_by_the_table) {
  expect_the_same_refusal<Tree>(20);
  expect_the_same_refusal<Chain>(40);
  expect_the_same_refusal<Names>(20);
}

// Made and destroyed on an ordinary stack: of what lies in itself that takes stack too.
const Tree<true> deep_tree = in_each_other<Tree, true>(32);
const Chain<true> deep_chain = in_each_other<Chain, true>(64);
const Names<true> deep_names = in_each_other<Names, true>(32);

TEST(Hot, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
#if defined(__clang__) && !defined(__OPTIMIZE__)
  constexpr std::size_t most = std::size_t{56} << 10;  // what is unrolled is part of this test
#else
  constexpr std::size_t most = std::size_t{48} << 10;
#endif
  EXPECT_LT(testing::stack_used_by([] { EXPECT_TRUE(encode_json(deep_tree)); }), most);
  EXPECT_LT(testing::stack_used_by([] { EXPECT_TRUE(encode_json(deep_chain)); }), most);
  EXPECT_LT(testing::stack_used_by([] { EXPECT_TRUE(encode_json(deep_names)); }), most);
}

}  // namespace
}  // namespace parley::codec::hot_test
