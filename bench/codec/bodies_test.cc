#include "bodies.h"

#include <gtest/gtest.h>

#include <charconv>

#include "parley/codec/json.h"
#include "reversed.h"
#include "value_cost.h"

namespace parley::bench {
namespace {

TEST(Bodies, have_the_sizes_that_the_figures_are_named_for) {
  EXPECT_EQ(codec::encode_json(make_args()).value().size(), 115U);
  EXPECT_NEAR(static_cast<double>(codec::encode_json(make_order()).value().size()), 1'600, 50);
  EXPECT_NEAR(static_cast<double>(codec::encode_json(make_catalogue()).value().size()), 93'000,
              1'000);
}

TEST(ReversedMembers, turns_every_object_round_and_no_array) {
  EXPECT_EQ(reversed_members(R"({"a":1,"b":[{"c":true,"d":null},-2.5e3],"e":{}})"),
            R"({"e":{},"b":[{"d":null,"c":true},-2.5e3],"a":1})");
  EXPECT_EQ(reversed_members("[[],{},7]"), "[[],{},7]");
  EXPECT_EQ(reversed_members("42"), "42");
}

TEST(ReversedMembers, is_not_misled_by_what_strings_hold) {
  EXPECT_EQ(reversed_members(R"({"a,":"}\",\\","b\"":"{:"})"), R"({"b\"":"{:","a,":"}\",\\"})");
}

TEST(ReversedMembers, leaves_the_value_the_same) {
  const std::string text = codec::encode_json(make_order()).value();
  const std::string reversed = reversed_members(text);
  EXPECT_NE(reversed, text);
  EXPECT_EQ(codec::decode_json<Order>(reversed).value(), make_order());
  EXPECT_EQ(reversed_members(reversed), text);
}

TEST(AllocationsOf, doubles_a_text_until_it_fits) {
  EXPECT_EQ(allocations_of_growing_text(15), 0U);  // inside the string
  EXPECT_EQ(allocations_of_growing_text(30), 1U);
  EXPECT_EQ(allocations_of_growing_text(115), 3U);
}

TEST(AllocationsOf, counts_growing_vectors_long_texts_and_nodes) {
  const std::string kept_inside = "short";
  const std::string on_the_heap(40, 'x');
  EXPECT_EQ(allocations_of(Args{}), 0U);
  EXPECT_EQ(allocations_of(Args{.account = 1,
                                .reference = on_the_heap,
                                .amount = 0,
                                .urgent = true,
                                .lines = {1, 2, 3, 4, 5}}),
            1U + 4U);  // room for 1, 2, 4 and 8
  EXPECT_EQ(allocations_of(Texts{{kept_inside, on_the_heap, kept_inside, kept_inside}}), 1U + 3U);
  Order order;
  order.notes = {{"a", kept_inside}, {"b", on_the_heap}};
  order.coupon = on_the_heap;
  EXPECT_EQ(allocations_of(order), 2U + 1U + 1U);
}

}  // namespace
}  // namespace parley::bench
