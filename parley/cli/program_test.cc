#include "parley/cli/program.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(Program, goes_on_as_the_one_beside_it_with_the_words_given) {
  // The only program that is beside this one for sure is this one.
  EXPECT_EXIT(
      {
        const Status failed = become_program("cli_test", {"--gtest_filter=NoSuch.case"});
        ADD_FAILURE() << failed;
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Program, one_that_is_not_there_is_named) {
  const Status failed = become_program("parley-no-such", {"a"});
  EXPECT_EQ(failed.code(), Code::not_found);
  EXPECT_NE(failed.message().find("/parley-no-such: "), std::string::npos) << failed;
}

}  // namespace
}  // namespace parley::cli
