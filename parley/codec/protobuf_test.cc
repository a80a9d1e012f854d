// Protobuf's wire format, byte by byte and there and back.
#include "parley/codec/protobuf.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "parley/codec/testing/sample.h"

namespace parley::codec {
namespace {

using testing::Dice;
using testing::Sample;

struct Test1 {
  std::int32_t a = 0;
};
struct Test3 {
  std::optional<Test1> c;
};

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

TEST(Protobuf, the_golden_bytes_of_its_documentation) {
  EXPECT_EQ(hex(encode_protobuf(Test1{.a = 150}).value()), "08 96 01");
  EXPECT_EQ(hex(encode_protobuf(Test3{.c = Test1{.a = 150}}).value()), "0a 03 08 96 01");
}

TEST(Protobuf, random_values_go_there_and_back_also_over_used_objects) {
  Dice dice(1);
  Sample used;
  std::string bytes;
  for (int i = 0; i < 2'000; ++i) {
    const Sample sample = dice.sample();
    bytes.clear();
    const Status encoded = encode_protobuf_to(bytes, sample);
    ASSERT_TRUE(encoded.is_ok()) << encoded;
    const auto fresh = decode_protobuf<Sample>(bytes);
    ASSERT_TRUE(fresh) << fresh.error();
    ASSERT_EQ(*fresh, sample);
    const Status reused = decode_protobuf_into(bytes, used);
    ASSERT_TRUE(reused.is_ok()) << reused;
    ASSERT_EQ(used, sample);
  }
}

}  // namespace
}  // namespace parley::codec
