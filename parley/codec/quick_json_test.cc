// Quick JSON says the same as the reader and the writer proper, or nothing.
#include "parley/codec/quick_json.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>

#include "parley/base/random.h"
#include "parley/codec/json.h"

namespace parley::codec {
namespace {

// What is read quickly is what the reader proper reads.
template <class... T>
bool agrees(std::string_view text) {
  std::tuple<T...> quick;
  if (!read_quick(text, quick)) return false;
  std::tuple<T...> proper;
  if constexpr (sizeof...(T) == 1) {
    const Status status = decode_json_into(text, std::get<0>(proper));
    EXPECT_TRUE(status.is_ok()) << text << ": " << status;
  } else {
    const Status status = decode_json_into(text, proper);
    EXPECT_TRUE(status.is_ok()) << text << ": " << status;
  }
  EXPECT_EQ(quick, proper) << text;
  return true;
}

TEST(QuickJson, reads_what_writers_write) {
  EXPECT_TRUE(agrees<int>("0"));
  EXPECT_TRUE(agrees<int>("-2147483648"));
  EXPECT_TRUE(agrees<std::int64_t>("-123456789012345678"));
  EXPECT_TRUE(agrees<bool>("true"));
  EXPECT_TRUE(agrees<bool>("false"));
  EXPECT_TRUE(agrees<std::string>("\"\""));
  EXPECT_TRUE(agrees<std::string>("\"tea, green; 'fine'\""));
  EXPECT_TRUE((agrees<int, int>("[1,2]")));
  EXPECT_TRUE((agrees<int, std::string, bool>("[1,\"[tea],\",false]")));
}

TEST(QuickJson, leaves_to_the_reader_whatever_looks_different) {
  for (const std::string_view text :
       {"", "-", "-0", "00", "01", "1 ", " 1", "1.0", "1e3", "+1", "2147483648", "-2147483649",
        "99999999999999999999999", "null", "\"1\"", "1,", "[1]", "1]"}) {
    std::tuple<int> values;
    EXPECT_FALSE(read_quick(text, values)) << text;
  }
  for (const std::string_view text : {"", "[", "[]", "[1]", "[1,]", "[1,2", "[1,2,", "[1,2,3]",
                                      "[1 ,2]", "[1,2] ", "[[1,2]]", "1,2", "{\"a\":1,\"b\":2}"}) {
    std::tuple<int, int> values;
    EXPECT_FALSE(read_quick(text, values)) << text;
  }
  for (const std::string_view text :
       {"\"", "\"a", "a", "\"\\n\"", "\"\n\"", "\"é\"", "\"a\"b", "\"\xff\"", "\"a\" "}) {
    std::tuple<std::string> values;
    EXPECT_FALSE(read_quick(text, values)) << text;
  }
  std::tuple<std::string> values;
  EXPECT_TRUE(read_quick('"' + std::string(quick_text_bytes, 'x') + '"', values));
  EXPECT_FALSE(read_quick('"' + std::string(quick_text_bytes + 1, 'x') + '"', values));
  std::tuple<unsigned> natural;
  EXPECT_FALSE(read_quick("-1", natural));
  std::tuple<bool> flag;
  EXPECT_FALSE(read_quick("truer", flag));
  EXPECT_FALSE(read_quick("tru", flag));
}

// Of any number of digits, with whatever stands behind it, at the end of the text and before it.
TEST(QuickJson, reads_integers_of_all_lengths_wherever_they_stand) {
  std::int64_t value = 0;
  for (int digits = 0; digits < 18; ++digits, value = value * 10 + digits % 10) {
    for (const std::int64_t each : {value, -value, value + 1}) {
      const std::string text = std::to_string(each);
      EXPECT_TRUE(agrees<std::int64_t>(text));
      EXPECT_TRUE((agrees<std::int64_t, int>("[" + text + ",7]")));
      EXPECT_TRUE((agrees<int, std::int64_t>("[7," + text + "]")));
      EXPECT_TRUE((agrees<std::int64_t, std::int64_t>("[" + text + "," + text + "]")));
      std::tuple<std::int64_t, std::int64_t> values;
      EXPECT_FALSE(read_quick("[0" + text + ",12345678]", values)) << text;
      EXPECT_FALSE(read_quick("[12345678,0" + text + "]", values)) << text;
      // '/' and ':' stand right before and behind the digits.
      for (const char odd : {'/', ':', 'a', '\x80', '\xb0', '\xff', '\0'}) {
        const std::string broken = text + odd;
        EXPECT_FALSE(read_quick("[" + broken + ",12345678]", values)) << broken;
        EXPECT_FALSE(read_quick("[12345678," + broken + "]", values)) << broken;
      }
    }
  }
  std::tuple<std::int64_t> too_long;
  EXPECT_FALSE(read_quick("1234567890123456789", too_long));
}

TEST(QuickJson, writes_integers_of_all_lengths) {
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, 9 * power}) {
      std::string quick;
      append_quick(quick, static_cast<unsigned long>(value));
      EXPECT_EQ(quick, std::to_string(value));
      IntegerText text;
      text.write(static_cast<long>(value));
      EXPECT_EQ(text.view(), std::to_string(static_cast<long>(value)));
    }
  }
}

TEST(QuickJson, agrees_with_the_reader_on_texts_at_random) {
  constexpr std::string_view letters = "0123456789-[],\" \\.etrufals\xc3\xa9";
  Random random(1);
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    if (random.below(2) == 0) text = '[';
    for (std::uint64_t left = random.below(8); left > 0; --left) {
      text += letters[random.below(letters.size())];
    }
    if (random.below(2) == 0) text += ']';
    read += agrees<int>(text) + agrees<std::string>(text) + agrees<bool>(text) +
            agrees<int, std::int64_t>(text) + agrees<std::string, unsigned short>(text);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(read, 100);
}

template <class T>
void writes_the_same(T value) {
  std::string quick = "before";
  append_quick(quick, value);
  std::string proper = "before";
  ASSERT_TRUE(encode_json_to(proper, value).is_ok());
  EXPECT_EQ(quick, proper);
}

template <class T>
void writes_the_extremes() {
  writes_the_same(std::numeric_limits<T>::min());
  writes_the_same(std::numeric_limits<T>::max());
  writes_the_same(T{0});
  writes_the_same(T{1});
}

TEST(QuickJson, writes_what_the_writer_writes) {
  writes_the_extremes<short>();
  writes_the_extremes<unsigned short>();
  writes_the_extremes<int>();
  writes_the_extremes<unsigned>();
  writes_the_extremes<long>();
  writes_the_extremes<unsigned long>();
  writes_the_extremes<long long>();
  writes_the_extremes<unsigned long long>();
  writes_the_same(true);
  writes_the_same(false);
}

// What is written quickly is what the writer proper writes.
template <class... T>
std::string written(const T&... values) {
  std::array<char, quick_room<T...>> room;
  const std::size_t size = write_quick(room.data(), values...);
  EXPECT_LE(size, room.size());
  return {room.data(), size};
}

TEST(QuickJson, writes_arguments_as_the_writer_does) {
  EXPECT_EQ(written(17), "17");
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(written(true), "true");
  EXPECT_EQ(written("tea"), "\"tea\"");
  EXPECT_EQ(written(std::string()), "\"\"");
  EXPECT_EQ(written(1, false, std::string_view("[tea],")), "[1,false,\"[tea],\"]");
  const std::string longest(quick_text_bytes, 'x');
  EXPECT_EQ(written(longest, longest), encode_json(std::tuple(longest, longest)).value());
}

TEST(QuickJson, leaves_to_the_writer_what_is_long_or_not_plain) {
  EXPECT_EQ(written(std::string(quick_text_bytes + 1, 'x')), "");
  EXPECT_EQ(written(1, std::string(quick_text_bytes + 1, 'x')), "");
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t size : {1U, 7U, 8U, 9U, 20U}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        const bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        EXPECT_EQ(written(text), is_plain ? '"' + text + '"' : "") << byte << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace parley::codec
