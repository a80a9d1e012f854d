#include "parley/codec/regex/regex.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "parley/codec/testing/small_stack.h"

namespace parley::codec::regex_test {

struct Person {
  std::string name = "Ada";
  std::vector<std::string> phones{};
  std::set<std::string> tags{};
  std::optional<std::string> nick{};
};
struct Broken {
  std::string text;
};
struct Around {
  std::vector<Broken> all;
};

}  // namespace parley::codec::regex_test

namespace regex_test = parley::codec::regex_test;
template <>
inline constexpr auto parley::fields<regex_test::Person> =
    parley::codec::field_rules<regex_test::Person>(
        parley::codec::field<&regex_test::Person::name>().matches("^\\p{Lu}\\p{L}*$"),
        parley::codec::field<&regex_test::Person::phones>().matches("[0-9]{3}"),
        parley::codec::field<&regex_test::Person::tags>().matches("^[a-z]+$"),
        parley::codec::field<&regex_test::Person::nick>().matches("(?i)^x"));
template <>
inline constexpr auto parley::fields<regex_test::Broken> =
    parley::codec::field_rules<regex_test::Broken>(
        parley::codec::field<&regex_test::Broken::text>().matches("(a"));

namespace parley::codec::regex_test {
namespace {

std::string broken(const Person& person) {
  const RegexPatterns patterns;
  const Status status = validate(person, {.patterns = &patterns});
  EXPECT_TRUE(status.is_ok() || status.code() == Code::invalid_argument) << status;
  return status.message();
}

TEST(RegexPatterns, a_text_matches_or_is_told_with_its_pattern) {
  EXPECT_EQ(broken({}), "");
  EXPECT_EQ(broken({.name = "Émile"}), "");
  EXPECT_EQ(broken({.name = "ada"}), "$.name: \"ada\" does not match ^\\p{Lu}\\p{L}*$");
}

TEST(RegexPatterns, a_pattern_matches_anywhere_unless_it_says_otherwise) {
  EXPECT_EQ(broken({.phones = {"tel 555-1"}}), "");
  EXPECT_EQ(broken({.phones = {"555", "55-1"}}), "$.phones[1]: \"55-1\" does not match [0-9]{3}");
  EXPECT_EQ(broken({.tags = {"a", "b"}}), "");
  EXPECT_EQ(broken({.tags = {"a", "b2"}}), "$.tags[1]: \"b2\" does not match ^[a-z]+$");
}

TEST(RegexPatterns, an_empty_optional_has_nothing_to_match) {
  EXPECT_EQ(broken({.nick = std::nullopt}), "");
  EXPECT_EQ(broken({.nick = "Xaver"}), "");
  EXPECT_EQ(broken({.nick = "y"}), "$.nick: \"y\" does not match (?i)^x");
}

TEST(RegexPatterns, a_pattern_that_is_none_is_told_before_any_value) {
  const RegexPatterns patterns;
  const ValidateOptions options{.patterns = &patterns};
  EXPECT_TRUE(check_rules<Person>(options).is_ok());
  const Status status = check_rules<Around>(options);
  EXPECT_EQ(status.code(), Code::failed_precondition);
  EXPECT_EQ(status.message(), "all: text: the pattern (a is no regular expression: missing ): (a");
  EXPECT_EQ(validate(Broken(), options).code(), Code::failed_precondition);
}

TEST(RegexPatterns, the_memory_of_a_pattern_has_a_limit) {
  const RegexPatterns small(2'000);
  const RegexPatterns usual;
  EXPECT_TRUE(usual.matches("(abc){50}", "x"));
  const Result<bool> refused = small.matches("(abc){50}", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::failed_precondition);
  EXPECT_EQ(refused.error().message(),
            "the pattern (abc){50} needs more than max_regex_memory (2000) bytes: simplify it, or "
            "raise that");
}

TEST(RegexPatterns, each_pattern_is_kept_once_whoever_asks) {
  const RegexPatterns patterns;
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back("^a{" + std::to_string(i) + "}$");
  std::array<bool, 4> all_right{};
  std::vector<std::thread> threads;
  threads.reserve(all_right.size());
  for (bool& is_right : all_right) {
    threads.emplace_back([&] {
      is_right = true;
      for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < texts.size(); ++i) {
          is_right = is_right && patterns.matches(texts[i], std::string(i, 'a')).value() &&
                     !patterns.matches(texts[i], std::string(i + 1, 'a')).value();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool is_right : all_right) EXPECT_TRUE(is_right);
  EXPECT_EQ(patterns.size(), texts.size());
}

TEST(RegexPatterns, a_pattern_that_backtracks_elsewhere_takes_no_longer) {
  // A backtracking matcher would take 2^200 steps.
  const RegexPatterns patterns;
  EXPECT_FALSE(patterns.matches("^(a+)+$", std::string(200, 'a') + "b").value());
}

TEST(RegexPatterns, matching_needs_little_stack) {
  if (testing::frames_are_widened) GTEST_SKIP() << "a sanitizer widens every frame";
  const auto run = [] {
    const RegexPatterns patterns;
    EXPECT_TRUE(patterns.matches("^(a|b(c|d)*)*e$", std::string(10'000, 'a') + "e").value());
  };
  EXPECT_LT(testing::stack_used_by(run), 32U << 10);
}

}  // namespace
}  // namespace parley::codec::regex_test
