#include "parley/http/date.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

using std::chrono::sys_seconds;

sys_seconds at(long long seconds) { return sys_seconds(std::chrono::seconds(seconds)); }

TEST(HttpDate, is_written_in_the_one_form) {
  EXPECT_EQ(format_date(at(784'111'777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(at(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(format_date(at(1'709'164'800)), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(format_date(at(1LL << 50)), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, is_read_in_all_three_forms) {
  for (const auto* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_date(text, at(784'111'777)).value_or(at(0)), at(784'111'777)) << text;
  }
  EXPECT_EQ(*parse_date("Sat Nov 26 08:49:37 1994"), at(784'111'777 + 20 * 86'400));
  EXPECT_EQ(*parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), at(1'483'228'800));
}

TEST(HttpDate, takes_a_year_of_two_digits_for_the_nearest_one) {
  const sys_seconds in_2024 = at(1'709'164'800);
  const auto year = [&](const char* text) {
    return format_date(*parse_date(text, in_2024)).substr(12, 4);
  };
  EXPECT_EQ(year("Sunday, 06-Nov-74 08:49:37 GMT"), "2074");
  EXPECT_EQ(year("Sunday, 06-Nov-75 08:49:37 GMT"), "1975");
  EXPECT_EQ(year("Sunday, 06-Nov-24 08:49:37 GMT"), "2024");
}

TEST(HttpDate, is_refused_in_any_other_form) {
  for (const auto* text : {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT", "Tag, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun Nov 6 08:49:37 1994",
                           "Sun, +6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_date(text).error().code(), Code::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace parley::http
