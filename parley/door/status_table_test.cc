#include "parley/door/status_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "parley/wire/status_code.h"

namespace parley::door {
namespace {

struct Case {
  Code code;
  int grpc;
  int http;
  int ant;
  Code back_from_http;
  Code back_from_grpc;
};

// All codes, written out once more.
constexpr std::array cases = {
    Case{Code::ok, 0, 200, 200, Code::ok, Code::ok},
    Case{Code::cancelled, 1, 499, 499, Code::cancelled, Code::cancelled},
    Case{Code::unknown, 2, 500, 500, Code::internal, Code::unknown},
    Case{Code::invalid_argument, 3, 400, 400, Code::invalid_argument, Code::invalid_argument},
    Case{Code::deadline_exceeded, 4, 504, 408, Code::deadline_exceeded, Code::deadline_exceeded},
    Case{Code::not_found, 5, 404, 404, Code::not_found, Code::not_found},
    Case{Code::already_exists, 6, 409, 409, Code::aborted, Code::already_exists},
    Case{Code::permission_denied, 7, 403, 403, Code::permission_denied, Code::permission_denied},
    Case{Code::resource_exhausted, 8, 429, 429, Code::resource_exhausted, Code::resource_exhausted},
    Case{Code::failed_precondition, 9, 412, 412, Code::failed_precondition,
         Code::failed_precondition},
    Case{Code::aborted, 10, 409, 410, Code::aborted, Code::aborted},
    Case{Code::out_of_range, 11, 416, 416, Code::out_of_range, Code::out_of_range},
    Case{Code::unimplemented, 12, 501, 405, Code::unimplemented, Code::unimplemented},
    Case{Code::internal, 13, 500, 500, Code::internal, Code::internal},
    Case{Code::unavailable, 14, 503, 503, Code::unavailable, Code::unavailable},
    Case{Code::data_loss, 15, 500, 510, Code::internal, Code::data_loss},
    Case{Code::unauthenticated, 16, 401, 401, Code::unauthenticated, Code::unauthenticated},
    Case{Code::not_sent, 14, 503, 500, Code::unavailable, Code::unavailable},
    Case{Code::outcome_unknown, 2, 500, 500, Code::internal, Code::unknown},
};

TEST(StatusTable, every_code_has_its_numbers_and_comes_back_as_the_nearest) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& each = cases.at(i);
    ASSERT_EQ(static_cast<std::size_t>(each.code), i);
    const Status status = each.code == Code::ok ? Status() : Status(each.code, "x");
    EXPECT_EQ(http_status(status), each.http) << each.code;
    EXPECT_EQ(http_status(status, HttpRule::ant), each.ant) << each.code;
    EXPECT_EQ(grpc_number(status), each.grpc) << each.code;
    EXPECT_EQ(code_of_http(each.http), each.back_from_http) << each.code;
    EXPECT_EQ(status_of_grpc(each.grpc, "x").code(), each.back_from_grpc) << each.code;
  }
  EXPECT_EQ(cases.back().code, Code::outcome_unknown) << "the last there is";
}

TEST(StatusTable, a_business_code_counts_only_by_the_rule_of_ant) {
  struct Business {
    int code;
    int ant;
  };
  for (const Business each :
       {Business{1, 500}, Business{199, 500}, Business{200, 200}, Business{451, 451},
        Business{599, 599}, Business{600, 299}, Business{1001, 299}, Business{-5, 500}}) {
    const Status status = Status(Code::failed_precondition, "x").with_business_code(each.code);
    EXPECT_EQ(http_status(status), 412) << each.code;
    EXPECT_EQ(http_status(status, HttpRule::ant), each.ant) << each.code;
    EXPECT_EQ(grpc_number(status), 9) << each.code;
  }
}

TEST(StatusTable, answers_of_others_get_a_code_to_act_on) {
  EXPECT_EQ(code_of_http(204), Code::ok);
  EXPECT_EQ(code_of_http(299), Code::failed_precondition);
  EXPECT_EQ(code_of_http(301), Code::unknown);
  EXPECT_EQ(code_of_http(100), Code::unknown);
  EXPECT_EQ(code_of_http(405), Code::unimplemented);
  EXPECT_EQ(code_of_http(413), Code::resource_exhausted);
  EXPECT_EQ(code_of_http(418), Code::invalid_argument);
  EXPECT_EQ(code_of_http(502), Code::unavailable);
  EXPECT_EQ(code_of_http(599), Code::internal);
  for (const int no_status : {-1, 0, 600, 99999}) EXPECT_EQ(code_of_http(no_status), Code::unknown);
}

TEST(StatusTable, a_grpc_number_that_is_no_code_stays_visible) {
  for (const std::int64_t number : {std::int64_t{17}, std::int64_t{1001}, std::int64_t{-3}}) {
    const Status status = status_of_grpc(number, "x");
    EXPECT_EQ(status.code(), Code::unknown);
    EXPECT_EQ(status.business_code(), number);
  }
  EXPECT_EQ(status_of_grpc(std::int64_t{1} << 40, "x").code(), Code::unknown);
  EXPECT_EQ(status_of_grpc(16, "who?").message(), "who?");
}

TEST(StatusTable, an_answer_without_a_grpc_status_came_from_something_in_between) {
  EXPECT_EQ(grpc_code_of_http(400), Code::internal);
  EXPECT_EQ(grpc_code_of_http(401), Code::unauthenticated);
  EXPECT_EQ(grpc_code_of_http(403), Code::permission_denied);
  EXPECT_EQ(grpc_code_of_http(404), Code::unimplemented);
  for (const int busy : {429, 502, 503, 504}) {
    EXPECT_EQ(grpc_code_of_http(busy), Code::unavailable) << busy;
  }
  for (const int other : {200, 302, 500, 0}) EXPECT_EQ(grpc_code_of_http(other), Code::unknown);
}

}  // namespace
}  // namespace parley::door
