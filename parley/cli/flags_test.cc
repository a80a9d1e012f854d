#include "parley/cli/flags.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using Words = std::vector<std::string>;

Result<Flags> parse_call(const Words& words) { return parse_flags(*find_command("call"), words); }

std::string refusal(const Words& words) {
  const auto flags = parse_call(words);
  EXPECT_FALSE(flags);
  EXPECT_EQ(flags.error().code(), Code::invalid_argument);
  return flags.error().message();
}

TEST(Flags, sorts_options_from_arguments_wherever_they_stand) {
  const auto flags =
      parse_call({"--timeout", "5s", "tcp://h:1", "-v", "/m", "1", "--meta=a=b", "2"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->arguments(), (Words{"tcp://h:1", "/m", "1", "2"}));
  EXPECT_EQ(flags->value("--timeout"), "5s");
  EXPECT_EQ(flags->values("--meta"), (Words{"a=b"}));
  EXPECT_TRUE(flags->has("--verbose"));
  EXPECT_FALSE(flags->has("--compact"));
  EXPECT_EQ(flags->value("--body-file"), std::nullopt);
}

TEST(Flags, json_arguments_arrive_untouched) {
  const Words json = {"[1,2]", "[\"a\",\"b\"]", "{\"a\":[1]}", "-5", "-0.5", "\"--x\"",
                      "[]",    "\"\"",          "null",        "++", "%",    "a=b"};
  const auto flags = parse_call(json);
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->arguments(), json);
}

TEST(Flags, an_option_takes_exactly_one_value) {
  const auto flags = parse_call({"--meta", "a=[1,2]", "[3]", "-m", "b=2", "4"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->values("--meta"), (Words{"a=[1,2]", "b=2"}));
  EXPECT_EQ(flags->arguments(), (Words{"[3]", "4"}));
}

TEST(Flags, a_lone_dash_is_a_value_and_an_argument) {
  const auto flags = parse_call({"-f", "-", "-"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->value("--body-file"), "-");
  EXPECT_EQ(flags->arguments(), (Words{"-"}));
}

TEST(Flags, after_two_dashes_everything_is_an_argument) {
  const auto flags = parse_call({"a", "--", "--timeout", "-v", "--"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->arguments(), (Words{"a", "--timeout", "-v", "--"}));
  EXPECT_FALSE(flags->has("--verbose"));
}

TEST(Flags, the_name_of_another_command_is_an_argument) {
  const auto flags = parse_call({"push", "version", "call"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->arguments(), (Words{"push", "version", "call"}));
}

TEST(Flags, an_unknown_option_names_the_nearest) {
  EXPECT_EQ(refusal({"--timeot", "5s"}),
            "there is no option \"--timeot\"; did you mean \"--timeout\"?");
  EXPECT_EQ(refusal({"--timeot=5s"}),
            "there is no option \"--timeot\"; did you mean \"--timeout\"?");
  EXPECT_EQ(refusal({"--frobnicate"}), "there is no option \"--frobnicate\"");
  EXPECT_EQ(refusal({"-x"}), "there is no option \"-x\"");
}

TEST(Flags, an_option_is_not_abbreviated) {
  EXPECT_NE(refusal({"--time", "5s"}).find("--time"), std::string::npos);
}

TEST(Flags, a_value_missing_or_given_twice_is_refused) {
  const std::string missing = "the option \"--timeout\" needs a value: --timeout DURATION";
  EXPECT_EQ(refusal({"--timeout"}), missing);
  EXPECT_EQ(refusal({"-v", "-t"}), missing);
  EXPECT_EQ(refusal({"--timeout="}), missing);
  EXPECT_EQ(refusal({"--timeout", "--", "5s"}), missing);
  EXPECT_EQ(refusal({"--timeout", "5s", "-t", "6s"}),
            "the option \"--timeout\" is given 2 times; give it once");
}

TEST(Flags, a_value_may_look_like_an_option) {
  const auto flags = parse_call({"--body-file", "--verbose", "-m", "--=x"});
  ASSERT_TRUE(flags) << flags.error();
  EXPECT_EQ(flags->value("--body-file"), "--verbose");
  EXPECT_FALSE(flags->has("--verbose"));
}

TEST(Flags, a_flag_may_be_repeated_and_takes_no_value) {
  EXPECT_TRUE(parse_call({"-v", "-v"})->has("--verbose"));
  EXPECT_TRUE(parse_call({"-vv"})->has("--verbose"));
  EXPECT_EQ(refusal({"--verbose=loud"}), "the option \"--verbose\" takes no value");
}

}  // namespace
}  // namespace parley::cli
