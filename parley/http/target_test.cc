#include "parley/http/target.h"

#include <gtest/gtest.h>

#include <string_view>

namespace parley::http {
namespace {

bool is_good(std::string_view target, Method method = Method::get) {
  return parse_target(method, target).has_value();
}

TEST(Target, has_four_forms) {
  const Target origin = parse_target(Method::get, "/a/b?c=d?e").value();
  EXPECT_EQ(origin.form, TargetForm::origin);
  EXPECT_EQ(origin.path, "/a/b");
  EXPECT_EQ(origin.query, "c=d?e");
  const Target absolute = parse_target(Method::post, "http://[::1]:80/a?b").value();
  EXPECT_EQ(absolute.form, TargetForm::absolute);
  EXPECT_EQ(absolute.scheme, "http");
  EXPECT_EQ(absolute.authority, "[::1]:80");
  EXPECT_EQ(absolute.path, "/a");
  EXPECT_EQ(absolute.query, "b");
  EXPECT_EQ(parse_target(Method::get, "https://a?b").value().path, "/");
  const Target authority = parse_target(Method::connect, "a.example:443").value();
  EXPECT_EQ(authority.form, TargetForm::authority);
  EXPECT_EQ(authority.authority, "a.example:443");
  EXPECT_EQ(parse_target(Method::options, "*").value().form, TargetForm::asterisk);
}

TEST(Target, goes_with_its_method) {
  EXPECT_FALSE(is_good("*"));
  EXPECT_FALSE(is_good("a.example:443"));
  EXPECT_FALSE(is_good("/", Method::connect));
  EXPECT_FALSE(is_good("http://a/", Method::connect));
  EXPECT_FALSE(is_good("a.example", Method::connect));
  EXPECT_FALSE(is_good("a.example:", Method::connect));
  EXPECT_FALSE(is_good("*", Method::other));
  EXPECT_TRUE(is_good("http://a", Method::options));
}

TEST(Target, is_made_of_what_may_stand_there) {
  for (const std::string_view good : {"/", "/%41", "//a", "/a[1]|b", "/~a;b=c,d", "/?a[]={b}^`\\",
                                      "/?100%", "/a?", "HTTP://a", "x+y://a/"}) {
    EXPECT_TRUE(is_good(good)) << good;
  }
  for (const std::string_view bad : {"",
                                     "a",
                                     "/a#b",
                                     "/\"",
                                     "/<",
                                     "/a\\b",
                                     "/%",
                                     "/%4",
                                     "/%4g",
                                     "/%g4",
                                     "/?a#b",
                                     "/?\"",
                                     "/{a}",
                                     "http:///a",
                                     "http://",
                                     "http:/a",
                                     "://a",
                                     "1x://a",
                                     "http://u@a/",
                                     "http://a:b/",
                                     "http://a:65536/",
                                     "http://[::1/",
                                     "http://a b/"}) {
    EXPECT_FALSE(is_good(bad)) << bad;
  }
}

TEST(Target, is_told_in_what_is_refused) {
  const Status status = parse_target(Method::get, "/a\\b").error();
  EXPECT_NE(status.message().find("\"/a\\\\b\""), std::string::npos) << status;
  EXPECT_NE(status.message().find("RFC 3986"), std::string::npos) << status;
}

TEST(Authority, is_a_host_with_or_without_a_port) {
  for (const std::string_view good : {"a", "a.example", "a_b-c.example:80", "127.0.0.1:0", "[::1]",
                                      "[2001:db8::1]:65535", "a:", "xn--tee-1na.example", "%41"}) {
    EXPECT_TRUE(is_authority(good)) << good;
  }
  for (const std::string_view bad : {"",    ":80", "a:b", "a:65536", "a:123456", "a:+1",
                                     "a b", "a,b", "a/b", "a@b",     "u@a",      "[::1",
                                     "::1", "[]",  "[a]", "[::1]a",  "[::1]:x",  "[fe80::1%25eth0]",
                                     "a?b", "a#b", "%4",  "[v1.a]"}) {
    EXPECT_FALSE(is_authority(bad)) << bad;
  }
}

}  // namespace
}  // namespace parley::http
