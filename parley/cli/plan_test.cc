#include "parley/cli/plan.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using Words = std::vector<std::string>;
using namespace std::chrono_literals;

Result<CallPlan> plan_of(const Words& words) {
  const auto flags = parse_flags(*find_command("call"), words);
  EXPECT_TRUE(flags) << flags.error();
  if (!flags) return flags.error();
  return plan_call(Verb::call, *flags);
}

std::string refusal(const Words& words) {
  const auto plan = plan_of(words);
  EXPECT_FALSE(plan);
  return plan.error().message();
}

TEST(Plan, takes_address_method_and_body) {
  const auto plan = plan_of({"tcp://127.0.0.1:4711", "/math/add", "1", "2"});
  ASSERT_TRUE(plan) << plan.error();
  EXPECT_EQ(plan->verb, Verb::call);
  EXPECT_EQ(plan->address, "tcp://127.0.0.1:4711");
  EXPECT_EQ(plan->method, "/math/add");
  EXPECT_EQ(plan->body, "[1,2]");
  EXPECT_EQ(plan->timeout, default_timeout);
  EXPECT_EQ(plan->layout, Layout::by_terminal);
  EXPECT_FALSE(plan->is_verbose);
  EXPECT_TRUE(plan->metadata.empty());
}

TEST(Plan, takes_every_option) {
  const auto plan = plan_of(
      {"-t", "2s", "-m", "a=1", "-m", "b=x=y", "-m", "a=", "-v", "--compact", "tcp://h:1", "/m"});
  ASSERT_TRUE(plan) << plan.error();
  EXPECT_EQ(plan->timeout, 2s);
  const std::vector<std::pair<std::string, std::string>> metadata = {
      {"a", "1"}, {"b", "x=y"}, {"a", ""}};
  EXPECT_EQ(plan->metadata, metadata);
  EXPECT_TRUE(plan->is_verbose);
  EXPECT_EQ(plan->layout, Layout::compact);
  EXPECT_EQ(plan_of({"--pretty", "tcp://h:1", "/m"})->layout, Layout::pretty);
}

TEST(Plan, says_what_is_missing) {
  EXPECT_EQ(refusal({}),
            "the address is missing; write where the service listens, such as "
            "tcp://127.0.0.1:4711");
  EXPECT_NE(refusal({"tcp://h:1"}).find("the method is missing"), std::string::npos);
  EXPECT_NE(refusal({"tcp://h:1", ""}).find("the method is missing"), std::string::npos);
}

TEST(Plan, notices_address_and_method_swapped) {
  EXPECT_NE(refusal({"/m", "tcp://h:1"}).find("the method comes after the address"),
            std::string::npos);
}

TEST(Plan, refuses_a_name_that_is_within_another_process) {
  EXPECT_TRUE(refusal({"inproc:me", "/m"})
                  .starts_with("\"inproc:me\": inproc: names are within one process"));
  EXPECT_TRUE(plan_of({"tcp://inproc:1", "/m"}));
}

TEST(Plan, refuses_options_that_make_no_sense) {
  EXPECT_TRUE(refusal({"-t", "5", "tcp://h:1", "/m"}).starts_with("--timeout: \"5\" has no unit"));
  EXPECT_TRUE(refusal({"-m", "user", "tcp://h:1", "/m"}).starts_with("--meta: \"user\" is not"));
  EXPECT_TRUE(refusal({"-m", "=ada", "tcp://h:1", "/m"}).starts_with("--meta: \"=ada\" is not"));
  EXPECT_NE(refusal({"--pretty", "--compact", "tcp://h:1", "/m"}).find("exclude each other"),
            std::string::npos);
  EXPECT_NE(refusal({"-f", "x", "tcp://h:1", "/m", "1"}).find("leave one of them out"),
            std::string::npos);
  EXPECT_TRUE(refusal({"-f", "/nowhere/x", "tcp://h:1", "/m"})
                  .starts_with("--body-file: cannot open /nowhere/x"));
}

}  // namespace
}  // namespace parley::cli
