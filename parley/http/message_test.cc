#include "parley/http/message.h"

#include <gtest/gtest.h>

#include "parley/http/method.h"
#include "parley/http/status_text.h"

namespace parley::http {
namespace {

TEST(Request, takes_its_authority_from_the_target_first) {
  Request request;
  ASSERT_TRUE(request.headers.add("Host", "front.example").is_ok());
  EXPECT_EQ(request.authority(), "front.example");
  request.target = "http://back.example:81/a?b";
  EXPECT_EQ(request.authority(), "back.example:81");
  EXPECT_EQ(request.path(), "/a");
  EXPECT_EQ(request.query(), "b");
  request.target = "/a";
  EXPECT_EQ(request.query(), "");
  request.clear();
  EXPECT_EQ(request.authority(), "");
  EXPECT_EQ(request.path(), "");
}

TEST(Method, has_its_name_and_what_follows_from_it) {
  for (int i = 0; i < static_cast<int>(Method::other); ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_EQ(method_named(name_of(method)), method);
  }
  EXPECT_EQ(method_named("get"), Method::other);
  EXPECT_EQ(name_of(Method::other), "");
  EXPECT_TRUE(is_safe(Method::head) && !is_safe(Method::put));
  EXPECT_TRUE(is_idempotent(Method::put) && is_idempotent(Method::get) &&
              !is_idempotent(Method::post));
}

TEST(StatusCode, has_its_reason) {
  EXPECT_EQ(reason_of(200), "OK");
  EXPECT_EQ(reason_of(100), "Continue");
  EXPECT_EQ(reason_of(511), "Network Authentication Required");
  EXPECT_EQ(reason_of(299), "Unknown");
  EXPECT_EQ(reason_of(999), "Unknown");
  EXPECT_TRUE(is_informational(103) && !is_informational(101) && !is_informational(200));
}

}  // namespace
}  // namespace parley::http
