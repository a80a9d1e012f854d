#include "parley/codec/plain.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/codec/testing/sample.h"

namespace parley::codec::plain_test {

enum class Colour { red, green = 7 };
struct Money {
  long cents = 0;
  friend bool operator==(const Money&, const Money&) = default;
};

}  // namespace parley::codec::plain_test

template <>
struct parley::Representation<parley::codec::plain_test::Money> {
  static std::int64_t encode(const parley::codec::plain_test::Money& money) { return money.cents; }
  static parley::Status decode(std::int64_t cents, parley::codec::plain_test::Money& money) {
    if (cents < 0) return parley::Status(parley::Code::invalid_argument, "a debt");
    money.cents = cents;
    return {};
  }
};

namespace parley::codec {
namespace {

using namespace plain_test;

template <class T>
void expect_plain(const T& value, std::string_view text) {
  const auto written = encode_plain(value);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(*written, text);
  const auto read = decode_plain<T>(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, value);
}

template <class T>
std::string problem(std::string_view text, const Limits& limits = {},
                    const PlainOptions& options = {}) {
  const auto value = decode_plain<T>(text, limits, options);
  return value ? "none" : value.error().message();
}

TEST(Plain, one_value_travels_as_its_text) {
  using namespace std::chrono;
  expect_plain(true, "true");
  expect_plain(std::int8_t{-128}, "-128");
  expect_plain(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
  expect_plain(0.1, "0.1");
  expect_plain(1e300, "1e+300");
  expect_plain(0.1F, "0.1");
  expect_plain(-std::numeric_limits<double>::infinity(), "-Infinity");
  EXPECT_TRUE(std::isnan(decode_plain<float>("NaN").value()));
  EXPECT_EQ(encode_plain(std::nan("")).value(), "NaN");
  expect_plain(std::string(" \"quoted\"\n"), " \"quoted\"\n");
  expect_plain(std::vector<std::byte>{std::byte{0xFF}, std::byte{0}},
               std::string_view("\xff\0", 2));
  expect_plain(Bytes::copy_of("ab"), "ab");
  expect_plain(Colour::green, "green");
  expect_plain(static_cast<Colour>(5), "5");
  expect_plain(milliseconds(1'500), "1.500s");
  expect_plain(sys_seconds(seconds(0)), "1970-01-01T00:00:00Z");
  expect_plain(Json{"[1]"}, "[1]");
  expect_plain(Money{5}, "5");
  expect_plain(std::optional<int>(7), "7");
  expect_plain(std::optional<int>(), "");
}

TEST(Plain, what_does_not_fit_is_told_by_what_was_expected) {
  using namespace std::chrono;
  EXPECT_EQ(problem<bool>("1"), "$: expected true or false, got \"1\"");
  EXPECT_EQ(problem<int>(""), "$: expected an integer, got nothing");
  for (const char* text : {" 1", "1 ", "+1", "01", "1.0", "1e2", "0x1", "--1", "one"}) {
    EXPECT_EQ(problem<int>(text), "$: expected an integer, got \"" + std::string(text) + '"');
  }
  EXPECT_EQ(problem<std::uint8_t>("256"), "$: 256 does not fit uint8 (0 to 255)");
  EXPECT_EQ(problem<double>("1,5"), "$: expected a number, got \"1,5\"");
  EXPECT_EQ(problem<double>("1e999"), "$: 1e999 does not fit double");
  EXPECT_EQ(problem<int>("\xff"), "$: expected an integer, got bytes that are not UTF-8");
  EXPECT_EQ(problem<std::string>("\xff"), "$: a text that is not UTF-8");
  EXPECT_EQ(problem<Colour>("gren"), R"($: "gren" is no Colour: did you mean "green"?)");
  EXPECT_EQ(problem<seconds>("1"), "$: expected a duration in seconds as in \"1.5s\", got \"1\"");
  EXPECT_EQ(problem<sys_time<nanoseconds>>("9999-01-01T00:00:00Z"),
            "$: \"9999-01-01T00:00:00Z\" does not fit the unit and size of this time");
  EXPECT_EQ(problem<Json>("[").substr(0, 11), "$: no JSON:");
  EXPECT_EQ(problem<Money>("-5"), "$: a debt");
}

TEST(Plain, what_holds_several_values_has_no_plain_text) {
  EXPECT_EQ(problem<std::vector<int>>("1"),
            "$: an array has no plain text: use JSON, or one value of it");
  EXPECT_EQ(problem<testing::Point>("1"),
            "$: an object has no plain text: use JSON, or one value of it");
  EXPECT_EQ((problem<std::map<int, int>>("")).substr(0, 12), "$: an object");
  EXPECT_EQ((problem<std::variant<int, bool>>("1")).substr(0, 12), "$: an object");
  std::string out = "before";
  EXPECT_FALSE(encode_plain_to(out, std::pair(1, 2)).is_ok());
  EXPECT_FALSE(encode_plain_to(out, std::string("\xff")).is_ok());
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(encode_plain_to(out, 1).is_ok());
  EXPECT_EQ(out, "before1");
}

TEST(Plain, options_and_limits_count) {
  PlainOptions options;
  EXPECT_EQ(encode_plain(Colour::green, {}, options).value(), "green");
  options.enums_as_numbers = true;
  EXPECT_EQ(encode_plain(Colour::green, {}, options).value(), "7");
  const std::string text = "shown";
  EXPECT_EQ(decode_plain<std::string_view>(text).value().data(), text.data());
  EXPECT_EQ(static_cast<const void*>(decode_plain<std::span<const std::byte>>(text).value().data()),
            text.data());
  options.refuse_views = true;
  EXPECT_EQ(problem<std::string_view>("a", {}, options),
            "$: a view would show text that is gone: use std::string or a vector");
  EXPECT_EQ(problem<std::string>("abcd", {.max_bytes = 3}),
            "$: the text has 4 bytes, more than max_bytes (3)");
  EXPECT_EQ(problem<std::string>("abcd", {.max_bytes = 4}), "none");
  EXPECT_EQ(problem<Json>("[[]]", {.max_depth = 1}),
            "$: no JSON: $[0]: nested deeper than max_depth (1)");
  EXPECT_EQ(problem<Json>("[[]]", {.max_depth = 2}), "none");
  const auto deep = encode_plain(Json{"[[]]"}, {.max_depth = 1});
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), Code::resource_exhausted) << deep.error();
  EXPECT_TRUE(encode_plain(Json{"[[]]"}, {.max_depth = 2}));
}

TEST(Plain, an_empty_text_is_read_as_an_optional_without_value) {
  const std::optional<std::string> empty("");
  EXPECT_EQ(decode_plain<std::optional<std::string>>(encode_plain(empty).value()).value(),
            std::nullopt);
}

TEST(Plain, random_values_survive) {
  testing::Dice dice(9);
  for (int i = 0; i < 2'000; ++i) {
    const auto integer = dice.integer<std::int64_t>();
    EXPECT_EQ(decode_plain<std::int64_t>(encode_plain(integer).value()).value(), integer);
    const double real = dice.real();
    EXPECT_EQ(decode_plain<double>(encode_plain(real).value()).value(), real);
    const std::string text = dice.text();
    EXPECT_EQ(decode_plain<std::string>(encode_plain(text).value()).value(), text);
  }
}

}  // namespace
}  // namespace parley::codec
