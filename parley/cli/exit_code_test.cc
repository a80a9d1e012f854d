#include "parley/cli/exit_code.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

// A status as it comes over a wire: without a place in the source.
Status answered(Code code) { return Status(code, "from afar", std::source_location{}); }

TEST(ExitCode, every_error_of_the_other_side_is_an_answer) {
  for (const Code code : {Code::not_found, Code::invalid_argument, Code::internal,
                          Code::deadline_exceeded, Code::cancelled, Code::unavailable}) {
    EXPECT_EQ(exit_code_of(answered(code)), ExitCode::answered_with_error) << code;
  }
}

TEST(ExitCode, what_only_the_caller_can_know_is_told_apart) {
  EXPECT_EQ(exit_code_of(Status()), ExitCode::ok);
  EXPECT_EQ(exit_code_of(Status(Code::not_sent, "x")), ExitCode::not_sent);
  EXPECT_EQ(exit_code_of(Status(Code::outcome_unknown, "x")), ExitCode::outcome_unknown);
  EXPECT_EQ(exit_code_of(Status(Code::deadline_exceeded, "x")), ExitCode::outcome_unknown);
  EXPECT_EQ(exit_code_of(Status(Code::data_loss, "x")), ExitCode::outcome_unknown);
  EXPECT_EQ(exit_code_of(Status(Code::resource_exhausted, "x")), ExitCode::not_sent);
}

TEST(ExitCode, the_help_lists_each_number_once) {
  const std::string help(exit_code_help());
  for (int code = 0; code <= static_cast<int>(ExitCode::output_lost); ++code) {
    const std::string line = "  " + std::to_string(code) + "  ";
    EXPECT_NE(help.find(line), std::string::npos) << code;
    EXPECT_EQ(help.find(line), help.rfind(line)) << code;
  }
}

}  // namespace
}  // namespace parley::cli
