// Errors name the place and the byte, limits hold, and no input does harm.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/testing/small_stack.h"

namespace parley::codec::protobuf_error {

struct Item {
  std::string tea;
  std::uint8_t quantity = 0;
  std::int16_t change = 0;
};
struct Order {
  std::int32_t id = 0;
  std::vector<Item> items;
  std::map<std::string, std::int8_t> stock;
  double weight = 0;
};
struct Chain {
  std::unique_ptr<Chain> next;
  std::vector<Chain> list;
  std::variant<std::monostate, std::vector<Chain>> variant;
};
struct Reserved {
  int number = 0;
};
struct Misfit {
  std::string text;
};

}  // namespace parley::codec::protobuf_error

namespace errors = parley::codec::protobuf_error;

template <>
inline constexpr auto parley::fields<errors::Reserved> =
    parley::codec::field_rules<errors::Reserved>(
        parley::codec::field<&errors::Reserved::number>().number(19'500));
template <>
inline constexpr auto parley::fields<errors::Misfit> = parley::codec::field_rules<errors::Misfit>(
    parley::codec::field<&errors::Misfit::text>().encoded_as(parley::codec::Wire::zigzag));

namespace parley::codec::protobuf_error {
namespace {

std::string bytes_of(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

struct Row {
  std::string bytes;
  std::string_view message;
};

void expect_errors(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    const auto result = decode_protobuf<Order>(row.bytes);
    ASSERT_FALSE(result) << row.message;
    EXPECT_EQ(result.error().message(), row.message);
    EXPECT_EQ(result.error().code(), Code::invalid_argument);
  }
}

TEST(ProtobufError, a_value_that_does_not_fit_is_named_with_its_path) {
  expect_errors({
      {bytes_of({0x12, 0, 0x12, 3, 0x10, 0xAC, 2}),
       "$.items[1].quantity: 300 does not fit uint8 (0 to 255)"},
      {bytes_of({0x12, 4, 0x18, 0x80, 0x80, 2}),
       "$.items[0].change: 32768 does not fit int16 (-32768 to 32767)"},
      {bytes_of({0x1A, 14, 10, 1, 'a', 16, 255, 254, 255, 255, 255, 255, 255, 255, 255, 1}),
       "$.stock.a: -129 does not fit int8 (-128 to 127)"},
      {bytes_of({0x12, 3, 10, 1, 0xFF}), "$.items[0].tea: a string that is not UTF-8 at byte 4"},
      {bytes_of({0x0A, 0}),
       "$.id: expected a varint (wire type 0), got a length and bytes (wire type 2) at byte 0"},
      {bytes_of({0x0B, 0x0C}),
       "$.id: expected a varint (wire type 0), got a group (wire type 3) at byte 0"},
      {bytes_of({0x10, 0}),
       "$.items[0]: expected a length and bytes (wire type 2), got a varint (wire type 0) at byte "
       "0"},
  });
  EXPECT_EQ(encode_protobuf(std::tuple<int, Item>(1, {.tea = "\xFF"})).error().message(),
            "$[1].tea: a string that is not UTF-8 cannot be written as protobuf: use "
            "std::vector<std::byte>");
}

TEST(ProtobufError, what_is_no_protobuf_is_named_with_its_byte) {
  expect_errors({
      {bytes_of({0x00, 1}), "$: a field with number 0 at byte 0"},
      {bytes_of({8, 1, 0x26}), "$: wire type 6, which does not exist, of field 4 at byte 2"},
      {bytes_of({0x0F}), "$: wire type 7, which does not exist, of field 1 at byte 0"},
      {bytes_of({8}), "$.id: the input ends within a varint at byte 1"},
      {bytes_of({8, 0x80, 0x80}), "$.id: the input ends within a varint at byte 1"},
      {bytes_of({8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1}),
       "$.id: a varint of more than 10 bytes at byte 1"},
      {bytes_of({8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 2}),
       "$.id: a varint that does not fit 64 bits at byte 1"},
      {bytes_of({0x88, 128, 128, 128, 128, 0}), "$: a tag of more than 32 bits at byte 0"},
      {bytes_of({0xF8, 255, 255, 255, 31, 0}), "$: a tag of more than 32 bits at byte 0"},
      {bytes_of({0x21, 1, 2}), "$.weight: expected 8 bytes, but 2 are left at byte 1"},
      {bytes_of({0x12, 2, 0}), "$.items[0]: a length of 2, but 1 byte is left at byte 1"},
      {bytes_of({0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}),
       "$.items[0]: a length of 18446744073709551615, but 0 bytes are left at byte 1"},
      {bytes_of({0x12, 2, 10, 1, 'x'}),
       "$.items[0].tea: a length of 1, but 0 bytes are left at byte 3"},
      {bytes_of({0x34}), "$: the end of a group 6 that has not begun at byte 0"},
      {bytes_of({0x33, 0x3C}), "$: the end of group 7 within group 6 at byte 1"},
      {bytes_of({0x33, 0x3B, 0x34}), "$: the end of group 6 within group 7 at byte 2"},
      {bytes_of({0x33, 8, 1}), "$: the input ends within group 6 at byte 1"},
  });
}

TEST(ProtobufError, a_zero_byte_is_no_tag_whatever_field_would_come_next) {
  struct ListFirst {
    std::vector<std::string> list;
    std::int32_t number = 0;
  };
  for (const int byte : {0x00, 0x07}) {
    const Result<ListFirst> list = decode_protobuf<ListFirst>(bytes_of({byte, 0x01}));
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().code(), Code::invalid_argument);
  }
  struct Nothing {};
  EXPECT_FALSE(decode_protobuf<Nothing>(bytes_of({0x00, 0x01})));
}

TEST(ProtobufError, integers_of_32_bits_lose_those_above) {
  EXPECT_EQ(decode_protobuf<Order>(bytes_of({8, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F})).value().id, -1);
  EXPECT_EQ(decode_protobuf<Order>(bytes_of({8, 0x81, 0x80, 0x80, 0x80, 0x80, 0})).value().id, 1)
      << "longer than needed";
}

template <class T>
void expect_exhausted(std::string_view bytes, const Limits& limits, std::string_view message) {
  const auto result = decode_protobuf<T>(bytes, limits);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), message);
  EXPECT_EQ(result.error().code(), Code::resource_exhausted);
}

TEST(ProtobufError, limits_hold_and_are_named) {
  using List = std::tuple<std::vector<int>, std::vector<std::string>, std::map<int, int>>;
  const List list({1, 2, 3}, {"a", "b", "c"}, {{1, 1}, {2, 2}, {3, 3}});
  const std::string bytes = encode_protobuf(list).value();
  EXPECT_TRUE(decode_protobuf<List>(bytes, {.max_bytes = bytes.size(), .max_elements = 3}));
  expect_exhausted<List>(bytes, {.max_bytes = bytes.size() - 1},
                         "$: the input is longer than max_bytes (31)");
  expect_exhausted<List>(bytes, {.max_elements = 2},
                         "$[0][2]: more elements than max_elements (2)");
  expect_exhausted<List>(bytes.substr(5), {.max_elements = 2},
                         "$[1][2]: more elements than max_elements (2)");
  expect_exhausted<List>(bytes.substr(14), {.max_elements = 2},
                         "$[2]: more elements than max_elements (2)");
  EXPECT_TRUE(decode_protobuf<List>(bytes, {.max_string_bytes = 1}));
  expect_exhausted<List>(bytes, {.max_string_bytes = 0},
                         "$[1][0]: a string of 1 bytes is longer than max_string_bytes (0)");
}

Chain chain(std::size_t depth) {
  Chain chain;
  if (depth > 1) chain.next = std::make_unique<Chain>(protobuf_error::chain(depth - 1));
  return chain;
}

// It may be a message, which has no such limit where it is known.
TEST(ProtobufError, an_unknown_field_is_as_long_as_the_whole_may_be) {
  const std::string unknown(
      "\xFA\x01\x08"
      "12345678",
      11);
  EXPECT_TRUE(decode_protobuf<Order>(unknown, {.max_bytes = 11, .max_string_bytes = 3}));
  EXPECT_EQ(decode_protobuf<Order>(unknown, {.max_bytes = 10}).error().code(),
            Code::resource_exhausted);
}

TEST(ProtobufError, depth_is_limited_in_values_and_in_what_is_skipped) {
  const std::string bytes = encode_protobuf(chain(64)).value();
  EXPECT_TRUE(decode_protobuf<Chain>(bytes));
  const auto deep = encode_protobuf(chain(65));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), Code::resource_exhausted);
  EXPECT_NE(deep.error().message().find("nested deeper than max_depth (64)"), std::string::npos);
  EXPECT_FALSE(decode_protobuf<Chain>(encode_protobuf(chain(65), {.max_depth = 65}).value()));
  EXPECT_TRUE(decode_protobuf<Order>(std::string(63, 0x33) + std::string(63, 0x34)));
  expect_exhausted<Order>(std::string(64, 0x33) + std::string(64, 0x34), {},
                          "$: nested deeper than max_depth (64)");
  EXPECT_FALSE(decode_protobuf<Order>(std::string(1'000'000, 0x33)));
}

TEST(ProtobufError, the_deepest_input_fits_a_small_stack) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  const auto go_deep = [] {
    const std::string bytes = encode_protobuf(chain(64)).value();
    EXPECT_TRUE(decode_protobuf<Chain>(bytes));
    // Through variants and lists in them: a message each.
    std::string deep;
    for (int i = 0; i < 21; ++i) {
      for (const char tag : {'\x0A', '\x0A', '\x1A'}) {
        std::string length;
        for (std::size_t size = deep.size();; size >>= 7) {
          length += static_cast<char>((size & 0x7F) | (size >= 0x80 ? 0x80 : 0));
          if (size < 0x80) break;
        }
        deep = tag + length + deep;
      }
    }
    const auto chain = decode_protobuf<Chain>(deep);
    EXPECT_TRUE(chain) << chain.error();
    if (chain) {
      EXPECT_EQ(encode_protobuf(*chain).value(), deep);
    }
    EXPECT_FALSE(decode_protobuf<Chain>(std::string(64, 0x33)));
  };
  EXPECT_LT(testing::stack_used_by(go_deep), std::size_t{48} << 10);
}

TEST(ProtobufError, no_truncation_of_a_message_and_no_change_of_a_byte_does_harm) {
  testing::Dice dice(5);
  testing::Sample used;
  for (int round = 0; round < 20; ++round) {
    const std::string bytes = encode_protobuf(dice.sample()).value();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy, so that a sanitizer sees what is read behind the end.
      const std::vector<char> part(bytes.begin(),
                                   bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const Status status = decode_protobuf_into({part.data(), part.size()}, used);
      EXPECT_TRUE(status.is_ok() || status.message().starts_with("$")) << status;
      std::string changed = bytes;
      changed[size] = static_cast<char>(dice.below(256));
      const bool is_valid = decode_protobuf_into(changed, used).is_ok();
      EXPECT_TRUE(!is_valid || encode_protobuf(used));
    }
  }
}

TEST(ProtobufError, random_bytes_do_no_harm_and_take_no_memory_they_do_not_hold) {
  testing::Dice dice(6);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (std::size_t left = dice.below(40); left > 0; --left) {
      bytes += static_cast<char>(dice.below(dice.below(2) == 0 ? 256 : 16));
    }
    accepted += decode_protobuf<Order>(bytes) ? 1U : 0U;
  }
  EXPECT_GT(accepted, 100u);
}

TEST(ProtobufErrorDeathTest, a_number_or_a_form_that_protobuf_does_not_have_ends_the_program) {
  EXPECT_DEATH((void)encode_protobuf(Reserved()),
               "the field 'number' of the struct 'Reserved': 19500 is no number of a field");
  EXPECT_DEATH((void)encode_protobuf(Misfit()),
               "the field 'text' of the struct 'Misfit': its type cannot be encoded_as that");
}

}  // namespace
}  // namespace parley::codec::protobuf_error
