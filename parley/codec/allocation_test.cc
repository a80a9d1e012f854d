// What decoding and encoding allocate: the values, and nothing beside them.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/codec/json.h"
#include "parley/codec/msgpack.h"
#include "parley/codec/protobuf.h"

namespace parley::codec::allocation_test {
namespace {

struct Line {
  std::int32_t id = 0;
  std::string tea;
  friend bool operator==(const Line&, const Line&) = default;
};

struct Order {
  Line first;
  std::string note;
  std::vector<Line> lines;
  std::vector<std::int64_t> prices;
  std::map<std::string, std::string> notes;
  std::map<std::int32_t, std::vector<std::string>> tags;
  double weight = 0;
  friend bool operator==(const Order&, const Order&) = default;
};

const std::string on_the_heap = "a text that does not fit inside of a string";

Order full() {
  return {.first = {1, on_the_heap},
          .note = on_the_heap,
          .lines = {{2, on_the_heap}, {3, on_the_heap + on_the_heap}, {4, "short"}},
          .prices = {1, -2, std::int64_t{1} << 60},
          .notes = {{on_the_heap + "a", on_the_heap}, {on_the_heap + "b", on_the_heap + "!"}},
          .tags = {{7, {on_the_heap}}, {9, {}}},
          .weight = 0.5};
}

template <class Do>
std::size_t allocations_of(const Do& run) {
  const testing::Allocations before = testing::allocations();
  run();
  return testing::allocations().count - before.count;
}

template <class Encode, class Decode>
void expect_values_only(const Encode& encode, const Decode& decode) {
  std::string lines;
  ASSERT_TRUE(encode(lines, full()).is_ok());
  std::string texts;
  ASSERT_TRUE(encode(texts, Order{{1, on_the_heap}, on_the_heap, {}, {}, {}, {}, 0}).is_ok());
  Order warm;
  ASSERT_TRUE(decode(lines, warm).is_ok()) << "the first use of a type makes its table";

  Order fresh;
  Status status;
  EXPECT_EQ(allocations_of([&] { status = decode(texts, fresh); }), 2U) << "the two texts";
  EXPECT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(allocations_of([&] { status = decode(lines, warm); }), 0U) << "all memory is there";
  EXPECT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(warm, full());

  std::string out;
  out.reserve(4 * lines.size());
  EXPECT_EQ(allocations_of([&] { status = encode(out, warm); }), 0U) << "there is room";
  EXPECT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(out, lines);
}

TEST(CodecAllocation, json_takes_memory_for_values_only) {
  expect_values_only(
      [](std::string& out, const Order& order) { return encode_json_to(out, order); },
      [](std::string_view text, Order& order) { return decode_json_into(text, order); });
}

TEST(CodecAllocation, messagepack_takes_memory_for_values_only) {
  expect_values_only(
      [](std::string& out, const Order& order) { return encode_msgpack_to(out, order); },
      [](std::string_view bytes, Order& order) { return decode_msgpack_into(bytes, order); });
}

TEST(CodecAllocation, protobuf_takes_memory_for_values_only) {
  expect_values_only(
      [](std::string& out, const Order& order) { return encode_protobuf_to(out, order); },
      [](std::string_view bytes, Order& order) { return decode_protobuf_into(bytes, order); });
}

TEST(CodecAllocation, escapes_in_json_take_none) {
  std::string text;
  Status status;
  constexpr std::string_view json = R"("\u00e9\u00e9\u00e9\u00e9")";
  EXPECT_EQ(allocations_of([&] { status = decode_json_into(json, text); }), 0U);
  EXPECT_TRUE(status.is_ok()) << status;
  EXPECT_EQ(text, "\u00e9\u00e9\u00e9\u00e9");
}

}  // namespace
}  // namespace parley::codec::allocation_test
