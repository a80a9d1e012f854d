#include "parley/cli/duration.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using namespace std::chrono_literals;

Duration parsed(std::string_view text) {
  const auto duration = parse_duration(text);
  EXPECT_TRUE(duration) << text << ": " << duration.error();
  return duration.value_or(Duration::zero());
}

std::string refusal(std::string_view text) {
  const auto duration = parse_duration(text);
  EXPECT_FALSE(duration) << text;
  EXPECT_EQ(duration.error().code(), Code::invalid_argument);
  return duration.error().message();
}

TEST(Duration, is_a_number_and_a_unit) {
  EXPECT_EQ(parsed("250us"), 250us);
  EXPECT_EQ(parsed("500ms"), 500ms);
  EXPECT_EQ(parsed("5s"), 5s);
  EXPECT_EQ(parsed("1m"), 1min);
  EXPECT_EQ(parsed("24h"), 24h);
  EXPECT_EQ(parsed("007s"), 7s);
}

TEST(Duration, has_exact_fractions) {
  EXPECT_EQ(parsed("1.5s"), 1500ms);
  EXPECT_EQ(parsed("0.1s"), 100ms);
  EXPECT_EQ(parsed("0.25ms"), 250us);
  EXPECT_EQ(parsed("1.5m"), 90s);
  EXPECT_EQ(parsed("0.5h"), 30min);
  EXPECT_EQ(parsed("0.123456789s"), 123456789ns);
  EXPECT_EQ(parsed("0.1234567899999s"), 123456789ns) << "digits below a nanosecond are dropped";
}

TEST(Duration, shows_how_to_write_it_when_it_is_not_one) {
  EXPECT_EQ(refusal("5"), "\"5\" has no unit; write 500ms, 5s, 1.5s or 1m (units: us ms s m h)");
  for (const char* text : {"", "s", "soon", " 5s", ".5s", "+5s", "0x5s"}) {
    EXPECT_NE(refusal(text).find("write 500ms"), std::string::npos) << text;
  }
  EXPECT_NE(refusal("5d").find("unit that is not known"), std::string::npos);
  EXPECT_NE(refusal("5 s").find("unit that is not known"), std::string::npos);
  EXPECT_NE(refusal("5.s").find("unit that is not known"), std::string::npos);
  EXPECT_NE(refusal("5s ").find("unit that is not known"), std::string::npos);
}

TEST(Duration, is_longer_than_nothing_and_at_most_a_day) {
  EXPECT_NE(refusal("0s").find("no time at all"), std::string::npos);
  EXPECT_NE(refusal("0.0001us").find("no time at all"), std::string::npos);
  EXPECT_NE(refusal("-5s").find("negative"), std::string::npos);
  EXPECT_NE(refusal("24.1h").find("longer than 24h"), std::string::npos);
  EXPECT_NE(refusal("86401s").find("longer than 24h"), std::string::npos);
  EXPECT_NE(refusal("99999999999999999999999999h").find("longer than 24h"), std::string::npos);
  EXPECT_NE(refusal("99999999999999999999999999us").find("longer than 24h"), std::string::npos);
}

TEST(Duration, is_shown_with_three_digits_that_matter) {
  EXPECT_EQ(show_duration(1234567us), "1.23 s");
  EXPECT_EQ(show_duration(830us), "830 us");
  EXPECT_EQ(show_duration(1500us), "1.5 ms");
  EXPECT_EQ(show_duration(30s), "30 s");
  EXPECT_EQ(show_duration(7ns), "7 ns");
  EXPECT_EQ(show_duration(0ns), "0 ns");
}

}  // namespace
}  // namespace parley::cli
