// What is said about a call that failed. The call itself is tested end to end, see
// tests/cli_test.cc.
#include "parley/cli/call.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

CallPlan make_plan() {
  CallPlan made;
  made.address = "tcp://127.0.0.1:1";
  made.method = "/order/place";
  return made;
}

const CallPlan plan = make_plan();

Status answered(Code code, std::string message) {
  return Status(code, std::move(message), std::source_location{});
}

TEST(Call, an_address_that_cannot_be_reached_asks_for_the_service) {
  const Status status = Status(Code::not_sent, "no connection to tcp://127.0.0.1:1");
  EXPECT_EQ(
      failure_text(plan, status.with_cause("dial tcp://127.0.0.1:1: Connection refused"), false),
      "parley: cannot reach tcp://127.0.0.1:1: Connection refused\n"
      "  Is the service running? Compare the address with the one it printed when it started.");
  EXPECT_TRUE(failure_text(plan, status, false)
                  .starts_with("parley: cannot reach tcp://127.0.0.1:1: no connection to"));
}

TEST(Call, an_address_that_is_none_is_explained) {
  const Status status(Code::invalid_argument, "address \"x\": no network; write it as tcp://h:1");
  EXPECT_EQ(failure_text(plan, status, false),
            "parley: address \"x\": no network; write it as tcp://h:1");
}

TEST(Call, a_business_error_is_told_without_advice) {
  const Status status = answered(Code::failed_precondition, "out of tea").with_business_code(1001);
  EXPECT_EQ(failure_text(plan, status, true),
            "parley: /order/place answered with an error: failed_precondition/1001: out of tea");
}

TEST(Call, a_method_without_its_slash_is_noticed) {
  CallPlan slashless = plan;
  slashless.method = "order/place";
  const std::string text =
      failure_text(slashless, answered(Code::not_found, "no method \"order/place\""), true);
  EXPECT_NE(text.find("try '/order/place'"), std::string::npos) << text;
}

TEST(Call, how_several_arguments_are_written_is_told_only_where_their_count_is_wrong) {
  constexpr std::string_view advice = "One parameter is sent as its value, several as an array";
  const auto advises = [&](std::string message) {
    const Status status = answered(Code::invalid_argument, std::move(message));
    return failure_text(plan, status, true).find(advice) != std::string::npos;
  };
  EXPECT_TRUE(advises("/add: 2 arguments are expected, in an array, got a single value"));
  EXPECT_TRUE(advises("/now: no arguments are expected, got a body of 3 bytes"));
  EXPECT_TRUE(advises("/add: $: expected an array of 2 elements, got 3"));
  EXPECT_TRUE(advises("/square: $: expected integer, got array"));
  EXPECT_FALSE(advises("/add: $[0]: expected integer, got string"));
  EXPECT_FALSE(advises("/add: $[1]: expected an array of 3 elements, got 2"));
  EXPECT_FALSE(advises("/square: $: expected integer, got string"));
}

TEST(Call, silence_says_whether_to_try_again) {
  EXPECT_TRUE(failure_text(plan, Status(Code::not_sent, "cut"), true).ends_with("try again."));
  EXPECT_TRUE(failure_text(plan, Status(Code::resource_exhausted, "too large"), true)
                  .ends_with("It was not sent."));
  EXPECT_NE(failure_text(plan, Status(Code::outcome_unknown, "cut"), true)
                .find("call again only what may run twice"),
            std::string::npos);
  EXPECT_NE(failure_text(plan, Status(Code::deadline_exceeded, "slow"), true)
                .find("Give it longer with --timeout (now 30 s)"),
            std::string::npos);
  EXPECT_EQ(failure_text(plan, answered(Code::deadline_exceeded, "slow"), true).find("--timeout"),
            std::string::npos)
      << "the other side's own deadline is not ours to lengthen";
}

}  // namespace
}  // namespace parley::cli
