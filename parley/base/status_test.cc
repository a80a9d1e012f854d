#include "parley/base/status.h"

#include <gtest/gtest.h>

#include <sstream>
#include <thread>
#include <vector>

#include "parley/base/fd.h"

namespace parley {
namespace {

TEST(Status, is_one_pointer_wide_and_ok_by_default) {
  static_assert(sizeof(Status) == sizeof(void*));
  const Status status;
  EXPECT_TRUE(status.is_ok());
  EXPECT_EQ(status.code(), Code::ok);
  EXPECT_EQ(status.to_string(), "ok");
  EXPECT_EQ(status.where().line(), 0u);
}

TEST(Status, tells_what_why_and_where) {
  const Status status = Status(Code::not_found, "no method \"/x\"").with_cause("3 are known");
  EXPECT_EQ(status.code(), Code::not_found);
  EXPECT_EQ(status.message(), "no method \"/x\"");
  EXPECT_EQ(status.to_string(), "not_found: no method \"/x\" (cause: 3 are known)");
  EXPECT_NE(std::string(status.where().file_name()).find("status_test.cc"), std::string::npos);
  std::ostringstream out;
  out << status;
  EXPECT_EQ(out.str(), status.to_string());
}

TEST(Status, made_elsewhere_is_remote) {
  EXPECT_FALSE(Status().is_remote());
  EXPECT_FALSE(Status(Code::aborted, "here").is_remote());
  EXPECT_TRUE(Status(Code::aborted, "there", std::source_location()).is_remote());
}

TEST(Status, a_business_error_keeps_its_number_beside_the_canonical_code) {
  const Status status = Status::business(1001, "out of tea");
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_EQ(status.business_code(), 1001);
  EXPECT_EQ(status.to_string(), "failed_precondition/1001: out of tea");
  const Status other = Status(Code::not_found, "no tea").with_business_code(1404);
  EXPECT_EQ(other.code(), Code::not_found);
  EXPECT_EQ(other.business_code(), 1404);
}

TEST(Status, not_sent_and_outcome_unknown_are_two_codes) {
  EXPECT_NE(Status(Code::not_sent, "x"), Status(Code::outcome_unknown, "x"));
  EXPECT_EQ(name_of(Code::not_sent), "not_sent");
  EXPECT_EQ(name_of(Code::outcome_unknown), "outcome_unknown");
}

TEST(Status, every_code_is_found_again_by_its_name) {
  for (int i = 0; i <= 18; ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_EQ(code_named(name_of(code)), code);
  }
  EXPECT_EQ(code_named("no such"), std::nullopt);
  EXPECT_EQ(name_of(static_cast<Code>(200)), "unknown");
}

TEST(Status, a_part_added_to_a_copy_leaves_the_original_alone) {
  const Status original(Code::unavailable, "cut");
  const Status copy = original.with_context("dial");
  EXPECT_EQ(original.message(), "cut");
  EXPECT_EQ(copy.message(), "dial: cut");
  EXPECT_TRUE(Status().with_cause("x").with_context("y").with_business_code(1).is_ok());
}

TEST(Status, copies_may_be_dropped_on_other_threads) {
  const Status status(Code::internal, std::string(100, 'x'));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([status] {
      for (int n = 0; n < 1000; ++n) {
        const Status copy = status;  // NOLINT(performance-unnecessary-copy-initialization)
        EXPECT_EQ(copy.message().size(), 100u);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Status, an_ok_code_with_a_message_is_a_bug) {
  EXPECT_DEATH((void)Status(Code::ok, "fine"), "an ok Status is made by Status\\(\\)");
}

TEST(Status, errno_becomes_the_code_a_caller_can_act_on) {
  EXPECT_EQ(errno_status(EMFILE, "accept").code(), Code::resource_exhausted);
  EXPECT_EQ(errno_status(ECONNREFUSED, "dial").code(), Code::unavailable);
  EXPECT_EQ(errno_status(ENOENT, "open").code(), Code::not_found);
  EXPECT_EQ(errno_status(EACCES, "open").code(), Code::permission_denied);
  EXPECT_EQ(errno_status(EADDRINUSE, "listen").code(), Code::already_exists);
  EXPECT_EQ(errno_status(ENOSPC, "write").code(), Code::resource_exhausted);
  EXPECT_EQ(errno_status(ENOTEMPTY, "remove").code(), Code::failed_precondition);
  EXPECT_EQ(errno_status(EIO, "sync").code(), Code::data_loss);
  EXPECT_EQ(errno_status(ENOENT, "open x").message(), "open x: No such file or directory");
}

}  // namespace
}  // namespace parley
