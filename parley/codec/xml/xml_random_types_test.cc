// As random_types_test.cc has it for the other formats: values of random types pass through XML and
// from there on through JSON unchanged.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "parley/codec/json.h"
#include "parley/codec/testing/random_types.h"
#include "parley/codec/xml/xml.h"

namespace parley::codec::xml_random_types_test {
namespace {

using testing::Dice;
using testing::random_value;

constexpr int values_of_a_type = 40;

// How many of the values XML could carry: there are no control characters in it.
template <std::uint64_t seed, int depth>
void carry_values(int& carried) {
  using T = testing::RandomType<seed, depth>;
  SCOPED_TRACE("RandomType<" + std::to_string(seed) + ", " + std::to_string(depth) + ">");
  Dice dice(seed);
  const XmlOptions root{.root = "value"};
  for (int i = 0; i < values_of_a_type; ++i) {
    const T value = random_value<T>(dice);
    const Result<std::string> text = encode_xml(value, {}, root);
    if (!text) {
      ASSERT_EQ(text.error().code(), Code::invalid_argument) << text.error();
      continue;
    }
    T once = random_value<T>(dice);
    const Status read = decode_xml_into(*text, once, {}, root);
    ASSERT_TRUE(read.is_ok()) << read << '\n' << *text;
    ASSERT_TRUE(once == value) << *text << '\n' << encode_json(once).value();
    T twice = random_value<T>(dice);
    ASSERT_TRUE(decode_json_into(encode_json(once).value(), twice).is_ok());
    ASSERT_TRUE(twice == value) << *text;
    ++carried;
  }
}

template <int depth, std::uint64_t first, std::uint64_t... seeds>
int carry_all(std::integer_sequence<std::uint64_t, seeds...>) {
  int carried = 0;
  ([&carried] {
    carry_values<first + seeds, depth>(carried);
    return !::testing::Test::HasFatalFailure();
  }() &&
   ...);
  return carried;
}

TEST(XmlRandomTypes, pass_through_xml_and_json_unchanged) {
  const int flat = carry_all<1, 1000>(std::make_integer_sequence<std::uint64_t, 12>());
  EXPECT_GT(flat, 12 * values_of_a_type / 4);
  const int deep = carry_all<4, 2000>(std::make_integer_sequence<std::uint64_t, 6>());
  EXPECT_GT(deep, 0);
}

}  // namespace
}  // namespace parley::codec::xml_random_types_test
