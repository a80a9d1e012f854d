// Errors name the place, limits hold, and no damaged message does more than fail.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "parley/base/testing/hex.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec {
namespace {

using parley::testing::from_hex;
using testing::Dice;
using testing::Sample;

struct Item {
  std::string tea;
  std::uint8_t quantity = 0;
};
struct Order {
  std::vector<Item> items;
  std::map<std::string, int> stock;
};
struct Tree {
  std::vector<Tree> kids;
};
struct Maps {
  std::map<int, Maps> inner;
};

template <class T>
std::string problem(std::string_view hex) {
  const auto value = decode_msgpack<T>(from_hex(hex));
  return value ? "none" : value.error().message();
}

TEST(MsgpackError, names_the_path_of_what_is_wrong) {
  const std::string items = "81 a5 69 74 65 6d 73 92 80 ";
  EXPECT_EQ(problem<Order>(items + "81 a8 71 75 61 6e 74 69 74 79 a1 78"),
            "$.items[1].quantity: expected integer, got string");
  EXPECT_EQ(problem<Order>(items + "81 a8 71 75 61 6e 74 69 74 79 cd 01 2c"),
            "$.items[1].quantity: 300 does not fit uint8 (0 to 255)");
  EXPECT_EQ(problem<Order>("81 a5 73 74 6f 63 6b 81 a7 72 65 64 20 74 65 61 c0"),
            "$.stock[\"red tea\"]: expected integer, got nil");
  EXPECT_EQ(problem<Order>("81 a5 73 74 6f 63 6b 81 c1 01"),
            "$.stock[key 0]: 0xc1 starts no value (byte 8)");
  EXPECT_EQ(problem<Order>("93 01 02 03"), "$: expected map, got array");
}

TEST(MsgpackError, what_ends_too_early_or_too_late_is_told_with_its_byte) {
  EXPECT_EQ(problem<int>(""), "$: expected a value, got the end of the message (byte 0)");
  EXPECT_EQ(problem<int>("cd 01"), "$: the message ends within this value (byte 0)");
  EXPECT_EQ(problem<std::string>("a3 61 62"), "$: the message ends within this value (byte 0)");
  EXPECT_EQ(problem<int>("01 02"), "$: expected the end of the message behind the value (byte 1)");
  EXPECT_EQ(problem<int>("c1"), "$: 0xc1 starts no value (byte 0)");
}

TEST(MsgpackError, no_claimed_length_is_believed) {
  for (const char* hex : {"dd 00 0f 42 40", "dc ff ff 01", "9f 01", "df 00 00 00 01 01"}) {
    EXPECT_EQ(problem<std::vector<int>>(hex), "$: the message ends within this value (byte 0)")
        << hex;
    EXPECT_EQ(validate_msgpack(from_hex(hex)).message(),
              "$: the message ends within this value (byte 0)")
        << hex;
  }
  for (const char* hex : {"db 00 ff ff ff", "c6 00 ff ff ff 01", "c9 00 ff ff ff 05"}) {
    EXPECT_EQ(validate_msgpack(from_hex(hex)).message(),
              "$: the message ends within this value (byte 0)")
        << hex;
  }
  EXPECT_EQ(validate_msgpack(from_hex("dd ff ff ff ff")).code(), Code::resource_exhausted);
  EXPECT_EQ(validate_msgpack(from_hex("db ff ff ff ff")).code(), Code::resource_exhausted);
}

TEST(MsgpackError, every_truncation_of_a_message_is_an_error) {
  Dice dice(17);
  std::size_t tried = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = encode_msgpack(dice.sample()).value();
    Sample sample;
    for (std::size_t size = 0; size < bytes.size(); ++size, ++tried) {
      // A copy of its own, so that a sanitizer sees each byte read beyond it.
      const std::string cut = bytes.substr(0, size);
      ASSERT_FALSE(decode_msgpack_into(cut, sample).is_ok()) << size;
      ASSERT_FALSE(validate_msgpack(cut).is_ok()) << size;
    }
    ASSERT_FALSE(validate_msgpack(bytes + '\0').is_ok());
  }
  EXPECT_GT(tried, 5'000U);
}

TEST(MsgpackError, damaged_messages_are_read_or_refused_but_no_more) {
  Dice dice(23);
  std::size_t refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes = encode_msgpack(dice.sample()).value();
    for (std::size_t left = dice.below(3); left != std::size_t(-1); --left) {
      bytes[dice.below(bytes.size())] = static_cast<char>(dice.below(256));
    }
    const auto sample = decode_msgpack<Sample>(bytes);
    if (!sample) {
      ++refused;
    } else {
      ASSERT_TRUE(validate_msgpack(bytes).is_ok());
      ASSERT_EQ(decode_msgpack<Sample>(encode_msgpack(*sample).value()).has_value(), true);
    }
  }
  EXPECT_GT(refused, 500U);
  EXPECT_LT(refused, 2'900U);
}

TEST(MsgpackError, writing_names_the_path_and_leaves_the_buffer_as_it_was) {
  std::string out = "before";
  const std::map<int, std::vector<std::string>> map = {{7, {"good", "b\xff"}}};
  EXPECT_EQ(encode_msgpack_to(out, map).message(),
            "$[\"7\"][1]: a string that is not UTF-8 cannot be written as MessagePack: use bytes");
  EXPECT_EQ(out, "before");
  const std::map<std::string, int> bad_key = {{"\xff", 1}};
  EXPECT_EQ(encode_msgpack(bad_key).error().message().substr(0, 10), "$[key 0]: ");
  ASSERT_TRUE(encode_msgpack_to(out, 5).is_ok());
  EXPECT_EQ(out, "before\x05");
}

TEST(MsgpackError, text_that_is_not_utf8_is_found_wherever_it_stands) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      std::string text(size, 'x');
      ASSERT_TRUE(encode_msgpack(text));
      text[place] = '\xff';
      ASSERT_FALSE(encode_msgpack(text)) << place << " of " << size;
    }
  }
  std::string text = std::string(5'000, 'x') + "\xff";
  EXPECT_FALSE(encode_msgpack(text));
}

TEST(MsgpackError, the_path_holds_keys_that_were_written_long_before) {
  using Inner = std::map<std::string, std::vector<std::string>>;
  for (const std::size_t size : {0, 1'000, 1'990, 2'030, 2'045, 5'000}) {
    const std::string key = "k" + std::string(size, 'y');
    const std::map<std::string, Inner> map = {
        {key, {{"a", {"x"}}, {"b", {std::string(3'000, 'z'), "\xff"}}}}};
    const std::string message = encode_msgpack(map).error().message();
    const std::string begin = size < 1'000 ? "$." + key + ".b[1]: " : "$." + key.substr(0, 20);
    EXPECT_EQ(message.substr(0, begin.size()), begin);
    EXPECT_NE(message.find(".b[1]: a string that is not UTF-8"), std::string::npos) << message;
  }
}

template <class T>
void expect_limit(std::string_view hex, const Limits& tight, const Limits& wide,
                  std::string_view message) {
  const std::string bytes = from_hex(hex);
  const auto refused = decode_msgpack<T>(bytes, tight);
  ASSERT_FALSE(refused) << hex;
  EXPECT_EQ(refused.error().code(), Code::resource_exhausted);
  EXPECT_EQ(refused.error().message(), message);
  const auto taken = decode_msgpack<T>(bytes, wide);
  EXPECT_TRUE(taken) << taken.error();
}

TEST(MsgpackLimits, depth_is_limited_where_the_type_is_known_and_in_what_is_skipped) {
  expect_limit<Tree>("81 a4 6b 69 64 73 91 81 a4 6b 69 64 73 90", {.max_depth = 3},
                     {.max_depth = 4}, "$.kids[0].kids: nested deeper than max_depth (3)");
  expect_limit<Tree>("81 a1 78 91 81 01 90", {.max_depth = 3}, {.max_depth = 4},
                     "$.x[0][\"1\"]: nested deeper than max_depth (3)");
  expect_limit<std::tuple<std::array<int, 1>>>("91 91 01", {.max_depth = 1}, {.max_depth = 2},
                                               "$[0]: nested deeper than max_depth (1)");
  expect_limit<Json>("a4 5b 5b 5d 5d", {.max_depth = 1}, {.max_depth = 2},
                     "$: no JSON: $[0]: nested deeper than max_depth (1)");
  EXPECT_TRUE(validate_msgpack(std::string(64, '\x91') + '\x01').is_ok());
  EXPECT_EQ(validate_msgpack(std::string(65, '\x91') + '\x01').code(), Code::resource_exhausted);
  EXPECT_EQ(validate_msgpack(std::string(1'000'000, '\x91')).code(), Code::resource_exhausted);
}

TEST(MsgpackLimits, the_message_its_elements_and_its_strings_are_limited) {
  expect_limit<std::string>("a3 61 62 63", {.max_bytes = 3}, {.max_bytes = 4},
                            "$: the message has 4 bytes, more than max_bytes (3)");
  expect_limit<std::vector<int>>("93 01 02 03", {.max_elements = 2}, {.max_elements = 3},
                                 "$: 3 elements, more than max_elements (2)");
  expect_limit<Order>("83 a1 61 01 a1 62 01 a1 63 01", {.max_elements = 2}, {.max_elements = 3},
                      "$: 3 elements, more than max_elements (2)");
  expect_limit<Order>("81 a1 61 93 01 02 03", {.max_elements = 2}, {.max_elements = 3},
                      "$.a: 3 elements, more than max_elements (2)");
  for (const char* hex : {"a4 61 62 63 64", "c4 04 61 62 63 64"}) {
    expect_limit<std::vector<std::byte>>(hex, {.max_string_bytes = 3}, {.max_string_bytes = 4},
                                         "$: a string of 4 bytes, more than max_string_bytes (3)");
  }
  expect_limit<std::map<std::string, int>>(
      "81 a4 61 62 63 64 01", {.max_string_bytes = 3}, {.max_string_bytes = 4},
      "$[key 0]: a string of 4 bytes, more than max_string_bytes (3)");
  expect_limit<Order>("81 a1 61 d6 05 00 00 00 00", {.max_string_bytes = 3},
                      {.max_string_bytes = 4},
                      "$.a: a string of 4 bytes, more than max_string_bytes (3)");
}

TEST(MsgpackLimits, depth_is_limited_when_writing_too) {
  Tree tree;
  for (int i = 0; i < 40; ++i) {
    Tree parent;
    parent.kids.push_back(std::move(tree));
    tree = std::move(parent);
  }
  EXPECT_EQ(encode_msgpack(tree).error().code(), Code::resource_exhausted);
  EXPECT_TRUE(encode_msgpack(tree, {.max_depth = 100}));
}

// Everything that recurses, at the default depth and just beyond it.
void go_deep() {
  for (const int levels : {32, 33}) {
    std::string trees;
    std::string maps;
    for (int i = 0; i + 1 < levels; ++i) {
      trees += from_hex("81 a4 6b 69 64 73 91");
      maps += from_hex("81 a5 69 6e 6e 65 72 81 05");
    }
    trees += from_hex("81 a4 6b 69 64 73 90");
    maps += from_hex("81 a5 69 6e 6e 65 72 80");
    const bool fits = levels == 32;
    const auto tree = decode_msgpack<Tree>(trees);
    EXPECT_EQ(tree.has_value(), fits) << tree.error();
    const auto map = decode_msgpack<Maps>(maps);
    EXPECT_EQ(map.has_value(), fits) << map.error();
    EXPECT_EQ(validate_msgpack(trees).is_ok(), fits);
    EXPECT_EQ(validate_msgpack(maps).is_ok(), fits);
    if (!fits) break;
    EXPECT_EQ(encode_msgpack(*tree).value(), trees);
    EXPECT_EQ(encode_msgpack(*map).value(), maps);
  }
}

TEST(MsgpackLimits, the_default_depth_fits_the_stack_of_a_fiber) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  EXPECT_LT(testing::stack_used_by(&go_deep), std::size_t{32} << 10);
}

}  // namespace
}  // namespace parley::codec
