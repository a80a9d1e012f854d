#include "parley/kv/command.h"

#include <gtest/gtest.h>

#include <string>

#include "parley/kv/impl/paths.h"
#include "parley/kv/impl/utf8.h"

namespace parley::kv {
namespace {

TEST(Command, a_clean_path_has_one_form) {
  EXPECT_EQ(clean_path(""), "/");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path("a"), "/a");
  EXPECT_EQ(clean_path("//a///b/"), "/a/b");
  EXPECT_EQ(clean_path("/a/./b/../c"), "/a/c");
  EXPECT_EQ(clean_path("/../../a/.."), "/");
  EXPECT_EQ(clean_path("/a/...b/.c"), "/a/...b/.c");
}

TEST(Command, beyond_a_limit_is_refused_by_its_name) {
  const CommandLimits limits{.max_path_bytes = 10, .max_depth = 3, .max_value_bytes = 4};
  const auto refused = [&](const Command& command) {
    const Status status = check(command, limits);
    const bool is_limit = status.code() == Code::resource_exhausted;
    for (const char* name : {"max_path_bytes", "max_depth", "max_value_bytes"}) {
      if (is_limit && status.message().find(name) != std::string::npos) return std::string(name);
    }
    return status.to_string();
  };
  EXPECT_EQ(refused({.path = "/a/b/c", .value = "1234"}), "ok");
  EXPECT_EQ(refused({.path = "/a/b/c/d"}), "max_depth");
  EXPECT_EQ(refused({.path = "/1234567890"}), "max_path_bytes");
  EXPECT_EQ(refused({.path = "/a", .value = "12345"}), "max_value_bytes");
  EXPECT_EQ(refused({.path = "/a", .prev_value = "12345"}), "max_value_bytes");
  EXPECT_EQ(refused({.kind = CommandKind::create, .path = "/a", .unique = true}), "max_path_bytes");
}

TEST(Command, with_the_default_limits_ordinary_ones_pass) {
  EXPECT_TRUE(check({.path = "/a/b", .value = std::string(1'000'000, 'x')}).is_ok());
  EXPECT_FALSE(check({.path = "/a/b", .value = std::string(1'100'000, 'x')}).is_ok());
  std::string deep;
  for (int i = 0; i < 64; ++i) deep += "/a";
  EXPECT_TRUE(check({.path = deep}).is_ok());
  EXPECT_FALSE(check({.path = deep + "/a"}).is_ok());
}

TEST(Command, of_no_kind_or_with_a_path_that_is_no_text_is_invalid) {
  EXPECT_EQ(check({.kind = static_cast<CommandKind>(0)}).code(), Code::invalid_argument);
  EXPECT_EQ(check({.kind = static_cast<CommandKind>(8)}).code(), Code::invalid_argument);
  EXPECT_EQ(check({.path = "/\x80"}).code(), Code::invalid_argument);
  EXPECT_TRUE(check({.path = "/a", .value = "\xff"}).is_ok()) << "a value is any bytes";
}

TEST(Command, kinds_have_names) {
  EXPECT_EQ(name_of(CommandKind::create), "create");
  EXPECT_EQ(name_of(CommandKind::compare_and_delete), "compare_and_delete");
  EXPECT_EQ(name_of(CommandKind::expire), "expire");
  EXPECT_EQ(name_of(static_cast<CommandKind>(200)), "unknown");
}

TEST(Command, knows_what_it_holds) {
  const Command small{.path = "/a"};
  const Command large{.path = "/a", .value = std::string(1'000, 'x'), .prev_value = "12"};
  EXPECT_EQ(large.bytes(), small.bytes() + 1'002);
}

TEST(Paths, below_is_behind_a_slash) {
  EXPECT_TRUE(impl::is_below("/a/b", "/a"));
  EXPECT_TRUE(impl::is_below("/a/b/c", "/a"));
  EXPECT_TRUE(impl::is_below("/a", "/"));
  EXPECT_FALSE(impl::is_below("/ab", "/a"));
  EXPECT_FALSE(impl::is_below("/a", "/a"));
  EXPECT_FALSE(impl::is_below("/", "/"));
  EXPECT_FALSE(impl::is_below("/a", "/a/b"));
}

TEST(Paths, hidden_is_what_has_a_name_with_an_underscore_between) {
  EXPECT_TRUE(impl::is_hidden_below("/foo/_bar", "/foo"));
  EXPECT_TRUE(impl::is_hidden_below("/foo/_bar/baz", "/foo"));
  EXPECT_TRUE(impl::is_hidden_below("/_foo", "/"));
  EXPECT_FALSE(impl::is_hidden_below("/foo/_bar", "/foo/_bar")) << "it is that itself";
  EXPECT_FALSE(impl::is_hidden_below("/foo/_bar/baz", "/foo/_bar")) << "who watches inside sees";
  EXPECT_FALSE(impl::is_hidden_below("/foo/b_r", "/foo"));
  EXPECT_FALSE(impl::is_hidden_below("/foo", "/foo/_bar")) << "deeper than what changed";
}

TEST(Utf8, is_what_the_standard_says) {
  for (const char* good : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(impl::is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(impl::is_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace parley::kv
