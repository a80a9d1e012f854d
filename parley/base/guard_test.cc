#include "parley/base/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace parley {
namespace {

TEST(Guard, turns_what_was_thrown_into_internal_with_the_text_as_cause) {
  EXPECT_TRUE(guarded([] {}).is_ok());
  const Status status = guarded([] { throw std::runtime_error("stock file is gone"); });
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_EQ(status.cause(), "stock file is gone");
  EXPECT_EQ(guarded([] { throw 7; }).cause(), "not derived from std::exception");
}

TEST(Guard, gives_what_a_function_returned_and_what_is_made_of_what_it_threw) {
  const auto named = [](const Status& thrown) { return thrown.with_context("/stock"); };
  const auto run = [&](bool throws) {
    return guarded_status(
        [&] {
          if (throws) throw std::runtime_error("stock file is gone");
          return Status(Code::not_found, "no such article");
        },
        named);
  };
  EXPECT_EQ(run(false).code(), Code::not_found);
  EXPECT_EQ(run(false).message(), "no such article");
  EXPECT_EQ(run(true).message(), "/stock: the handler threw an exception");
  EXPECT_EQ(run(true).cause(), "stock file is gone");
}

}  // namespace
}  // namespace parley
