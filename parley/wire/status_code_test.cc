#include "parley/wire/status_code.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace parley::wire {
namespace {

constexpr int code_count = 19;

TEST(StatusCode, every_code_has_a_number_of_its_own_and_comes_back) {
  std::set<std::int32_t> numbers;
  for (int i = 0; i < code_count; ++i) {
    const auto code = static_cast<Code>(i);
    ASSERT_NE(name_of(code), i == 2 ? "" : "unknown") << i;
    const std::int32_t number = raw_number(code);
    EXPECT_TRUE(numbers.insert(number).second) << name_of(code);
    const Status back = status_of_raw_number(number, "why", "behind");
    EXPECT_EQ(back.code(), code);
    EXPECT_EQ(back.business_code(), 0);
    EXPECT_EQ(back.message(), code == Code::ok ? "" : "why");
    EXPECT_EQ(raw_number(back), number);
  }
}

TEST(StatusCode, the_numbers_are_those_of_the_document) {
  EXPECT_EQ(raw_number(Code::ok), 0);
  EXPECT_EQ(raw_number(Code::unknown), -1);
  EXPECT_EQ(raw_number(Code::cancelled), 499);
  EXPECT_EQ(raw_number(Code::invalid_argument), 400);
  EXPECT_EQ(raw_number(Code::deadline_exceeded), 408);
  EXPECT_EQ(raw_number(Code::not_found), 404);
  EXPECT_EQ(raw_number(Code::already_exists), 409);
  EXPECT_EQ(raw_number(Code::permission_denied), 403);
  EXPECT_EQ(raw_number(Code::resource_exhausted), 429);
  EXPECT_EQ(raw_number(Code::failed_precondition), 412);
  EXPECT_EQ(raw_number(Code::aborted), 410);
  EXPECT_EQ(raw_number(Code::out_of_range), 416);
  EXPECT_EQ(raw_number(Code::unimplemented), 405);
  EXPECT_EQ(raw_number(Code::internal), 500);
  EXPECT_EQ(raw_number(Code::unavailable), 503);
  EXPECT_EQ(raw_number(Code::data_loss), 510);
  EXPECT_EQ(raw_number(Code::unauthenticated), 401);
  EXPECT_EQ(raw_number(Code::not_sent), 105);
  EXPECT_EQ(raw_number(Code::outcome_unknown), 102);
  EXPECT_EQ(raw_number(static_cast<Code>(200)), -1);
}

TEST(StatusCode, a_business_code_is_the_number_and_hides_the_canonical_code) {
  const Status status = Status(Code::not_found, "no tea").with_business_code(1404);
  EXPECT_EQ(raw_number(status), 1404);
  EXPECT_EQ(status_of_raw_number(1404, "no tea", ""), Status::business(1404, "no tea"));
}

TEST(StatusCode, a_business_code_inside_the_table_is_taken_for_the_tables_code) {
  const Status back = status_of_raw_number(raw_number(Status::business(404, "x")), "x", "");
  EXPECT_EQ(back, Status(Code::not_found, "x"));
}

TEST(StatusCode, foreign_numbers_get_a_code_to_act_on_and_stay_visible) {
  struct Case {
    std::int32_t number;
    Code code;
  };
  const Case cases[] = {
      {1, Code::invalid_argument},
      {100, Code::not_sent},
      {104, Code::outcome_unknown},
      {502, Code::unavailable},
      {101, Code::unavailable},
      {199, Code::unavailable},
      {200, Code::unknown},
      {99, Code::unknown},
      {402, Code::invalid_argument},
      {498, Code::invalid_argument},
      {501, Code::internal},
      {599, Code::internal},
      {600, Code::unknown},
      {999, Code::unknown},
      {1000, Code::failed_precondition},
      {-2, Code::unknown},
      {std::numeric_limits<std::int32_t>::max(), Code::failed_precondition},
      {std::numeric_limits<std::int32_t>::min(), Code::unknown},
  };
  for (const auto& [number, code] : cases) {
    const Status status = status_of_raw_number(number, "m", "c");
    EXPECT_EQ(status.code(), code) << number;
    EXPECT_EQ(status.business_code(), number);
    EXPECT_EQ(status.message(), "m");
    EXPECT_EQ(status.cause(), "c");
    EXPECT_EQ(raw_number(status), number);
  }
}

TEST(StatusCode, what_came_over_the_wire_names_no_place_in_this_source) {
  EXPECT_EQ(status_of_raw_number(404, "x", "y").where().line(), 0u);
  EXPECT_EQ(status_of_raw_number(1001, "x", "").where().line(), 0u);
}

}  // namespace
}  // namespace parley::wire
